"""What the window shows in its first moment: its regions as empty grounds, until they are built."""

from __future__ import annotations

from PySide6.QtCore import QRect, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from ntklab.gui import theme

SIDES = (300, 860, 280)  # experiment, views, inspector: shares of the width at the design size
BARS = (40, 30)  # pixels at the top and the bottom


class Shell(QWidget):
    """Paints with Qt alone. ``painted`` tells that it has been on screen."""

    painted = Signal()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Grounds and hairlines where the regions will be."""
        palette, painter = theme.current(), QPainter(self)
        width, (top, bottom) = self.width(), BARS
        left, right = (round(width * share / sum(SIDES)) for share in (SIDES[0], SIDES[2]))
        painter.fillRect(self.rect(), QColor(palette.border))
        middle = self.rect().adjusted(0, top + 1, 0, -bottom - 1)
        for ground, region in (
            (palette.panel, QRect(0, 0, width, top)),
            (palette.panel, QRect(0, middle.top(), left, middle.height())),
            (palette.window, QRect(left + 1, middle.top(), width - left - right - 2, middle.height())),
            (palette.panel, QRect(width - right, middle.top(), right, middle.height())),
            (palette.panel, QRect(0, self.height() - bottom, width, bottom)),
        ):
            painter.fillRect(region, QColor(ground))
        painter.end()
        self.painted.emit()
