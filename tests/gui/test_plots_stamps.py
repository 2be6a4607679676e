"""Points coloured by value: their colours, what is kept between redraws, and what the legend says of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtGui import QColor

from ntklab.figures.model import Axis, Norm, Plane, Points
from ntklab.gui import theme
from ntklab.gui.plots import PlotView

CORNERS = np.array([-1.0, 1.0, -1.0, 1.0]), np.array([1.0, 1.0, -1.0, -1.0])


def plane(values: np.ndarray, *, in_legend: bool = True) -> Plane:
    points = tuple(
        Points(name, *CORNERS, role, values=values, weight=2.0, in_legend=in_legend)
        for name, role in (("outer", "class0"), ("inner", "class1"))
    )
    return Plane("Function", Axis("x1"), Axis("x2"), points[:1] if in_legend else points,
                 norm=Norm("symmetric", -1.0, 1.0), value_label="f(x)")  # fmt: skip


@pytest.fixture
def view(qtbot, qapp):
    theme.apply(qapp, "light")
    view = PlotView()
    qtbot.addWidget(view)
    view.resize(400, 400)
    view.show()
    qapp.processEvents()
    return view


def colour_at(view: PlotView, x: float, y: float) -> QColor:
    canvas = view.canvas
    paper = canvas.paper
    at = paper.places.column(paper.span, x), paper.places.row(paper.span, y, paper.page.inverted)
    return canvas.grab().toImage().pixelColor(round(at[0]), round(at[1]))


def test_each_point_has_the_colour_of_its_value(view, qapp):
    view.show_figure(plane(np.array([-1.0, 1.0, 0.0, np.nan])))
    qapp.processEvents()
    low, high = colour_at(view, -1, 1), colour_at(view, 1, 1)
    table = view.canvas.content.look.table("diverging")
    assert low.rgb() == QColor.fromRgb(int(table[3])).rgb()
    assert high.rgb() == QColor.fromRgb(int(table[253])).rgb()
    assert colour_at(view, 1, -1).rgb() == QColor.fromRgb(int(table[0])).rgb()  # missing


def test_new_values_reuse_the_markers_and_a_new_look_does_not(view, qapp):
    view.show_figure(plane(np.array([-1.0, 1.0, 0.0, 0.5])))
    (cloud,) = view.canvas.content.items()
    before, markers = cloud.levels, cloud._stamps
    view.show_figure(plane(np.array([1.0, -1.0, 0.0, 0.5])))
    assert view.canvas.content.items() == (cloud,)
    assert cloud.levels.tolist() == [before[1], before[0], *before[2:]]
    assert cloud._stamps is markers
    theme.apply(qapp, "dark")
    assert cloud._stamps is not markers


def test_points_without_classes_need_no_legend(view):
    figure = plane(np.zeros(4), in_legend=False)
    view.show_figure(figure)
    assert view.canvas.page().entries == ()
    view.show_figure(replace(figure, points=tuple(replace(points, in_legend=True) for points in figure.points)))
    assert [entry.name for entry in view.canvas.page().entries] == ["outer", "inner"]
