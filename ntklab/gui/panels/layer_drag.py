"""Dragging a layer to another place: which place is meant, and how that shows."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

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


def paint_ghost(painter: QPainter, drag: Drag, unit: int, inside: QRect) -> None:
    """The layer that is held and the branch that it would go into, beside the mouse and ``inside`` the list."""
    look, metrics = theme.current(), painter.fontMetrics()
    into = f" {drag.slot.into}" if drag.slot is not None and drag.slot.into else ""
    title = metrics.elidedText(drag.line.title, Qt.TextElideMode.ElideRight, round(inside.width() * 0.5))
    width = metrics.horizontalAdvance(title + into) + unit * 2.3
    left = min(drag.at.x() + unit * 0.6, inside.right() - width - 2)
    top = min(max(drag.at.y() + unit * 0.4, 2), inside.bottom() - unit * 1.7)
    box = QRectF(max(left, 2.0), top, width, unit * 1.6)
    painter.setPen(QPen(QColor(look.outline), 1.0))
    painter.setBrush(QColor(look.raised))
    painter.drawRoundedRect(box, unit * 0.3, unit * 0.3)
    icon = QRect(round(box.left() + unit * 0.4), round(box.top() + unit * 0.3), unit, unit)
    theme.icon(drag.line.icon, group_colour(drag.line.group)).paint(painter, icon)
    words = box.adjusted(unit * 1.7, 0, 0, 0)
    for text, colour in ((title, look.text), (into, look.accent)):
        painter.setPen(QColor(colour))
        painter.drawText(words, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), text)
        words.setLeft(words.left() + metrics.horizontalAdvance(text))
