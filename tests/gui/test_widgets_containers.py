import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from ntklab.gui import theme
from ntklab.gui.widgets import Banner, Card, ElidedLabel, IconButton, Section, swap


def test_a_section_makes_its_content_when_it_is_opened(qtbot):
    made = []

    def make():
        made.append(QLabel("inside"))
        return made[-1]

    section = Section("Data", make, opened=False)
    qtbot.addWidget(section)
    section.show()
    section.show_summary("two circles")
    assert made == []
    qtbot.mouseClick(section.header, Qt.MouseButton.LeftButton)
    assert made[0].isVisible()
    section.header.setFocus()
    qtbot.keyClick(section.header, Qt.Key.Key_Space)
    assert not made[0].isVisible()
    assert len(made) == 1
    assert section.header.accessibleDescription() == "two circles"


def test_a_folded_section_grows_by_its_summary(qtbot):
    section = Section("Data", lambda: QLabel("inside"), opened=False)
    qtbot.addWidget(section)
    before = section.header.sizeHint().height()
    section.show_summary("two circles")
    assert section.header.sizeHint().height() > before


def test_tab_goes_through_what_is_made_late(qtbot):
    page = QWidget()
    qtbot.addWidget(page)
    layout = QVBoxLayout(page)
    inside = QLineEdit()
    framed = QWidget()
    QHBoxLayout(framed).addWidget(inside)
    section, last = Section("Data", lambda: framed, opened=False), QLineEdit()
    layout.addWidget(section)
    layout.addWidget(last)
    page.show()
    section.open()
    assert tab_order(section.header, 3) == [section.header, inside, last]


def test_a_swapped_part_keeps_its_place_in_the_tab_order(qtbot):
    page = QWidget()
    qtbot.addWidget(page)
    layout = QVBoxLayout(page)
    first, old, last, new = QLineEdit(), QWidget(), QLineEdit(), QWidget()
    for widget in (first, old, last):
        layout.addWidget(widget)
    one, two = QLineEdit(), QLineEdit()
    inner = QVBoxLayout(new)
    inner.addWidget(one)
    inner.addWidget(two)
    page.show()
    swap(layout, old, new)
    assert tab_order(first, 4) == [first, one, two, last]


def tab_order(start, count):
    found, widget = [start], start
    while len(found) < count:
        widget = widget.nextInFocusChain()
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            found.append(widget)
    return found


def test_a_banner_speaks_and_is_closed(qtbot):
    parent = QWidget()
    qtbot.addWidget(parent)
    banner = Banner(parent)
    parent.show()
    banner.say("Drag the width", "Show me")
    assert banner.isVisible()
    assert banner.button.isVisible()
    with qtbot.waitSignal(banner.acted):
        qtbot.mouseClick(banner.button, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(banner.closed):
        qtbot.mouseClick(banner.close_button, Qt.MouseButton.LeftButton)
    assert not banner.isVisible()


def test_a_card_shows_values_and_brings_them_up_to_date(qtbot):
    card = Card()
    qtbot.addWidget(card)
    rows = (("λ_1", "largest", "3.2"), ("κ", "condition", "18"))
    card.show_card("Spectrum", "Θ v = λ v", text="", rows=rows, reference="Jacot 2018")
    card.show_values(("3.3", "18"))
    shown = [label.text() for label in card.findChildren(QLabel)]
    assert "3.3" in shown
    assert "3.2" not in shown
    with pytest.raises(ValueError, match="argument"):
        card.show_values(("one too few",))


def test_a_label_elides_and_tells_all_in_its_tooltip(qtbot):
    label = ElidedLabel()
    qtbot.addWidget(label)
    label.say("a long line that will not fit")
    assert label.minimumSizeHint().width() < label.sizeHint().width()
    assert label.toolTip() == "a long line that will not fit"


def test_icons_follow_the_theme(qtbot, qapp):
    button = IconButton("dice", "Roll")
    qtbot.addWidget(button)
    light = button.icon().pixmap(16).toImage()
    theme.apply(qapp, "dark")
    qapp.processEvents()
    assert button.icon().pixmap(16).toImage() != light
    theme.apply(qapp, "light")
    qapp.processEvents()
    assert button.icon().pixmap(16).toImage() == light
