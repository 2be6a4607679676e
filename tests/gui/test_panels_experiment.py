"""The left column, driven as a user drives it."""

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtWidgets import QApplication, QWidget

from ntklab.gui.panels import ExperimentPanel
from ntklab.gui.starter import starter_experiment
from ntklab.session import Session, edits, sketches
from ntklab.spec import Dense, output_shape


@pytest.fixture
def session():
    return Session(starter_experiment())


@pytest.fixture
def panel(qtbot, session):
    panel = ExperimentPanel(session)
    qtbot.addWidget(panel)
    panel.resize(300, 800)
    panel.show()
    qtbot.waitExposed(panel)
    panel.session = session
    return panel


@pytest.fixture
def network(panel):
    return panel.architecture


def opened(panel, name):
    panel.sections[name].open()
    QApplication.processEvents()
    return getattr(panel, name)


def click(qtbot, widget):
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)


def enter(qtbot, edit, text):
    edit.setFocus()
    edit.selectAll()
    qtbot.keyClicks(edit, text)
    qtbot.keyClick(edit, Qt.Key.Key_Return)


def choose(qtbot, combo, value):
    """Choose ``value`` with the keyboard."""
    combo.setFocus()
    qtbot.keyClicks(combo, combo.itemText(combo._values.index(value))[:6])
    QApplication.processEvents()
    assert combo.value == value


def heard(signal):
    values = []
    signal.connect(lambda *args: values.append(args[0] if args else None))
    return values


def widths(session):
    return [layer.width for layer in session.experiment.architecture.layers if isinstance(layer, Dense)]


# -- the whole column -------------------------------------------------------------------------------------------------


def test_nothing_is_wider_than_the_column(panel):
    for name, section in panel.sections.items():
        section.open()
        QApplication.processEvents()
        assert section.minimumSizeHint().width() <= 290, name


def test_every_control_has_a_name_and_a_tooltip(panel):
    for section in panel.sections.values():
        section.open()
    QApplication.processEvents()
    ours = [widget for widget in panel.findChildren(QWidget) if type(widget).__module__.startswith("ntklab")]
    reached = [widget for widget in ours if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisible()]
    nameless = [widget for widget in reached if not widget.accessibleName()]
    assert len(reached) > 40
    assert nameless == []
    for name in ("data", "kernel", "training"):
        for editor in getattr(panel, name).form.editors.values():
            assert editor.input.toolTip()


def test_folded_sections_say_what_they_hold(panel, session):
    session.edit(edits.set_training(session.experiment, steps=77, batch_size=8), "x")
    summaries = {name: section.header.summary for name, section in panel.sections.items()}
    assert summaries["data"] == "Two circles · 64 + 64 · standardise"
    assert summaries["architecture"] == "2×512 · 265k parameters"
    assert summaries["kernel"] == "mean · float64 · cpu · seed 0"
    assert summaries["training"] == "77 steps · 0.5 × critical · batch 8"


def test_a_folded_network_that_does_not_fit_says_so(panel, session):
    panel.sections["architecture"].open(False)
    broken = sketches.edit_layer(sketches.sketch_of(session.experiment), (4,), width=3)
    session.edit(session.experiment, "three outputs", sketch=broken)
    assert panel.sections["architecture"].header.summary == "does not fit yet; the network before is used"
    session.undo()
    assert panel.sections["architecture"].header.summary == "2×512 · 265k parameters"


def test_buttons_ask_and_the_cost_stands_beside_them(qtbot, panel):
    for button, signal in (("compute", panel.compute_requested), ("train", panel.train_requested)):
        with qtbot.waitSignal(signal):
            click(qtbot, getattr(panel.runbox, button))
    assert not panel.runbox.stop.isEnabled()
    panel.set_running(True)
    with qtbot.waitSignal(panel.stop_requested):
        click(qtbot, panel.runbox.stop)
    panel.set_forecast("needs 12 GB", ok=False)
    assert panel.runbox.problem.text() == "needs 12 GB"
    assert panel.runbox.forecast.isHidden()


def test_a_closed_panel_leaves_the_session_alone(qtbot, session):
    panel = ExperimentPanel(session)
    panel.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    session.edit(edits.set_training(session.experiment, steps=5), "x")
    assert session._callbacks == []


# -- the network ------------------------------------------------------------------------------------------------------


def test_the_dial_is_live_and_commits_once(qtbot, panel, network, session):
    dragged = heard(panel.width_dragged)
    slider = network.dial.slider
    qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=QPoint(round(slider.x_of(40)), 8))
    for position in (32, 24, 16):
        qtbot.mouseMove(slider, QPoint(round(slider.x_of(position)), 8))
    assert dragged == [256, 128, 64]
    assert widths(session) == [512, 512, 1]
    qtbot.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=QPoint(round(slider.x_of(16)), 8))
    assert widths(session) == [64, 64, 1]
    session.undo()
    assert widths(session) == [512, 512, 1]
    assert network.dial.edit.text() == "512"
    assert not session.can_undo


def test_the_dial_refuses_zero(qtbot, network, session):
    enter(qtbot, network.dial.edit, "0")
    assert "at least 1" in network.dial.error.text()
    assert network.dial.edit.text() == "0"
    assert widths(session) == [512, 512, 1]


