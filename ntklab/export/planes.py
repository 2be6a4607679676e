"""Functions on a plane: points, and a field under them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ntklab.export.curves import line_look
from ntklab.export.images import coloured, draw_bar, fraction
from ntklab.export.pen import MARKERS, PAPER, Pen, legend_below, set_axis
from ntklab.figures.colours import STYLES, Marker, colour_map
from ntklab.figures.model import Plane, Points

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_plane(figure: Plane, axes: Axes, pen: Pen) -> None:
    set_axis(axes, "x", figure.x)
    set_axis(axes, "y", figure.y)
    norm = figure.norm
    if figure.field_values is not None and norm is not None:
        image = coloured(figure.field_values, norm, figure.colours)
        axes.imshow(image, origin="upper", extent=figure.extent, interpolation="none", zorder=0)
    for line in figure.lines:
        axes.plot(line.x, line.y, color=STYLES[line.role].print, zorder=2,
                  **line_look(line.mark, line.role, line.weight, pen, len(line.x)))  # fmt: skip
    for points in figure.points:
        _points(points, figure, axes, pen)
    for which, axis in (("x", figure.x), ("y", figure.y)):
        if axis.limits is not None:  # what was drawn has moved them
            getattr(axes, f"set_{which}lim")(*axis.limits)
    axes.set_aspect("equal" if figure.equal else "auto", adjustable="box" if figure.equal else None)
    if figure.field_values is None:
        axes.margins(0.06)
        axes.grid(visible=True, color=PAPER.grid, linewidth=0.6 * pen.rule)
        axes.set_axisbelow(True)
    values = [p.values for p in figure.points if p.values is not None]
    values += [figure.field_values.ravel()] if figure.field_values is not None else []
    if norm is not None and values:
        draw_bar(np.concatenate(values), norm, figure.colours, figure.value_label, axes=axes, pen=pen)
    _legend(figure, axes, pen)


def _legend(figure: Plane, axes: Axes, pen: Pen) -> None:
    """Marker and colour of each class; without colour where that shows a value."""
    from matplotlib.lines import Line2D

    named = [points for points in figure.points if points.in_legend]
    lines = [line for line in figure.lines if line.legend]
    if len(named) + len(lines) < 2:
        return
    handles = [Line2D([], [], color=STYLES[line.role].print, **line_look(line.mark, line.role, line.weight, pen, 0))
               for line in lines]  # fmt: skip
    for points in named:
        colour = STYLES[points.role].print if points.values is None else PAPER.ground
        edge = colour if points.values is None else PAPER.ink
        handles.append(Line2D([], [], linestyle="none", marker=MARKERS[_solid(STYLES[points.role].marker)],
                              markersize=1.4 * pen.dot, markerfacecolor=colour, markeredgecolor=edge,
                              markeredgewidth=0.6 * pen.rule))  # fmt: skip
    names = [line.legend for line in lines] + [points.name for points in named]
    legend_below(axes, handles, names, pen=pen, columns=min(len(names), 3 if lines else 5))


def _points(points: Points, figure: Plane, axes: Axes, pen: Pen) -> None:
    style = STYLES[points.role]
    fill: Any = style.print
    if points.values is not None and figure.norm is not None:
        table = colour_map(figure.colours, "print")
        share = np.nan_to_num(fraction(points.values, figure.norm), nan=0.5)
        fill = table[np.clip(share * 256, 0, 255).astype(np.intp)] / 255
    valued = points.values is not None
    axes.scatter(
        points.x, points.y, s=(1.5 * pen.dot * points.weight) ** 2, marker=MARKERS[_solid(style.marker)],
        c="none" if points.hollow and not valued else fill,
        edgecolors=(fill if points.hollow else PAPER.ink) if valued else style.print,
        linewidths=(2.0 if points.hollow else 0.6) * pen.rule, zorder=3,
    )  # fmt: skip


def _solid(marker: Marker) -> Marker:
    """A marker that can be filled or hollow."""
    return "plus" if marker == "cross" else marker
