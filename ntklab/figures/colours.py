"""One palette as data, for the window and for the exporters: what each role looks like, and the colour maps.

A role is told apart by its dash pattern or marker as well as by its colour. The infinite limit has one colour
everywhere (``infinite``, ``analytic``), and so has the finite network (``network``, ``empirical``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ntklab.figures.grounds import GROUNDS, Theme, rgb
from ntklab.figures.model import Role

Marker = Literal["circle", "square", "diamond", "triangle", "cross", "plus", "star", "down", "left", "pentagon"]
MapKind = Literal["sequential", "diverging"]


@dataclass(frozen=True)
class Style:
    """How a role is drawn. ``dash`` is lengths of line and gap in line widths (empty: solid)."""

    light: str
    dark: str
    print: str
    dash: tuple[float, ...] = ()
    marker: Marker = "circle"

    def colour(self, theme: Theme) -> str:
        """#rrggbb for ``theme``."""
        return {"light": self.light, "dark": self.dark, "print": self.print}[theme]


STYLES: dict[Role, Style] = {
    "network": Style("#0b5fad", "#5cadf2", "#0b5fad"),
    "linearised": Style("#a3620a", "#eda53f", "#a3620a", (4.0, 2.0), "square"),
    "infinite": Style("#b3266e", "#f27fb2", "#b3266e", (1.2, 1.6), "diamond"),
    "empirical": Style("#0b5fad", "#5cadf2", "#0b5fad"),
    "analytic": Style("#b3266e", "#f27fb2", "#b3266e", (), "diamond"),
    "target": Style("#1d2129", "#e6e9ef", "#000000", (), "cross"),
    "difference": Style("#6a45b8", "#ad90f0", "#6a45b8", (6.0, 2.0, 1.2, 2.0), "triangle"),
    "guide": Style("#5b6472", "#98a1b0", "#5b5b5b", (5.0, 3.0), "plus"),
    "muted": Style("#8d949f", "#6d7686", "#8f8f8f", (), "circle"),
    "class0": Style("#0b5fad", "#5cadf2", "#0b5fad", (), "circle"),
    "class1": Style("#d05a00", "#ff9d45", "#d05a00", (4.0, 2.0), "square"),
    "class2": Style("#00805f", "#3ecfa2", "#00805f", (1.2, 1.6), "triangle"),
    "class3": Style("#b3266e", "#f27fb2", "#b3266e", (6.0, 2.0, 1.2, 2.0), "diamond"),
    "class4": Style("#6a45b8", "#ad90f0", "#6a45b8", (8.0, 3.0), "down"),
    "class5": Style("#86680a", "#d6b63c", "#86680a", (2.5, 2.5), "pentagon"),
    "class6": Style("#0087a3", "#48cbe6", "#0087a3", (4.0, 2.0, 1.2, 2.0), "star"),
    "class7": Style("#a4261d", "#f2766a", "#a4261d", (3.0, 1.5), "left"),
    "class8": Style("#5d6a79", "#a9b4c4", "#5d6a79", (1.2, 3.0), "plus"),
    "class9": Style("#4f6b12", "#a9cc56", "#4f6b12", (6.0, 3.0), "cross"),
}

assert set(STYLES) == set(get_args(Role))

# 33 evenly spaced colours of viridis (Smith and van der Walt 2015, CC0): even in lightness, readable by everyone.
_VIRIDIS = (
    "440154 470d60 48186a 482374 472d7b 453681 424086 3f4989 3b528b 375a8d 33638d 2f6a8e 2c728e 297a8e 26818e 23898e "
    "21908c 1f988b 1f9f88 21a685 28ae80 31b57b 3ebc74 4cc26c 5dc963 6ece58 82d34c 96d83f abdc32 c0df24 d5e21a eae51a "
    "fde725"
)

# Diverging maps as (position, lightness, chroma, hue) in OKLCH: both arms fall (or rise, on dark) equally in lightness,
# blue against orange-red, a pair that every kind of colour vision keeps apart.
_ARMS: dict[Theme, tuple[tuple[float, float, float, float, float], ...]] = {
    "light": ((0.0, 0.975, 0.0, 255.0, 50.0), (0.25, 0.86, 0.07, 250.0, 58.0), (0.6, 0.62, 0.145, 252.0, 44.0),
              (1.0, 0.36, 0.115, 262.0, 28.0)),
    "dark": ((0.0, 0.21, 0.0, 255.0, 50.0), (0.3, 0.40, 0.09, 258.0, 36.0), (0.65, 0.66, 0.14, 248.0, 46.0),
             (1.0, 0.90, 0.06, 235.0, 75.0)),
}  # fmt: skip


@cache
def colour_map(kind: MapKind, theme: Theme = "light") -> NDArray[np.uint8]:
    """(256, 3) red, green and blue from the lowest value to the highest; read-only.

    Zero of the diverging map takes the colour of the ground, so that what does not differ disappears.
    """
    table = _sequential() if kind == "sequential" else _diverging("dark" if theme == "dark" else "light")
    table.flags.writeable = False
    return table


def missing(theme: Theme) -> str:
    """Colour of entries that are NaN: not computed, or faulty."""
    return GROUNDS[theme].missing


def class_role(index: int) -> Role:
    """The role of class ``index``; the ten roles repeat."""
    roles: tuple[Role, ...] = tuple(role for role in STYLES if role.startswith("class"))
    return roles[index % len(roles)]


def _sequential() -> NDArray[np.uint8]:
    anchors = np.array([rgb(colour) for colour in _VIRIDIS.split()], dtype=np.float64)
    at = np.linspace(0.0, 1.0, len(anchors))
    fine = np.linspace(0.0, 1.0, 256)
    return np.stack([np.interp(fine, at, channel) for channel in anchors.T], axis=1).round().astype(np.uint8)


def _diverging(theme: Theme) -> NDArray[np.uint8]:
    arms = np.array(_ARMS[theme])
    signed = np.linspace(-1.0, 1.0, 256)
    size = np.abs(signed)
    lightness, chroma = np.interp(size, arms[:, 0], arms[:, 1]), np.interp(size, arms[:, 0], arms[:, 2])
    hue = np.where(signed < 0, np.interp(size, arms[:, 0], arms[:, 3]), np.interp(size, arms[:, 0], arms[:, 4]))
    return _oklch(lightness, chroma, hue)


def _oklch(lightness: NDArray[np.float64], chroma: NDArray[np.float64], hue: NDArray[np.float64]) -> NDArray[np.uint8]:
    """OKLCH (hue in degrees) to 8-bit sRGB (Ottosson 2020)."""
    a, b = chroma * np.cos(np.deg2rad(hue)), chroma * np.sin(np.deg2rad(hue))
    lms = np.stack([
        lightness + 0.3963377774 * a + 0.2158037573 * b,
        lightness - 0.1055613458 * a - 0.0638541728 * b,
        lightness - 0.0894841775 * a - 1.2914855480 * b,
    ]) ** 3  # fmt: skip
    to_rgb = np.array([
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ])  # fmt: skip
    linear = np.clip(to_rgb @ lms, 0.0, 1.0)
    srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return (255 * srgb.T).round().astype(np.uint8)