def test_infinity_is_told(qtbot, panel, network):
    infinity = heard(panel.infinity)
    slider = network.dial.slider
    qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=QPoint(round(slider.x_of(65)), 8))
    qtbot.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=QPoint(round(slider.x_of(65)), 8))
    assert infinity == [True, False]


def test_a_network_without_hidden_layers_has_no_dial(network):
    network.use_preset("linear")
    assert not network.dial.isEnabled()


# -- data, kernel, training -------------------------------------------------------------------------------------------


def test_another_source_refits_the_network(qtbot, panel, session):
    data = opened(panel, "data")
    choose(qtbot, data.source, "Digits")
    architecture = session.experiment.architecture
    assert (architecture.input.shape, output_shape(architecture)) == ((64,), (10,))
    assert panel.architecture.layers.lines.lines[-1].title == "Read-out 10"
    click(qtbot, data.classes.chips[9])
    assert session.experiment.dataset.classes == tuple(range(9))
    assert output_shape(session.experiment.architecture) == (9,)


def test_fields_follow_the_source(qtbot, panel, session):
    data = opened(panel, "data")
    session.edit(edits.set_source(session.experiment, "Spirals"), "spirals")
    assert list(data.source_form.editors) == ["noise", "turns", "arms"]
    enter(qtbot, data.source_form.editors["arms"].input, "3")
    assert session.experiment.dataset.source.arms == 3
    assert output_shape(session.experiment.architecture) == (3,)
    enter(qtbot, data.source_form.editors["noise"].input, "-1")
    assert "got -1" in data.source_form.editors["noise"].error.text()


def test_one_class_is_refused(qtbot, panel, session):
    data = opened(panel, "data")
    session.edit(edits.set_dataset(edits.set_source(session.experiment, "Wine"), classes=(0, 1)), "wine")
    click(qtbot, data.classes.chips[1])
    assert "at least two classes" in data.classes.error.text()
    assert [chip.isChecked() for chip in data.classes.chips] == [True, True, False]
    assert session.experiment.dataset.classes == (0, 1)


def test_a_file_is_asked_for_and_nothing_changes_before_it_comes(qtbot, panel, session):
    data = opened(panel, "data")
    asked = heard(panel.file_requested)
    data.source.setCurrentIndex(data.source.count() - 1)
    data.source.activated.emit(data.source.count() - 1)
    assert len(asked) == 1
    assert data.source.value == "TwoCircles"
    session.edit(edits.set_source(session.experiment, "File", path="/data/mine.csv"), "mine")
    assert data.source_form.editors["path"].input.text() == "/data/mine.csv"
    click(qtbot, data.findChild(QWidget, "choose-file"))
    assert len(asked) == 2
    enter(qtbot, data.form.editors["classes"].input, "3 8")
    assert session.experiment.dataset.classes == (3, 8)


def test_the_dice_goes_to_the_next_seed(qtbot, panel, session):
    data = opened(panel, "data")
    click(qtbot, data.findChild(QWidget, "dice-seed"))
    assert session.experiment.dataset.seed == 1


@pytest.mark.parametrize(("typed", "amount"), [("2 GB", 2 * 10**9), ("512 MiB", 512 * 2**20)])
def test_memory_is_read_in_human_units(qtbot, panel, session, typed, amount):
    memory = opened(panel, "kernel").form.editors["memory"].input
    enter(qtbot, memory, typed)
    assert session.experiment.kernel.memory == amount
    assert memory.text() == typed
    enter(qtbot, memory, "none")
    assert session.experiment.kernel.memory is None


@pytest.mark.parametrize(("typed", "words"), [("lots", "write it like 2 GB"), ("0 GB", "got 0; give bytes")])
def test_a_bad_budget_is_told(qtbot, panel, session, typed, words):
    editor = opened(panel, "kernel").form.editors["memory"]
    enter(qtbot, editor.input, typed)
    assert words in editor.error.text()
    assert editor.input.text() == typed
    assert session.experiment.kernel.memory is None


def test_devices_are_offered_and_that_of_the_document_is_always_there(qtbot, panel, session):
    panel.set_devices(("cpu", "cuda"))
    kernel = opened(panel, "kernel")
    choose(qtbot, kernel.device, "cuda")
    assert session.experiment.kernel.device == "cuda"
    session.edit(edits.set_kernel(session.experiment, device="cuda:3"), "x")
    assert kernel.device.value == "cuda:3"


def test_the_learning_rate_is_a_share_or_a_number(qtbot, panel, session):
    training = opened(panel, "training")
    assert training.form.editors["critical_share"].isVisible()
    training.set_critical_rate(4.0)
    assert "η = 2," in training.rate.text()
    enter(qtbot, training.form.editors["learning_rate"].input, "6")
    assert session.experiment.training.learning_rate == 6.0
    assert not training.form.editors["critical_share"].isVisible()
    assert training.rate.text() == "1.5 × critical rate 4; the linear model diverges"
    assert training.rate.property("role") == "warning"
    enter(qtbot, training.form.editors["learning_rate"].input, "-1")
    assert "got -1" in training.form.editors["learning_rate"].error.text()


def test_the_loss_shows_its_formula(qtbot, panel):
    training = opened(panel, "training")
    before = training.loss.text()
    choose(qtbot, training.form.editors["loss"].input, "torch_mse")
    assert training.loss.text() != before
    assert "<i>N</i><i>k</i>" in training.loss.text()
