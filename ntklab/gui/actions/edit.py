"""Edit menu."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ntklab.gui.window import Window


def undo(window: Window) -> None:
    """Take back the last change."""
    window.session.undo()


def redo(window: Window) -> None:
    """Make it again."""
    window.session.redo()


def open_palette(window: Window) -> None:
    """Search every command by name."""
    from ntklab.gui.dialogs.palette import CommandPalette

    window.open_dialog(CommandPalette(window.actions_by_id, window))
