"""Title and caption over a plot, and the button of its menu."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from ntklab.gui import theme
from ntklab.gui.plots.keys import HELP


class ElidedLabel(QLabel):
    """One line that is cut where the room ends; the tool tip has all of it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def setText(self, text: str) -> None:
        """Show ``text``."""
        super().setText(text)
        self.setToolTip(text)

    def minimumSizeHint(self) -> QSize:
        """No width is too small."""
        return QSize(0, super().minimumSizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """As much as fits."""
        painter = QPainter(self)
        painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
        short = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, short)


class Header(QWidget):
    """Says what a plot shows."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = QLabel(self)
        self.title.setProperty("role", "title")
        self.caption = ElidedLabel(self)
        self.caption.setProperty("role", "muted")
        self.button = QToolButton(self)
        self.button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.button.setAccessibleName("Plot menu")
        self.button.setToolTip(f"Copy, export, scales\n{HELP}")
        unit = max(4, self.fontMetrics().height() // 4)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(3 * unit, unit, unit, 0)
        layout.setSpacing(2 * unit)
        layout.addWidget(self.title)
        layout.addWidget(self.caption, 1)
        layout.addWidget(self.button)

    def show_words(self, title: str, caption: str) -> None:
        """Show ``title`` and, as far as it fits, ``caption``."""
        self.title.setText(title)
        self.caption.setText(caption)

    def wear(self, palette: theme.Palette) -> None:
        """Icons in the colours of ``palette``."""
        self.button.setIcon(theme.icon("menu", palette.muted))
