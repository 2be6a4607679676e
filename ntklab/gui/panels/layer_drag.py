"""Dragging a layer to another place: which place is meant, and how that shows."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen

from ntklab.gui import theme
from ntklab.gui.panels.layer_painter import Geometry, group_colour
from ntklab.gui.panels.outline import Line
from ntklab.gui.panels.slots import Slot


@dataclass
class Drag:
    """The layer of ``line`` is held with the mouse at ``at``; ``slot`` is where it would go."""

    line: Line
    at: QPoint
    slot: Slot | None = None


def paint_slot(painter: QPainter, row: QRect, unit: int, slot: Slot) -> None:
    """A line with a ring where the layer would come in; ``row`` is the one it comes under."""
    geometry = Geometry(row, unit)
    colour = QColor(theme.current().accent)
    x, y = geometry.lane(slot.depth), row.bottom() + 0.5
    ring = unit * 0.24
    painter.setPen(QPen(colour, 2.0))
    painter.drawLine(QPointF(x + ring, y), QPointF(row.right() - 4, y))
    painter.setBrush(QColor(theme.current().panel))
    painter.drawEllipse(QPointF(x, y), ring, ring)
    if slot.into:
        _paint_label(painter, QPointF(row.right() - 6, y), unit, slot.into)


def _paint_label(painter: QPainter, right: QPointF, unit: int, text: str) -> None:
    look = theme.current()
    font = painter.font()
    font.setPixelSize(round(painter.fontInfo().pixelSize() * 0.86))
    painter.setFont(font)
    width = QFontMetrics(font).horizontalAdvance(text) + unit * 0.7
    box = QRectF(right.x() - width, right.y() - unit * 0.55, width, unit * 1.1)
    painter.setBrush(QColor(look.accent))
    painter.drawRoundedRect(box, unit * 0.3, unit * 0.3)
    painter.setPen(QColor(look.on_accent))
    painter.drawText(box, 0x84, text)  # centred


def paint_ghost(painter: QPainter, drag: Drag, unit: int, inside: QRect) -> None:
    """The layer that is held, beside the mouse and ``inside`` the list."""
    look = theme.current()
    text = drag.line.title
    width = painter.fontMetrics().horizontalAdvance(text) + unit * 2.2
    left = min(drag.at.x() + unit * 0.6, inside.right() - width - 2)
    top = min(max(drag.at.y() + unit * 0.4, 2), inside.bottom() - unit * 1.7)
    box = QRectF(max(left, 2.0), top, width, unit * 1.6)
    painter.setPen(QPen(QColor(look.outline), 1.0))
    painter.setBrush(QColor(look.raised))
    painter.drawRoundedRect(box, unit * 0.3, unit * 0.3)
    icon = QRect(round(box.left() + unit * 0.4), round(box.top() + unit * 0.3), unit, unit)
    theme.icon(drag.line.icon, group_colour(drag.line.group)).paint(painter, icon)
    painter.setPen(QColor(look.text))
    painter.drawText(box.adjusted(unit * 1.7, 0, 0, 0), 0x81, text)  # left, in the middle
