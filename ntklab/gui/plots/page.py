"""What stands around the data: axes, legend, colour bar, guides. A content describes its page; the paper draws it."""

from __future__ import annotations

from dataclasses import dataclass, field

from ntklab.figures.colours import MapKind
from ntklab.figures.model import Mark, Norm, Role

Groups = tuple[tuple[int, int, str], ...]


@dataclass(frozen=True)
class AxisPage:
    """An axis in view coordinates (log₁₀ where ``log``). With ``names`` it counts cells, and ``groups`` name runs."""

    title: str
    log: bool = False
    groups: Groups = ()
    names: tuple[str, ...] | range | None = None


@dataclass(frozen=True)
class Entry:
    """A line of the legend. ``line`` and ``dots`` are in the swatch, in ink instead of colour if ``neutral``."""

    name: str
    role: Role
    line: bool = True
    dots: bool = False
    mark: Mark = "line"
    weight: float = 1.0
    neutral: bool = False


@dataclass(frozen=True)
class Bar:
    """The colour bar."""

    norm: Norm
    colours: MapKind
    label: str


@dataclass(frozen=True)
class Guide:
    """A labelled line (``low`` = ``high``) or shaded region across the plot, in view coordinates of ``axis``."""

    axis: str
    low: float
    high: float
    label: str = ""


@dataclass(frozen=True)
class Page:
    """Everything around the data. ``ratio`` is the width of the plot over its height, None to fill the room."""

    x: AxisPage = field(default_factory=lambda: AxisPage(""))
    y: AxisPage = field(default_factory=lambda: AxisPage(""))
    entries: tuple[Entry, ...] = ()
    bar: Bar | None = None
    guides: tuple[Guide, ...] = ()
    ratio: float | None = None
    grid: bool = True
    inverted: bool = False  # y grows downwards


@dataclass(frozen=True)
class Span:
    """The visible range, in view coordinates."""

    x0: float
    x1: float
    y0: float
    y1: float
