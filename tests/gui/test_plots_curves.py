"""Curves and planes: what is drawn where, read-outs, clicks, keyboard, scales, streaming."""

from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor

from ntklab.figures.colours import STYLES
from ntklab.figures.model import Axis, Curves, Norm, Plane, Points, Rule, Series, Shade
from ntklab.gui import theme
from ntklab.gui.plots import PlotView
from ntklab.gui.plots.curves import CurvesContent

K = np.arange(1.0, 33.0)
SPECTRUM = Curves(
    "Spectrum", Axis("mode k", scale="log"), Axis("eigenvalue λₖ", scale="log"),
    (Series("analytic", K, 10 * K**-2, "analytic"), Series("empirical", K, 12 * K**-2, "empirical", "dots")),
)  # fmt: skip
STEPS = np.arange(0.0, 200.0)
LOSS = Curves(
    "Loss", Axis("step"), Axis("loss", "1/(2N)·Σ", "log"),
    (Series("network", STEPS, np.exp(-STEPS / 50), "network"),
     Series("infinite", STEPS, 2 * np.exp(-STEPS / 50), "infinite")),
)  # fmt: skip


@pytest.fixture
def view(qtbot) -> PlotView:
    made = PlotView()
    qtbot.addWidget(made)
    made.resize(520, 400)
    made.show()
    return made


def place(view: PlotView, x: float, y: float) -> QPoint:
    """Pixel of the point (``x``, ``y``) in view coordinates."""
    canvas = view.canvas
    places, span = canvas.paper.places, canvas.paper.span
    return QPointF(places.column(span, x), places.row(span, y, canvas.page().inverted)).toPoint()


def content(view: PlotView) -> CurvesContent:
    assert isinstance(view.canvas.content, CurvesContent)
    return view.canvas.content


def near(image, at: QPoint, colour: str, within: int = 2) -> bool:
    wanted = QColor(colour)
    for dx in range(-within, within + 1):
        for dy in range(-within, within + 1):
            seen = image.pixelColor(at.x() + dx, at.y() + dy)
            if (
                max(
                    abs(seen.red() - wanted.red()), abs(seen.green() - wanted.green()), abs(seen.blue() - wanted.blue())
                )
                < 30
            ):
                return True
    return False


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_points_lie_where_their_values_are_in_the_colours_of_the_theme(view, qapp, scheme: str) -> None:
    theme.apply(qapp, scheme)
    view.show_figure(SPECTRUM)
    qapp.processEvents()
    image = view.canvas.viewport().grab().toImage()
    for k in (1, 4, 32):
        assert near(image, place(view, np.log10(k), np.log10(12 / k**2)), STYLES["empirical"].colour(scheme))
    between = place(view, np.log10(1.5), np.log10(10 * 2.0**-2 * 2))  # on the segment from k = 1 to 2
    assert near(image, between, STYLES["analytic"].colour(scheme), within=8)
    assert image.pixelColor(1, 1).name() == theme.current().plot.ground


def test_hover_snaps_to_the_nearest_point_and_reads_real_units(view, qapp, qtbot) -> None:
    view.show_figure(SPECTRUM)
    qapp.processEvents()
    with qtbot.waitSignal(view.hovered) as heard:
        qtbot.mouseMove(view.canvas.viewport(), place(view, np.log10(4), np.log10(12 / 16)) + QPoint(2, -2))
    assert heard.args == ["mode k = 4   eigenvalue λₖ = 0.75   empirical"]


def test_click_in_a_spectrum_is_a_mode_counted_from_0(view, qapp, qtbot) -> None:
    view.show_figure(SPECTRUM)
    qapp.processEvents()
    with qtbot.waitSignal(view.clicked) as heard:
        qtbot.mouseClick(
            view.canvas.viewport(), Qt.MouseButton.LeftButton, pos=place(view, np.log10(3), np.log10(12 / 9))
        )
    assert heard.args == [("mode", 2)]


