"""Switching the theme while the window lives."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from ntklab.gui import theme
from ntklab.gui.theme.palette import DARK, LIGHT


def test_apply_dresses_everything_that_is_open_and_tells(qapp, qtbot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    label = QLabel("text", window)
    heard: list[theme.Palette] = []
    theme.notifier().changed.connect(heard.append)
    theme.apply(qapp, "dark")
    assert theme.current() is DARK
    assert heard == [DARK]
    assert label.palette().color(QPalette.ColorRole.WindowText).name() == DARK.text
    theme.apply(qapp, "light")
    assert theme.current() is LIGHT
    assert label.palette().color(QPalette.ColorRole.WindowText).name() == LIGHT.text
    theme.notifier().changed.disconnect(heard.append)


def test_system_scheme_follows_the_desktop(qapp, monkeypatch) -> None:
    notifier = theme.notifier()
    theme.apply(qapp, "system")
    hints = qapp.styleHints()
    for scheme, palette in ((Qt.ColorScheme.Dark, DARK), (Qt.ColorScheme.Light, LIGHT)):
        monkeypatch.setattr(type(hints), "colorScheme", lambda _self, s=scheme: s)
        hints.colorSchemeChanged.emit(scheme)
        assert notifier.palette is palette
    assert notifier.scheme == "system"


def test_a_chosen_scheme_ignores_the_desktop(qapp, monkeypatch) -> None:
    theme.apply(qapp, "light")
    hints = qapp.styleHints()
    monkeypatch.setattr(type(hints), "colorScheme", lambda _self: Qt.ColorScheme.Dark)
    hints.colorSchemeChanged.emit(Qt.ColorScheme.Dark)
    assert theme.current() is LIGHT


def test_focus_is_visible_in_both_themes(qapp, qtbot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    layout = QVBoxLayout(window)
    button, other = QPushButton("Compute"), QPushButton("Train")
    layout.addWidget(button)
    layout.addWidget(other)
    window.show()
    for scheme in ("light", "dark"):
        theme.apply(qapp, scheme)
        other.setFocus()
        qapp.processEvents()
        without = button.grab().toImage()
        button.setFocus()
        qapp.processEvents()
        assert button.hasFocus()
        assert button.grab().toImage() != without


def test_base_font_is_at_least_13_pixels(qapp) -> None:
    assert qapp.font().pixelSize() >= 13
