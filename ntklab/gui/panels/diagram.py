"""The network as a drawing: boxes whose height grows with the width of the layer, branches as parallel lanes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPalette, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ntklab.gui.panels.blocks import Block, Path, blocks, describe, folded
from ntklab.spec import Architecture

_TALLEST = 12.0  # log2 of the width beyond which boxes grow no more
_EDGE = 2  # pixels that the outlines of the first and the last box need
_LEAD = 2.0  # between a box and the notes under it


@dataclass(frozen=True)
class _Box:
    """A place in the drawing: where a block's frame lies, around its centre line at ``y``."""

    block: Block
    rect: QRectF


class Diagram(QWidget):
    """``picked(path)`` names the first layer of the block that was clicked."""

    picked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("diagram")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._row: tuple[Block, ...] = ()
        self._drawn: tuple[Block, ...] = ()
        self._selected: Path | None = None
        self._boxes: list[_Box] = []
        self._scale = 1.0

    def show_architecture(self, architecture: Architecture, selected: Path | None = None) -> None:
        """Draw ``architecture`` with the block of the layer at ``selected`` marked."""
        row = blocks(architecture)
        self._selected = selected
        if row != self._row:
            self._row = row
            words = describe(folded(row))
            self.setAccessibleName(f"Diagram: {words}")
            self.setToolTip(words)
            self._fit()
        self.update()

    # -- sizes -----------------------------------------------------------------------------------------------------

    @property
    def _unit(self) -> float:
        return self.fontMetrics().height() / 16.0

    def _fit(self) -> None:
        """Fold equal blocks where the whole row does not fit; shrink what is still too wide."""
        self._drawn = self._row
        room = self.width() - 2 * _EDGE
        if self._row_width(self._row) > room:
            self._drawn = folded(self._row)
        self._scale = min(1.0, room / max(self._row_width(self._drawn), 1.0))
        self.setFixedHeight(max(1, math.ceil(self._row_height(self._drawn) * self._scale)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the new width."""
        super().resizeEvent(event)
        self._fit()

    def sizeHint(self) -> QSize:
        """As high as the drawing."""
        return QSize(round(160 * self._unit), self.height())

    def minimumSizeHint(self) -> QSize:
        """Any width will do."""
        return QSize(40, self.height())

    @property
    def _gap(self) -> float:
        return 14 * self._unit

    def _small(self) -> float:
        return self._unit * 14

    def _box_height(self, block: Block) -> float:
        share = min(math.log2(max(block.size, 1)), _TALLEST) / _TALLEST
        return self._unit * (22 + 26 * share)

    def _text_width(self, text: str, *, small: bool = False) -> float:
        return self.fontMetrics().horizontalAdvance(text) * (0.82 if small else 1.0)

    def _block_width(self, block: Block) -> float:
        notes = max((self._text_width(note, small=True) for note in _under(block)), default=0.0)
        if block.lanes:
            inner = max(self._row_width(lane) for lane in block.lanes)
            return max(inner + 3.2 * self._gap, notes)
        return max(self._text_width(block.text) + 12 * self._unit, notes)

    def _row_width(self, row: tuple[Block, ...]) -> float:
        return sum(self._block_width(block) for block in row) + self._gap * max(len(row) - 1, 0)

    def _above(self, row: tuple[Block, ...]) -> float:
        return max((self._half(block) for block in row), default=6 * self._unit)

    def _below(self, row: tuple[Block, ...]) -> float:
        return max(
            (self._half(block) + (self._small() + _LEAD * self._unit) * len(_under(block)) for block in row),
            default=6 * self._unit,
        )

    def _half(self, block: Block) -> float:
        if not block.lanes:
            return self._box_height(block) / 2
        return sum(self._row_height(lane) for lane in block.lanes) / 2

    def _row_height(self, row: tuple[Block, ...]) -> float:
        return self._above(row) + self._below(row) + 4 * self._unit

    # -- painting --------------------------------------------------------------------------------------------------

    def paintEvent(self, _event: QPaintEvent) -> None:
        """From left to right, centred."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.scale(self._scale, self._scale)
        self._boxes = []
        start = (self.width() / self._scale - self._row_width(self._drawn)) / 2
        self._paint_row(painter, self._drawn, QPointF(start, self._above(self._drawn) + 2 * self._unit))

    def _colour(self, role: QPalette.ColorRole) -> QColor:
        return self.palette().color(role)

    def _line_pen(self) -> QPen:
        return QPen(self._colour(QPalette.ColorRole.Dark), 1.2)

    def _paint_row(self, painter: QPainter, row: tuple[Block, ...], at: QPointF) -> float:
        x = at.x()
        for index, block in enumerate(row):
            width = self._block_width(block)
            if index:
                painter.setPen(self._line_pen())
                painter.drawLine(QPointF(x - self._gap, at.y()), QPointF(x, at.y()))
            if block.lanes:
                self._paint_lanes(painter, block, QPointF(x, at.y()), width)
            else:
                self._paint_box(painter, block, QPointF(x, at.y()), width)
            x += width + self._gap
        return x - self._gap

    def _paint_box(self, painter: QPainter, block: Block, at: QPointF, width: float) -> None:
        height = self._box_height(block)
        inner = self._text_width(block.text) + 12 * self._unit
        middle = at.x() + width / 2
        rect = QRectF(middle - inner / 2, at.y() - height / 2, inner, height)
        painter.setPen(self._line_pen())  # the line runs on under a box that is narrower than its notes
        painter.drawLine(at, QPointF(rect.left(), at.y()))
        painter.drawLine(QPointF(rect.right(), at.y()), QPointF(at.x() + width, at.y()))
        selected = self._selected is not None and self._selected in block.paths
        accent = self._colour(QPalette.ColorRole.Highlight)
        fill = QColor(accent)
        fill.setAlphaF(0.0 if block.end or not block.size else 0.14)
        edge = accent if selected or not block.end else self._colour(QPalette.ColorRole.Dark)
        painter.setPen(QPen(edge, 2.2 if selected else 1.2))
        painter.setBrush(fill)
        painter.drawRoundedRect(rect, 4 * self._unit, 4 * self._unit)
        painter.setPen(self._colour(QPalette.ColorRole.WindowText))
        painter.setFont(self.font())
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, block.text)
        self._boxes.append(_Box(block, rect))
        self._paint_notes(painter, block, middle, rect.bottom())

    def _paint_notes(self, painter: QPainter, block: Block, middle: float, top: float) -> None:
        font = self.font()
        font.setPixelSize(max(8, round(self.fontInfo().pixelSize() * 0.82)))
        painter.setFont(font)
        painter.setPen(self._colour(QPalette.ColorRole.PlaceholderText))
        for index, note in enumerate(_under(block)):
            width = painter.fontMetrics().horizontalAdvance(note) + 4
            rect = QRectF(middle - width / 2, top + _LEAD * self._unit + index * self._small(), width, self._small())
            painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, note)

    def _paint_lanes(self, painter: QPainter, block: Block, at: QPointF, width: float) -> None:
        bend = 1.6 * self._gap
        left, right = at.x(), at.x() + width
        top = at.y() - self._half(block)
        merge = QPointF(right - 6 * self._unit, at.y())
        for lane in block.lanes:
            y = top + self._above(lane) + 2 * self._unit
            inner = self._row_width(lane)
            start = left + bend + (width - 2 * bend - inner) / 2 if lane else left + bend
            painter.setPen(self._line_pen())
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPath(_curve(QPointF(left, at.y()), QPointF(left + bend, y)))
            painter.drawLine(QPointF(left + bend, y), QPointF(start, y))
            end = self._paint_row(painter, lane, QPointF(start, y)) if lane else start
            painter.setPen(self._line_pen())
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawLine(QPointF(end, y), QPointF(right - bend, y))
            painter.drawPath(_curve(QPointF(right - bend, y), merge))
            top += self._row_height(lane)
        self._paint_merge(painter, block, merge)
        self._paint_notes(painter, block, at.x() + width / 2, at.y() + self._half(block))

    def _paint_merge(self, painter: QPainter, block: Block, at: QPointF) -> None:
        selected = self._selected is not None and self._selected in block.paths
        accent = self._colour(QPalette.ColorRole.Highlight)
        radius = 6.5 * self._unit
        painter.setPen(QPen(accent if selected else self._colour(QPalette.ColorRole.Dark), 2.2 if selected else 1.2))
        painter.setBrush(self._colour(QPalette.ColorRole.Base))
        painter.drawEllipse(at, radius, radius)
        rect = QRectF(at.x() - radius, at.y() - radius, 2 * radius, 2 * radius)
        painter.setPen(self._colour(QPalette.ColorRole.WindowText))
        painter.setFont(self.font())
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, block.merge)
        self._boxes.append(_Box(block, rect))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Pick the layer under the mouse."""
        point = event.position() / self._scale
        for box in self._boxes:
            if box.block.paths and box.rect.adjusted(-3, -3, 3, 3).contains(point):
                self.picked.emit(box.block.paths[0])
                return
        super().mousePressEvent(event)


def _under(block: Block) -> tuple[str, ...]:
    return (*block.notes, f"×{block.repeat}") if block.repeat > 1 else block.notes


def _curve(start: QPointF, end: QPointF) -> QPainterPath:
    middle = (start.x() + end.x()) / 2
    path = QPainterPath(start)
    path.cubicTo(QPointF(middle, start.y()), QPointF(middle, end.y()), end)
    return path
