"""Matrices as images, and the colour bars beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ntklab.export.pen import PAPER, Pen, canvas_of, label_logarithms, label_plainly
from ntklab.figures import norms
from ntklab.figures.colours import MapKind, colour_map
from ntklab.figures.grounds import rgb
from ntklab.figures.model import Array, Heatmap, Norm
from ntklab.figures.zoom import overall

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable

LARGEST_IMAGE = 1600
_SMALLEST_IMAGE = 1200


def draw_heatmap(figure: Heatmap, axes: Axes, pen: Pen) -> None:
    h, w = figure.values.shape
    values = overall(figure.values)
    image = coloured(values, figure.norm, figure.colours)
    right, bottom = (_end(n, small) for n, small in zip((w, h), values.shape[::-1], strict=True))
    axes.imshow(image, origin="upper", extent=(-0.5, right, bottom, -0.5), interpolation="none", aspect="equal")
    axes.set(xlim=(-0.5, w - 0.5), ylim=(h - 0.5, -0.5))
    axes.set_xlabel(figure.x.title)
    axes.set_ylabel(figure.y.title)
    if figure.groups:
        _groups(figure, axes, pen)
    else:
        _whole_ticks(axes)
    draw_bar(values, figure.norm, figure.colours, figure.value_label, axes=axes, pen=pen)


def _end(n: int, small: int) -> float:
    """Where the last of ``small`` pixels ends, on an axis of ``n`` entries: beyond it if that stands for fewer."""
    step = 1
    while -(-n // step) > small:
        step *= 2
    return small * step - 0.5


def coloured(
    values: Array, norm: Norm, kind: MapKind, *, smallest: int = _SMALLEST_IMAGE
) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """(h, w, 3) pixels of ``values``, row 0 on top, each entry a square of equal pixels, NaN in grey.

    Small matrices are enlarged to ``smallest`` so that no viewer smooths them; above ``LARGEST_IMAGE`` blocks are
    averaged.
    """
    shrunk = _reduced(values)
    table = np.vstack([colour_map(kind, "print"), rgb(PAPER.missing)])
    share = fraction(shrunk, norm)
    index = np.where(np.isfinite(shrunk), np.clip(np.nan_to_num(share) * 256, 0, 255), 256).astype(np.intp)
    repeat = max(1, -(-smallest // max(shrunk.shape)))
    return np.asarray(table[index].repeat(repeat, axis=0).repeat(repeat, axis=1), dtype=np.uint8)


def fraction(values: Array, norm: Norm) -> Array:
    """Where ``values`` lie between the ends of ``norm``: 0 to 1, outside for values beyond them."""
    with np.errstate(invalid="ignore", divide="ignore"):
        if norm.kind == "log":
            return np.asarray(np.log(values / norm.low) / np.log(norm.high / norm.low))
        return np.asarray((np.asarray(values, np.float64) - norm.low) / (norm.high - norm.low))


def _reduced(values: Array) -> Array:
    """Means of blocks, so that neither side has more than ``LARGEST_IMAGE``; blocks at the end may be smaller."""
    reduced = values
    for axis in (0, 1):
        size = values.shape[axis]
        starts = np.arange(0, size, -(-size // LARGEST_IMAGE))
        if len(starts) < size:
            sizes = np.diff(np.append(starts, size)).reshape((-1, 1) if axis == 0 else (1, -1))
            reduced = np.add.reduceat(reduced, starts, axis=axis, dtype=np.float64) / sizes
    return reduced


def _groups(figure: Heatmap, axes: Axes, pen: Pen) -> None:
    """Class names in the middle of their runs, thin rules between runs; names too close to the last are left out."""
    h, w = figure.values.shape
    colour = "#ffffff" if figure.colours == "sequential" else PAPER.quiet
    for start, _, _ in figure.groups[1:]:
        axes.axhline(start - 0.5, color=colour, linewidth=pen.rule, alpha=0.9)
        axes.axvline(start - 0.5, color=colour, linewidth=pen.rule, alpha=0.9)
    middles = [(0.5 * (start + stop - 1), name) for start, stop, name in figure.groups if stop <= min(h, w)]
    kept = _apart(middles, gap=max(h, w) / 24)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks([at for at, _ in kept], labels=[name for _, name in kept])
    if sum(len(name) + 1 for _, name in kept) > 34:
        axes.tick_params(axis="x", labelrotation=90)
    axes.tick_params(length=0)


def _apart(middles: list[tuple[float, str]], gap: float) -> list[tuple[float, str]]:
    kept: list[tuple[float, str]] = []
    for at, name in middles:
        if not kept or at - kept[-1][0] >= gap:
            kept.append((at, name))
    return kept


def _whole_ticks(axes: Axes) -> None:
    from matplotlib.ticker import MaxNLocator

    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(5, integer=True))


def draw_bar(values: Array, norm: Norm, kind: MapKind, label: str, *, axes: Axes, pen: Pen) -> None:
    """A colour bar in real units, with a point at each end beyond which values saturate."""
    below, above = norms.clipped(values, norm)
    extend = {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}[below, above]
    bar = canvas_of(axes).colorbar(_scale(norm, kind), ax=axes, extend=extend, shrink=0.95, aspect=22, pad=0.03)
    bar.set_label(label, fontsize=pen.font)
    label_plainly(bar.long_axis)
    label_logarithms(bar.ax)
    bar.ax.tick_params(labelsize=pen.small, width=pen.rule, length=0.3 * pen.font)
    bar.outline.set_linewidth(pen.rule)


def _scale(norm: Norm, kind: MapKind) -> ScalarMappable:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap, LogNorm, Normalize

    cls = LogNorm if norm.kind == "log" else Normalize
    return ScalarMappable(cls(norm.low, norm.high), ListedColormap(colour_map(kind, "print") / 255))