def test_click_elsewhere_is_an_x(view, qapp, qtbot) -> None:
    view.show_figure(LOSS)
    qapp.processEvents()
    with qtbot.waitSignal(view.clicked) as heard:
        qtbot.mouseClick(
            view.canvas.viewport(), Qt.MouseButton.LeftButton, pos=place(view, 100.0, np.log10(np.exp(-2)))
        )
    kind, x = heard.args[0]
    assert kind == "x"
    assert x == pytest.approx(100, abs=1)


def test_double_click_asks_for_more_room(view, qapp, qtbot) -> None:
    view.show_figure(LOSS)
    qapp.processEvents()
    with qtbot.waitSignal(view.maximise_requested):
        qtbot.mouseDClick(view.canvas.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(200, 200))
        qtbot.mouseRelease(view.canvas.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(200, 200))


def test_keyboard_walks_along_a_curve_and_between_curves(view, qapp, qtbot) -> None:
    view.show_figure(LOSS)
    qapp.processEvents()
    said: list[str] = []
    view.hovered.connect(said.append)
    qtbot.keyClick(view.canvas, Qt.Key.Key_Left)
    start = said[-1]
    qtbot.keyClick(view.canvas, Qt.Key.Key_Right)
    step = float(start.split()[2])
    assert said[-1].startswith(f"step = {step + 1:g} ")
    qtbot.keyClick(view.canvas, Qt.Key.Key_Up)
    assert said[-1].endswith("infinite")
    qtbot.keyClick(view.canvas, Qt.Key.Key_Down)
    assert said[-1].endswith("network")
    assert view.canvas.accessibleDescription() == said[-1]


def test_leaving_takes_the_read_out_away(view, qapp, qtbot) -> None:
    view.show_figure(LOSS)
    qapp.processEvents()
    view.canvas.read_at(200, 200)
    said: list[str] = []
    view.hovered.connect(said.append)
    qapp.sendEvent(view.canvas, QEvent(QEvent.Type.Leave))
    assert said == [""]


@pytest.mark.parametrize("size", [(320, 240), (420, 300), (900, 600)])
@pytest.mark.parametrize("figure", [SPECTRUM, LOSS], ids=["spectrum", "loss"])
def test_labels_do_not_overlap(view, qapp, figure: Curves, size: tuple[int, int]) -> None:
    view.resize(*size)
    view.show_figure(figure)
    qapp.processEvents()
    canvas = view.canvas
    places, span, look = canvas.paper.places, canvas.paper.span, canvas.look
    from PySide6.QtGui import QFontMetricsF

    metrics = QFontMetricsF(look.font)
    right = -1e9
    for at, label in zip(places.x.at, places.x.labels, strict=True):
        middle, half = places.column(span, at), metrics.horizontalAdvance(label) / 2
        assert middle - half > right
        right = middle + half
    rows = sorted(places.row(span, at, False) for at in places.y.at)
    assert all(after - before > metrics.height() for before, after in pairwise(rows))
    assert len(places.x.labels) >= 2
    assert len(places.y.labels) >= 2


def test_legend_only_where_there_is_a_choice_and_never_over_the_data(view, qapp) -> None:
    view.show_figure(SPECTRUM)
    places = view.canvas.paper.places
    assert [entry.name for entry in view.canvas.page().entries] == ["analytic", "empirical"]
    assert all(rect.bottom() <= places.plot.top() for rect in places.legend)
    view.show_figure(Curves("Drift", Axis("step"), Axis("drift"), (Series("network", STEPS, STEPS, "network"),)))
    assert view.canvas.page().entries == ()


