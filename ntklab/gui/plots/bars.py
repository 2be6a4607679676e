"""Stacked horizontal bars."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QRectF, Qt
from PySide6.QtGui import QPainter, QTransform
from PySide6.QtWidgets import QGraphicsItem

from ntklab.figures.model import Bars
from ntklab.gui.plots import text
from ntklab.gui.plots.content import Content, Reading
from ntklab.gui.plots.look import Look
from ntklab.gui.plots.page import AxisPage, Entry, Page, Span
from ntklab.gui.plots.text import exact

_THICK = 0.62  # of the distance between bars


class PiecesItem(pg.GraphicsObject):
    """The pieces of all bars, each with its key where that fits."""

    def __init__(self) -> None:
        super().__init__()
        self._figure: Bars | None = None
        self._look: Look | None = None
        self._edges: NDArray[np.float64] = np.zeros((1, 0))

    def show_pieces(self, figure: Bars, edges: NDArray[np.float64], look: Look) -> None:
        """Draw ``figure``, whose pieces end at ``edges`` (parts + 1, bars)."""
        self.prepareGeometryChange()
        self._figure, self._edges, self._look = figure, edges, look
        self.update()

    def boundingRect(self) -> QRectF:
        """All bars."""
        return QRectF(0, 0, float(self._edges.max(initial=0.0)), self._edges.shape[1])

    def paint(self, painter: QPainter, _option: Any, _widget: Any = None) -> None:
        """In pixels, so that gaps and keys keep their size."""
        if self._figure is None or self._look is None:
            return
        placed = painter.worldTransform()
        painter.setWorldTransform(QTransform())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setFont(self._look.font)
        for index, part in enumerate(self._figure.parts):
            for row in range(self._edges.shape[1]):
                left, right = (float(edge) for edge in self._edges[index : index + 2, row])
                rect = placed.mapRect(QRectF(left, row + (1 - _THICK) / 2, right - left, _THICK))
                self._paint_piece(painter, rect, part.key, self._look.brush(part.role))
        painter.setWorldTransform(placed)

    def _paint_piece(self, painter: QPainter, rect: QRectF, key: str, brush: Any) -> None:
        assert self._look is not None
        if rect.width() < 0.5:
            return
        painter.fillRect(rect.adjusted(0, 0, -1 if rect.width() > 3 else 0, 0), brush)
        if key and text.width(key, self._look.font) + 2 * self._look.unit <= rect.width():
            painter.setPen(self._look.ground)
            text.draw(painter, rect, key, Qt.AlignmentFlag.AlignHCenter)


class BarsContent(Content[Bars]):
    """Bar r from y = r to r + 1, the first on top."""

    def __init__(self, look: Look, owner: QObject) -> None:
        super().__init__(look, owner)
        self._figure: Bars | None = None
        self._pieces = PiecesItem()
        self._edges: NDArray[np.float64] = np.zeros((1, 0))

    @property
    def figure(self) -> Bars:
        """What is shown."""
        assert self._figure is not None
        return self._figure

    def items(self) -> tuple[QGraphicsItem, ...]:
        return (self._pieces,)

    def show(self, figure: Bars) -> bool:
        first, self._figure = self._figure is None, figure
        widths = np.stack([np.nan_to_num(np.asarray(part.values, dtype=np.float64)) for part in figure.parts])
        self._edges = np.concatenate([np.zeros((1, widths.shape[1])), np.cumsum(widths, axis=0)])
        self.restyle(self.look)
        return first

    def continues(self, figure: Bars) -> bool:
        return self._figure is not None and (self._figure.title, self._figure.names) == (figure.title, figure.names)

    def restyle(self, look: Look) -> None:
        self.look = look
        self._pieces.show_pieces(self.figure, self._edges, look)

    def page(self) -> Page:
        f = self.figure
        return Page(
            x=AxisPage(f.x.title),
            y=AxisPage("", names=f.names),
            entries=tuple(Entry(part.name, part.role, line=False, block=True) for part in f.parts),
            inverted=True,
        )

    def bounds(self) -> Span:
        limits = self.figure.x.limits or (0.0, float(self._edges.max(initial=1.0)))
        return Span(*limits, 0, len(self.figure.names))

    def read(self, x: float, y: float) -> Reading | None:
        row = int(np.floor(y))
        if not 0 <= row < self._edges.shape[1]:
            return None
        part = int(np.searchsorted(self._edges[1:, row], x, side="right"))
        return self._at(part, row)

    def move(self, reading: Reading, right: int, down: int) -> Reading | None:
        part, row = reading.key
        return self._at(part + right, row + down)

    def _at(self, part: int, row: int) -> Reading | None:
        f = self.figure
        if not (0 <= part < len(f.parts) and 0 <= row < len(f.names)):
            return None
        left, right = (float(edge) for edge in self._edges[part : part + 2, row])
        unit = f" {f.x.unit}" if f.x.unit else ""
        words = f"{f.names[row]}: {exact(right - left)}{unit}   {f.parts[part].name}"
        cell = Span(left, right, row + (1 - _THICK) / 2, row + (1 + _THICK) / 2)
        return Reading(words, None, (left + right) / 2, row + 0.5, cell, (part, row))
