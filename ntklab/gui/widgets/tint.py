"""Icons of the theme on buttons, tinted anew when the theme changes."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QAbstractButton

from ntklab.gui import theme


class Tint(QObject):
    """Keeps the icon ``name`` on ``button`` in the colour of its text, in every theme."""

    def __init__(self, button: QAbstractButton, name: str) -> None:
        super().__init__(button)
        self._button, self._name = button, name
        button.installEventFilter(self)
        self._paint()

    def show_icon(self, name: str) -> None:
        """Another icon of the theme."""
        self._name = name
        self._paint()

    def _paint(self) -> None:
        palette = theme.current()
        on_accent = self._button.property("role") == "primary" and self._button.isEnabled()
        self._button.setIcon(theme.icon(self._name, palette.on_accent if on_accent else palette.text))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the theme, and the state of a primary button."""
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.EnabledChange):
            self._paint()
        return super().eventFilter(watched, event)
