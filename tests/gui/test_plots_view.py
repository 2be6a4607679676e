"""The whole plot: header, messages, menu, busy line, themes, clean-up."""

import gc
import weakref

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

from ntklab.figures.model import Axis, Curves, Heatmap, Norm, Plane, Points, Series
from ntklab.gui import theme
from ntklab.gui.plots import PlotView

HEATMAP = Heatmap("Empirical NTK", np.eye(5), Norm("linear", 0.0, 1.0), "Θ(i, j)", caption="float64 · seed 0 " * 20)
CURVES = Curves("Loss", Axis("step"), Axis("loss"), (Series("n", np.arange(5.0), np.arange(5.0), "network"),))
PLANE = Plane("Function", Axis("x₁"), Axis("x₂"), (Points("p", np.arange(3.0), np.arange(3.0), "class0"),))


@pytest.fixture
def view(qtbot) -> PlotView:
    made = PlotView()
    qtbot.addWidget(made)
    made.resize(420, 300)
    made.show()
    return made


def test_starts_with_a_message_and_goes_back_to_one(view, qapp) -> None:
    assert view.figure is None
    view.show_message("Compute kernels to see it: Ctrl+R")
    assert view.findChild(type(view._message)).isVisible()
    assert view._message.text() == "Compute kernels to see it: Ctrl+R"
    view.show_figure(HEATMAP)
    assert view.canvas.isVisible()
    assert not view._message.isVisible()
    view.show_figure(None)
    assert view._message.isVisible()
    assert view.canvas.content is None


@pytest.mark.parametrize("first", [HEATMAP, CURVES, PLANE], ids=["heatmap", "curves", "plane"])
@pytest.mark.parametrize("then", [HEATMAP, CURVES, PLANE], ids=["heatmap", "curves", "plane"])
def test_any_figure_may_follow_any_other(view, qapp, first, then) -> None:
    for figure in (first, then):
        view.show_figure(figure)
        qapp.processEvents()
    assert view.figure is then
    assert set(view.canvas.view.childGroup.childItems()) == set(view.canvas.content.items())
    assert view.canvas.accessibleName() == then.title


def test_long_caption_is_cut_but_kept_in_the_tool_tip(view, qapp) -> None:
    view.show_figure(HEATMAP)
    qapp.processEvents()
    assert view.width() == 420
    assert view._header.caption.toolTip() == HEATMAP.caption


def test_menu_asks_for_what_concerns_the_figure(view, qtbot) -> None:
    view.show_figure(HEATMAP)
    view._fill_menu()
    for name, signal in (
        ("copy", view.copy_requested),
        ("export", view.export_requested),
        ("data", view.data_requested),
    ):
        with qtbot.waitSignal(signal) as heard:
            view._actions[name].trigger()
        assert heard.args == [HEATMAP]
    with qtbot.waitSignal(view.maximise_requested):
        view._actions["maximise"].trigger()


def test_menu_offers_scales_and_greys_what_needs_a_figure(view) -> None:
    view.show_figure(Curves("L", Axis("step"), Axis("loss", scale="log"), CURVES.series))
    view._fill_menu()
    titles = {action.text(): action for action in view._menu.actions()}
    assert titles["Logarithmic y axis"].isChecked()
    titles["Logarithmic y axis"].setChecked(False)
    assert not view.canvas.page().y.log
    view.show_message("nothing")
    view._fill_menu()
    assert not view._actions["export"].isEnabled()
    assert "Logarithmic y axis" not in {action.text() for action in view._menu.actions()}


def test_right_click_opens_the_menu(view, qapp, qtbot) -> None:
    view.show_figure(CURVES)
    qapp.processEvents()
    qtbot.mouseClick(view.canvas.viewport(), Qt.MouseButton.RightButton, pos=QPoint(200, 150))
    assert view._menu.isVisible()
    view._menu.close()


