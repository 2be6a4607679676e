"""How the window looks: palettes, the style sheet, icons, and switching between light and dark while it runs."""

from ntklab.gui.theme.icons import icon
from ntklab.gui.theme.palette import DARK, LIGHT, PALETTES, Palette, contrast
from ntklab.gui.theme.sheet import style_sheet
from ntklab.gui.theme.switching import Scheme, ThemeNotifier, apply, current, notifier

__all__ = [
    "DARK",
    "LIGHT",
    "PALETTES",
    "Palette",
    "Scheme",
    "ThemeNotifier",
    "apply",
    "contrast",
    "current",
    "icon",
    "notifier",
    "style_sheet",
]
