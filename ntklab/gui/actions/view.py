"""View menu."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntklab.gui import theme

if TYPE_CHECKING:
    from ntklab.gui.window import Window


def maximise_view(window: Window) -> None:
    """Give the active view the whole centre, or give it back."""
    window.views.toggle_maximised()


def toggle_theme(window: Window) -> None:
    """Change between light and dark, and keep the choice."""
    scheme = "light" if theme.current().dark else "dark"
    window.set_theme(scheme)


def reset_layout(window: Window) -> None:
    """Every region gets its first size again."""
    window.reset_layout()
