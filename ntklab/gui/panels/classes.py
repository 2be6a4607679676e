"""Which classes are kept: one chip a class."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from ntklab.gui.widgets import InlineError, discard

_IN_A_ROW = 10


class ClassChips(QWidget):
    """``committed`` carries the classes that are kept, or None for all."""

    committed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("classes")
        self.chips: list[QToolButton] = []
        self.error = InlineError()
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(QLabel("Classes"))
        layout.addLayout(self._grid)
        layout.addWidget(self.error)

    def show_classes(self, count: int, kept: tuple[int, ...] | None) -> None:
        """Show ``count`` chips, those of ``kept`` pressed (all for None)."""
        if count != len(self.chips):
            self._make(count)
        for number, chip in enumerate(self.chips):
            chip.setChecked(kept is None or number in kept)
        self.error.say("")

    def _make(self, count: int) -> None:
        for chip in self.chips:
            discard(chip)
        self.chips = [self._chip(number) for number in range(count)]
        for number, chip in enumerate(self.chips):
            self._grid.addWidget(chip, number // _IN_A_ROW, number % _IN_A_ROW)

    def _chip(self, number: int) -> QToolButton:
        chip = QToolButton()
        chip.setText(str(number))
        chip.setCheckable(True)
        chip.setObjectName(f"class-{number}")
        chip.setProperty("role", "segment")
        chip.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        chip.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        chip.setToolTip(f"Keep class {number}")
        chip.setAccessibleName(f"Class {number}")
        chip.clicked.connect(self._clicked)
        return chip

    @Slot()
    def _clicked(self) -> None:
        kept = tuple(number for number, chip in enumerate(self.chips) if chip.isChecked())
        self.committed.emit(None if len(kept) == len(self.chips) else kept)
