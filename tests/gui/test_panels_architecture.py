"""The architecture panel, driven as a user drives it: mouse, keys, undo."""

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from ntklab.gui.panels.architecture import ArchitecturePanel
from ntklab.gui.starter import starter_experiment
from ntklab.resources import resource
from ntklab.session import Session, edits
from ntklab.spec import LAYER_TYPES, PRESETS, Branch, Conv, Dense, Input, output_shape, parse_nested

LEFT, ALT = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.AltModifier


@pytest.fixture
def session():
    return Session(starter_experiment())


@pytest.fixture
def digits(session):
    session.edit(edits.set_source(session.experiment, "Digits"), "digits")
    return session


@pytest.fixture
def network(qtbot, session):
    panel = ArchitecturePanel(session)
    qtbot.addWidget(panel)
    panel.resize(280, 900)
    panel.show()
    qtbot.waitExposed(panel)
    panel.activateWindow()
    return panel


@pytest.fixture
def images(digits, network):
    """Conv, ReLU, pool, Conv, ReLU, pool, Flatten, … on 8×8 images."""
    network.use_preset("lenet")
    return network


def click(qtbot, widget):
    qtbot.mouseClick(widget, LEFT)


def enter(qtbot, edit, text):
    edit.setFocus()
    edit.selectAll()
    qtbot.keyClick(edit, Qt.Key.Key_Delete)
    qtbot.keyClicks(edit, text)
    qtbot.keyClick(edit, Qt.Key.Key_Return)


def choose(combo, value):
    index = combo._values.index(value)
    combo.setCurrentIndex(index)
    combo.activated.emit(index)


def names(session):
    return [type(layer).__name__ for layer in session.experiment.architecture.layers]


def shown(network):
    return [line.title for line in network.layers.lines.lines]


def widths(session):
    return [layer.width for layer in session.experiment.architecture.layers if isinstance(layer, Dense)]


def place(network, path, *, part=0.5):
    """A point of the line at ``path``: ``part`` of its height from its upper edge."""
    rows = network.layers
    rect = rows.visualRect(rows.lines.index(rows.lines.row_of(path)))
    return QPoint(rect.left() + 90, rect.top() + round(part * rect.height()))


def drag(qtbot, network, source, target, *, part, drop=True):
    view = network.layers.viewport()
    end = place(network, target, part=part)
    qtbot.mousePress(view, LEFT, pos=place(network, source))
    for point in (place(network, source) + QPoint(0, 12), end - QPoint(0, 1), end):
        move(view, point)
    if drop:
        qtbot.mouseRelease(view, LEFT, pos=end)


