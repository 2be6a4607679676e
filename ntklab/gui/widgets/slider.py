"""A slider over values, linear or logarithmic, with optional ticks and an end stop beyond the largest value."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Property, QEasingCurve, QPointF, QPropertyAnimation, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPalette, QPen, QWheelEvent
from PySide6.QtWidgets import QAbstractSlider, QWidget

from ntklab.gui.widgets.scale import Scale

_END_SHARE = 0.9  # where the largest value lies when there is an end stop after it
_PULSE_MS = 1400


class ValueSlider(QAbstractSlider):
    """``moved(value)`` follows every move of the user, ``released(value)`` the end of a drag or a key or wheel step.

    ``ticks`` are values with labels under the groove (empty for a bare tick). With ``end_label`` the slider goes one
    stop further than its largest value; there ``moved`` and ``released`` carry None.
    """

    moved = Signal(object)
    released = Signal(object)

    def __init__(
        self, scale: Scale, *, ticks: tuple[tuple[float, str], ...] = (), end_label: str = "",
        parent: QWidget | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._scale, self._ticks, self._end_label = scale, ticks, end_label
        self._pulse = 0.0
        self._animation: QPropertyAnimation | None = None
        self.setOrientation(Qt.Orientation.Horizontal)
        self.setRange(0, scale.positions + bool(end_label))
        self.setSingleStep(max(1, scale.positions // 50))
        self.setPageStep(max(1, scale.positions // 10))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.valueChanged.connect(self._changed)

    def show_value(self, value: float | None) -> None:
        """Move the handle to ``value`` without a signal, unless the user holds it. None is the end stop."""
        if self.isSliderDown():
            return
        at_end = value is None and bool(self._end_label)
        self.blockSignals(True)
        self.setValue(self.maximum() if at_end else self._scale.position(value or 0.0))
        self.blockSignals(False)
        self.update()

    def current(self) -> Any:
        """The value under the handle; None at the end stop."""
        at_end = bool(self._end_label) and self.value() == self.maximum()
        return None if at_end else self._scale.at(self.value())

    def pulse(self) -> None:
        """Draw the eye to the handle once."""
        if self._animation is None:
            self._animation = QPropertyAnimation(self, b"glow", self)
            self._animation.setDuration(_PULSE_MS)
            self._animation.setKeyValues([(0.0, 0.0), (0.25, 1.0), (0.5, 0.15), (0.75, 1.0), (1.0, 0.0)])
            self._animation.setEasingCurve(QEasingCurve.Type.InOutSine)
        self._animation.start()

    def _get_glow(self) -> float:
        return self._pulse

    def _set_glow(self, strength: float) -> None:
        self._pulse = strength
        self.update()

    glow = Property(float, _get_glow, _set_glow)

    @Slot(int)
    def _changed(self, _position: int) -> None:
        self.moved.emit(self.current())
        if not self.isSliderDown():
            self.released.emit(self.current())

    # -- mouse -----------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """The handle jumps to the mouse and follows it."""
        if event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
            return
        self.setSliderDown(True)
        self.setSliderPosition(self._position_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow while held."""
        if self.isSliderDown():
            self.setSliderPosition(self._position_at(event.position().x()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        if event.button() == Qt.MouseButton.LeftButton and self.isSliderDown():
            self.setSliderDown(False)
            self.released.emit(self.current())

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The wheel moves the handle only where the focus is."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    # -- geometry and painting -------------------------------------------------------------------------------------

    @property
    def _radius(self) -> float:
        return self.fontMetrics().height() * 0.42

    def sizeHint(self) -> QSize:
        """Wide enough to be of use, as high as its handle (and labels)."""
        height = 2 * self._radius + 6 + (self.fontMetrics().height() * 0.95 if self._ticks else 0)
        return QSize(round(self.fontMetrics().height() * 5), round(height))

    def minimumSizeHint(self) -> QSize:
        """May shrink to a short groove."""
        return QSize(round(self.fontMetrics().height() * 2.5), self.sizeHint().height())

    def x_of(self, position: int) -> float:
        """Horizontal centre of the handle at ``position``, in pixels."""
        margin = self._radius + 3
        span = self.width() - 2 * margin
        if not self._end_label:
            return margin + span * position / self._scale.positions
        share = 1.0 if position > self._scale.positions else _END_SHARE * position / self._scale.positions
        return margin + span * share

    def _position_at(self, x: float) -> int:
        margin = self._radius + 3
        share = (x - margin) / max(self.width() - 2 * margin, 1.0)
        if not self._end_label:
            return round(share * self._scale.positions)
        if share > (1 + _END_SHARE) / 2:
            return self.maximum()
        return min(round(share / _END_SHARE * self._scale.positions), self._scale.positions)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Groove, ticks, handle, focus ring."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = self._radius + 3 if self._ticks else self.height() / 2
        centre = QPointF(self.x_of(self.sliderPosition()), middle)
        self._paint_ticks(painter, middle)
        self._paint_groove(painter, centre)
        self._paint_handle(painter, centre)

    def _colour(self, role: QPalette.ColorRole) -> QColor:
        return self.palette().color(role)

    def _accent(self) -> QColor:
        return self._colour(QPalette.ColorRole.Highlight if self.isEnabled() else QPalette.ColorRole.Mid)

    def _paint_groove(self, painter: QPainter, centre: QPointF) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        left, right = self.x_of(0), self.x_of(self.maximum())
        thickness = max(3.0, self._radius * 0.55)
        groove = QRectF(left, centre.y() - thickness / 2, right - left, thickness)
        painter.setBrush(self._colour(QPalette.ColorRole.Mid))
        painter.drawRoundedRect(groove, thickness / 2, thickness / 2)
        painter.setBrush(self._accent())
        painter.drawRoundedRect(
            QRectF(groove.topLeft(), QPointF(centre.x(), groove.bottom())), thickness / 2, thickness / 2
        )

    def _paint_ticks(self, painter: QPainter, middle: float) -> None:
        if not self._ticks:
            return
        font = self.font()
        font.setPixelSize(max(9, round(self.fontInfo().pixelSize() * 0.78)))
        painter.setFont(font)
        marks = [(self.x_of(self._scale.position(value)), label) for value, label in self._ticks]
        if self._end_label:
            marks.append((self.x_of(self.maximum()), self._end_label))
        top = middle + self._radius + 1
        for x, label in marks:
            painter.setPen(QPen(self._colour(QPalette.ColorRole.Dark if label else QPalette.ColorRole.Mid), 1.0))
            painter.drawLine(QPointF(x, top), QPointF(x, top + (4 if label else 3)))
            if label:
                painter.setPen(self._colour(QPalette.ColorRole.PlaceholderText))
                width = painter.fontMetrics().horizontalAdvance(label) + 4
                x_text = min(max(x - width / 2, 0.0), self.width() - width)
                box = QRectF(x_text, top + 4, width, self.height() - top - 4)
                painter.drawText(box, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, label)

    def _paint_handle(self, painter: QPainter, centre: QPointF) -> None:
        accent = self._accent()
        radius = self._radius
        if self._pulse > 0:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(accent.red(), accent.green(), accent.blue(), round(70 * self._pulse)))
            painter.drawEllipse(centre, radius + 3 * self._pulse, radius + 3 * self._pulse)
        if self.hasFocus():
            painter.setPen(QPen(accent, 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(centre, radius + 2, radius + 2)
        inner = radius - 1.5
        painter.setPen(QPen(accent, 2.0))
        filled = self.isEnabled() and (self.isSliderDown() or self.underMouse())
        painter.setBrush(accent if filled else self._colour(QPalette.ColorRole.Button))
        painter.drawEllipse(centre, inner, inner)
