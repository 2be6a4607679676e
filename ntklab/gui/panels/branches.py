"""The branches of a block: what is in each, and buttons that take one away or add another."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from ntklab.gui.widgets import ElidedLabel, IconButton, clear
from ntklab.spec import caption


class BranchesEdit(QWidget):
    """``committed(branches)`` when one was taken away, or an empty one was added."""

    committed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._branches: tuple[Any, ...] = ()
        self._rows = QVBoxLayout()
        self._rows.setSpacing(0)
        self.add = IconButton("add", "Add an empty branch: the identity", title="Branch", object_name="add-branch")
        self.add.clicked.connect(self._add)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(self._rows)
        layout.addWidget(self.add)

    def show_value(self, branches: Any) -> None:
        """Show what is in each branch."""
        if branches == self._branches and self._rows.count():
            return
        self._branches = branches
        clear(self._rows)
        for number, branch in enumerate(branches):
            self._rows.addWidget(self._row(number, branch))

    def _row(self, number: int, branch: tuple[Any, ...]) -> QWidget:
        words = " – ".join(caption(layer) for layer in branch) or "identity"
        label = ElidedLabel()
        label.say(f"{number + 1}: {words}")
        button = IconButton("close", f"Remove branch {number + 1}", object_name=f"remove-branch-{number + 1}")
        button.setEnabled(len(self._branches) > 1)
        button.clicked.connect(lambda: self.committed.emit(self._without(number)))
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(label, 1)
        layout.addWidget(button)
        return row

    def _without(self, number: int) -> tuple[Any, ...]:
        return (*self._branches[:number], *self._branches[number + 1 :])

    def _add(self) -> None:
        self.committed.emit((*self._branches, ()))
