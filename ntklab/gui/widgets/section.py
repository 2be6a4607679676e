"""A part of a form that folds away, leaving its title and a summary in one line."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRect, QSize, Qt, Signal, Slot
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QVBoxLayout, QWidget

from ntklab.gui.widgets.layouts import tab_after


class SectionHeader(QAbstractButton):
    """Chevron, title and (where there is one) a muted summary, elided to fit."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.summary = ""
        self.setText(title)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(title)

    def sizeHint(self) -> QSize:
        """One line, two while a summary is shown."""
        line = self.fontMetrics().height()
        return QSize(8 * line, round(line * (3.2 if self._two_lines else 2.1)))

    @property
    def _two_lines(self) -> bool:
        return bool(self.summary) and not self.isChecked()

    def show_summary(self, text: str) -> None:
        """Say what the folded part holds."""
        if text != self.summary:
            self.summary = text
            self.setAccessibleDescription(text)
            self.updateGeometry()
            self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Title in the text colour, summary under it in the muted one."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette, line = self.palette(), self.fontMetrics().height()
        if self.underMouse():
            painter.fillRect(self.rect(), palette.color(QPalette.ColorRole.AlternateBase))
        if self.hasFocus():
            painter.setPen(QPen(palette.color(QPalette.ColorRole.Highlight), 1.5))
            painter.drawRoundedRect(self.rect().adjusted(2, 2, -2, -2), 4, 4)
        left, right = round(line * 0.75), round(line * 0.75)
        text_left = left + line
        top = round(line * 0.45) if self._two_lines else (self.height() - line) // 2
        self._paint_chevron(painter, QPointF(left + line * 0.25, top + line / 2), line * 0.22)
        font = self.font()
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(palette.color(QPalette.ColorRole.WindowText))
        painter.drawText(QRect(text_left, top, self.width() - text_left - right, line), _LEFT, self.text())
        if self._two_lines:
            painter.setFont(self.font())
            painter.setPen(palette.color(QPalette.ColorRole.PlaceholderText))
            box = QRect(text_left, top + round(line * 1.15), self.width() - text_left - right, line)
            elided = self.fontMetrics().elidedText(self.summary, Qt.TextElideMode.ElideRight, box.width())
            painter.drawText(box, _LEFT, elided)

    def _paint_chevron(self, painter: QPainter, centre: QPointF, size: float) -> None:
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.PlaceholderText), 1.6))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        shape = ((-1, -0.6), (0, 0.5), (1, -0.6)) if self.isChecked() else ((-0.5, -1), (0.6, 0), (-0.5, 1))
        painter.drawPolyline(QPolygonF([centre + QPointF(x * size, y * size) for x, y in shape]))


_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


class Section(QWidget):
    """What ``make`` makes (when it is first shown) under a header that folds it; ``toggled(open)`` says so."""

    toggled = Signal(bool)

    def __init__(
        self, title: str, make: Callable[[], QWidget], *, opened: bool = True, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._make = make
        self._content: QWidget | None = None
        self.header = SectionHeader(title)
        self.header.setObjectName("section-header")
        self.header.setChecked(opened)
        self.header.setToolTip(f"Show or hide {title.lower()}")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.header)
        self.header.toggled.connect(self._turn)
        if opened:
            self.content.show()

    @property
    def content(self) -> QWidget:
        """What is folded away; made now if it was not yet."""
        if self._content is None:
            self._content = self._make()
            layout = self.layout()
            assert layout is not None
            layout.addWidget(self._content)
            self._content.setVisible(self.opened)  # now that it is no window of its own
            tab_after(self.header, self._content)
        return self._content

    @property
    def opened(self) -> bool:
        """Whether the content is shown."""
        return self.header.isChecked()

    def open(self, opened: bool = True) -> None:
        """Show or fold the content."""
        self.header.setChecked(opened)

    def show_summary(self, text: str) -> None:
        """What the folded section holds, in one line."""
        self.header.show_summary(text)

    @Slot(bool)
    def _turn(self, opened: bool) -> None:
        if opened or self._content is not None:
            self.content.setVisible(opened)
        self.header.updateGeometry()
        self.toggled.emit(opened)
