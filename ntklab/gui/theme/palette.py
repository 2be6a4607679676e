"""The colours of the window, light and dark. Plots take theirs from ``figures.colours``; both share one ground."""

from __future__ import annotations

from dataclasses import dataclass

from ntklab.figures.grounds import GROUNDS, Ground, Theme, rgb


@dataclass(frozen=True)
class Palette:
    """#rrggbb of everything that is not data. ``theme`` is the name of the palette in ``figures.colours``.

    ``window`` lies under the regions, ``panel`` is their ground, ``raised`` that of buttons and ``field`` of inputs.
    ``border`` is a hairline, ``edge`` that of a button, ``outline`` that of an input (3:1). ``selection`` lies under
    ``text``, ``on_accent`` is text upon ``accent``.
    """

    theme: Theme
    window: str
    panel: str
    raised: str
    hover: str
    pressed: str
    field: str
    text: str
    muted: str
    disabled: str
    border: str
    edge: str
    outline: str
    accent: str
    accent_hover: str
    on_accent: str
    selection: str
    focus: str
    error: str
    warning: str
    ok: str
    plot: Ground

    @property
    def dark(self) -> bool:
        """Whether text is lighter than its ground."""
        return self.theme == "dark"


LIGHT = Palette(
    theme="light",
    window="#f1f3f6",
    panel=GROUNDS["light"].ground,
    raised="#ffffff",
    hover="#eaedf2",
    pressed="#dde2ea",
    field="#ffffff",
    text=GROUNDS["light"].ink,
    muted=GROUNDS["light"].quiet,
    disabled="#a3aab5",
    border="#d9dde4",
    edge="#c2c8d1",
    outline="#868e9b",
    accent="#0b5fad",
    accent_hover="#0a5396",
    on_accent="#ffffff",
    selection="#d3e4f6",
    focus="#0b5fad",
    error="#b3261e",
    warning="#8a5300",
    ok="#18713a",
    plot=GROUNDS["light"],
)

DARK = Palette(
    theme="dark",
    window="#0e1014",
    panel=GROUNDS["dark"].ground,
    raised="#22262e",
    hover="#2a2f39",
    pressed="#343a46",
    field="#101318",
    text=GROUNDS["dark"].ink,
    muted=GROUNDS["dark"].quiet,
    disabled="#5c6573",
    border="#2b303a",
    edge="#3d444f",
    outline="#69717f",
    accent="#5cadf2",
    accent_hover="#7dbef6",
    on_accent="#0b1119",
    selection="#22405e",
    focus="#7dbef6",
    error="#ff8d83",
    warning="#f0b34a",
    ok="#5fd08a",
    plot=GROUNDS["dark"],
)

PALETTES = {palette.theme: palette for palette in (LIGHT, DARK)}


def contrast(first: str, second: str) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2.2, relative luminance)."""
    high, low = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    channels = [value / 255 for value in rgb(colour)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
