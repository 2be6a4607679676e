"""A row of choices shows what fits, always the chosen one, and keeps the rest in a menu."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QToolButton

from ntklab.gui.widgets import Segments

PLAIN = [("a", "First", ""), ("b", "Second", ""), ("c", "Third one", "")]
ENTRIES = [*PLAIN, ("d", "Inner", "More"), ("e", "Other", "More")]


@pytest.fixture
def segments(qtbot):
    widget = Segments(ENTRIES, "Test")
    qtbot.addWidget(widget)
    widget.show()
    return widget


def shown(widget):
    return [b.objectName() for b in widget.findChildren(QToolButton) if not b.isHidden()]


def test_all_are_shown_where_there_is_room(segments):
    segments.resize(segments.sizeHint())
    assert shown(segments) == ["choice-a", "choice-b", "choice-c", "group-More"]


def test_the_chosen_one_stays_and_the_rest_is_in_the_menu(segments):
    segments.resize(segments.minimumSizeHint())
    segments.check("c")
    assert "choice-c" in shown(segments)
    assert "more-Test" in shown(segments)
    more = segments.findChild(QToolButton, "more-Test").menu()
    more.aboutToShow.emit()
    hidden = {"choice-a", "choice-b", "group-More"} - {*shown(segments)}
    assert len(more.actions()) == len(hidden) > 0


def test_pressing_says_what_was_chosen(qtbot, segments):
    segments.resize(segments.sizeHint())
    with qtbot.waitSignal(segments.chosen) as said:
        qtbot.mouseClick(segments.findChild(QToolButton, "choice-b"), Qt.MouseButton.LeftButton)
    assert said.args == ["b"]
    with qtbot.waitSignal(segments.chosen) as said:
        segments.findChild(QAction, "choice-e").trigger()
    assert said.args == ["e"]
    assert segments.findChild(QToolButton, "group-More").isChecked()
    assert not segments.findChild(QToolButton, "choice-b").isChecked()


def test_hidden_choices_can_be_chosen_from_the_menu(qtbot, segments):
    segments.resize(segments.minimumSizeHint())
    segments.check("d")
    more = segments.findChild(QToolButton, "more-Test").menu()
    more.aboutToShow.emit()
    plain = next(action for action in more.actions() if action.menu() is None)
    with qtbot.waitSignal(segments.chosen) as said:
        plain.trigger()
    assert f"choice-{said.args[0]}" in shown(segments)
