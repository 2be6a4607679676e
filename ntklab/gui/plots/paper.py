"""Draws a page: grid, axes, guides, legend and colour bar, under the data."""

from __future__ import annotations

import math
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPixmap

from ntklab.gui.plots import norm, text
from ntklab.gui.plots.look import Look
from ntklab.gui.plots.page import Entry, Guide, Page, Span
from ntklab.gui.plots.places import Places, swatch
from ntklab.gui.plots.ticks import Ticks

_LEFT, _RIGHT, _CENTRE = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight, Qt.AlignmentFlag.AlignHCenter


class Paper(pg.GraphicsObject):
    """The page of a canvas, in its pixels."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.look = look
        self.page = Page()
        self.span = Span(0, 1, 0, 1)
        self.places = Places(QRectF(0, 0, 1, 1), x=Ticks(), y=Ticks())
        self._room = QRectF()
        self._picture: QPixmap | None = None  # drawn once: the cursor moves over it all the time
        self.setZValue(-200)

    def lay(self, page: Page, span: Span, places: Places, room: QRectF) -> None:
        """Draw ``page`` at ``places`` within ``room`` from now on."""
        if (page, span, places, room) == (self.page, self.span, self.places, self._room):
            return
        if room != self._room:
            self.prepareGeometryChange()
        self.page, self.span, self.places, self._room = page, span, places, room
        self._picture = None
        self.update()

    def wear(self, look: Look) -> None:
        """Draw in another palette."""
        self.look = look
        self._picture = None
        self.update()

    def boundingRect(self) -> QRectF:
        """The whole canvas."""
        return self._room

    def paint(self, painter: QPainter, _option: Any, _widget: Any = None) -> None:
        """Put the picture of the page down."""
        density = painter.device().devicePixelRatio()
        if self._picture is None or self._picture.devicePixelRatio() != density:
            self._picture = self._drawn(density)
        painter.drawPixmap(QPointF(0, 0), self._picture)

    def _drawn(self, density: float) -> QPixmap:
        size = self._room.size() * density
        picture = QPixmap(math.ceil(size.width()), math.ceil(size.height()))
        picture.setDevicePixelRatio(density)
        picture.fill(self.look.ground)
        painter = QPainter(picture)
        self._draw(painter)
        painter.end()
        return picture

    def _draw(self, painter: QPainter) -> None:
        """Everything, back to front."""
        painter.setFont(self.look.font)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        self._paint_shades(painter)
        self._paint_grid(painter)
        self._paint_frame(painter)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        self._paint_x(painter)
        self._paint_y(painter)
        self._paint_rules(painter)
        self._paint_legend(painter)
        self._paint_bar(painter)

    # -- grid and frame --------------------------------------------------------------------------------------------

    def _column(self, x: float) -> float:
        return self.places.column(self.span, x)

    def _row(self, y: float) -> float:
        return self.places.row(self.span, y, self.page.inverted)

    def _paint_grid(self, painter: QPainter) -> None:
        if not self.page.grid:
            return
        plot = self.places.plot
        faint = QColor(self.look.grid)
        faint.setAlphaF(0.45)
        for pen, xs, ys in ((self.look.hairline(faint), self.places.x.minor, self.places.y.minor),
                            (self.look.hairline(), self.places.x.at, self.places.y.at)):  # fmt: skip
            painter.setPen(pen)
            columns, rows = (round(self._column(x)) for x in xs), (round(self._row(y)) for y in ys)
            painter.drawLines([QLineF(x, plot.top(), x, plot.bottom()) for x in columns])
            painter.drawLines([QLineF(plot.left(), y, plot.right(), y) for y in rows])

    def _paint_frame(self, painter: QPainter) -> None:
        plot = self.places.plot
        edge = QColor(self.look.quiet)
        edge.setAlphaF(0.55)
        painter.setPen(self.look.hairline(edge))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if self.page.grid:
            corner = QPointF(round(plot.left()), round(plot.bottom()))
            painter.drawLine(corner, QPointF(plot.right(), corner.y()))
            painter.drawLine(corner, QPointF(corner.x(), plot.top()))
        elif self.page.framed:
            painter.drawRect(plot.adjusted(-1, -1, 0, 0))

    # -- axes ------------------------------------------------------------------------------------------------------

    def _paint_x(self, painter: QPainter) -> None:
        look, plot = self.look, self.places.plot
        top = plot.bottom() + look.unit * 1.5
        painter.setPen(look.quiet)
        if self._grouped(self.page.x.groups, self.span.x1 - self.span.x0, plot.width()):
            self._paint_groups_below(painter, top)
        else:
            for at, label in zip(self.places.x.at, self.places.x.labels, strict=True):
                text.draw(painter, QRectF(self._column(at) - 50, top, 100, look.line_height), label, _CENTRE)
        if self.page.x.title:
            painter.setPen(look.ink)
            under = look.line_height * 1.2 if self.page.x.groups or self.places.x.at else 0.0
            room = QRectF(plot.left(), top + under, plot.width(), look.line_height)
            text.draw(painter, room, self.page.x.title, _CENTRE)

    def _paint_y(self, painter: QPainter) -> None:
        look, plot = self.look, self.places.plot
        right = plot.left() - look.unit * 1.5
        painter.setPen(look.quiet)
        if self._grouped(self.page.y.groups, self.span.y1 - self.span.y0, plot.height()):
            self._paint_groups_beside(painter, right)
        else:
            for at, label in zip(self.places.y.at, self.places.y.labels, strict=True):
                middle = self._row(at)
                rect = QRectF(0, middle - look.line_height / 2, right, look.line_height)
                text.draw(painter, rect, label, _RIGHT)
        if self.page.y.title:
            painter.setPen(look.ink)
            painter.save()
            painter.translate(plot.left() - self.places.left + look.unit * 2 + look.line_height / 2, plot.center().y())
            painter.rotate(-90)
            room = min(plot.height() + 2 * look.line_height, self._room.height())
            title = text.elided(self.page.y.title, look.font, room)
            text.draw(painter, QRectF(-room / 2, -look.line_height / 2, room, look.line_height), title, _CENTRE)
            painter.restore()

    def _grouped(self, groups: tuple[Any, ...], cells: float, pixels: float) -> bool:
        """Names of groups until one is so close that every cell can have its number."""
        return bool(groups) and cells * self.look.line_height * 1.5 > pixels

    def _paint_groups_below(self, painter: QPainter, top: float) -> None:
        plot, look = self.places.plot, self.look
        for start, stop, name in self.page.x.groups:
            x0, x1 = max(self._column(start), plot.left()), min(self._column(stop), plot.right())
            short = text.elided(name, look.font, x1 - x0 - look.unit * 0.5) if x1 > x0 else ""
            text.draw(painter, QRectF(x0, top, x1 - x0, look.line_height), short, _CENTRE)

    def _paint_groups_beside(self, painter: QPainter, right: float) -> None:
        plot, look = self.places.plot, self.look
        room = self.places.left - look.unit * 3 - (look.line_height * 1.2 if self.page.y.title else 0)
        for start, stop, name in self.page.y.groups:
            y0, y1 = max(self._row(start), plot.top()), min(self._row(stop), plot.bottom())
            if y1 - y0 >= look.line_height * 0.8:
                rect = QRectF(right - room, (y0 + y1 - look.line_height) / 2, room, look.line_height)
                text.draw(painter, rect, text.elided(name, look.font, room + 1), _RIGHT)

    # -- guides ----------------------------------------------------------------------------------------------------

    def _paint_shades(self, painter: QPainter) -> None:
        for guide in self.page.guides:
            if guide.low != guide.high:
                painter.fillRect(self.band(guide) & self.places.plot, QColor(self.look.palette.plot.shade))

    def band(self, guide: Guide) -> QRectF:
        """The region of ``guide`` in pixels; a rule has no width."""
        plot = self.places.plot
        if guide.axis == "x":
            return QRectF(QPointF(self._column(guide.low), plot.top()),
                          QPointF(self._column(guide.high), plot.bottom())).normalized()  # fmt: skip
        return QRectF(
            QPointF(plot.left(), self._row(guide.low)), QPointF(plot.right(), self._row(guide.high))
        ).normalized()

    def _paint_rules(self, painter: QPainter) -> None:
        painter.save()
        painter.setClipRect(self.places.plot)
        painter.setPen(self.look.pen("guide", 0.6))
        for guide in self.page.guides:
            if guide.low == guide.high:
                band = self.band(guide)
                painter.drawLine(band.topLeft(), band.bottomRight())
        painter.restore()

    # -- legend and colour bar -------------------------------------------------------------------------------------

    def _paint_legend(self, painter: QPainter) -> None:
        for entry, rect in zip(self.page.entries, self.places.legend, strict=True):
            if rect.isEmpty():  # no room
                continue
            self._paint_swatch(painter, entry, rect)
            painter.setPen(self.look.ink)
            text.draw(
                painter, rect.adjusted(swatch(entry, self.look) + self.look.unit * 1.5, 0, 0, 0), entry.name, _LEFT
            )

    def _paint_swatch(self, painter: QPainter, entry: Entry, rect: QRectF) -> None:
        look, y, width = self.look, rect.center().y(), swatch(entry, self.look)
        pen = look.pen(entry.role, entry.weight, entry.mark)
        colour = look.quiet if entry.neutral else look.colour(entry.role)
        if entry.block:
            painter.fillRect(QRectF(rect.left(), y - width / 2, width, width), colour)
        if entry.line:
            painter.setPen(pen)
            painter.drawLine(QPointF(rect.left(), y), QPointF(rect.left() + width, y))
        if entry.dots:
            painter.save()
            painter.translate(rect.left() + width / 2, y)
            size = look.dot(max(entry.weight, 0.8))
            pg.graphicsItems.ScatterPlotItem.drawSymbol(
                painter, look.symbol(entry.role), size, QPen(Qt.PenStyle.NoPen), pg.mkBrush(colour)
            )
            painter.restore()

    def _paint_bar(self, painter: QPainter) -> None:
        bar, rect, look = self.page.bar, self.places.bar, self.look
        if bar is None or rect is None:
            return
        table = look.table(bar.colours)[1:]
        column = table[::-1].copy()
        image = QImage(column.data, 1, len(column), 4, QImage.Format.Format_RGB32)
        painter.drawImage(rect, image)
        edge = QColor(look.quiet)
        edge.setAlphaF(0.55)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(look.hairline(edge))
        painter.drawRect(rect.adjusted(-1, -1, 0, 0))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        low, high = norm.bounds(bar.norm)
        painter.setPen(look.quiet)
        for at, label in zip(self.places.bar_ticks.at, self.places.bar_ticks.labels, strict=True):
            y = rect.bottom() - (at - low) / ((high - low) or 1.0) * rect.height()
            painter.drawLine(QPointF(rect.right(), y), QPointF(rect.right() + look.unit * 0.75, y))
            text.draw(
                painter, QRectF(rect.right() + look.unit * 1.5, y - look.line_height / 2, 100, look.line_height), label
            )
        painter.setPen(look.ink)
        right = self._room.right() - look.unit
        width = text.width(bar.label, look.font)
        left = min(rect.left(), right - width)
        text.draw(painter, QRectF(left, rect.top() - look.line_height * 1.35, width, look.line_height), bar.label)
