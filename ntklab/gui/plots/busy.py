"""A thin line that moves while something is being computed."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QVariantAnimation, Slot
from PySide6.QtGui import QColor, QHideEvent, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from ntklab.gui import theme

_MILLISECONDS = 1200
_SHARE = 0.3  # of the width, of the part that moves


class BusyLine(QWidget):
    """Takes its place whether busy or not, so that nothing jumps."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._busy = False
        self._colour = QColor()
        self.setFixedHeight(max(2, self.fontMetrics().height() // 8))
        self._run = QVariantAnimation(self)
        self._run.setStartValue(0.0)
        self._run.setEndValue(1.0)
        self._run.setDuration(_MILLISECONDS)
        self._run.setLoopCount(-1)
        self._run.valueChanged.connect(self._moved)

    def set_busy(self, busy: bool) -> None:
        """Run or rest."""
        self._busy = busy
        self._start_or_stop()
        self.update()

    def wear(self, palette: theme.Palette) -> None:
        """Take the accent of ``palette``."""
        self._colour = QColor(palette.accent)
        self.update()

    def _start_or_stop(self) -> None:
        if self._busy and self.isVisible():
            self._run.start()
        else:
            self._run.stop()

    @Slot(object)
    def _moved(self, _value: float) -> None:
        self.update()

    def showEvent(self, event: QShowEvent) -> None:
        """Go on."""
        super().showEvent(event)
        self._start_or_stop()

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody sees it."""
        super().hideEvent(event)
        self._run.stop()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The part that moves."""
        if not self._busy:
            return
        painter = QPainter(self)
        at = float(self._run.currentValue() or 0.0)
        left = (at * (1 + _SHARE) - _SHARE) * self.width()
        painter.fillRect(QRectF(left, 0, self.width() * _SHARE, self.height()), self._colour)
