"""Buttons with an icon of the theme that is tinted anew when the theme changes."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QToolButton, QWidget

from ntklab.gui import theme


class IconButton(QToolButton):
    """A tool button with the icon ``name``; ``tooltip`` is its accessible name too unless it has a ``title``.

    ``role`` is a look of the style sheet ("primary", "quiet"); a primary button's icon has the colour of its text.
    """

    def __init__(
        self, name: str, tooltip: str, *, title: str = "", role: str = "", object_name: str = "",
        parent: QWidget | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._name = name
        self.setToolTip(tooltip)
        self.setAccessibleName(title or tooltip)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setObjectName(object_name or f"button-{name}")
        if role:
            self.setProperty("role", role)
        if title:
            self.setText(title)
            self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._tint()

    def set_icon(self, name: str) -> None:
        """Show another icon of the theme."""
        self._name = name
        self._tint()

    def _tint(self) -> None:
        palette = theme.current()
        primary = self.property("role") == "primary" and self.isEnabled()
        self.setIcon(theme.icon(self._name, palette.on_accent if primary else palette.text))

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme, and the state of a primary button."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.EnabledChange):
            self._tint()
