import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from ntklab.gui.widgets import Chips, Picker, PickerRow, SizesEdit
from ntklab.gui.widgets.picker import found

ROWS = (
    PickerRow("conv", "Convolution", "Spatial", words="cnn filter"),
    PickerRow("pool", "Average pooling", "Spatial", refusal="needs <positions>"),
    PickerRow("attn", "Attention", "Tokens", refusal="needs tokens"),
    PickerRow("relu", "ReLU", "Functions", about="max(x, <b>0</b>)"),
    PickerRow("lrelu", "Leaky ReLU", "Functions"),
)


@pytest.fixture
def page(qtbot):
    page = QWidget()
    page.button = QPushButton("open")
    QVBoxLayout(page).addWidget(page.button)
    qtbot.addWidget(page)
    page.show()
    qtbot.waitExposed(page)
    return page


@pytest.fixture
def picker(page):
    picker = Picker("Search", page)
    picker.heard = []
    picker.picked.connect(picker.heard.append)
    picker.show_rows(ROWS, title="Pick")
    picker.pop_up(page.button)
    yield picker
    picker.close()


def ids(rows):
    return [row.id or row.title.upper() for row in rows]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("", ["SPATIAL", "conv", "pool", "FUNCTIONS", "relu", "lrelu", "TOKENS", "attn"]),
        ("relu", ["FUNCTIONS", "relu", "lrelu"]),
        ("CNN", ["SPATIAL", "conv"]),
        ("function leaky", ["FUNCTIONS", "lrelu"]),
        ("nothing", []),
    ],
)
def test_every_word_is_searched_everywhere(typed, expected):
    assert ids(found(ROWS, typed)) == expected


def test_keys_move_over_headings_and_pick(qtbot, picker):
    assert picker.current.id == "conv"
    qtbot.keyClick(picker.search, Qt.Key.Key_Down)
    qtbot.keyClick(picker.search, Qt.Key.Key_Return)
    assert (picker.isVisible(), picker.heard) == (True, [])  # refused
    assert picker.about.text() == "needs &lt;positions&gt;"
    assert picker.about.property("role") == "error"
    qtbot.keyClick(picker.search, Qt.Key.Key_Down)
    assert picker.current.id == "relu"
    assert picker.about.text() == "max(x, <b>0</b>)"
    qtbot.keyClick(picker.search, Qt.Key.Key_Return)
    assert (picker.isVisible(), picker.heard) == (False, ["relu"])


def test_nothing_found_is_said_and_cannot_be_picked(qtbot, picker):
    qtbot.keyClicks(picker.search, "zzz")
    assert picker.about.text() == "Nothing has these words"
    qtbot.keyClick(picker.search, Qt.Key.Key_Return)
    assert picker.heard == []
    qtbot.keyClick(picker.search, Qt.Key.Key_Escape)
    assert not picker.isVisible()


def test_the_list_stays_on_the_screen(page, picker):
    screen = page.screen().availableGeometry()
    page.move(screen.right() - 40, screen.bottom() - 40)
    picker.pop_up(page.button)
    assert screen.contains(picker.geometry())


# -- sizes and chips --------------------------------------------------------------------------------------------------


@pytest.fixture
def sizes(page):
    edit = SizesEdit(("height", "width"))
    edit.show_value((3, 3))
    edit.heard = []
    edit.committed.connect(edit.heard.append)
    edit.stepped.connect(edit.heard.append)
    page.layout().addWidget(edit)
    edit.show()
    page.activateWindow()
    return edit


def enter(qtbot, box, text):
    box.setFocus()
    box.selectAll()
    qtbot.keyClick(box, Qt.Key.Key_Delete)
    qtbot.keyClicks(box, text)
    qtbot.keyClick(box, Qt.Key.Key_Return)


def test_linked_sizes_change_together(qtbot, sizes):
    enter(qtbot, sizes.boxes[1], "5")
    qtbot.keyClick(sizes.boxes[0], Qt.Key.Key_Up)
    assert sizes.heard == [(5, 5), (4, 4)]


def test_unlinked_sizes_change_alone_and_link_again(qtbot, sizes):
    qtbot.mouseClick(sizes.link, Qt.MouseButton.LeftButton)
    enter(qtbot, sizes.boxes[1], "5")
    sizes.show_value((3, 5))
    qtbot.mouseClick(sizes.link, Qt.MouseButton.LeftButton)
    assert sizes.heard == [(3, 5), (3, 3)]


def test_unequal_sizes_are_not_linked(sizes):
    sizes.show_value((3, 5))
    assert not sizes.link.isChecked()


def test_bad_sizes_are_told_and_taken_back(qtbot, sizes):
    problems, reverted = [], []
    sizes.problem.connect(problems.append)
    sizes.reverted.connect(lambda: reverted.append(True))
    enter(qtbot, sizes.boxes[0], "wide")
    assert "got 'wide'" in problems[0]
    qtbot.keyClick(sizes.boxes[0], Qt.Key.Key_Escape)
    assert (sizes.boxes[0].text(), reverted) == ("3", [True])


def test_one_size_has_no_link(qtbot):
    edit = SizesEdit(("position",))
    qtbot.addWidget(edit)
    edit.show()
    assert not edit.link.isVisible()
    edit.set_names("Kernel", "how long")
    assert edit.boxes[0].accessibleName() == "Kernel"


def test_the_last_chip_cannot_be_let_go(qtbot, page):
    chips = Chips([(1, "height"), (2, "width")])
    page.layout().addWidget(chips)
    heard = []
    chips.committed.connect(heard.append)
    chips.show_value((1,))
    qtbot.mouseClick(chips.chips[1], Qt.MouseButton.LeftButton)
    qtbot.mouseClick(chips.chips[0], Qt.MouseButton.LeftButton)
    qtbot.mouseClick(chips.chips[1], Qt.MouseButton.LeftButton)
    assert heard == [(1, 2), (2,)]
    assert chips.chips[1].isChecked()


def test_an_empty_optional_number_is_none(qtbot, page):
    from ntklab.gui.widgets import NumberEdit, Scale

    edit = NumberEdit(Scale(0, 1), none="no bias")
    page.layout().addWidget(edit)
    edit.show_value(0.5)
    heard = []
    edit.committed.connect(heard.append)
    enter(qtbot, edit, "")
    assert heard == [None]
