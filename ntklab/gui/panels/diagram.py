"""The network as a drawing: boxes whose height grows with the width of the layer, branches as parallel lanes."""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QHelpEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from ntklab.gui import theme
from ntklab.gui.panels.blocks import Block, blocks, describe, folded
from ntklab.gui.panels.drawing import SMALL, Box, Drawing, Line, Point, Style, draw, row_width, shifted, wrapped
from ntklab.gui.panels.layer_painter import group_colour
from ntklab.session.sketches import Path, Sketch
from ntklab.spec import Architecture

_EDGE = 2.0  # pixels that the outlines of the first and the last box need
_LEAST = 0.8  # words that would have to be smaller than this give way to glyphs


class Diagram(QWidget):
    """``picked(path)`` names the first layer of the block that was clicked."""

    picked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("diagram")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._network: Architecture | Sketch | None = None
        self._selected: Path | None = None
        self._fault: Path | None = None
        self._glyphs = False
        self._scale = 1.0
        self.drawing = Drawing()

    def show_network(
        self, network: Architecture | Sketch, selected: Path | None = None, *, fault: Path | None = None
    ) -> None:
        """Draw ``network`` with the block of the layer at ``selected`` marked, and what does not fit."""
        before, self._network = self._network, network
        self._selected, self._fault = selected, fault
        if before is None or (network.input, network.layers) != (before.input, before.layers):
            self.setAccessibleName(f"Diagram: {describe(folded(blocks(network)))}")
            self._fit()
        self.update()

    # -- sizes -----------------------------------------------------------------------------------------------------

    def _style(self, *, glyphs: bool) -> Style:
        metrics = self.fontMetrics()
        return Style(metrics.height() / 16.0, metrics.horizontalAdvance, glyphs)

    def _fit(self) -> None:
        """Words as long as they fit, with equal blocks folded; else glyphs in as many rows as it takes."""
        if self._network is None:
            return
        room = self.width() - 2 * _EDGE
        words, row = self._style(glyphs=False), blocks(self._network)
        if row_width(row, words) > room:
            row = folded(row)
        self._glyphs = row_width(row, words) * _LEAST > room
        if self._glyphs:
            glyphs = self._style(glyphs=True)
            row = folded(blocks(self._network, grouped=False))
            drawing = draw(wrapped(row, glyphs, room), glyphs)
        else:
            drawing = draw((row,), words)
        self._scale = min(1.0, room / max(drawing.width, 1.0))
        left = (self.width() / self._scale - drawing.width) / 2
        self.drawing = shifted(drawing, left, _EDGE)
        self.setFixedHeight(max(1, math.ceil((drawing.height + 2 * _EDGE) * self._scale)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the new width."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit()

    def sizeHint(self) -> QSize:
        """As high as the drawing."""
        return QSize(10 * self.fontMetrics().height(), self.height())

    def minimumSizeHint(self) -> QSize:
        """Any width will do."""
        return QSize(40, self.height())

    # -- painting --------------------------------------------------------------------------------------------------

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Lines, then boxes over them, then small text."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.scale(self._scale, self._scale)
        for line in self.drawing.lines:
            _paint_line(painter, line)
        for box in self.drawing.boxes:
            self._paint_box(painter, box)
        painter.setFont(_small(painter))
        painter.setPen(QColor(theme.current().muted))
        height = painter.fontMetrics().height()
        for words in self.drawing.words:
            width = painter.fontMetrics().horizontalAdvance(words.text) + 4
            rect = QRectF(words.at.x - width / 2, words.at.y, width, height)
            painter.drawText(rect, int(Qt.AlignmentFlag.AlignCenter), words.text)

    def _edge(self, box: Box) -> QPen:
        look = theme.current()
        if self._fault is not None and self._fault in box.block.paths:
            return QPen(QColor(look.error), 2.0)
        if self._selected is not None and self._selected in box.block.paths:
            return QPen(QColor(look.accent), 2.2)
        plain = box.merge or box.block.end or not box.block.size
        return QPen(QColor(look.outline if plain else look.accent), 1.2)

    def _paint_box(self, painter: QPainter, box: Box) -> None:
        look, block = theme.current(), box.block
        rect = QRectF(box.at.x - box.width / 2, box.at.y - box.height / 2, box.width, box.height)
        painter.setPen(self._edge(box))
        painter.setBrush(QColor(look.panel))
        if box.merge:
            painter.drawEllipse(rect)
            self._paint_sign(painter, box)
            return
        radius = 4 * self.fontMetrics().height() / 16.0
        chosen = painter.pen().widthF() > 1.5
        if self._glyphs and not block.size and not chosen:
            painter.setPen(Qt.PenStyle.NoPen)  # a glyph on the line needs no frame
        painter.drawRoundedRect(rect, radius, radius)
        if block.size and not block.end:
            painter.setPen(Qt.PenStyle.NoPen)
            fill = QColor(look.accent)
            fill.setAlphaF(0.14)
            painter.setBrush(fill)
            painter.drawRoundedRect(rect, radius, radius)
        self._paint_inside(painter, block, rect)

    def _paint_inside(self, painter: QPainter, block: Block, rect: QRectF) -> None:
        look = theme.current()
        if self._glyphs and not block.end:
            side = round(16 * self.fontMetrics().height() / 16.0)
            icon = theme.icon(block.icon, group_colour(block.group))
            centre = rect.center().toPoint()
            icon.paint(painter, centre.x() - side // 2, centre.y() - side // 2, side, side)
            return
        painter.setPen(QColor(look.text))
        painter.setFont(_small(painter) if self._glyphs else self.font())
        painter.drawText(rect, int(Qt.AlignmentFlag.AlignCenter), block.text)
        painter.setFont(self.font())

    def _paint_sign(self, painter: QPainter, box: Box) -> None:
        """The sign in the circle as two strokes, which are in the middle in every font."""
        reach = box.width * 0.25
        painter.setPen(QPen(QColor(theme.current().text), 1.3))
        slant, upright = (reach * 0.8, reach * 0.8), (0.0, reach)
        strokes = {"+": ((reach, 0.0), upright), "×": (slant, (-slant[0], slant[1]))}
        for dx, dy in strokes.get(box.block.merge, ()):
            painter.drawLine(QPointF(box.at.x - dx, box.at.y - dy), QPointF(box.at.x + dx, box.at.y + dy))
        if box.block.merge == "∥":
            for side in (-reach / 2, reach / 2):
                x = box.at.x + side
                painter.drawLine(QPointF(x, box.at.y - reach), QPointF(x, box.at.y + reach))

    # -- mouse -----------------------------------------------------------------------------------------------------

    def box_at(self, point: QPointF) -> Box | None:
        """The box under ``point`` of the widget."""
        inside = Point(point.x() / self._scale, point.y() / self._scale)
        return next((box for box in self.drawing.boxes if box.block.paths and box.contains(inside)), None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Pick the layer under the mouse."""
        box = self.box_at(event.position())
        if box is not None:
            self.picked.emit(box.block.paths[0])
        else:
            super().mousePressEvent(event)

    def event(self, event: QEvent) -> bool:
        """Tell what the box under the mouse is."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            box = self.box_at(QPointF(event.pos()))
            text = "" if box is None else self._about(box)
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)

    def _about(self, box: Box) -> str:
        if box.merge:
            return describe((box.block,))
        text = describe((box.block,))
        return f"Input {text}" if box.block.paths == ((),) else text


def _paint_line(painter: QPainter, line: Line) -> None:
    look = theme.current()
    skip = line.kind == "skip"
    painter.setPen(QPen(QColor(look.accent if skip else look.outline), 1.5 if skip else 1.2))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    start, end = QPointF(*line.start), QPointF(*line.end)
    if line.start.y == line.end.y:
        painter.drawLine(start, end)
        return
    middle = (start.x() + end.x()) / 2
    path = QPainterPath(start)
    path.cubicTo(QPointF(middle, start.y()), QPointF(middle, end.y()), end)
    painter.drawPath(path)


def _small(painter: QPainter) -> QFont:
    font = painter.font()
    font.setPixelSize(max(8, round(painter.fontInfo().pixelSize() * SMALL)))
    return font
