"""Small matrices side by side, under their names."""

from __future__ import annotations

from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QObject, QRectF
from PySide6.QtGui import QPainter, QTransform
from PySide6.QtWidgets import QGraphicsItem, QWidget

from ntklab.figures.model import Maps
from ntklab.figures.pyramid import build
from ntklab.gui.plots import text
from ntklab.gui.plots.content import Content, Reading
from ntklab.gui.plots.look import Look
from ntklab.gui.plots.matrix import MatrixItem
from ntklab.gui.plots.page import AxisPage, Bar, Page, Span

_GAP = 0.08  # between columns, of the side of a map
_BESIDE = 0.82  # of the width that the colour bar leaves
_LEAST_SIDE = 8.0  # pixels


class NamesItem(pg.GraphicsObject):
    """A name above each map, as long as there is room for."""

    def __init__(self) -> None:
        super().__init__()
        self._rects: list[QRectF] = []
        self._names: list[tuple[str, ...]] = []
        self._look: Look | None = None

    def show_names(self, rects: list[QRectF], names: list[tuple[str, ...]], look: Look) -> None:
        """Write the first of ``names`` that fits above each of ``rects``."""
        self.prepareGeometryChange()
        self._rects, self._names, self._look = rects, names, look
        self.update()

    def boundingRect(self) -> QRectF:
        """All maps, and a map's height above."""
        whole = QRectF()
        for rect in self._rects:
            whole = whole.united(rect)
        return whole.adjusted(0, -1, 1, 0)

    def paint(self, painter: QPainter, _option: Any, _widget: Any = None) -> None:
        """In pixels."""
        if self._look is None:
            return
        look, placed = self._look, painter.worldTransform()
        painter.setWorldTransform(QTransform())
        painter.setFont(look.font)
        painter.setPen(look.ink)
        for rect, names in zip(self._rects, self._names, strict=True):
            at = placed.mapRect(rect)
            name = next((name for name in names if text.width(name, look.font) <= at.width()), "")
            line = QRectF(at.left(), at.top() - look.line_height, at.width(), look.line_height)
            text.draw(painter, line, name or text.elided(names[-1], look.font, at.width()))
        painter.setWorldTransform(placed)


class MapsContent(Content[Maps]):
    """Each map has a side of 1; rows go down."""

    locked = True

    def __init__(self, look: Look, owner: QObject) -> None:
        super().__init__(look, owner)
        self._figure: Maps | None = None
        self._maps: list[MatrixItem] = []
        self._labels = NamesItem()
        self._columns, self._head = 1, 0.2

    @property
    def figure(self) -> Maps:
        """What is shown."""
        assert self._figure is not None
        return self._figure

    def items(self) -> tuple[QGraphicsItem, ...]:
        return (*self._maps, self._labels)

    def show(self, figure: Maps) -> bool:
        old, self._figure = self._figure, figure
        changed = old is None or len(old.values) != len(figure.values)
        if changed:
            self._maps = [MatrixItem() for _ in figure.values]
        for item, values in zip(self._maps, figure.values, strict=True):
            item.set_pyramid(build(values))
        self.restyle(self.look)
        return changed

    def continues(self, figure: Maps) -> bool:
        return self._figure is not None and (self._figure.title, self._figure.names) == (figure.title, figure.names)

    def restyle(self, look: Look) -> None:
        self.look = look
        for item in self._maps:
            item.set_colours(self.figure.norm, look.table(self.figure.colours))

    def page(self) -> Page:
        f = self.figure
        span = self.bounds()
        return Page(
            x=AxisPage("", names=()),
            y=AxisPage("", names=()),
            bar=Bar(f.norm, f.colours, f.value_label),
            ratio=(span.x1 - span.x0) / (span.y1 - span.y0),
            grid=False,
            inverted=True,
            framed=False,
        )

    def bounds(self) -> Span:
        """Of the arrangement that suits the room that there is now."""
        self._arrange()
        rows = -(-len(self._maps) // self._columns)
        return Span(0, self._columns * (1 + _GAP) - _GAP, 0, rows * (1 + self._head))

    def _arrange(self) -> None:
        """As many columns as make the maps largest, each under a line of text."""
        room = self.owner if isinstance(self.owner, QWidget) else None
        width, height = (400.0, 300.0) if room is None else (_BESIDE * room.width(), 0.9 * room.height())
        count, line = len(self._maps), self.look.line_height
        sides = {}
        for columns in range(1, count + 1):
            rows = -(-count // columns)
            sides[columns] = max(min(width / (columns * (1 + _GAP)), height / rows - line), _LEAST_SIDE)
        self._columns = max(sides, key=lambda columns: (sides[columns], -columns))
        self._head = line / sides[self._columns]
        rects = [self._rect(index) for index in range(count)]
        for item, rect in zip(self._maps, rects, strict=True):
            item.place((rect.left(), rect.right(), rect.bottom(), rect.top()))
        f = self.figure
        keys = f.keys or f.names
        names: list[tuple[str, ...]] = [(name, _short(name, key), key) for name, key in zip(f.names, keys, strict=True)]
        self._labels.show_names(rects, names, self.look)

    def _rect(self, index: int) -> QRectF:
        row, column = divmod(index, self._columns)
        return QRectF(column * (1 + _GAP), row * (1 + self._head) + self._head, 1, 1)

    def read(self, x: float, y: float) -> Reading | None:
        row, column = int(y // (1 + self._head)), int(x // (1 + _GAP))
        return self._at(row * self._columns + column) if 0 <= column < self._columns else None

    def move(self, reading: Reading, right: int, down: int) -> Reading | None:
        return self._at(reading.key[0] + right + down * self._columns)

    def _at(self, index: int) -> Reading | None:
        f = self.figure
        if not 0 <= index < len(self._maps):
            return None
        rect = self._rect(index)
        pick = ("layer", f.picks[index]) if f.picks else None
        cell = Span(rect.left(), rect.right(), rect.top(), rect.bottom())
        return Reading(f.names[index], pick, rect.center().x(), rect.center().y(), cell, (index,))


def _short(name: str, key: str) -> str:
    """The key, and what stands behind the dot."""
    return f"{key} · {name.rpartition(' · ')[2]}" if " · " in name else key
