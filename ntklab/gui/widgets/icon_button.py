"""A small button with an icon of the theme."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton, QWidget

from ntklab.gui.widgets.tint import Tint


class IconButton(QToolButton):
    """A tool button with the icon ``name``; ``tooltip`` is its accessible name too unless it has a ``title``.

    ``role`` is a look of the style sheet ("primary", "quiet").
    """

    def __init__(
        self, name: str, tooltip: str, *, title: str = "", role: str = "", object_name: str = "",
        parent: QWidget | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self.setToolTip(tooltip)
        self.setAccessibleName(title or tooltip)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setObjectName(object_name or f"button-{name}")
        if role:
            self.setProperty("role", role)
        if title:
            self.setText(title)
            self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._tint = Tint(self, name)

    def set_icon(self, name: str) -> None:
        """Show another icon of the theme."""
        self._tint.show_icon(name)