def test_busy_line_moves_only_while_busy_and_seen(view, qapp) -> None:
    run = view._busy._run
    view.set_busy(True)
    assert run.state() == run.State.Running
    view.hide()
    assert run.state() == run.State.Stopped
    view.show()
    assert run.state() == run.State.Running
    view.set_busy(False)
    assert run.state() == run.State.Stopped


@pytest.mark.parametrize("figure", [HEATMAP, CURVES, PLANE], ids=["heatmap", "curves", "plane"])
def test_theme_switches_ground_and_text_live(view, qapp, figure) -> None:
    view.show_figure(figure)
    seen = {}
    for scheme in ("light", "dark"):
        theme.apply(qapp, scheme)
        qapp.processEvents()
        image = view.grab().toImage()
        seen[scheme] = image
        assert image.pixelColor(1, image.height() - 2).name() == theme.current().plot.ground
        inks = {image.pixelColor(x, y).lightness() for x in range(image.width()) for y in range(0, image.height(), 2)}
        assert (max(inks) > 200) if scheme == "dark" else (min(inks) < 60)
    assert seen["light"] != seen["dark"]


def test_focus_by_keyboard_shows_a_ring(view, qapp) -> None:
    view.show_figure(HEATMAP)
    view.canvas.clearFocus()
    qapp.processEvents()
    without = view.canvas.grab().toImage()
    view.canvas.setFocus(Qt.FocusReason.TabFocusReason)
    qapp.processEvents()
    ringed = view.canvas.grab().toImage()
    middle = ringed.height() // 2
    assert any(ringed.pixelColor(x, middle).name() == theme.current().focus for x in range(5))
    assert ringed != without
    view.canvas.clearFocus()
    view.canvas.setFocus(Qt.FocusReason.MouseFocusReason)
    qapp.processEvents()
    assert view.canvas.grab().toImage() == without


def test_a_click_into_the_plot_activates_it(view, qapp, qtbot) -> None:
    view.show_figure(CURVES)
    view.activateWindow()
    view._header.button.setFocus()
    qapp.processEvents()
    with qtbot.waitSignal(view.activated):
        qtbot.mouseClick(view.canvas.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(200, 150))


def test_closed_views_are_forgotten(qapp, qtbot) -> None:
    view = PlotView()
    view.show()
    view.show_figure(HEATMAP)
    qapp.processEvents()
    gone = weakref.ref(view.canvas)
    view.close()
    view.deleteLater()
    del view
    from PySide6.QtCore import QEvent

    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    assert gone() is None
    theme.apply(qapp, "dark")  # nobody is left to hear it


def test_tiny_views_do_not_fail(view, qapp) -> None:
    view.show_figure(CURVES)
    for size in ((40, 30), (1, 1), (120, 90), (420, 300)):
        view.resize(*size)
        qapp.processEvents()
    assert view.canvas.paper.places.plot.width() > 100


def test_caption_goes_on_in_a_second_line_where_there_is_room(view, qtbot) -> None:
    parts = [f"fact number {i}" for i in range(6)]
    figure = Heatmap("Kernel", np.eye(3), Norm("linear", 0.0, 1.0), "Θ(i, j)", caption=" · ".join(parts))
    header = view._header
    view.resize(420, 600)
    view.show_figure(figure)
    qtbot.waitUntil(lambda: not header.more.isHidden())
    assert f"{header.caption.text()} · {header.more.text()}" == figure.caption
    view.resize(420, 200)
    qtbot.waitUntil(header.more.isHidden)
    assert header.caption.text() == header.caption.toolTip() == figure.caption


def test_a_note_stands_before_the_caption_and_only_with_a_figure(view, qapp) -> None:
    view.set_note("of an earlier experiment")
    assert view._header.caption.note == ""
    view.show_figure(HEATMAP)
    assert view._header.caption.note == "of an earlier experiment"
    assert view._header.caption.toolTip().startswith("of an earlier experiment · float64")
    view.set_note("")
    assert view._header.caption.toolTip() == HEATMAP.caption
