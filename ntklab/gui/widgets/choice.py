"""A drop-down list of values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QStandardItemModel, QWheelEvent
from PySide6.QtWidgets import QComboBox, QWidget

# (value, label, tooltip); a row whose value is ``HEADING`` is a heading
Row = tuple[Any, str, str]
HEADING = object()


class Choice(QComboBox):
    """``committed(value)`` tells what the user chose. The wheel works only where the focus is."""

    committed = Signal(object)

    def __init__(self, rows: Iterable[Row] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._values: list[Any] = []
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(4)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.set_rows(rows)
        self.activated.connect(self._chosen)

    def set_rows(self, rows: Iterable[Row]) -> None:
        """Offer ``rows``; the present value stays chosen if it is among them."""
        present = self.value
        self.blockSignals(True)
        self.clear()
        self._values = []
        for value, label, tooltip in rows:
            self._values.append(value)
            self.addItem(label)
            index = self.count() - 1
            self.setItemData(index, tooltip or None, Qt.ItemDataRole.ToolTipRole)
            if value is HEADING:
                self._make_heading(index)
        self.blockSignals(False)
        self.show_value(present)

    def _make_heading(self, index: int) -> None:
        model = self.model()
        assert isinstance(model, QStandardItemModel)
        item = model.item(index)
        item.setFlags(Qt.ItemFlag.NoItemFlags)
        font = item.font()
        font.setBold(True)
        item.setFont(font)

    @property
    def value(self) -> Any:
        """What is chosen; None when nothing is."""
        index = self.currentIndex()
        return self._values[index] if 0 <= index < len(self._values) else None

    def show_value(self, value: Any) -> None:
        """Choose ``value`` without a signal; nothing is chosen if it is not offered."""
        index = self._values.index(value) if value in self._values else -1
        self.blockSignals(True)
        self.setCurrentIndex(index)
        self.blockSignals(False)

    @Slot(int)
    def _chosen(self, index: int) -> None:
        self.committed.emit(self._values[index])

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scrolling past changes nothing."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()
