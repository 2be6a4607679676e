"""Why the network does not fit, under the list of its layers."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ntklab.gui.panels.outline import Line, Problem
from ntklab.gui.widgets import IconButton, InlineError


class ProblemBox(QWidget):
    """Takes no room while there is nothing to say. ``revert_requested`` asks for the last network that fits."""

    revert_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("problem")
        self.error = InlineError()
        self.note = QLabel("Kernels and training still use the network before", wordWrap=True)
        self.note.setProperty("role", "muted")
        self.revert = IconButton(
            "reset", "Go back to the last network that fits (Ctrl+Z goes back step by step)", title="Revert",
            object_name="revert-network",
        )  # fmt: skip
        self.revert.clicked.connect(self.revert_requested)
        under = QHBoxLayout()
        under.addWidget(self.note, 1)
        under.addWidget(self.revert)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.error)
        layout.addLayout(under)
        self.hide()

    def show_problem(self, problem: Problem | None, lines: tuple[Line, ...]) -> None:
        """Say why the sketch is impossible, and at which layer."""
        if problem is None:
            self._show("", kept=False)
            return
        title = next((line.title for line in lines if line.path == problem.path), "")
        self._show(f"{title}: {problem.text}" if title else problem.text, kept=True)

    def say(self, text: str) -> None:
        """Say why an edit was refused; the network is as it was."""
        self._show(text, kept=False)

    def _show(self, text: str, *, kept: bool) -> None:
        self.error.say(text)
        for widget in (self.note, self.revert):
            widget.setVisible(kept)
        self.setVisible(bool(text))
