import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QVBoxLayout, QWidget

from ntklab.gui.widgets import HEADING, Choice, LogDial, NumberEdit, Scale, ValueSlider

WIDTHS = Scale(16, 4096, integer=True, log=True, positions=64)


@pytest.fixture
def page(qtbot):
    """A shown widget to put inputs in, with another input to move the focus to."""
    page = QWidget()
    layout = QVBoxLayout(page)
    page.other = QLineEdit()
    layout.addWidget(page.other)
    qtbot.addWidget(page)
    page.show()
    qtbot.waitExposed(page)

    def put(widget):
        layout.addWidget(widget)
        widget.show()
        QApplication.processEvents()
        return widget

    page.put = put
    return page


def heard(signal, owner=None):
    values = []
    (getattr(owner, signal) if owner is not None else signal).connect(values.append)
    return values


def type_in(qtbot, edit, text):
    edit.setFocus()
    edit.selectAll()
    qtbot.keyClicks(edit, text)


def wheel(widget, turns):
    point = QPointF(widget.rect().center())
    event = QWheelEvent(
        point, widget.mapToGlobal(point), QPoint(), QPoint(0, 120 * turns), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)


def test_a_number_is_committed_by_return_and_only_once(qtbot, page):
    edit = page.put(NumberEdit(WIDTHS))
    edit.show_value(512)
    committed = heard(edit.committed)
    type_in(qtbot, edit, "300")
    qtbot.keyClick(edit, Qt.Key.Key_Return)
    edit.show_value(300)
    page.other.setFocus()
    assert committed == [300]


def test_leaving_the_field_commits(qtbot, page):
    edit = page.put(NumberEdit(WIDTHS))
    edit.show_value(512)
    committed = heard(edit.committed)
    type_in(qtbot, edit, "64")
    page.other.setFocus()
    assert committed == [64]


def test_nonsense_is_told_and_stays(qtbot, page):
    edit = page.put(NumberEdit(WIDTHS))
    edit.show_value(512)
    problems, committed = heard(edit.problem), heard(edit.committed)
    type_in(qtbot, edit, "wide")
    qtbot.keyClick(edit, Qt.Key.Key_Return)
    page.other.setFocus()
    assert (edit.text(), committed, len(problems)) == ("wide", [], 1)
    assert "got 'wide'" in problems[0]
    assert edit.property("valid") is False


def test_escape_brings_the_value_back(qtbot, page):
    edit = page.put(NumberEdit(WIDTHS))
    edit.show_value(512)
    type_in(qtbot, edit, "wide")
    qtbot.keyClick(edit, Qt.Key.Key_Return)
    qtbot.keyClick(edit, Qt.Key.Key_Escape)
    assert edit.text() == "512"
    assert edit.property("valid") is True


def test_none_is_an_empty_field(qtbot, page):
    edit = page.put(NumberEdit(WIDTHS, none="full batch", start=32))
    edit.show_value(None)
    stepped, committed = heard(edit.stepped), heard(edit.committed)
    assert (edit.text(), edit.placeholderText()) == ("", "full batch")
    edit.setFocus()
    qtbot.keyClick(edit, Qt.Key.Key_Up)
    edit.show_value(32)
    type_in(qtbot, edit, " ")
    qtbot.keyClick(edit, Qt.Key.Key_Return)
    assert (stepped, committed) == ([32], [None])


def test_arrow_keys_step_within_the_limits(qtbot, page):
    edit = page.put(NumberEdit(Scale(0.0, 0.5, step=0.01), limits=(0.0, 1.0)))
    edit.show_value(0.02)
    stepped = heard(edit.stepped)
    edit.setFocus()
    qtbot.keyClick(edit, Qt.Key.Key_Up)
    qtbot.keyClick(edit, Qt.Key.Key_PageDown)
    assert stepped == [0.03, 0.0]


WHEELED = {
    "number": lambda: NumberEdit(WIDTHS),
    "slider": lambda: ValueSlider(WIDTHS),
    "choice": lambda: Choice([(512, "a", ""), (1024, "b", "")]),
}


@pytest.mark.parametrize("kind", WHEELED)
def test_the_wheel_works_only_with_the_focus(page, kind):
    widget = page.put(WHEELED[kind]())
    widget.show_value(512)
    values = heard({"number": "stepped", "slider": "moved", "choice": "committed"}[kind], widget)
    page.other.setFocus()
    wheel(widget, -1)
    assert values == []
    widget.setFocus()
    wheel(widget, -1)
    assert len(values) == 1


