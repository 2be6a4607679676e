"""What lies under and around the data, in each theme. Needs no numpy: the window wears it before its first paint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Theme = Literal["light", "dark", "print"]


@dataclass(frozen=True)
class Ground:
    """What lies under and around the data: the ground, the ink of text and axes, quiet ink, grid, not computed."""

    ground: str
    ink: str
    quiet: str
    grid: str
    shade: str
    missing: str


GROUNDS: dict[Theme, Ground] = {
    "light": Ground("#ffffff", "#1d2129", "#5b6472", "#e3e6eb", "#eceef2", "#c9cdd4"),
    "dark": Ground("#16191f", "#e6e9ef", "#98a1b0", "#2b303a", "#22262f", "#4a5160"),
    "print": Ground("#ffffff", "#000000", "#4d4d4d", "#dddddd", "#ececec", "#bdbdbd"),
}


def rgb(colour: str) -> tuple[int, int, int]:
    """(red, green, blue) of "#rrggbb"."""
    digits = colour.lstrip("#")
    return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)
