"""Sizes along the axes of something: a box for each, 3 × 3, that can be linked so that they stay equal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from ntklab.gui.widgets.icon_button import IconButton
from ntklab.gui.widgets.number_edit import NumberEdit
from ntklab.gui.widgets.scale import Scale

Sizes = tuple[int | None, ...]


class SizesEdit(QWidget):
    """Whole numbers of at least 1, one for each of ``names``; None for a box that is empty where ``blank`` says what
    that means.

    ``committed(value)`` comes when one was typed, ``stepped(value)`` for arrow keys and the wheel, ``problem(text)``
    when one cannot be read, ``reverted`` when Escape took that back. A button links them, so that they stay equal.
    ``split`` makes the sizes of a value and ``join`` a value of the sizes, where these are not the same.
    """

    committed = Signal(object)
    stepped = Signal(object)
    problem = Signal(str)
    reverted = Signal()
    editingFinished = Signal()

    def __init__(
        self, names: Sequence[str], *, blank: Sequence[str] = (), split: Callable[[Any], Sizes] = tuple,
        join: Callable[[Sizes], Any] = tuple, parent: QWidget | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._names = tuple(names)
        self._sizes: Sizes = tuple(None for _ in names)
        self._split, self._join = split, join
        scale = Scale(1, 1000, integer=True)
        words = tuple(blank) or tuple("" for _ in names)
        self.boxes = [NumberEdit(scale, limits=(1, None), none=word, start=1) for word in words]
        self.link = IconButton("link", "Keep the sizes equal", object_name="link-sizes")
        self.link.setCheckable(True)
        self.link.setChecked(True)
        self._lay_out()
        for number, box in enumerate(self.boxes):
            self._connect(number, box)
        self.link.clicked.connect(self._link_toggled)

    def _lay_out(self) -> None:
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        least = self.fontMetrics().horizontalAdvance("000" if len(self.boxes) < 3 else "00") + 18
        for number, (name, box) in enumerate(zip(self._names, self.boxes, strict=True)):
            if number:
                sign = QLabel("×")
                sign.setProperty("role", "muted")
                layout.addWidget(sign)
            box.setMinimumWidth(least)
            box.setAccessibleName(name)
            layout.addWidget(box, 1)
        self.link.setVisible(len(self.boxes) > 1)
        layout.addWidget(self.link)

    def _connect(self, number: int, box: NumberEdit) -> None:
        box.committed.connect(lambda value: self.committed.emit(self._with(number, value)))
        box.stepped.connect(lambda value: self.stepped.emit(self._with(number, value)))
        box.problem.connect(self.problem)
        box.reverted.connect(self.reverted)
        box.editingFinished.connect(self.editingFinished)

    def set_names(self, name: str, tooltip: str) -> None:
        """Say what the sizes are of: for tooltips and screen readers."""
        for axis, box in zip(self._names, self.boxes, strict=True):
            box.setAccessibleName(f"{name}, {axis}" if len(self.boxes) > 1 else name)
            box.setToolTip(f"{tooltip} ({axis})" if len(self.boxes) > 1 else tooltip)
        self.setAccessibleName(name)

    def show_value(self, value: Any) -> None:
        """Show the sizes of ``value``; unequal ones are not linked."""
        self._sizes = self._split(value)
        for box, size in zip(self.boxes, self._sizes, strict=True):
            box.show_value(size)
        if len(set(self._sizes)) > 1:
            self.link.setChecked(False)
            self._show_link()

    def reject(self) -> None:
        """Mark what was typed as refused; it stays."""
        for box in self.boxes:
            if box.pending:
                box.reject()

    def _with(self, number: int, size: int | None) -> Any:
        if self.link.isChecked():
            return self._join(tuple(size for _ in self._sizes))
        return self._join((*self._sizes[:number], size, *self._sizes[number + 1 :]))

    @Slot()
    def _link_toggled(self) -> None:
        self._show_link()
        if self.link.isChecked() and len(set(self._sizes)) > 1:
            self.committed.emit(self._join(tuple(self._sizes[0] for _ in self._sizes)))

    def _show_link(self) -> None:
        self.link.set_icon("link" if self.link.isChecked() else "unlink")
