"""Heat maps: orientation, exact values, colours, size."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor

from ntklab.figures.colours import colour_map, missing
from ntklab.figures.model import Axis, Heatmap, Norm
from ntklab.gui.plots import PlotView
from ntklab.gui.plots.heatmap import HeatmapContent
from ntklab.gui.plots.levels import pulled

LOW, HIGH = (QColor(*colour_map("sequential", "light")[end].tolist()).name() for end in (0, -1))


def figure(values, **changes) -> Heatmap:
    return Heatmap("NTK", np.asarray(values), Norm("linear", 0.0, 1.0), "Θ(i, j)", **changes)


@pytest.fixture
def view(qtbot) -> PlotView:
    made = PlotView()
    qtbot.addWidget(made)
    made.resize(520, 400)
    made.show()
    return made


def show(view: PlotView, drawn: Heatmap, qapp) -> None:
    view.show_figure(drawn)
    qapp.processEvents()


def centre(view: PlotView, i: int, j: int) -> QPoint:
    """Pixel of the middle of cell (i, j)."""
    plot, span = view.canvas.paper.places.plot, view.canvas.paper.span
    x = plot.left() + (j + 0.5 - span.x0) / (span.x1 - span.x0) * plot.width()
    y = plot.top() + (i + 0.5 - span.y0) / (span.y1 - span.y0) * plot.height()
    return QPointF(x, y).toPoint()


def pixel(view: PlotView, i: int, j: int) -> str:
    view.canvas.read_at(-1, -1)
    return view.canvas.viewport().grab().toImage().pixelColor(centre(view, i, j)).name()


def content(view: PlotView) -> HeatmapContent:
    assert isinstance(view.canvas.content, HeatmapContent)
    return view.canvas.content


def test_row_i_runs_down_and_column_j_to_the_right(view, qapp) -> None:
    values = np.zeros((4, 6))
    values[0, 5] = values[3, 1] = 1.0
    show(view, figure(values), qapp)
    for i in range(4):
        for j in range(6):
            assert pixel(view, i, j) == (HIGH if values[i, j] else LOW), (i, j)


def test_cells_are_square(view, qapp) -> None:
    show(view, figure(np.zeros((4, 6))), qapp)
    plot = view.canvas.paper.places.plot
    assert plot.width() / 6 == pytest.approx(plot.height() / 4, rel=0.02)


def test_not_computed_is_neutral_grey(view, qapp) -> None:
    values = np.ones((3, 3))
    values[1, 2] = np.nan
    show(view, figure(values), qapp)
    assert pixel(view, 1, 2) == missing("light")
    assert pixel(view, 1, 1) == HIGH


def test_hover_gives_the_stored_value_and_the_true_sample_numbers(view, qapp, qtbot) -> None:
    order = np.array([2, 0, 1])
    values = np.arange(9.0).reshape(3, 3) + 0.123456789
    groups = ((0, 2, "inner"), (2, 3, "outer"))
    show(view, figure(values, rows=order, columns=order, groups=groups), qapp)
    with qtbot.waitSignal(view.hovered) as heard:
        qtbot.mouseMove(view.canvas.viewport(), centre(view, 1, 2))
    assert heard.args == ["i = 0 (inner)   j = 1 (outer)   Θ = 5.12346"]


def test_hover_on_a_hole_says_not_computed(view, qapp, qtbot) -> None:
    show(view, figure(np.full((2, 2), np.nan)), qapp)
    with qtbot.waitSignal(view.hovered) as heard:
        qtbot.mouseMove(view.canvas.viewport(), centre(view, 0, 0))
    assert heard.args[0].endswith("Θ = not computed")


def test_click_is_the_pair_of_samples(view, qapp, qtbot) -> None:
    show(view, figure(np.zeros((3, 3)), rows=np.array([7, 8, 9]), columns=np.array([7, 8, 9])), qapp)
    with qtbot.waitSignal(view.clicked) as heard:
        qtbot.mouseClick(view.canvas.viewport(), Qt.MouseButton.LeftButton, pos=centre(view, 0, 2))
    assert heard.args == [("pair", 7, 9)]


def test_keyboard_walks_zooms_and_picks(view, qapp, qtbot) -> None:
    show(view, figure(np.arange(100.0).reshape(10, 10)), qapp)
    canvas, said, picked = view.canvas, [], []
    view.hovered.connect(said.append)
    view.clicked.connect(picked.append)
    qtbot.keyClick(canvas, Qt.Key.Key_Right)  # starts in the middle
    assert said[-1].startswith("i = 5   j = 5")
    qtbot.keyClick(canvas, Qt.Key.Key_Right)
    qtbot.keyClick(canvas, Qt.Key.Key_Up)
    assert said[-1] == "i = 4   j = 6   Θ = 46"
    qtbot.keyClick(canvas, Qt.Key.Key_Return)
    assert picked == [("pair", 4, 6)]
    whole = canvas.span()
    qtbot.keyClick(canvas, Qt.Key.Key_Plus)
    assert canvas.span().x1 - canvas.span().x0 < whole.x1 - whole.x0
    for _ in range(4):  # out of view: the view follows
        qtbot.keyClick(canvas, Qt.Key.Key_Down)
        qtbot.keyClick(canvas, Qt.Key.Key_Right)
    assert said[-1].startswith("i = 8   j = 9")
    assert canvas.span().y1 >= 8.5
    qtbot.keyClick(canvas, Qt.Key.Key_Right)  # the edge
    assert said[-1].startswith("i = 8   j = 9")
    qtbot.keyClick(canvas, Qt.Key.Key_0)
    assert (canvas.span().x0, canvas.span().x1) == pytest.approx((0, 10))


def test_zoom_out_never_leaves_the_matrix(view, qapp, qtbot) -> None:
    show(view, figure(np.zeros((10, 10))), qapp)
    for _ in range(3):
        qtbot.keyClick(view.canvas, Qt.Key.Key_Minus)
    span = view.canvas.span()
    assert (span.x0, span.x1, span.y0, span.y1) == pytest.approx((0, 10, 0, 10))


def test_theme_reaches_ground_and_missing_cells(view, qapp) -> None:
    from ntklab.gui import theme

    show(view, figure([[np.nan, 1.0]]), qapp)
    for scheme in ("dark", "light"):
        theme.apply(qapp, scheme)
        qapp.processEvents()
        image = view.canvas.viewport().grab().toImage()
        assert image.pixelColor(2, 2).name() == theme.current().plot.ground
        assert pixel(view, 0, 0) == missing(scheme)


def test_log_colours_show_real_units_and_can_be_switched(view, qapp) -> None:
    values = np.array([[1e-3, 1e-2], [1e-1, 1.0]])
    show(view, Heatmap("NTK", values, Norm("log", 1e-3, 1.0), "Θ"), qapp)
    labels = view.canvas.paper.places.bar_ticks.labels
    assert labels == ("0.001", "0.01", "0.1", "1")
    assert [toggle.on for toggle in content(view).toggles()] == [True]
    view.canvas.toggle("colours", False)
    assert view.canvas.paper.places.bar_ticks.labels == ("0.2", "0.4", "0.6", "0.8", "1.0")


def test_difference_maps_have_no_log_colours(view, qapp) -> None:
    drawn = Heatmap("Δ", np.array([[-1.0, 1.0]]), Norm("symmetric", -1.0, 1.0), "ΔΘ", "diverging")
    show(view, drawn, qapp)
    assert content(view).toggles() == ()


def test_group_names_stand_beside_their_runs(view, qapp) -> None:
    show(view, figure(np.zeros((40, 40)), groups=((0, 10, "a"), (10, 40, "b"))), qapp)
    page = view.canvas.page()
    assert page.x.groups == page.y.groups == ((0, 10, "a"), (10, 40, "b"))


def test_values_are_renewed_in_place(view, qapp) -> None:
    show(view, figure(np.zeros((3, 3)), x=Axis("column"), caption="kept"), qapp)
    item = content(view).matrix
    view.update_heatmap_values(np.ones((3, 3)))
    qapp.processEvents()
    assert content(view).matrix is item
    assert pixel(view, 2, 2) == HIGH
    assert view.figure.caption == "kept"


def test_zoom_survives_new_values_and_ends_with_another_matrix(view, qapp) -> None:
    show(view, figure(np.zeros((20, 20))), qapp)
    view.canvas.zoom(0.5)
    zoomed = view.canvas.span()
    show(view, figure(np.ones((20, 20))), qapp)
    assert view.canvas.span() == zoomed
    show(view, figure(np.ones((9, 9))), qapp)
    assert (view.canvas.span().x0, view.canvas.span().x1) == pytest.approx((0, 9))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_kernel_is_drawn_from_few_entries(view, qapp, qtbot, dtype: type) -> None:
    n = 4096
    values = np.zeros((n, n), dtype=dtype)
    values[: n // 2, n // 2 :] = 1.0  # upper right
    show(view, figure(values), qapp)
    assert content(view).loading  # something is on screen already
    assert pixel(view, 100, 4000) == HIGH
    qtbot.waitUntil(lambda: not content(view).loading)
    qapp.processEvents()
    plot = view.canvas.paper.places.plot
    for i, j, colour in ((100, 4000, HIGH), (4000, 100, LOW), (100, 100, LOW), (4000, 4000, LOW)):
        assert pixel(view, i, j) == colour
    assert content(view).matrix.painted_entries <= 4 * plot.width() * plot.height()
    for _ in range(40):
        view.canvas.zoom(0.8)
    qapp.processEvents()
    assert content(view).matrix.painted_entries <= 4 * plot.width() * plot.height()
    assert view.canvas.span().x1 - view.canvas.span().x0 < 10


def test_large_kernel_can_be_closed_while_it_loads(qapp, qtbot) -> None:
    view = PlotView()
    qtbot.addWidget(view)
    view.show()
    show(view, figure(np.zeros((3000, 3000), np.float32)), qapp)
    view.close()


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (37, 5)])
def test_odd_shapes(view, qapp, shape: tuple[int, int]) -> None:
    show(view, figure(np.ones(shape)), qapp)
    assert pixel(view, shape[0] - 1, shape[1] - 1) == HIGH


# -- levels ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("norm", "start", "now", "low", "high"),
    [
        (Norm("linear", 0.0, 10.0), 0.8, 0.4, 0.0, 20.0),  # 8 is held and brought down: the top moves up
        (Norm("linear", 0.0, 10.0), 0.2, 0.6, -10.0, 10.0),  # 2 is held and brought up: the bottom moves down
        (Norm("symmetric", -4.0, 4.0), 0.75, 1.0, -2.0, 2.0),
        (Norm("symmetric", -4.0, 4.0), 0.25, 0.0, -2.0, 2.0),
        (Norm("log", 1e-2, 1.0), 1.0, 0.5, 1e-2, 1e2),
    ],
)
def test_a_pulled_value_follows_the_hand(norm: Norm, start: float, now: float, low: float, high: float) -> None:
    found = pulled(norm, start, now)
    assert (found.kind, found.low, found.high) == (norm.kind, pytest.approx(low), pytest.approx(high))


def test_colour_bar_can_be_pulled_and_put_back(view, qapp, qtbot) -> None:
    show(view, figure(np.ones((4, 4))), qapp)
    port, bar = view.canvas.viewport(), view.canvas.paper.places.bar
    hold, there = bar.center() + QPointF(0, -0.3 * bar.height()), bar.center()
    qtbot.mousePress(port, Qt.MouseButton.LeftButton, pos=hold.toPoint())
    qtbot.mouseMove(port, there.toPoint())
    qtbot.mouseRelease(port, Qt.MouseButton.LeftButton, pos=there.toPoint())
    assert content(view).norm.low == 0.0
    assert content(view).norm.high == pytest.approx(1.6, abs=0.05)
    assert pixel(view, 1, 1) != HIGH
    show(view, figure(np.ones((4, 4))), qapp)  # a newer state keeps the user's colours
    assert content(view).norm.high == pytest.approx(1.6, abs=0.05)
    qtbot.mouseDClick(port, Qt.MouseButton.LeftButton, pos=there.toPoint())
    assert content(view).norm == Norm("linear", 0.0, 1.0)


def test_colours_can_be_stretched_by_keys(view, qapp, qtbot) -> None:
    show(view, figure(np.ones((4, 4))), qapp)
    qtbot.keyClick(view.canvas, Qt.Key.Key_BracketLeft)
    assert content(view).norm.high == pytest.approx(0.9)
    qtbot.keyClick(view.canvas, Qt.Key.Key_BracketRight)
    assert content(view).norm.high == pytest.approx(1.0)
    qtbot.keyClick(view.canvas, Qt.Key.Key_BracketLeft)
    qtbot.keyClick(view.canvas, Qt.Key.Key_0)
    assert content(view).norm == Norm("linear", 0.0, 1.0)


def test_numbers_of_reordered_samples_stand_only_where_every_cell_has_one(view, qapp) -> None:
    order = np.random.default_rng(0).permutation(100)
    view.resize(400, 400)
    show(view, figure(np.zeros((100, 100)), rows=order, columns=order), qapp)
    assert view.canvas.paper.places.x.labels == view.canvas.paper.places.y.labels == ()
    few = np.array([2, 0, 1])
    show(view, figure(np.zeros((3, 3)), rows=few, columns=few), qapp)
    assert view.canvas.paper.places.x.labels == ("2", "0", "1")
    show(view, figure(np.zeros((100, 100)), rows=np.arange(100), columns=np.arange(100)), qapp)
    assert len(view.canvas.paper.places.x.labels) > 1