def test_a_slider_follows_the_mouse_and_says_when_it_is_let_go(qtbot, page):
    slider = page.put(ValueSlider(WIDTHS))
    slider.resize(300, slider.sizeHint().height())
    slider.show_value(16)
    moved, released = heard(slider.moved), heard(slider.released)
    y = slider.height() // 2
    qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=QPoint(round(slider.x_of(16)), y))
    qtbot.mouseMove(slider, QPoint(round(slider.x_of(40)), y))
    assert released == []
    qtbot.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=QPoint(round(slider.x_of(40)), y))
    assert moved == [64, 512]
    assert released == [512]


def test_a_held_slider_is_not_moved_by_the_document(qtbot, page):
    slider = page.put(ValueSlider(WIDTHS))
    slider.show_value(512)
    qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=QPoint(round(slider.x_of(16)), 8))
    slider.show_value(4096)
    assert slider.current() == 64
    qtbot.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=QPoint(round(slider.x_of(16)), 8))


def test_keys_move_a_slider(qtbot, page):
    slider = page.put(ValueSlider(WIDTHS))
    slider.show_value(512)
    released = heard(slider.released)
    slider.setFocus()
    qtbot.keyClick(slider, Qt.Key.Key_Right)
    assert released == [WIDTHS.at(41)]


@pytest.fixture
def dial(page):
    dial = page.put(LogDial("Width", tooltip="how wide"))
    page.resize(320, 200)
    QApplication.processEvents()
    dial.show_value(512)
    return dial


def drag(qtbot, slider, *positions, release=True):
    y = 8
    qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=QPoint(round(slider.x_of(positions[0])), y))
    for position in positions[1:]:
        qtbot.mouseMove(slider, QPoint(round(slider.x_of(position)), y))
    if release:
        qtbot.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=QPoint(round(slider.x_of(positions[-1])), y))


def test_a_dial_moves_live_and_commits_at_the_end(qtbot, dial):
    moved, committed = heard(dial.moved), heard(dial.committed)
    drag(qtbot, dial.slider, 40, 48, 56)
    assert moved == [1024, 2048]
    assert committed == [2048]


def test_infinity_is_held_and_let_go(qtbot, dial):
    infinity, moved, committed = heard(dial.infinity), heard(dial.moved), heard(dial.committed)
    drag(qtbot, dial.slider, 40, 65, release=False)
    assert (infinity, dial.edit.text()) == ([True], "∞")
    qtbot.mouseRelease(dial.slider, Qt.MouseButton.LeftButton, pos=QPoint(round(dial.slider.x_of(65)), 8))
    assert (infinity, moved, committed) == ([True, False], [512], [])
    assert (dial.edit.text(), dial.slider.current()) == ("512", 512)


def test_any_width_can_be_typed(qtbot, dial):
    committed = heard(dial.committed)
    type_in(qtbot, dial.edit, "10000")
    qtbot.keyClick(dial.edit, Qt.Key.Key_Return)
    assert committed == [10000]


def test_a_dial_says_what_it_cannot_read(qtbot, dial):
    type_in(qtbot, dial.edit, "wide")
    qtbot.keyClick(dial.edit, Qt.Key.Key_Return)
    assert "got 'wide'" in dial.error.text()
    assert dial.error.isVisible()
    qtbot.keyClick(dial.edit, Qt.Key.Key_Escape)
    assert not dial.error.isVisible()


def test_a_pulse_ends_by_itself(qtbot, dial):
    dial.pulse()
    qtbot.waitUntil(lambda: dial.slider.property("glow") > 0.1)
    qtbot.waitUntil(lambda: dial.slider.property("glow") == 0.0, timeout=3000)


def test_headings_cannot_be_chosen(qtbot, page):
    choice = page.put(Choice([(HEADING, "Real data", ""), ("a", "A", ""), (HEADING, "Synthetic", ""), ("b", "B", "")]))
    choice.show_value("a")
    committed = heard(choice.committed)
    choice.setFocus()
    qtbot.keyClick(choice, Qt.Key.Key_Down)
    assert (choice.value, committed) == ("b", ["b"])
    choice.show_value("no such value")
    assert choice.value is None
