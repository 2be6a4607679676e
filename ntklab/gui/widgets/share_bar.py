"""A share as a bar with its number upon it."""

from __future__ import annotations

import math

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ntklab.gui import theme
from ntklab.gui.widgets.numbers import percent

_HEIGHT = 1.3  # lines of text


class ShareBar(QWidget):
    """Shows a share from 0 to 1 of the width; a dash where there is none. ``name`` says of what."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name, self._share, self._faint = name, math.nan, False
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(name)

    @property
    def share(self) -> float:
        """What is shown."""
        return self._share

    @property
    def words(self) -> str:
        """The number as it is written."""
        return "—" if math.isnan(self._share) else percent(self._share)

    def show_share(self, share: float, *, faint: bool = False) -> None:
        """Show ``share``, ``faint`` where it does not count at present."""
        self._share, self._faint = share, faint
        self.setAccessibleDescription(self.words)
        self.update()

    def sizeHint(self) -> QSize:
        """Room for the number."""
        metrics = self.fontMetrics()
        return QSize(metrics.horizontalAdvance("00.0 %") + metrics.height() // 2, round(_HEIGHT * metrics.height()))

    def minimumSizeHint(self) -> QSize:
        """No less."""
        return self.sizeHint()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Groove, bar and number."""
        painter, palette = QPainter(self), theme.current()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        room = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        radius = room.height() / 6
        painter.setBrush(QColor(palette.hover))
        painter.drawRoundedRect(room, radius, radius)
        if not math.isnan(self._share):
            fill = QColor(palette.muted if self._faint else palette.accent)
            fill.setAlphaF(0.18 if self._faint else 0.38)
            painter.setBrush(fill)
            bar = QRectF(room)
            bar.setWidth(max(min(self._share, 1.0), 0.0) * room.width())
            painter.drawRoundedRect(bar, radius, radius)
        painter.setPen(QColor(palette.muted if self._faint else palette.text))
        right = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        painter.drawText(room.adjusted(0, 0, -radius - 2, 0), right, self.words)
