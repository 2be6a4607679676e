"""Title and caption over a plot, and the button of its menu."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from ntklab.gui import theme
from ntklab.gui.plots.keys import HELP

DOT = " · "


class ElidedLabel(QLabel):
    """One line that is cut where the room ends; before it an optional note in the colour of warnings."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.note = ""
        self.note_colour = QColor()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def minimumSizeHint(self) -> QSize:
        """No width is too small."""
        return QSize(0, super().minimumSizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """As much as fits."""
        painter = QPainter(self)
        room = QRect(self.rect())
        if self.note:
            painter.setPen(self.note_colour)
            room.setLeft(self._draw(painter, room, self.note + (DOT if self.text() else "")))
        painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
        self._draw(painter, room, self.text())

    def _draw(self, painter: QPainter, room: QRect, text: str) -> int:
        """Draw ``text`` from the left of ``room``; where it ends."""
        short = self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, max(room.width(), 0))
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, short)
        return room.left() + self.fontMetrics().horizontalAdvance(short)


class Header(QWidget):
    """Says what a plot shows: the title, and beside it the caption, which goes on below where there is room for it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = ElidedLabel(self)
        self.title.setProperty("role", "title")
        self.title.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.caption, self.more = ElidedLabel(self), ElidedLabel(self)
        for label in (self.caption, self.more):
            label.setProperty("role", "caption")
        self.button = QToolButton(self)
        self.button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.button.setAccessibleName("Plot menu")
        self.button.setToolTip(f"Copy, export, scales\n{HELP}")
        self._words = ""
        self._roomy = False
        self._lay_out()

    def _lay_out(self) -> None:
        unit = max(4, self.fontMetrics().height() // 4)
        row = self._row = QHBoxLayout()
        row.setSpacing(2 * unit)
        row.addWidget(self.title)
        row.addWidget(self.caption, 1)
        row.addWidget(self.button)
        layout = QVBoxLayout(self)
        self.setContentsMargins(3 * unit, unit, unit, 0)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(row)
        layout.addWidget(self.more)
        self.more.hide()

    def show_words(self, title: str, caption: str) -> None:
        """Show ``title`` and, as far as it fits, ``caption``."""
        if title != self.title.text():
            self.title.setText(title)
            self.title.setToolTip(title)
            self.more.hide()
        self._words = caption
        self._flow()

    def set_note(self, note: str) -> None:
        """Say ``note`` before the caption, in the colour of warnings; an empty one says nothing."""
        if note == self.caption.note:
            return
        self.caption.note = note
        self._flow()
        self.caption.update()

    def set_roomy(self, roomy: bool) -> None:
        """Whether the caption may take a line of its own."""
        if roomy != self._roomy:
            self._roomy = roomy
            self.more.hide()
            self._flow()

    def _flow(self) -> None:
        """Part the caption between two lines. The second stays once it was needed, or the plot under it would jump."""
        measure = self.caption.fontMetrics().horizontalAdvance
        around = self.width() - self.contentsRect().width() + 2 * self._row.spacing()
        room = self.width() - self.title.sizeHint().width() - self.button.sizeHint().width() - around
        room -= measure(self.caption.note + DOT) if self.caption.note else 0
        parts = self._words.split(DOT)
        fitting = len(parts)
        while fitting and measure(DOT.join(parts[:fitting])) > room:
            fitting -= 1
        if not self._roomy or (fitting == len(parts) and self.more.isHidden()):
            fitting = len(parts)
        self.caption.setText(DOT.join(parts[:fitting]))
        self.more.setText(DOT.join(parts[fitting:]))
        for label in (self.caption, self.more):
            label.setToolTip(DOT.join(part for part in (self.caption.note, self._words) if part))
        if fitting < len(parts):
            self.more.show()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Part the caption anew."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.more.hide()
            self._flow()

    def wear(self, palette: theme.Palette) -> None:
        """Icons and notes in the colours of ``palette``."""
        self.caption.note_colour = QColor(palette.warning)
        self.button.setIcon(theme.icon("menu", palette.muted))
