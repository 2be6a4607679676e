"""Small matrices side by side, under their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntklab.export.images import coloured, draw_bar
from ntklab.export.pen import PAPER, Pen
from ntklab.figures.model import Maps

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GAP, _HEAD = 0.08, 0.24  # of the side of a map: between columns, and above each row for the names
_SHAPE = 1.5  # width of the whole over its height
_WHOLE_IMAGE = 1200  # pixels of all columns together
_FEW = (2, 4)  # columns that leave room for whole names, and for short ones
_LONGEST = 26  # letters of a name beside few others


def draw_maps(figure: Maps, axes: Axes, pen: Pen) -> None:
    columns = figure.columns(_SHAPE)
    rows = -(-len(figure.values) // columns)
    names = _names(figure, columns)
    for index, (values, name) in enumerate(zip(figure.values, names, strict=True)):
        x, y = index % columns * (1 + _GAP), index // columns * (1 + _HEAD)
        image = coloured(values, figure.norm, figure.colours, smallest=_WHOLE_IMAGE // columns)
        axes.imshow(image, origin="upper", extent=(x, x + 1, y + 1, y), interpolation="none", aspect="equal")
        axes.text(x, y - 0.03, name[:_LONGEST], fontsize=pen.small, color=PAPER.ink, va="bottom")
    axes.set_xlim(-0.01, columns * (1 + _GAP) - _GAP + 0.01)
    axes.set_ylim(rows * (1 + _HEAD) - _HEAD + 0.01, -_HEAD)
    axes.set_axis_off()
    draw_bar(figure.values, figure.norm, figure.colours, figure.value_label, axes=axes, pen=pen)


def _names(figure: Maps, columns: int) -> tuple[str, ...]:
    """As long as there is room for."""
    if columns <= _FEW[0] or not figure.keys:
        return figure.names
    return tuple(map(_short, figure.names, figure.keys)) if columns <= _FEW[1] else figure.keys


def _short(name: str, key: str) -> str:
    """The key, and what stands behind the dot."""
    return f"{key} · {name.rpartition(' · ')[2]}" if " · " in name else key