def test_legend_in_two_columns_has_a_role_a_row(view, qapp) -> None:
    names = [f"{run}, {part}" for part in ("train", "test") for run in ("network", "linearised", "infinite")]
    series = tuple(Series(name, STEPS, STEPS, name.split(",")[0]) for name in names)
    view.resize(320, 300)
    qapp.processEvents()
    view.show_figure(Curves("Loss", Axis("step"), Axis("loss"), series))
    tops = {name: rect.top() for name, rect in zip(names, view.canvas.paper.places.legend, strict=True)}
    for run in ("network", "linearised", "infinite"):
        assert tops[f"{run}, train"] == tops[f"{run}, test"]
    assert len(set(tops.values())) == 3


def test_more_entries_than_room_are_left_out(view, qapp) -> None:
    series = tuple(Series(f"a rather long name, number {k}", STEPS, STEPS, "network") for k in range(12))
    view.resize(300, 300)
    view.show_figure(Curves("Many", Axis("x"), Axis("y"), series))
    qapp.processEvents()
    view.grab()
    assert sum(not rect.isEmpty() for rect in view.canvas.paper.places.legend) == 3


def test_scales_can_be_switched_and_come_back(view, qapp) -> None:
    view.show_figure(LOSS)
    names = {toggle.id: toggle.on for toggle in content(view).toggles()}
    assert names == {"x": False, "y": True}
    view.canvas.toggle("y", False)
    assert view.canvas.span().y1 > 1.9
    view.canvas.toggle("x", True)  # step 0 has no place on a log axis
    assert view.canvas.span().x0 == pytest.approx(0.0, abs=0.2)
    view.show_figure(SPECTRUM)
    view.show_figure(LOSS)
    assert {toggle.id: toggle.on for toggle in content(view).toggles()} == names


def test_no_log_axis_for_negative_values(view) -> None:
    view.show_figure(Curves("f", Axis("x"), Axis("f"), (Series("f", STEPS - 100, STEPS - 100, "target"),)))
    assert content(view).toggles() == ()


def test_guides_lie_on_their_values(view, qapp) -> None:
    figure = Curves("Power", Axis("mode k", scale="log"), Axis("share", limits=(0.0, 1.0)),
                    (Series("p", K, np.linspace(0.1, 1, 32), "analytic"),),
                    rules=(Rule("x", 10.0, "d_eff"),), shades=(Shade("y", 0.0, 0.2, "noise"),))  # fmt: skip
    view.show_figure(figure)
    qapp.processEvents()
    shade, rule = view.canvas.page().guides
    assert (shade.low, shade.high, rule.low, rule.high) == (0.0, 0.2, 1.0, 1.0)
    image = view.canvas.viewport().grab().toImage()
    inside = place(view, 0.2, 0.17)
    assert image.pixelColor(inside).name() in (theme.current().plot.shade, theme.current().plot.grid)
    assert near(image, place(view, 1.0, 0.5), STYLES["guide"].colour("light"), within=6)


def test_values_that_cannot_be_drawn_leave_gaps(view, qapp) -> None:
    y = np.array([1.0, np.nan, np.inf, -1.0, 0.0, 0.1])
    view.show_figure(
        Curves("Loss", Axis("step"), Axis("loss", scale="log"), (Series("n", np.arange(6.0), y, "network"),))
    )
    qapp.processEvents()
    span = view.canvas.span()
    assert span.y0 > -1.2
    assert span.y1 < 0.2


@pytest.mark.parametrize("series", [(), (Series("empty", np.empty(0), np.empty(0), "network", "line+dots"),)])
def test_nothing_to_draw_is_no_error(view, qapp, qtbot, series: tuple[Series, ...]) -> None:
    view.show_figure(Curves("Loss", Axis("step"), Axis("loss", scale="log"), series))
    qapp.processEvents()
    qtbot.keyClick(view.canvas, Qt.Key.Key_Right)
    assert view.canvas.overlay.reading is None


