"""A label in one line that shows as much as fits."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QLabel, QSizePolicy, QStyle, QWidget


class ElidedLabel(QLabel):
    """Elides what does not fit and shows it whole in the tooltip (unless it has a tooltip of its own)."""

    def __init__(
        self, text: str = "", *, mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight, parent: QWidget | None = None
    ) -> None:
        super().__init__(text, parent)
        self._mode = mode
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def minimumSizeHint(self) -> QSize:
        """May shrink to almost nothing."""
        return QSize(self.fontMetrics().averageCharWidth() * 3, self.fontMetrics().height())

    def sizeHint(self) -> QSize:
        """The whole text."""
        return QSize(self.fontMetrics().horizontalAdvance(self.text()) + 2, self.fontMetrics().height())

    def say(self, text: str) -> None:
        """Show ``text`` and put it whole in the tooltip."""
        if text != self.text():
            self.setText(text)
            self.setToolTip(text)
            self.updateGeometry()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Only what fits."""
        painter = QPainter(self)
        text = self.fontMetrics().elidedText(self.text(), self._mode, self.width())
        self.style().drawItemText(
            painter, self.rect(), int(self.alignment()), self.palette(), self.isEnabled(), text, self.foregroundRole()
        )


def icon_extent(widget: QWidget) -> int:
    """Side of a small icon in the style of ``widget``, in pixels."""
    return widget.style().pixelMetric(QStyle.PixelMetric.PM_SmallIconSize, None, widget)
