"""A few choices side by side, any number of which may be taken."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget


class Chips(QWidget):
    """A button for each (value, title); ``committed(values)`` lists those that are taken, in this order.

    Those in ``fixed`` are always taken; the last one that is taken cannot be let go.
    """

    committed = Signal(object)

    def __init__(
        self, choices: Sequence[tuple[Any, str]], *, fixed: Collection[Any] = (), parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._values = [value for value, _ in choices]
        self._fixed = set(fixed)
        self.chips: list[QToolButton] = []
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        for value, title in choices:
            chip = QToolButton()
            chip.setText(title)
            chip.setCheckable(True)
            chip.setProperty("role", "segment")
            chip.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            chip.setAccessibleName(title)
            chip.setEnabled(value not in self._fixed)
            chip.clicked.connect(self._clicked)
            self.chips.append(chip)
            layout.addWidget(chip)
        layout.addStretch(1)

    def set_names(self, name: str, tooltip: str) -> None:
        """Say what is chosen: for tooltips and screen readers."""
        self.setAccessibleName(name)
        for chip in self.chips:
            chip.setAccessibleName(f"{name}: {chip.text()}")
            chip.setToolTip(tooltip)

    def show_value(self, values: Any) -> None:
        """Show which are taken."""
        taken = {*values, *self._fixed}
        for value, chip in zip(self._values, self.chips, strict=True):
            chip.setChecked(value in taken)

    @Slot()
    def _clicked(self) -> None:
        taken = [value for value, chip in zip(self._values, self.chips, strict=True) if chip.isChecked()]
        if taken:
            self.committed.emit(tuple(taken))
            return
        clicked = self.sender()
        assert isinstance(clicked, QToolButton)
        clicked.setChecked(True)
