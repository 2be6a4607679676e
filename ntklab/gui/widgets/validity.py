"""Marking inputs as refused, and saying why beside them."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget


def set_valid(widget: QWidget, valid: bool) -> None:
    """Give ``widget`` a red edge, or take it away (the style sheet reads the property ``valid``)."""
    if widget.property("valid") in (None, True) and valid:
        return
    widget.setProperty("valid", valid)
    restyle(widget)


def restyle(widget: QWidget) -> None:
    """Have the style sheet look at the properties of ``widget`` again."""
    widget.style().unpolish(widget)
    widget.style().polish(widget)


class InlineError(QLabel):
    """What is wrong with the input above it; takes no room while there is nothing to say."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("inline-error")
        self.setProperty("role", "error")
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.hide()

    def say(self, text: str) -> None:
        """Show ``text``; hide when it is empty."""
        self.setText(text)
        self.setAccessibleName(f"Error: {text}" if text else "")
        self.setVisible(bool(text))
