"""What lies over the data: rules between groups, and the cursor."""

from __future__ import annotations

from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from ntklab.gui.plots import text
from ntklab.gui.plots.content import Reading
from ntklab.gui.plots.page import Guide
from ntklab.gui.plots.paper import Paper


class Overlay(pg.GraphicsObject):
    """Follows the geometry of ``paper``."""

    def __init__(self, paper: Paper) -> None:
        super().__init__()
        self._paper = paper
        self.reading: Reading | None = None
        self._ring = False
        self.setZValue(100)

    def point_at(self, reading: Reading | None) -> None:
        """Move the cursor, or take it away."""
        self.reading = reading
        self.update()

    def ring(self, on: bool) -> None:
        """Show that the keyboard is here, or that it is not."""
        self._ring = on
        self.update()

    def renew(self) -> None:
        """The geometry has changed."""
        self.prepareGeometryChange()
        self.update()

    def boundingRect(self) -> QRectF:
        """All of the canvas."""
        return self._paper.boundingRect()

    def paint(self, painter: QPainter, _option: Any, _widget: Any = None) -> None:
        """Rules, labels, cursor; the ring last."""
        painter.save()
        painter.setClipRect(self._paper.places.plot.adjusted(-1, -1, 1, 1))
        self._paint_groups(painter)
        self._paint_labels(painter)
        if self.reading is not None:
            self._paint_cursor(painter, self.reading)
        painter.restore()
        if self._ring:
            self._paint_ring(painter)

    def _paint_ring(self, painter: QPainter) -> None:
        look = self._paper.look
        pen = QPen(QColor(look.palette.focus), look.em * 2 / 13)
        inset = pen.widthF() / 2 + 0.5
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.drawRoundedRect(self.boundingRect().adjusted(inset, inset, -inset, -inset), look.unit, look.unit)

    def _column(self, x: float) -> float:
        return self._paper.places.column(self._paper.span, x)

    def _row(self, y: float) -> float:
        return self._paper.places.row(self._paper.span, y, self._paper.page.inverted)

    def _paint_groups(self, painter: QPainter) -> None:
        page, plot = self._paper.page, self._paper.places.plot
        colour = QColor(self._paper.look.ground)
        colour.setAlphaF(0.75)
        painter.setPen(self._paper.look.hairline(colour))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for start, _, _ in page.x.groups[1:]:
            x = round(self._column(start))
            painter.drawLine(QLineF(x, plot.top(), x, plot.bottom()))
        for start, _, _ in page.y.groups[1:]:
            y = round(self._row(start))
            painter.drawLine(QLineF(plot.left(), y, plot.right(), y))

    def _paint_labels(self, painter: QPainter) -> None:
        """What the guides are, on a ground that keeps the words readable over the data."""
        look = self._paper.look
        taken: list[QRectF] = []
        ground = QColor(look.ground)
        ground.setAlphaF(0.8)
        painter.setFont(look.font)
        for guide in self._paper.page.guides:
            rect = self._label_place(guide, taken)
            if rect is None:
                continue
            taken.append(rect)
            if guide.low == guide.high:
                painter.fillRect(rect.adjusted(-2, 0, 2, 0), ground)
            painter.setPen(look.quiet)
            text.draw(painter, rect, guide.label)

    def _label_place(self, guide: Guide, taken: list[QRectF]) -> QRectF | None:
        """Beside the guide, clear of the labels in ``taken``; None if there is nothing to say or it is out of view."""
        look, plot, band = self._paper.look, self._paper.places.plot, self._paper.band(guide)
        seen = band.adjusted(0, 0, 0.01, 0.01).intersects(plot)  # a rule has no width
        if not guide.label or not seen:
            return None
        width, height = text.width(guide.label, look.font), look.line_height
        if guide.axis == "x":
            right = band.right() + look.unit
            left = right if right + width < plot.right() else band.left() - look.unit - width
            rect, step = QRectF(max(left, plot.left()), plot.bottom() - height - look.unit, width, height), -height
        else:
            region = guide.low != guide.high
            inside = region and band.height() > height
            top = band.center().y() - height / 2 if inside else band.top() - height
            left = plot.left() + look.unit * 2 if region else plot.right() - width - look.unit
            rect, step = QRectF(left, max(top, plot.top()), width, height), height
        for _ in range(len(taken)):
            if any(rect.intersects(other) for other in taken):
                rect.translate(0, step)
        return rect

    def _paint_cursor(self, painter: QPainter, reading: Reading) -> None:
        plot, look = self._paper.places.plot, self._paper.look
        x, y = self._column(reading.x), self._row(reading.y)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        if reading.cell is None:
            line = QColor(look.quiet)
            line.setAlphaF(0.7)
            painter.setPen(look.hairline(line))
            painter.drawLine(QLineF(x, plot.top(), x, plot.bottom()))
            painter.drawLine(QLineF(plot.left(), y, plot.right(), y))
            painter.setPen(QPen(look.ink, look.em * 1.5 / 13))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            radius = look.dot() * 0.85
            painter.drawEllipse(QPointF(x, y), radius, radius)
            return
        cell = reading.cell
        box = QRectF(QPointF(self._column(cell.x0), self._row(cell.y0)),
                     QPointF(self._column(cell.x1), self._row(cell.y1))).normalized()  # fmt: skip
        grow = max(0.0, look.unit - box.width()) / 2  # small cells get a frame that can be seen
        box.adjust(-grow, -grow, grow, grow)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, width in ((look.ground, 3.0), (look.ink, 1.5)):
            painter.setPen(QPen(colour, width * look.em / 13))
            painter.drawRect(box)
