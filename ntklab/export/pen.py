"""Sizes on paper, and what the palette's words mean to matplotlib."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import TYPE_CHECKING, Any

from ntklab.figures import captions
from ntklab.figures.colours import Marker
from ntklab.figures.grounds import GROUNDS
from ntklab.figures.model import Axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis as MatplotlibAxis
    from matplotlib.figure import Figure as Canvas

PAPER = GROUNDS["print"]
MARKERS: dict[Marker, str] = {
    "circle": "o", "square": "s", "diamond": "D", "triangle": "^", "cross": "x", "plus": "P", "star": "*", "down": "v",
    "left": "<", "pentagon": "p",
}  # fmt: skip
DASHES: tuple[float, ...] = (5.0, 3.0)


@dataclass(frozen=True)
class Pen:
    """Sizes in points: text, thin rules, curves and markers; all follow from the size of the text."""

    font: float

    @property
    def small(self) -> float:
        """Text of captions and labels inside the axes."""
        return max(self.font - 1.5, 5.0)

    @property
    def rule(self) -> float:
        """Width of axes, ticks and rules."""
        return 0.075 * self.font

    @property
    def line(self) -> float:
        """Width of a curve."""
        return 0.15 * self.font

    @property
    def dot(self) -> float:
        """Diameter of a marker."""
        return 0.36 * self.font


def set_axis(axes: Axes, which: str, axis: Axis) -> None:
    """Title, scale and limits of one axis."""
    getattr(axes, f"set_{which}label")(axis.title)
    if axis.scale != "linear":  # setting a scale also sets its ticks anew
        getattr(axes, f"set_{which}scale")(axis.scale)
    if axis.limits is not None:
        getattr(axes, f"set_{which}lim")(*axis.limits)
    if axis.unit == "degrees":
        from matplotlib.ticker import MultipleLocator

        getattr(axes, f"{which}axis").set_major_locator(MultipleLocator(60))


def label_plainly(*axes: MatplotlibAxis) -> None:
    """Linear ticks as plain text (no mathematics to typeset), a common factor as ×10⁻⁵."""
    from matplotlib.ticker import ScalarFormatter

    class Plain(ScalarFormatter):
        def get_offset(self) -> str:
            return re.sub(r"1e([−-]?\d+)", lambda m: f"×10{captions.superscript(int(m[1].replace('−', '-')))}",
                          super().get_offset())  # fmt: skip

    for axis in axes:
        if axis.get_scale() == "linear":
            axis.set_major_formatter(Plain(useOffset=False, useMathText=False))


def label_logarithms(axes: Axes) -> None:
    """Ticks of log axes: 1, 2, 5, 10 … on short axes, powers of ten on longer ones, always in real units."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        if axis.get_scale() != "log":
            continue
        everyday = low >= 0.1 and high < 2e5 and high <= 300 * low
        short = everyday or floor(log10(high)) - ceil(log10(low)) < 1  # fewer than two powers of ten in view
        if short:
            axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_major_formatter(FuncFormatter(_plain if short else _power))
        axis.set_minor_formatter(NullFormatter())


def _plain(value: float, _: object) -> str:
    return f"{value:g}" if 0.1 <= value < 2e5 else captions.number(value)


def _power(value: float, _: object) -> str:
    return f"10{captions.superscript(round(log10(value)))}" if value > 0 else ""


def canvas_of(axes: Axes) -> Canvas:
    """The whole page of ``axes``."""
    canvas: Any = axes.get_figure()
    assert canvas is not None
    return canvas  # type: ignore[no-any-return]


def legend_below(axes: Axes, handles: list[Any], labels: list[str], *, pen: Pen, columns: int) -> None:
    """A legend under the axes, where it covers no data."""
    canvas_of(axes).legend(
        handles, labels, loc="outside lower center", ncols=columns, fontsize=pen.small, frameon=False,
        handletextpad=0.4, columnspacing=1.2, labelspacing=0.3, borderaxespad=0.2, handlelength=2.4,
    )  # fmt: skip