def move(view, point):
    """The mouse with its left button held; QTest knows no buttons in moves."""
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QMouseEvent

    at = QPointF(point)
    event = QMouseEvent(
        QEvent.Type.MouseMove, at, QPointF(view.mapToGlobal(point)), Qt.MouseButton.NoButton, LEFT,
        Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    QApplication.sendEvent(view, event)


# -- fields -----------------------------------------------------------------------------------------------------------


def test_a_width_is_edited_and_undone(qtbot, network, session):
    enter(qtbot, network.editor.form.editors["width"].input, "300")
    assert widths(session) == [300, 512, 1]
    session.undo()
    assert network.editor.form.editors["width"].input.text() == "512"
    assert widths(session) == [512, 512, 1]


@pytest.mark.parametrize(
    ("typed", "words"), [("0", "width of at least 1"), ("wide", "got 'wide'"), ("1.5", "whole number")]
)
def test_a_bad_width_is_told_beside_the_field_and_nothing_is_lost(qtbot, network, session, typed, words):
    before = session.experiment
    editor = network.editor.form.editors["width"]
    enter(qtbot, editor.input, typed)
    assert words in editor.error.text()
    assert editor.error.isVisible()
    assert editor.input.text() == typed
    assert (session.experiment, session.sketch) == (before, None)
    session.edit(edits.set_training(before, steps=9), "something else")
    assert editor.input.text() == typed
    enter(qtbot, editor.input, "64")
    assert not editor.error.isVisible()
    assert widths(session)[0] == 64


def test_escape_takes_a_refused_width_back(qtbot, network):
    editor = network.editor.form.editors["width"]
    enter(qtbot, editor.input, "0")
    qtbot.keyClick(editor.input, Qt.Key.Key_Escape)
    assert (editor.input.text(), editor.error.isVisible()) == ("512", False)


def test_undo_reaches_the_window_from_an_idle_field(qtbot, network, session):
    shortcut = QShortcut(QKeySequence.StandardKey.Undo, network)
    shortcut.activated.connect(session.undo)
    field = network.editor.form.editors["width"].input
    enter(qtbot, field, "300")
    network.activateWindow()
    field.setFocus()
    qtbot.keyClick(field, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert widths(session) == [512, 512, 1]


def test_a_layer_slider_is_one_step_of_undo(qtbot, network, session):
    slider = network.editor.form.editors["W_std"].slider
    qtbot.mousePress(slider, LEFT, pos=QPoint(10, 8))
    for x in (15, 20, 25):
        qtbot.mouseMove(slider, QPoint(x, 8))
    qtbot.mouseRelease(slider, LEFT, pos=QPoint(25, 8))
    assert session.experiment.architecture.layers[0].W_std != starter_experiment().architecture.layers[0].W_std
    session.undo()
    assert session.experiment == starter_experiment()
    assert not session.can_undo


def test_a_kernel_stays_square_until_it_is_unlinked(qtbot, images, session):
    images.select((0,))
    kernel = images.editor.form.editors["kernel"].input
    enter(qtbot, kernel.boxes[0], "3")
    assert session.experiment.architecture.layers[0].kernel == (3, 3)
    click(qtbot, kernel.link)
    enter(qtbot, kernel.boxes[1], "1")
    assert session.experiment.architecture.layers[0].kernel == (3, 1)
    assert images.layers.lines.lines[1].title == "Conv 3×1, 32"
    click(qtbot, kernel.link)
    assert session.experiment.architecture.layers[0].kernel == (3, 3)


def test_kernel_sizes_are_stepped_by_keys_as_one_step_of_undo(qtbot, images, session):
    images.select((0,))
    before = session.experiment
    box = images.editor.form.editors["kernel"].input.boxes[0]
    box.setFocus()
    for _ in range(3):
        qtbot.keyClick(box, Qt.Key.Key_Down)
    assert session.experiment.architecture.layers[0].kernel == (2, 2)
    session.undo()
    assert session.experiment == before


def test_an_empty_stride_is_one_everywhere(qtbot, images, session):
    images.select((0,))
    stride = images.editor.form.editors["stride"].input
    assert [box.text() for box in stride.boxes] == ["", ""]
    enter(qtbot, stride.boxes[0], "2")
    assert session.experiment.architecture.layers[0].stride == (2, 2)
    assert images.layers.lines.lines[1].shape == (4, 4, 32)
    enter(qtbot, stride.boxes[1], "")
    assert session.experiment.architecture.layers[0].stride is None


def test_a_bad_kernel_size_is_told_beside_it(qtbot, images, session):
    images.select((0,))
    editor = images.editor.form.editors["kernel"]
    for typed, words in (("x", "got 'x'"), ("0", "got 0")):
        enter(qtbot, editor.input.boxes[0], typed)
        assert words in editor.error.text()
        assert session.experiment.architecture.layers[0].kernel == (5, 5)
    qtbot.keyClick(editor.input.boxes[0], Qt.Key.Key_Escape)
    assert not editor.error.isVisible()


def test_axes_are_buttons_with_names(qtbot, images, session):
    images.select((0,))
    images.add_layer("LayerNorm")
    chips = images.editor.form.editors["axis"].input
    assert [chip.text() for chip in chips.chips] == ["height", "width", "channels"]
    assert not chips.chips[2].isEnabled()
    click(qtbot, chips.chips[0])
    assert session.experiment.architecture.layers[1].axis == (1, -1)
    assert "over axes 1, -1" in images.layers.lines.lines[2].note


@pytest.mark.parametrize(
    ("typed", "shape"), [("1:5, ::2", (4, 4, 32)), (":, -3:", (8, 3, 32)), ("::-1, 0:1", (8, 1, 32))]
)
def test_slices_are_written_as_in_numpy(qtbot, images, session, typed, shape):
    images.select((0,))
    images.add_layer("Index")
    enter(qtbot, images.editor.form.editors["slices"].input, typed)
    assert images.editor.form.editors["slices"].input.text() == typed
    assert images.layers.lines.lines[2].shape == shape


@pytest.mark.parametrize(
    ("typed", "words"), [("1:5", "expected 2 slices (height, width), got 1"), ("3, :", "write start:stop")]
)
def test_bad_slices_are_told(qtbot, images, typed, words):
    images.select((0,))
    images.add_layer("Index")
    editor = images.editor.form.editors["slices"]
    enter(qtbot, editor.input, typed)
    assert words in editor.error.text()


def test_an_image_is_resized_along_its_spatial_axes(qtbot, images, session):
    images.select((0,))
    images.add_layer("ImageResize")
    shape = images.editor.form.editors["shape"].input
    assert [box.text() for box in shape.boxes] == ["16", "16"]
    click(qtbot, shape.link)
    enter(qtbot, shape.boxes[0], "")
    assert session.experiment.architecture.layers[1].shape == (-1, -1, 16, -1)
    assert images.layers.lines.lines[2].shape == (8, 16, 32)
    choose(images.editor.form.editors["method"].input, "nearest")
    assert not images.editor.form.editors["antialias"].isVisible()


def test_an_array_is_typed(qtbot, images, session):
    images.select((0,))
    images.add_layer("DotGeneral")
    assert images.layers.lines.lines[2].shape == (8, 32)  # the mean along the height
    enter(qtbot, images.editor.form.editors["array"].input, "[1, -1, 0, 0, 0, 0, 0, 0]")
    assert session.sketch is None or session.sketch.layers[1].array == tuple(
        map(float, parse_nested("[1,-1,0,0,0,0,0,0]"))
    )
    editor = images.editor.form.editors["array"]
    enter(qtbot, editor.input, "[1, 2")
    assert "write [1, 2]" in editor.error.text()


def test_attention_shows_the_fields_that_mean_something(digits, network):
    network.use_preset("transformer")
    network.select((1, 0, 1))
    editors = network.editor.form.editors
    assert network.selected.title.startswith("Attention (softmax)")
    assert [name for name, editor in editors.items() if editor.isHidden()] == ["n_chan_pos_emb"]
    choose(editors["pos_emb_type"].input, "NONE")
    hidden = [name for name, editor in editors.items() if editor.isHidden()]
    assert hidden == ["pos_emb_p_norm", "pos_emb_decay", "n_chan_pos_emb", "W_pos_emb_std", "val_pos_emb"]


def test_shapes_and_sizes_are_live(qtbot, images):
    assert [line.shape for line in images.layers.lines.lines[:4]] == [(8, 8, 1), (8, 8, 32), (8, 8, 32), (4, 4, 32)]
    assert images.editor.flow.text() == "8×8×1 → 8×8×32 · 800 parameters"
    assert images.total.text() == "12 layers · 75\u202f208 parameters"
    enter(qtbot, images.editor.form.editors["channels"].input, "16")
    assert images.editor.flow.text() == "8×8×1 → 8×8×16 · 400 parameters"
    assert images.total.text() != "12 layers · 75\u202f208 parameters"


# -- adding, removing, moving -----------------------------------------------------------------------------------------


def test_layers_are_added_removed_and_moved_by_buttons(qtbot, network, session):
    network.select((1,))
    network.add_layer("Dropout")
    assert names(session) == ["Dense", "Relu", "Dropout", "Dense", "Relu", "Dense"]
    assert network.selected.title == "Dropout 0.9"
    click(qtbot, network.down)
    assert names(session) == ["Dense", "Relu", "Dense", "Dropout", "Relu", "Dense"]
    click(qtbot, network.up)
    click(qtbot, network.up)
    assert names(session) == ["Dense", "Dropout", "Relu", "Dense", "Relu", "Dense"]
    click(qtbot, network.remove)
    assert names(session) == ["Dense", "Relu", "Dense", "Relu", "Dense"]
    assert session.undo_label == "remove Dropout 0.9"


def test_layers_are_removed_moved_and_doubled_by_keys(qtbot, network, session):
    network.layers.setFocus()
    qtbot.keyClick(network.layers, Qt.Key.Key_Down)
    assert network.selected.title == "ReLU"
    qtbot.keyClick(network.layers, Qt.Key.Key_Down, ALT)
    assert names(session) == ["Dense", "Dense", "Relu", "Relu", "Dense"]
    qtbot.keyClick(network.layers, Qt.Key.Key_Delete)
    assert names(session) == ["Dense", "Dense", "Relu", "Dense"]
    copy = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(network.layers, Qt.Key.Key_D, copy)
    assert names(session) == ["Dense", "Dense", "Relu", "Relu", "Dense"]
    assert network.selected.path == (3,)
    qtbot.keyClick(network.layers, Qt.Key.Key_Return)
    assert network.editor.form.isVisible()


def test_removing_the_last_of_a_stack_chooses_the_one_before(network, session):
    network.select((3,))
    network.remove_layer()
    assert network.selected.path == (2,)


def test_the_read_out_stays(qtbot, network, session):
    network.select((4,))
    assert not network.remove.isEnabled()
    qtbot.keyClick(network.layers, Qt.Key.Key_Delete)
    assert "read-out cannot be removed" in network.problem.error.text()
    assert names(session) == ["Dense", "Relu", "Dense", "Relu", "Dense"]
    network.add_layer("Erf")
    assert names(session) == ["Dense", "Relu", "Dense", "Relu", "Erf", "Dense"]


def test_a_layer_is_dragged_to_another_place(qtbot, network, session):
    drag(qtbot, network, (3,), (1,), part=0.2)
    assert names(session) == ["Dense", "Relu", "Relu", "Dense", "Dense"]
    assert network.selected.path == (1,)
    session.undo()
    assert names(session) == ["Dense", "Relu", "Dense", "Relu", "Dense"]


def test_a_drag_shows_where_the_layer_would_go_and_escape_ends_it(qtbot, network, session):
    drag(qtbot, network, (0,), (2,), part=0.8, drop=False)
    slot = network.layers.drag.slot
    assert (slot.path, slot.row, slot.depth) == ((3,), 3, 0)
    before = network.layers.viewport().grab().toImage()
    qtbot.keyClick(network.layers, Qt.Key.Key_Escape)
    assert network.layers.drag is None
    assert network.layers.viewport().grab().toImage() != before
    qtbot.mouseRelease(network.layers.viewport(), LEFT, pos=place(network, (2,)))
    assert session.experiment == starter_experiment()


def test_a_layer_dropped_where_it_was_changes_nothing(qtbot, network, session):
    drag(qtbot, network, (1,), (2,), part=0.1)
    drag(qtbot, network, (1,), (0,), part=0.9)
    assert not session.can_undo


def test_layers_are_dragged_into_and_out_of_branches(qtbot, network, session):
    network.use_preset("residual")
    network.layers.setFixedHeight(600)
    drag(qtbot, network, (3,), (1, 0, 1), part=0.8)
    assert [type(layer).__name__ for layer in session.experiment.architecture.layers[1].branches[0]] == [
        "Relu", "Dense", "Relu",
    ]  # fmt: skip
    assert network.selected.path == (1, 0, 2)
    drag(qtbot, network, (1, 0, 2), (1, 1, 0), part=0.5)
    assert [len(branch) for branch in session.experiment.architecture.layers[1].branches] == [2, 1]
    drag(qtbot, network, (1, 1, 0), (1, -1), part=0.9)
    assert names(session) == ["Dense", "Branch", "Relu", "Branch", "Dense"]
    assert session.experiment.architecture.layers[1].branches[1] == ()


def test_a_block_is_not_dragged_into_itself(qtbot, network, session):
    network.use_preset("residual")
    network.layers.setFixedHeight(600)
    before = session.experiment
    drag(qtbot, network, (1,), (1, 0, 1), part=0.2)
    assert session.experiment == before


def test_keys_move_layers_into_and_out_of_blocks(qtbot, network, session):
    network.use_preset("residual")
    network.select((0,))
    network.add_layer("Dropout")
    network.layers.setFocus()
    for key, path in (
        (Qt.Key.Key_Right, (1, 0, 0)), (Qt.Key.Key_Down, (1, 0, 1)), (Qt.Key.Key_Down, (1, 0, 2)),
        (Qt.Key.Key_Down, (1, 1, 0)), (Qt.Key.Key_Down, (2,)), (Qt.Key.Key_Up, (1,)), (Qt.Key.Key_Down, (2,)),
        (Qt.Key.Key_Left, (2,)), (Qt.Key.Key_Right, (2, 0, 0)), (Qt.Key.Key_Left, (3,)),
    ):  # fmt: skip
        qtbot.keyClick(network.layers, key, ALT)
        assert network.selected.path == path, key
        assert network.selected.title == "Dropout 0.9"


def test_a_long_list_takes_a_share_of_the_window(qtbot, images):
    heights = []
    for height in (2000, 1200, 900):
        images.resize(280, height)
        QApplication.processEvents()
        heights.append(images.layers.height())
    assert heights == sorted(heights, reverse=True)
    assert heights[1] <= 0.3 * 1200 + 10
    rows = [images.layers.visualRect(images.layers.lines.index(row)).height() for row in range(5)]
    assert sum(rows) < heights[2] <= 0.3 * 900 + 10 < heights[0]


def test_a_long_list_scrolls_while_a_layer_is_held_at_its_edge(qtbot, images):
    bar = images.layers.verticalScrollBar()
    view = images.layers.viewport()
    qtbot.mousePress(view, LEFT, pos=place(images, (0,)))
    move(view, place(images, (1,)))
    move(view, QPoint(60, view.height() - 2))
    qtbot.waitUntil(lambda: bar.value() > 20, timeout=2000)
    qtbot.keyClick(images.layers, Qt.Key.Key_Escape)
    assert images.layers.drag is None


# -- branches ---------------------------------------------------------------------------------------------------------


def test_layers_inside_a_branch_are_edited(qtbot, network, session):
    network.use_preset("residual")
    network.select((1, 0, 0))
    assert network.selected.title == "ReLU"
    network.add_layer("Erf")
    block = session.experiment.architecture.layers[1]
    assert isinstance(block, Branch)
    assert [type(layer).__name__ for layer in block.branches[0]] == ["Relu", "Erf", "Dense"]
    click(qtbot, network.remove)
    assert len(session.experiment.architecture.layers[1].branches[0]) == 2
    network.select((0,))
    enter(qtbot, network.editor.form.editors["width"].input, "100")
    assert session.experiment.architecture.layers[1].branches[0][1].width == 100


def test_a_layer_is_added_to_an_empty_branch(network, session):
    network.use_preset("residual")
    network.select((1, 1, 0))
    assert network.editor.title.text() == "Identity"
    network.add_layer("Erf")
    assert [type(layer).__name__ for layer in session.experiment.architecture.layers[1].branches[1]] == ["Erf"]


def test_branches_are_added_and_taken_away(qtbot, network, session):
    network.use_preset("residual")
    network.select((1, -1))
    click(qtbot, network.editor.findChild(QWidget, "add-branch"))
    assert [len(branch) for branch in session.experiment.architecture.layers[1].branches] == [2, 0, 0]
    click(qtbot, network.editor.findChild(QWidget, "remove-branch-2"))
    assert [len(branch) for branch in session.experiment.architecture.layers[1].branches] == [2, 0]
    choose(network.editor.form.editors["merge"].input, "concat")
    assert network.editor.form.editors["axis"].isVisible()
    assert session.experiment.architecture.layers[1].merge == "concat"


def test_blocks_are_folded_by_mouse_and_keys(qtbot, network):
    network.use_preset("residual")
    everything = shown(network)
    network.layers.setFocus()
    network.select((1,))
    qtbot.keyClick(network.layers, Qt.Key.Key_Left)
    assert shown(network) == [everything[0], everything[1], everything[2], *everything[7:]]
    assert network.selected.note == "ReLU – Dense 256"
    qtbot.keyClick(network.layers, Qt.Key.Key_Right)
    assert shown(network) == everything
    network.select((1, 0, 1))
    qtbot.keyClick(network.layers, Qt.Key.Key_Left)
    assert network.selected.path == (1,)
    rect = network.layers.visualRect(network.layers.lines.index(2))
    from ntklab.gui.panels.layer_painter import chevron_span

    left, right = chevron_span(network.selected, rect, network.layers.fontMetrics())
    qtbot.mouseClick(network.layers.viewport(), LEFT, pos=QPoint(round((left + right) / 2), rect.center().y()))
    assert network.bench.folded == {(1,)}


def test_what_is_folded_stays_folded_when_layers_move(network):
    network.use_preset("residual")
    network.layers.fold_requested.emit((2,))
    network.select((0,))
    network.add_layer("Dropout")
    assert network.bench.folded == {(3,)}
    network.remove_layer()
    assert network.bench.folded == {(2,)}


def test_long_presets_come_folded(digits, network):
    network.use_preset("resnet")
    assert network.bench.folded == {(1,), (2,), (3,)}
    network.select((2, 0, 1))  # from the diagram
    assert network.bench.folded == {(1,), (3,)}
    assert network.selected.title == "Conv 3×3, 64"
    network.select((3, -1))
    assert (network.selected.kind, network.bench.folded) == ("merge", {(1,)})
    network.layers.fold_requested.emit((3,))
    assert network.selected.path == (3,)


def test_a_layer_is_wrapped_and_a_block_dissolved(network, session):
    network.select((1,))
    menu = network.menu(network)
    menu.findChild(object, "line-wrap").trigger()
    assert names(session) == ["Dense", "Branch", "Dense", "Relu", "Dense"]
    assert network.selected.path == (1, 0, 0)
    network.select((1,))
    network.menu(network).findChild(object, "line-unwrap").trigger()
    assert names(session) == ["Dense", "Relu", "Dense", "Relu", "Dense"]


def test_the_menu_of_a_line_offers_what_can_be_done(qtbot, network):
    network.select((4,))  # the read-out
    assert {action.objectName() for action in network.menu(network).actions() if action.objectName()} == {
        "line-add", "line-formula",
    }  # fmt: skip
    network.select((0,))
    menu: QMenu = network.menu(network)
    assert not menu.findChild(object, "line-up").isEnabled()
    menu.findChild(object, "line-duplicate").trigger()
    assert network.selected.path == (1,)


# -- what does not fit ------------------------------------------------------------------------------------------------


def test_an_impossible_move_is_kept_and_told_at_the_layer(qtbot, images, session):
    before = session.experiment
    flatten = names(session).index("Flatten")
    images.bench.move((flatten,), (1,))
    images.refresh()
    assert session.experiment == before
    assert shown(images)[2] == "Flatten"
    fault = next(line for line in images.layers.lines.lines if line.fault)
    assert fault.title == "Average pool 2×2"
    assert "expected spatial axes" in fault.fault
    assert images.problem.isVisible()
    assert images.problem.error.text().startswith("Average pool 2×2: expected spatial axes")
    assert images.total.text().endswith("does not fit yet")
    assert not images.dial.isEnabled()
    session.undo()
    assert not images.problem.isVisible()
    assert shown(images)[2] == "ReLU"
    session.redo()
    assert images.problem.isVisible()


def test_an_impossible_network_is_mended_step_by_step(images, session):
    before = session.experiment
    flatten = names(session).index("Flatten")
    images.bench.move((flatten,), (1,))
    images.select((2 + 1,))
    images.bench.move((1,), (flatten + 1,))
    assert (session.sketch, session.experiment) == (None, before)
    assert not images.problem.isVisible()


def test_an_impossible_network_is_reverted(qtbot, images, session):
    images.bench.move((6,), (1,))
    click(qtbot, images.problem.revert)
    assert session.sketch is None
    session.undo()
    assert session.sketch is not None


def test_a_width_that_a_branch_cannot_have_is_kept_and_told(qtbot, network, session):
    network.use_preset("residual")
    network.select((1, 0, 1))
    enter(qtbot, network.editor.form.editors["width"].input, "100")
    assert network.editor.form.editors["width"].input.text() == "100"
    assert "must end in one shape, got [100] and [256]; make widths equal" in network.problem.error.text()
    assert session.experiment.architecture.layers[1].branches[0][1].width == 256
    enter(qtbot, network.editor.form.editors["width"].input, "256")
    assert session.sketch is None


def test_outputs_that_the_data_does_not_have_are_told_at_the_read_out(qtbot, network, session):
    network.select((4,))
    enter(qtbot, network.editor.form.editors["width"].input, "3")
    assert "width of 1" in network.problem.error.text()
    assert network.layers.lines.lines[-1].fault


# -- layers to add ----------------------------------------------------------------------------------------------------


@pytest.fixture
def picker(qtbot, network):
    network.select((1,))
    qtbot.mouseClick(network.add, LEFT)
    yield network.picker.list
    network.picker.list.close()


def test_the_layers_are_searched_and_added_by_keys(qtbot, picker, network, session):
    assert picker.isVisible()
    assert picker.title.text() == "Add after ReLU · 512"
    qtbot.keyClicks(picker.search, "tanh")
    assert picker.current.id == "Numerical"
    qtbot.keyClick(picker.search, Qt.Key.Key_Return)
    assert not picker.isVisible()
    assert names(session) == ["Dense", "Relu", "Numerical", "Dense", "Relu", "Dense"]
    assert network.selected.title == "tanh"


def test_after_picking_the_keyboard_is_back_in_the_list(qtbot, network, session):
    network.layers.setFocus()
    qtbot.keyClick(network.layers, Qt.Key.Key_Insert)
    qtbot.keyClicks(network.picker.list.search, "gelu")
    qtbot.keyClick(network.picker.list.search, Qt.Key.Key_Return)
    assert network.selected.title == "GELU"
    assert network.focusWidget() is network.layers
    qtbot.keyClick(network.layers, Qt.Key.Key_Delete)
    assert not session.sketch
    assert names(session) == ["Dense", "Relu", "Dense", "Relu", "Dense"]


def test_layers_that_cannot_follow_say_why(qtbot, picker, session):
    qtbot.keyClicks(picker.search, "convol")
    assert {row.id for row in picker.model.rows if row.id} == {"Conv", "ConvTranspose", "ConvLocal"}
    assert all(row.refusal for row in picker.model.rows if row.id)
    assert "expected spatial axes before this layer, got [512]" in picker.about.text()
    qtbot.keyClick(picker.search, Qt.Key.Key_Return)
    assert picker.isVisible()
    assert not session.can_undo


def test_every_layer_is_offered_with_its_glyph(picker):
    rows = [row for row in picker.model.rows if row.id]
    assert {row.id for row in rows} == set(LAYER_TYPES)
    assert all(resource(f"icons/{row.icon}.svg").exists() for row in rows)


def test_a_layer_is_picked_with_the_mouse(qtbot, picker, session):
    row = next(at for at, row in enumerate(picker.model.rows) if row.id == "LayerNorm")
    point = picker.list.visualRect(picker.model.index(row)).center()
    qtbot.mouseClick(picker.list.viewport(), LEFT, pos=point)
    assert names(session)[2] == "LayerNorm"


def test_what_would_break_the_rest_is_said(images):
    images.select((0,))
    offers = {offer.row.name: offer for offer in images.bench.offers()}
    assert "Average pool 2×2 does not fit: expected spatial axes" in offers["Flatten"].warning
    assert not offers["Conv"].warning
    assert not offers["Branch"].warning
    assert not any(offer.refusal for offer in offers.values())


# -- presets, input, the rest -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.id)
def test_presets_fit_the_data(qtbot, digits, network, session, preset):
    click(qtbot, network.presets)
    qtbot.keyClicks(network.preset_picker.list.search, preset.title)
    qtbot.keyClick(network.preset_picker.list.search, Qt.Key.Key_Return)
    architecture = session.experiment.architecture
    assert architecture.name == preset.title
    assert output_shape(architecture) == (10,)
    assert architecture.input.kind in preset.kinds
    network.grab()


@pytest.mark.parametrize("preset", ["resnet", "transformer"])
def test_no_network_makes_the_column_wider(digits, network, preset):
    network.use_preset(preset)
    for line in network.layers.lines.lines:
        network.select(line.path)
        QApplication.processEvents()
        assert network.minimumSizeHint().width() <= 262, line.title


def test_three_sizes_fit_beside_their_name(digits, network, session):
    network.select(())
    choose(network.editor.input.kind, "volume")
    assert session.experiment.architecture.input == Input("volume", (4, 4, 4, 1))
    network.select(())
    network.add_layer("Conv")
    QApplication.processEvents()
    assert len(network.editor.form.editors["kernel"].input.boxes) == 3
    assert network.minimumSizeHint().width() <= 262
    network.select(())
    QApplication.processEvents()
    assert network.minimumSizeHint().width() <= 262


def test_presets_that_the_data_cannot_have_say_why(session, network):
    session.edit(edits.set_source(session.experiment, "Regression1D"), "one feature")
    rows = {row.id: row for row in (network.preset_picker._row(preset) for preset in PRESETS)}
    assert not rows["mlp"].refusal
    session.edit(edits.set_source(session.experiment, "Wine"), "13 features")
    rows = {row.id: row for row in (network.preset_picker._row(preset) for preset in PRESETS)}
    assert rows["lenet"].note == "sequence 13×1"


def test_samples_are_read_as_images(qtbot, digits, network, session):
    network.select(())
    choose(network.editor.input.kind, "image")
    assert session.experiment.architecture.input == Input("image", (8, 8, 1))
    assert shown(network)[:3] == ["Input", "Flatten", "Dense 512"]
    network.select(())
    network.add_layer("Conv")
    assert shown(network)[:3] == ["Input", "Conv 3×3, 64", "Flatten"]
    session.undo()
    network.select(())
    choose(network.editor.input.kind, "vector")
    assert shown(network)[:2] == ["Input", "Dense 512"]


def test_a_read_out_at_every_position_is_refused_with_the_remedy(images, session):
    images.select((6,))
    images.remove_layer()
    assert images.problem.isVisible()
    assert "Flatten or a global pool" in images.problem.error.text()
    assert images.layers.lines.lines[-1].fault


def test_sizes_of_samples_follow_each_other(qtbot, images, session):
    images.select(())
    sizes = images.editor.input.sizes
    enter(qtbot, sizes.boxes[0], "4")
    assert session.experiment.architecture.input.shape == (4, 16, 1)
    enter(qtbot, sizes.boxes[1], "8")
    assert session.experiment.architecture.input.shape == (4, 8, 2)
    enter(qtbot, sizes.boxes[0], "5")
    assert "divides 64" in images.editor.input.error.text()
    assert session.experiment.architecture.input.shape == (4, 8, 2)
    qtbot.keyClick(sizes.boxes[0], Qt.Key.Key_Escape)
    assert not images.editor.input.error.isVisible()


def test_windows_follow_the_layout_of_samples(images, session):
    images.select(())
    choose(images.editor.input.kind, "sequence")
    layer = session.experiment.architecture.layers[0]
    assert isinstance(layer, Conv)
    assert (session.sketch, layer.kernel) == (None, (5,))
    assert images.layers.lines.lines[1].title == "Conv 5, 32"


def test_the_parameterisation_is_that_of_all_layers(images, session):
    choose(images.param, "standard")
    with_weights = [layer for layer in session.experiment.architecture.layers if hasattr(layer, "param")]
    assert {layer.param for layer in with_weights} == {"standard"}
    assert images.editor.form.editors["s"].isVisible()
    session.edit(edits.edit_layer(session.experiment, 0, "param", "mup"), "mix")
    assert images.param.value is None


def test_the_card_of_a_layer_has_its_formula_and_numbers(qtbot, images, session):
    images.select((0,))
    assert images.editor.formula.isVisible()
    qtbot.keyClick(images.layers, Qt.Key.Key_F1)
    card = images.editor.card
    assert card.isVisible()
    assert "Σ" in card.formula.text()
    assert [label.text() for label in card._values] == ["25", "25", "1.414", "no bias"]
    enter(qtbot, images.editor.form.editors["b_std"].input, "0.3")
    assert [label.text() for label in card._values][-1] == "0.3"
    assert card.reference.text().startswith("Novak et al. 2019")
    click(qtbot, images.editor.help)
    assert not card.isVisible()


def test_the_diagram_says_what_it_shows_and_picks_layers(qtbot, network):
    assert network.diagram.accessibleName() == "Diagram: 2 – 512 ReLU ×2 – 1"
    box = next(box for box in network.diagram.drawing.boxes if (2,) in box.block.paths)
    qtbot.mouseClick(network.diagram, LEFT, pos=QPoint(round(box.at.x), round(box.at.y)))
    assert network.selected.path == (2,)
    network.use_preset("residual")
    assert network.diagram.accessibleName() == "Diagram: 2 – 256 – (ReLU – 256 | identity) + ×2 – ReLU – 1"


def test_the_diagram_of_a_long_network_stays_in_the_column(digits, network):
    network.use_preset("resnet")
    drawing = network.diagram.drawing
    scale = network.diagram._scale
    assert scale > 0.8
    assert all((box.at.x - box.width / 2) * scale >= 0 for box in drawing.boxes)
    assert all((box.at.x + box.width / 2) * scale <= network.diagram.width() for box in drawing.boxes)
    assert network.diagram.height() < 160
    picked = []
    network.diagram.picked.connect(picked.append)
    merge = next(box for box in drawing.boxes if box.merge)
    assert network.diagram.box_at(QPointF(merge.at.x * scale, merge.at.y * scale)) is merge


def test_every_line_can_be_read_aloud_and_has_a_tooltip(digits, network):
    network.use_preset("resnet")
    for row in range(network.layers.lines.rowCount()):
        index = network.layers.lines.index(row)
        assert network.layers.lines.data(index, Qt.ItemDataRole.AccessibleTextRole)
        assert network.layers.lines.data(index, Qt.ItemDataRole.ToolTipRole)
    spoken = network.layers.lines.data(network.layers.lines.index(2), Qt.ItemDataRole.AccessibleTextRole)
    assert "Residual block" in spoken
    assert "folded" in spoken
