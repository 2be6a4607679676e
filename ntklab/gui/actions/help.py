"""Help menu."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ntklab.gui.window import Window


def open_notation(window: Window) -> None:
    """Symbols, conventions and units."""
    from ntklab.gui.dialogs.notation import NotationDialog

    window.open_dialog(NotationDialog(window))


def open_about(window: Window) -> None:
    """Versions, devices, licence."""
    from ntklab.gui.dialogs.about import AboutDialog

    window.open_dialog(AboutDialog(window))
