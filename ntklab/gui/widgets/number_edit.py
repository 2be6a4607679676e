"""A line for one number: typed, or moved by arrow keys and wheel while it has the focus."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtGui import QFocusEvent, QKeyEvent, QKeySequence, QWheelEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from ntklab.gui.widgets.numbers import parse_number, plain
from ntklab.gui.widgets.scale import Scale, stepped
from ntklab.gui.widgets.validity import set_valid

_STEPS = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1, Qt.Key.Key_PageUp: 10, Qt.Key.Key_PageDown: -10}
_HISTORY = (QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo)


class ValueEdit(QLineEdit):
    """A line whose text is read by ``parse`` (raising ``ValueError`` with a remedy) and written by ``show``.

    Emits ``committed(value)`` on Return or when the focus leaves after a change, ``problem(text)`` when the text cannot
    be read; the text stays as the user left it. Escape brings the shown value back and emits ``reverted``. An empty
    text, or "none", is None where ``none`` says what that means. ``tail`` shows the end of a long text. Undo and redo
    go to the window unless text is being typed.
    """

    committed = Signal(object)
    problem = Signal(str)
    reverted = Signal()

    def __init__(
        self,
        parse: Callable[[str], Any],
        show: Callable[[Any], str] = str,
        *,
        none: str = "",
        tail: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._parse, self._show, self._tail = parse, show, tail
        self._optional = bool(none)
        self._shown = ""
        self._failed: str | None = None
        self.value: Any = None
        self.setPlaceholderText(none)
        self.editingFinished.connect(self.commit)

    @property
    def pending(self) -> bool:
        """Whether the text differs from the value last shown."""
        return self.text() != self._shown

    def show_value(self, value: Any) -> None:
        """Show ``value`` (None for no value) and forget what was typed."""
        self.value = value
        self._shown = "" if value is None else self._show(value)
        self._failed = None
        set_valid(self, True)
        if self.text() != self._shown:
            self.setText(self._shown)
            self.setCursorPosition(len(self._shown) if self._tail else 0)

    def reject(self) -> None:
        """Mark the text as refused; it stays."""
        self._failed = self.text()
        set_valid(self, False)

    @Slot()
    def commit(self) -> None:
        """Emit what was typed, once, if it was not emitted before."""
        text = self.text()
        if not self.pending or text == self._failed:
            return
        try:
            value = self.read(text)
        except ValueError as error:
            self.reject()
            self.problem.emit(str(error))
            return
        self.committed.emit(value)

    def read(self, text: str) -> Any:
        """The value of ``text``. Raises ``ValueError``."""
        if self._optional and text.strip().lower() in ("", "none", self.placeholderText().lower()):
            return None
        return self._parse(text)

    def revert(self) -> None:
        """Show the value again instead of what was typed."""
        self.show_value(self.value)
        self.reverted.emit()

    def event(self, event: QEvent) -> bool:
        """Leave shortcuts to the window that mean something there while nothing is being typed here."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            if event.key() == Qt.Key.Key_Escape and self.pending:
                event.accept()
                return True
            if not self.pending and any(event.matches(sequence) for sequence in _HISTORY):
                event.ignore()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape reverts."""
        if event.key() == Qt.Key.Key_Escape and self.pending:
            self.revert()
            return
        super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Arriving by the keyboard selects everything, as forms do."""
        super().focusInEvent(event)
        if event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason):
            self.selectAll()


class NumberEdit(ValueEdit):
    """A whole number or a fraction. ``stepped(value)`` tells of arrow keys (Page: ten steps) and of the wheel.

    ``scale`` gives the size of a step; limits are those of stepping alone: what is typed is judged by who listens.
    """

    stepped = Signal(object)

    def __init__(
        self, scale: Scale, *, limits: tuple[float | None, float | None] = (None, None), none: str = "",
        start: float | None = None, parent: QWidget | None = None,
    ) -> None:  # fmt: skip
        super().__init__(lambda text: parse_number(text, integer=scale.integer), plain, none=none, parent=parent)
        self._scale, self._limits, self._start = scale, limits, start
        self.setAlignment(Qt.AlignmentFlag.AlignRight)

    def step(self, steps: int) -> None:
        """Move the number by ``steps`` and emit ``stepped`` if it changed."""
        try:
            value = self.read(self.text())
        except ValueError:
            return
        if value is None:
            moved: float | None = self._start
        else:
            moved = self._inside(stepped(value, steps, scale=self._scale))
        if moved is not None and moved != value:
            self.stepped.emit(moved)

    def _inside(self, value: int | float) -> int | float:
        low, high = self._limits
        if low is not None and value < low:
            value = low
        if high is not None and value > high:
            value = high
        return int(value) if self._scale.integer else value

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrow and page keys step."""
        steps = _STEPS.get(Qt.Key(event.key()))
        if steps is None or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            super().keyPressEvent(event)
        else:
            self.step(steps)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The wheel steps only where the focus is, so that scrolling past changes nothing."""
        if not self.hasFocus():
            event.ignore()
            return
        turns = event.angleDelta().y()
        if turns:
            self.step(1 if turns > 0 else -1)
        event.accept()
