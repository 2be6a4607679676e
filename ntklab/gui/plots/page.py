"""What stands around the data: axes, legend, colour bar, guides. A content describes its page; the paper draws it."""

from __future__ import annotations

from dataclasses import dataclass, field

from ntklab.figures.colours import MapKind
from ntklab.figures.model import Mark, Norm, Role

Groups = tuple[tuple[int, int, str], ...]


@dataclass(frozen=True)
class AxisPage:
    """An axis in view coordinates (log₁₀ where ``log``). With ``names`` it counts cells, and ``groups`` name runs.

    Names that are not ``ordered`` say something only where every cell has one.
    """

    title: str
    log: bool = False
    groups: Groups = ()
    names: tuple[str, ...] | range | None = None
    ordered: bool = True


@dataclass(frozen=True)
class Entry:
    """A line of the legend. ``line`` and ``dots`` are in the swatch, in ink instead of colour if ``neutral``.

    A ``block`` is a filled rectangle instead.
    """

    name: str
    role: Role
    line: bool = True
    dots: bool = False
    mark: Mark = "line"
    weight: float = 1.0
    neutral: bool = False
    block: bool = False


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
    """Everything around the data. ``ratio`` is the width of the plot over its height, None to fill the room.

    Without a ``grid`` the plot is ``framed``, or not.
    """

    x: AxisPage = field(default_factory=lambda: AxisPage(""))
    y: AxisPage = field(default_factory=lambda: AxisPage(""))
    entries: tuple[Entry, ...] = ()
    bar: Bar | None = None
    guides: tuple[Guide, ...] = ()
    ratio: float | None = None
    grid: bool = True
    framed: bool = True
    inverted: bool = False  # y grows downwards


@dataclass(frozen=True)
class Span:
    """The visible range, in view coordinates."""

    x0: float
    x1: float
    y0: float
    y1: float

    def scaled(self, factor: float, x: float, y: float) -> Span:
        """``factor`` times as large around (``x``, ``y``)."""
        return Span(x + (self.x0 - x) * factor, x + (self.x1 - x) * factor,
                    y + (self.y0 - y) * factor, y + (self.y1 - y) * factor)  # fmt: skip

    def moved(self, dx: float, dy: float) -> Span:
        """Further along both axes."""
        return Span(self.x0 + dx, self.x1 + dx, self.y0 + dy, self.y1 + dy)

    def within(self, whole: Span) -> Span:
        """Moved so as not to leave ``whole`` where it need not."""
        return self.moved(_back(self.x0, self.x1, whole.x0, whole.x1), _back(self.y0, self.y1, whole.y0, whole.y1))

    def reaching(self, x: float, y: float) -> Span:
        """Moved as little as brings (``x``, ``y``) into it."""
        return self.moved(min(x - self.x0, 0.0) + max(x - self.x1, 0.0), min(y - self.y0, 0.0) + max(y - self.y1, 0.0))


def _back(low: float, high: float, least: float, most: float) -> float:
    if high - low >= most - least:
        return (least + most - low - high) / 2
    return max(least - low, 0.0) + min(most - high, 0.0)