def test_streaming_reuses_items_and_keeps_the_cursor(view, qapp) -> None:
    def losses(n: int) -> Curves:
        x = np.arange(float(n))
        return Curves("Loss", Axis("step"), Axis("loss", scale="log"), (Series("n", x, np.exp(-x / 900), "network"),))

    view.show_figure(losses(50))
    items = [id(item) for item in content(view).items()]
    view.canvas.read_at(200, 200)
    reading = view.canvas.overlay.reading
    for n in (100, 1000, 20_000):
        view.show_figure(losses(n))
        qapp.processEvents()
    assert [id(item) for item in content(view).items()] == items
    assert view.canvas.overlay.reading.key == reading.key
    assert view.canvas.span().x1 >= 19_999


# -- planes ------------------------------------------------------------------------------------------------------------


def plane(**changes) -> Plane:
    points = (
        Points("inner, train", np.array([0.0, 1.0]), np.array([0.0, 1.0]), "class0", samples=np.array([4, 9])),
        Points("outer, test", np.array([-1.0]), np.array([1.0]), "class1", hollow=True, weight=0.7),
    )
    return Plane("Function", Axis("x₁"), Axis("x₂"), points, **changes)


def test_plane_keeps_both_scales_equal_and_y_upwards(view, qapp) -> None:
    view.show_figure(plane())
    qapp.processEvents()
    places, span = view.canvas.paper.places, view.canvas.paper.span
    assert places.plot.width() / (span.x1 - span.x0) == pytest.approx(
        places.plot.height() / (span.y1 - span.y0), rel=0.02
    )
    image = view.canvas.viewport().grab().toImage()
    assert near(image, place(view, 1.0, 1.0), STYLES["class0"].light)
    assert place(view, 1.0, 1.0).y() < place(view, 0.0, 0.0).y()


def test_plane_click_is_a_training_sample_and_nothing_for_others(view, qapp, qtbot) -> None:
    view.show_figure(plane())
    qapp.processEvents()
    with qtbot.waitSignal(view.clicked) as heard:
        qtbot.mouseClick(view.canvas.viewport(), Qt.MouseButton.LeftButton, pos=place(view, 1.0, 1.0))
    assert heard.args == [("sample", 9)]
    with qtbot.assertNotEmitted(view.clicked):
        qtbot.mouseClick(view.canvas.viewport(), Qt.MouseButton.LeftButton, pos=place(view, -1.0, 1.0))


def test_plane_field_has_its_first_row_on_top(view, qapp) -> None:
    field = np.array([[1.0, 1.0], [-1.0, -1.0]])
    view.show_figure(plane(field_values=field, extent=(-2.0, 2.0, -2.0, 2.0), norm=Norm("symmetric", -1.0, 1.0)))
    qapp.processEvents()
    image = view.canvas.viewport().grab().toImage()
    top, bottom = image.pixelColor(place(view, 1.5, 1.8)), image.pixelColor(place(view, 1.5, -1.8))
    assert top.red() > top.blue()  # positive is orange-red
    assert bottom.blue() > bottom.red()


def test_plane_values_are_read_and_legend_is_by_class(view, qapp) -> None:
    values = Points("inner, train", np.array([0.0, 1.0]), np.array([0.0, 1.0]), "class0", values=np.array([0.25, -0.5]))
    view.show_figure(Plane("φ", Axis("x₁"), Axis("x₂"), (values,), norm=Norm("symmetric", -1, 1), value_label="φ₃"))
    qapp.processEvents()
    view.canvas.read_at(*place(view, 1.0, 1.0).toTuple())
    assert "φ₃ = −0.5" in view.canvas.overlay.reading.text
    view.show_figure(plane())
    assert [entry.name for entry in view.canvas.page().entries] == ["inner", "outer"]


def test_plane_keyboard_finds_the_neighbour(view, qapp, qtbot) -> None:
    view.show_figure(plane())
    qapp.processEvents()
    view.canvas.read_at(*place(view, 0.0, 0.0).toTuple())
    qtbot.keyClick(view.canvas, Qt.Key.Key_Up)
    assert (view.canvas.overlay.reading.x, view.canvas.overlay.reading.y) in ((1.0, 1.0), (-1.0, 1.0))
