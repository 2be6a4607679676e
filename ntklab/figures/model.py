"""What to draw, as data: the one description that the window renders and the exporters write.

Colours are roles, not values: each renderer's palette turns a role into a colour and a line style, so that light, dark
and print agree on what is what.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]
Role = Literal[
    "network", "linearised", "infinite", "empirical", "analytic", "target", "difference", "guide", "muted",
    "class0", "class1", "class2", "class3", "class4", "class5", "class6", "class7", "class8", "class9",
]  # fmt: skip
Mark = Literal["line", "dashes", "dots", "line+dots"]


@dataclass(frozen=True)
class Axis:
    """``label`` with its ``unit`` in words; ``limits`` None fits the data."""

    label: str
    unit: str = ""
    scale: Literal["linear", "log"] = "linear"
    limits: tuple[float, float] | None = None

    @property
    def title(self) -> str:
        """Label and unit as they stand beside the axis."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


@dataclass(frozen=True)
class Norm:
    """How values become colours, from ``low`` to ``high`` in real units.

    "linear"; "log" (positive values); "symmetric" is linear about 0 with low = −high, for differences.
    """

    kind: Literal["linear", "log", "symmetric"]
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Heatmap:
    """A matrix as an image, row i down and column j to the right.

    ``groups`` are (start, stop, name) runs of rows that belong together (classes), drawn as ticks and thin rules;
    ``rows`` and ``columns`` map a drawn position to the sample's number in the data (for the read-out).
    """

    title: str
    values: Array
    norm: Norm
    value_label: str
    colours: Literal["sequential", "diverging"] = "sequential"
    x: Axis = field(default_factory=lambda: Axis("sample j"))
    y: Axis = field(default_factory=lambda: Axis("sample i"))
    groups: tuple[tuple[int, int, str], ...] = ()
    rows: NDArray[np.intp] | None = None
    columns: NDArray[np.intp] | None = None
    caption: str = ""


@dataclass(frozen=True, eq=False)
class Series:
    """One curve or cloud of points; ``low`` and ``high`` bound a band around it. NaN breaks a line.

    ``weight`` multiplies the width of the line and the size of its points: below 1 for the lesser of two like curves.
    ``key`` stands in the legend where that is not the name: one curve may explain its likes. ``fill`` is how opaque the
    band is.
    """

    name: str
    x: Array
    y: Array
    role: Role
    mark: Mark = "line"
    low: Array | None = None
    high: Array | None = None
    in_legend: bool = True
    weight: float = 1.0
    key: str = ""
    fill: float = 0.18

    @property
    def legend(self) -> str:
        """What the legend says of it; empty where it is not in it."""
        return (self.key or self.name) if self.in_legend else ""


@dataclass(frozen=True)
class Rule:
    """A straight guide line at ``at`` on the axis ``axis`` ("x" or "y"), labelled where ``label`` is not empty."""

    axis: Literal["x", "y"]
    at: float
    label: str = ""


@dataclass(frozen=True)
class Shade:
    """A shaded region from ``low`` to ``high`` on ``axis``, with the reason in ``label``."""

    axis: Literal["x", "y"]
    low: float
    high: float
    label: str = ""


@dataclass(frozen=True, eq=False)
class Curves:
    """Series on common axes, with guides, shaded regions, and a legend where more than one series has a name."""

    title: str
    x: Axis
    y: Axis
    series: tuple[Series, ...]
    rules: tuple[Rule, ...] = ()
    shades: tuple[Shade, ...] = ()
    caption: str = ""


@dataclass(frozen=True, eq=False)
class Points:
    """Points of the plane, coloured by class (``role``) or, where ``values`` (one a point) are given, by value.

    Values take their colours from the norm and colour map of the plane; ``role`` still gives the marker. ``hollow``
    points have an outline only; ``weight`` multiplies their size. ``samples`` are their positions in the training set
    (None for other samples).
    """

    name: str
    x: Array
    y: Array
    role: Role
    hollow: bool = False
    values: Array | None = None
    weight: float = 1.0
    samples: NDArray[np.intp] | None = None
    in_legend: bool = True


@dataclass(frozen=True, eq=False)
class Plane:
    """A function on a plane: an optional ``field`` (rows down = y from high to low) under lines and points.

    ``extent`` is (x0, x1, y0, y1) of the field in data units. ``norm``, ``value_label`` and ``colours`` are those of
    the field and of points with values. ``lines`` are series without bands. ``equal`` gives both axes the same scale.
    """

    title: str
    x: Axis
    y: Axis
    points: tuple[Points, ...]
    field_values: Array | None = None
    extent: tuple[float, float, float, float] = (0.0, 1.0, 0.0, 1.0)
    norm: Norm | None = None
    value_label: str = ""
    colours: Literal["sequential", "diverging"] = "diverging"
    lines: tuple[Series, ...] = ()
    equal: bool = True
    caption: str = ""


@dataclass(frozen=True, eq=False)
class Bar:
    """What one contributor, called ``name``, adds to each bar of ``Bars``: ``values`` (R,), none negative.

    ``key`` stands on its piece of a bar, where there is room.
    """

    name: str
    values: Array
    role: Role
    key: str = ""


@dataclass(frozen=True, eq=False)
class Bars:
    """Horizontal bars called ``names``, the first on top, each the pieces of all ``parts`` from left to right.

    NaN pieces are left out. The legend names the parts.
    """

    title: str
    x: Axis
    names: tuple[str, ...]
    parts: tuple[Bar, ...]
    caption: str = ""


@dataclass(frozen=True, eq=False)
class Maps:
    """Small matrices of one shape (M, h, w) in one scale of colours, row by row, each under one of ``names``.

    ``keys`` are short names for little room, ``picks`` what a click on each means to those who look after them.
    """

    title: str
    values: Array
    names: tuple[str, ...]
    norm: Norm
    value_label: str
    keys: tuple[str, ...] = ()
    picks: tuple[str, ...] = ()
    colours: Literal["sequential", "diverging"] = "sequential"
    caption: str = ""

    def columns(self, ratio: float) -> int:
        """In how many columns the maps are largest, in a room ``ratio`` times as wide as high."""
        count = len(self.values)
        return max(range(1, count + 1), key=lambda columns: min(ratio / columns, 1 / -(-count // columns)))


Figure = Heatmap | Curves | Plane | Bars | Maps
