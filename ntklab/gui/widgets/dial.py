"""A labelled number with a wide logarithmic slider whose last stop is infinity."""

from __future__ import annotations

import math
from typing import Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from ntklab.gui.widgets.elided import ElidedLabel
from ntklab.gui.widgets.number_edit import NumberEdit
from ntklab.gui.widgets.scale import Scale
from ntklab.gui.widgets.slider import ValueSlider
from ntklab.gui.widgets.validity import InlineError

_PER_DOUBLING = 8


class LogDial(QWidget):
    """Whole numbers from ``minimum`` to ``maximum`` (powers of two), then ∞.

    ``moved(int)`` follows a drag live; ``committed(int)`` comes when it ends, when a key moves the handle, or when a
    number is typed or stepped. While the handle is held on ∞ ``infinity(True)`` has been emitted; let go, it returns to
    the value it came from, with ``infinity(False)`` and ``moved``.
    """

    moved = Signal(int)
    committed = Signal(int)
    infinity = Signal(bool)

    def __init__(
        self, title: str, minimum: int = 16, maximum: int = 4096, *, tooltip: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        doublings = round(math.log2(maximum / minimum))
        scale = Scale(minimum, maximum, integer=True, log=True, positions=_PER_DOUBLING * doublings)
        self.label = ElidedLabel(title)
        self.edit = NumberEdit(scale, limits=(1, None))
        self.slider = ValueSlider(scale, ticks=_ticks(minimum, doublings), end_label="∞")
        self.error = InlineError()
        self._value = minimum
        self._infinite = False
        self._dress(title, tooltip)
        self._lay_out()
        self.slider.moved.connect(self._slid)
        self.slider.released.connect(self._let_go)
        self.edit.committed.connect(self._typed)
        self.edit.stepped.connect(self._typed)
        self.edit.problem.connect(self.error.say)
        self.edit.reverted.connect(self._reverted)

    def _dress(self, title: str, tooltip: str) -> None:
        self.setObjectName("dial")
        self.edit.setObjectName("dial-value")
        self.slider.setObjectName("dial-slider")
        self.label.setProperty("role", "title")
        self.label.setBuddy(self.edit)
        for widget in (self.label, self.edit, self.slider):
            widget.setToolTip(tooltip)
        self.edit.setAccessibleName(title)
        self.slider.setAccessibleName(f"{title}, slider")
        self.edit.setFixedWidth(self.fontMetrics().horizontalAdvance("0") * 9)

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.label, 1)
        top.addWidget(self.edit)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(top)
        layout.addWidget(self.slider)
        layout.addWidget(self.error)

    def show_value(self, value: int, *, note: str = "") -> None:
        """Show ``value`` unless it is being dragged; ``note`` stands beside the title ("several widths")."""
        if self.slider.isSliderDown():
            return
        self._value = value
        self.slider.show_value(value)
        self.edit.show_value(value)
        self.error.say("")
        self.label.setText(f"{self.label.buddy().accessibleName()}{note}")

    def refuse(self, reason: str) -> None:
        """Show why the value just committed was not taken; what was typed stays."""
        self.edit.reject()
        self.error.say(reason)

    def pulse(self) -> None:
        """Draw the eye to the handle once."""
        self.slider.pulse()

    @Slot(object)
    def _slid(self, value: Any) -> None:
        self._at_infinity(value is None)
        if value is not None:
            self.edit.show_value(value)
            if self.slider.isSliderDown():
                self.moved.emit(value)

    @Slot(object)
    def _let_go(self, value: Any) -> None:
        if value is not None:
            self.committed.emit(value)
        elif self._infinite:
            self._at_infinity(False)
            self.show_value(self._value)
            self.moved.emit(self._value)

    def _at_infinity(self, there: bool) -> None:
        if there != self._infinite:
            self._infinite = there
            self.infinity.emit(there)
        if there:
            self.edit.setText("∞")

    @Slot(object)
    def _typed(self, value: Any) -> None:
        self.committed.emit(min(value, 2**31 - 1))

    @Slot()
    def _reverted(self) -> None:
        self.error.say("")


def _ticks(minimum: int, doublings: int) -> tuple[tuple[float, str], ...]:
    values = [minimum * 2**power for power in range(doublings + 1)]
    return tuple((value, str(value) if index % 2 == 0 else "") for index, value in enumerate(values))
