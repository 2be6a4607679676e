"""Stacked horizontal bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ntklab.export.pen import PAPER, Pen, legend_below, set_axis
from ntklab.figures.colours import STYLES
from ntklab.figures.model import Bars

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_THICK = 0.62  # of the distance between bars
_LETTER = 0.025  # of the whole width: pieces have their key where its letters have room


def draw_bars(figure: Bars, axes: Axes, pen: Pen) -> None:
    set_axis(axes, "x", figure.x)
    rows = np.arange(len(figure.names))
    left = np.zeros(len(rows))
    for part in figure.parts:
        widths = np.nan_to_num(part.values)
        axes.barh(rows, widths, left=left, height=_THICK, color=STYLES[part.role].print, edgecolor=PAPER.ground,
                  linewidth=0.8 * pen.rule, label=part.name)  # fmt: skip
        for row, (start, width) in enumerate(zip(left, widths, strict=True)):
            if part.key and width > _LETTER * (len(part.key) + 1) * _whole(figure):
                axes.text(start + width / 2, row, part.key, ha="center", va="center", color=PAPER.ground,
                          fontsize=pen.small)  # fmt: skip
        left += widths
    axes.set_yticks(rows, labels=figure.names)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    if figure.x.limits is None:
        axes.set_xlim(0, _whole(figure))
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)
    legend_below(axes, *axes.get_legend_handles_labels(), pen=pen, columns=min(len(figure.parts), 3))


def _whole(figure: Bars) -> float:
    """The length of the longest bar, or of the axis where that is given."""
    if figure.x.limits is not None:
        return figure.x.limits[1]
    return float(np.nan_to_num(np.stack([part.values for part in figure.parts])).sum(axis=0).max()) or 1.0
