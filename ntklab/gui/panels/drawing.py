"""Where the blocks of a diagram lie: boxes and lines in the order of flow, in as many rows as there is room for. No Qt.

Lengths are in pixels; every block stands on the centre line of its row, and branches lie above each other around it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from ntklab.gui.panels.blocks import Block

_TALLEST = 12.0  # log2 of the width beyond which boxes grow no more
SMALL = 0.82  # of small text in the text of the font
Row = tuple[Block, ...]
LineKind = Literal["flow", "skip"]


class Point(NamedTuple):
    """A place in the drawing."""

    x: float
    y: float


@dataclass(frozen=True)
class Box:
    """A frame with the centre ``at``; ``merge`` for the circle where branches meet."""

    block: Block
    at: Point
    width: float
    height: float
    merge: bool = False

    def contains(self, point: Point, margin: float = 3.0) -> bool:
        """Whether ``point`` is inside or near."""
        return (
            abs(point.x - self.at.x) <= self.width / 2 + margin and abs(point.y - self.at.y) <= self.height / 2 + margin
        )


@dataclass(frozen=True)
class Line:
    """A connection; from one height to another it bends like an S."""

    start: Point
    end: Point
    kind: LineKind = "flow"


@dataclass(frozen=True)
class Words:
    """Small text centred at ``at`` (its upper edge)."""

    text: str
    at: Point


@dataclass
class Drawing:
    """What to paint, in a place of ``width`` × ``height``."""

    width: float = 0.0
    height: float = 0.0
    boxes: list[Box] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    words: list[Words] = field(default_factory=list)


@dataclass(frozen=True)
class Style:
    """``unit`` is a sixteenth of the height of the font, ``text_width`` measures text; ``glyphs`` draws no words."""

    unit: float
    text_width: Callable[[str], float]
    glyphs: bool = False

    @property
    def gap(self) -> float:
        """Between two blocks."""
        return (6 if self.glyphs else 14) * self.unit

    @property
    def bend(self) -> float:
        """What a branch needs at each end to leave and to come back."""
        return (14 if self.glyphs else 22) * self.unit

    @property
    def note_height(self) -> float:
        """Of a line of small text."""
        return 14 * self.unit

    def box(self, block: Block) -> tuple[float, float]:
        """Width and height of the frame of a block without branches."""
        share = min(math.log2(max(block.size, 1)), _TALLEST) / _TALLEST
        if self.glyphs and not block.end:
            return self.unit * (19 if block.size else 17), self.unit * (19 + (13 * share if block.size else 0))
        text = self.text_width(block.text)
        if self.glyphs:
            return text * SMALL + 8 * self.unit, 20 * self.unit
        return text + 12 * self.unit, (22 + 26 * share) * self.unit

    def notes(self, block: Block) -> tuple[str, ...]:
        """Small text under a block."""
        notes = () if self.glyphs else block.notes
        return (*notes, f"×{block.repeat}") if block.repeat > 1 else notes


def draw(rows: Sequence[Row], style: Style) -> Drawing:
    """Rows of blocks one under the other; where there are several, the flow goes on from the right to the left edge."""
    drawing = Drawing()
    drawing.width = max((row_width(row, style) for row in rows), default=0.0)
    several = len(rows) > 1
    y = 0.0
    for number, row in enumerate(rows):
        start = 0.0 if several else (drawing.width - row_width(row, style)) / 2
        centre = y + _above(row, style)
        end = _place_row(drawing, row, Point(start, centre), style)
        if several and number < len(rows) - 1:
            drawing.lines.append(Line(Point(end, centre), Point(drawing.width + style.gap, centre)))
        if number:
            drawing.lines.append(Line(Point(-style.gap, centre), Point(start, centre)))
        y = centre + _below(row, style) + (6 * style.unit if number < len(rows) - 1 else 0)
    drawing.height = y
    return drawing


def wrapped(row: Row, style: Style, room: float) -> tuple[Row, ...]:
    """``row`` in as few rows, about equally long, as it takes so that each fits into ``room`` (if its blocks do)."""
    rows = _filled(row, style, room)
    for share in (0.5, 0.6, 0.7, 0.8, 0.9):
        narrower = _filled(row, style, room * share)
        if len(narrower) == len(rows):
            return narrower
    return rows


def _filled(row: Row, style: Style, room: float) -> tuple[Row, ...]:
    rows: list[list[Block]] = [[]]
    for block in row:
        if rows[-1] and row_width((*rows[-1], block), style) > room:
            rows.append([])
        rows[-1].append(block)
    return tuple(tuple(part) for part in rows)


def row_width(row: Row, style: Style) -> float:
    """How wide a row of blocks is."""
    return sum(_width(block, style) for block in row) + style.gap * max(len(row) - 1, 0)


def shifted(drawing: Drawing, dx: float, dy: float) -> Drawing:
    """The drawing elsewhere."""

    def move(point: Point) -> Point:
        return Point(point.x + dx, point.y + dy)

    return Drawing(
        drawing.width, drawing.height,
        [replace(box, at=move(box.at)) for box in drawing.boxes],
        [replace(line, start=move(line.start), end=move(line.end)) for line in drawing.lines],
        [replace(words, at=move(words.at)) for words in drawing.words],
    )  # fmt: skip


def _width(block: Block, style: Style) -> float:
    notes = max((style.text_width(note) * SMALL for note in style.notes(block)), default=0.0)
    if block.lanes:
        inner = max(row_width(lane, style) for lane in block.lanes)
        return max(max(inner, style.gap) + 2 * style.bend, notes)
    return max(style.box(block)[0], notes)


def _half(block: Block, style: Style) -> float:
    if not block.lanes:
        return style.box(block)[1] / 2
    return sum(_lane_height(lane, style) for lane in block.lanes) / 2


def _above(row: Row, style: Style) -> float:
    return max((_half(block, style) for block in row), default=4 * style.unit)


def _below(row: Row, style: Style) -> float:
    return max(
        (_half(block, style) + style.note_height * len(style.notes(block)) for block in row), default=4 * style.unit
    )


def _lane_height(row: Row, style: Style) -> float:
    return _above(row, style) + _below(row, style) + 4 * style.unit


def _place_row(drawing: Drawing, row: Row, at: Point, style: Style) -> float:
    """Put ``row`` at ``at``, the left end of its centre line; returns its right end."""
    x = at.x
    for index, block in enumerate(row):
        width = _width(block, style)
        if index:
            drawing.lines.append(Line(Point(x - style.gap, at.y), Point(x, at.y)))
        place = _place_lanes if block.lanes else _place_box
        place(drawing, block, Point(x, at.y), width, style)
        x += width + style.gap
    return x - style.gap


def _place_box(drawing: Drawing, block: Block, at: Point, width: float, style: Style) -> None:
    inner, height = style.box(block)
    middle = at.x + width / 2
    left, right = middle - inner / 2, middle + inner / 2
    if width > inner:  # the line runs on under a box that is narrower than its notes
        drawing.lines.append(Line(at, Point(left, at.y)))
        drawing.lines.append(Line(Point(right, at.y), Point(at.x + width, at.y)))
    drawing.boxes.append(Box(block, Point(middle, at.y), inner, height))
    _place_notes(drawing, block, Point(middle, at.y + height / 2), style)


def _place_notes(drawing: Drawing, block: Block, at: Point, style: Style) -> None:
    for index, note in enumerate(style.notes(block)):
        drawing.words.append(Words(note, Point(at.x, at.y + index * style.note_height + style.unit)))


def _place_lanes(drawing: Drawing, block: Block, at: Point, width: float, style: Style) -> None:
    left, right = at.x, at.x + width
    radius = (5.5 if style.glyphs else 6.5) * style.unit
    merge = Point(right - radius, at.y)
    top = at.y - _half(block, style)
    for lane in block.lanes:
        y = top + _above(lane, style) + 2 * style.unit
        kind: LineKind = "flow" if lane else "skip"
        inner = row_width(lane, style)
        start = left + style.bend + (width - 2 * style.bend - inner) / 2 if lane else left + style.bend
        first, last = Point(left + style.bend, y), Point(right - style.bend, y)
        drawing.lines.append(Line(at, first, kind))
        end = _place_row(drawing, lane, Point(start, y), style) if lane else start
        drawing.lines.append(Line(first, Point(start, y), kind))
        drawing.lines.append(Line(Point(end, y), last, kind))
        drawing.lines.append(Line(last, merge, kind))
        top += _lane_height(lane, style)
    drawing.boxes.append(Box(block, merge, 2 * radius, 2 * radius, merge=True))
    _place_notes(drawing, block, Point(at.x + width / 2, at.y + _half(block, style)), style)
