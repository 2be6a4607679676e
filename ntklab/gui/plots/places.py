"""Where the parts of a plot go: plot, legend, axes and colour bar, from the room and the size of the text."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from PySide6.QtCore import QRectF, QSizeF
from PySide6.QtGui import QFontMetricsF

from ntklab.figures.model import Role
from ntklab.gui.plots import norm, text, ticks
from ntklab.gui.plots.look import Look
from ntklab.gui.plots.page import AxisPage, Entry, Page, Span
from ntklab.gui.plots.ticks import Ticks

_WIDEST_NAMES = 0.22  # of the whole width, for the names of groups beside the y axis
_MOST_ROWS = 3


@dataclass(frozen=True)
class Places:
    """Rectangles in pixels and the ticks that fit them. ``legend`` is one rectangle an entry, as far as they fit."""

    plot: QRectF
    x: Ticks
    y: Ticks
    legend: tuple[QRectF, ...] = ()
    bar: QRectF | None = None
    bar_ticks: Ticks = field(default_factory=Ticks)
    left: float = 0.0  # width taken by the labels of the y axis

    def column(self, span: Span, x: float) -> float:
        """Pixel of view coordinate ``x``."""
        return self.plot.left() + (x - span.x0) / ((span.x1 - span.x0) or 1.0) * self.plot.width()

    def row(self, span: Span, y: float, inverted: bool) -> float:
        """Pixel of view coordinate ``y``."""
        share = (y - span.y0) / ((span.y1 - span.y0) or 1.0)
        return self.plot.top() + (share if inverted else 1 - share) * self.plot.height()


def arrange(page: Page, span: Span, size: QSizeF, look: Look, least_left: float = 0.0) -> Places:
    """Places of the parts of ``page`` in ``size``. ``least_left`` keeps the y axis from jumping while one pans."""
    unit, line = look.unit, look.line_height
    legend, top = _legend(page, size.width(), look)
    top += line * 1.4 if page.bar else unit
    named = bool(page.x.groups or _x_ticks(page.x, span, size.width(), look).at)
    bottom = unit * 1.5 + (line if named else 0) + (line * 1.25 if page.x.title else 0) + unit
    height = max(size.height() - top - bottom, 1.0)
    y = _y_ticks(page.y, span, height, look)
    left = max(_left(page.y, y, size, look), least_left)
    bar_ticks = _bar_ticks(page, height, look)
    right = _right(page, bar_ticks, look)
    plot = QRectF(left, top, max(size.width() - left - right, 1.0), height)
    if page.ratio:
        plot = _shaped(plot, page.ratio)
        y = _y_ticks(page.y, span, plot.height(), look)
        bar_ticks = _bar_ticks(page, plot.height(), look)
    return Places(
        plot=plot,
        x=_x_ticks(page.x, span, plot.width(), look),
        y=y,
        legend=_beside(legend, plot.left(), size.width(), look),
        bar=QRectF(plot.right() + 3 * unit, plot.top(), 3 * unit, plot.height()) if page.bar else None,
        bar_ticks=bar_ticks,
        left=left,
    )


def swatch(entry: Entry, look: Look) -> float:
    """Width of the sample of a line or marker in the legend."""
    return look.em * (1.8 if entry.line else 0.8)


def _shaped(room: QRectF, ratio: float) -> QRectF:
    """The largest rectangle of ``ratio`` in the middle of ``room``, on whole pixels so that cells are even."""
    width = min(room.width(), room.height() * ratio)
    height = width / ratio
    left = room.left() + (room.width() - width) / 2
    top = room.top() + (room.height() - height) / 2
    return QRectF(round(left), round(top), round(width), round(height))


def _legend(page: Page, width: float, look: Look) -> tuple[list[QRectF], float]:
    """Rectangles relative to the left edge of the plot, and the height that they take."""
    if not page.entries:
        return [], 0.0
    measure = text.measure(look.font)
    widths = [swatch(entry, look) + look.unit * 1.5 + measure(entry.name) + look.unit * 4 for entry in page.entries]
    room = width - look.unit * 6
    wanted = len(text.wrap(widths, room))
    order = _by_role([entry.role for entry in page.entries], wanted)
    rows = text.columns([widths[index] for index in order], room, wanted)[:_MOST_ROWS]
    height = look.line_height * 1.3
    rects = [QRectF()] * len(order)
    for number, row in enumerate(rows):
        for place, x in row:
            index = order[place]
            rects[index] = QRectF(x, look.unit * 0.5 + number * height, widths[index], height)
    return rects, len(rows) * height + look.unit * 0.5


def _by_role(roles: list[Role], rows: int) -> list[int]:
    """Order of the entries, row by row, that brings those of a role into one row where that is possible."""
    columns, over = divmod(len(roles), rows)
    by_column = [roles[row::rows] for row in range(rows)]  # what stands in a row if columns are filled first
    if rows > 1 and not over and all(len(set(row)) == 1 for row in by_column):
        return [column * rows + row for row in range(rows) for column in range(columns)]
    return list(range(len(roles)))


def _beside(legend: list[QRectF], left: float, width: float, look: Look) -> tuple[QRectF, ...]:
    """The legend over the plot, moved to the left as far as it would not fit."""
    widest = max((rect.right() for rect in legend), default=0.0)
    return tuple(rect.translated(max(min(left, width - widest), look.unit), 0) for rect in legend)


def _left(axis: AxisPage, y: Ticks, size: QSizeF, look: Look) -> float:
    measure = text.measure(look.font)
    labels = [name for _, _, name in axis.groups] if axis.groups else list(y.labels)
    widest = min(max((measure(label) for label in labels), default=0.0), size.width() * _WIDEST_NAMES)
    title = look.line_height * 1.2 if axis.title else 0.0
    return look.unit * 2.5 + title + widest + look.unit * 2


def _right(page: Page, ticks_of_bar: Ticks, look: Look) -> float:
    if not page.bar:
        return look.unit * 4
    measure = text.measure(look.font)
    widest = max((measure(label) for label in ticks_of_bar.labels), default=0.0)
    return look.unit * 3 + look.unit * 3 + look.unit * 2 + widest + look.unit * 1.5


def _y_ticks(axis: AxisPage, span: Span, height: float, look: Look) -> Ticks:
    scale = height / ((span.y1 - span.y0) or 1.0)
    return ticks.without_overlap(
        partial(_ticks, axis, span.y0, span.y1),
        most=max(2, int(height / (look.line_height * 2.2))),
        place=lambda at: at * scale,
        size=lambda _: look.line_height,
        gap=look.line_height * 0.4,
    )


def _bar_ticks(page: Page, height: float, look: Look) -> Ticks:
    if not page.bar:
        return Ticks()
    low, high = norm.bounds(page.bar.norm)
    make = ticks.log if page.bar.norm.kind == "log" else ticks.linear
    return make(low, high, max(2, int(height / (look.line_height * 2.6))))


def _x_ticks(axis: AxisPage, span: Span, width: float, look: Look) -> Ticks:
    scale = width / ((span.x1 - span.x0) or 1.0)
    return ticks.without_overlap(
        partial(_ticks, axis, span.x0, span.x1),
        most=max(2, int(width / (look.em * 3.2))),
        place=lambda at: (at - span.x0) * scale,
        size=QFontMetricsF(look.font).horizontalAdvance,
        gap=look.em,
    )


def _ticks(axis: AxisPage, low: float, high: float, most: int) -> Ticks:
    if axis.names is not None:
        names = axis.names
        found = ticks.cells(low, high, len(names), most, lambda k: str(names[k]))
        return found if axis.ordered or found.at[1:2] == (found.at[0] + 1,) else Ticks()
    return ticks.log(low, high, most) if axis.log else ticks.linear(low, high, most)
