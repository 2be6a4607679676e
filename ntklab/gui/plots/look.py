"""From roles and palettes to pens, brushes and fonts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import QBrush, QColor, QFont, QFontMetricsF, QPen
from PySide6.QtWidgets import QApplication

from ntklab.figures.colours import STYLES, MapKind, colour_map, missing
from ntklab.figures.model import Mark, Role
from ntklab.gui.theme import Palette

# markers of figures.colours by their names in pyqtgraph
SYMBOLS = {"circle": "o", "square": "s", "diamond": "d", "triangle": "t1", "cross": "x", "plus": "+", "star": "star",
           "down": "t", "left": "t3", "pentagon": "p"}  # fmt: skip
_DASHES = (5.0, 3.0)
_SMALL = 11 / 13
_LINE = 2 / 13
_DOT = 7 / 13


@dataclass(frozen=True, eq=False)
class Look:
    """How plots look in ``palette``, with all lengths in proportion to the application's font.

    ``density`` is device pixels per pixel: cosmetic pens count the former.
    """

    palette: Palette
    density: float = 1.0

    @cached_property
    def font(self) -> QFont:
        """Font of labels and legends."""
        font = QFont(QApplication.font())
        font.setPixelSize(max(9, round(self.em * _SMALL)))
        return font

    @cached_property
    def em(self) -> float:
        """Height of the application's font in pixels."""
        font = QApplication.font()
        return float(font.pixelSize() if font.pixelSize() > 0 else QFontMetricsF(font).height() * 0.8)

    @cached_property
    def unit(self) -> float:
        """The grid of 4 pixels."""
        return self.em * 4 / 13

    @cached_property
    def line_height(self) -> float:
        """Height of a line of labels."""
        return QFontMetricsF(self.font).height()

    @cached_property
    def ink(self) -> QColor:
        """Titles and what is pointed at."""
        return QColor(self.palette.plot.ink)

    @cached_property
    def quiet(self) -> QColor:
        """Axes and their numbers."""
        return QColor(self.palette.plot.quiet)

    @cached_property
    def grid(self) -> QColor:
        """Lines behind the data."""
        return QColor(self.palette.plot.grid)

    @cached_property
    def ground(self) -> QColor:
        """Under everything."""
        return QColor(self.palette.plot.ground)

    def colour(self, role: Role) -> QColor:
        """Colour of ``role`` in this palette."""
        return QColor(STYLES[role].colour(self.palette.theme))

    def symbol(self, role: Role) -> str:
        """pyqtgraph's name of the marker of ``role``."""
        return SYMBOLS[STYLES[role].marker]

    def pen(self, role: Role, weight: float = 1.0, mark: Mark = "line") -> QPen:
        """Pen of a curve of ``role``: its colour and dash pattern."""
        pen = QPen(self.colour(role), self.em * _LINE * weight * self.density)
        pen.setCosmetic(True)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        dash = STYLES[role].dash or (_DASHES if mark == "dashes" else ())
        if dash:
            pen.setDashPattern(list(dash))
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        return pen

    def dot(self, weight: float = 1.0) -> float:
        """Diameter of a marker in pixels."""
        return self.em * _DOT * weight

    def brush(self, role: Role, alpha: int = 255) -> QBrush:
        """Fill of ``role``."""
        colour = self.colour(role)
        colour.setAlpha(alpha)
        return QBrush(colour)

    def rim(self, colour: QColor, weight: float) -> QPen:
        """Outline of a marker, ``weight`` pixels wide at the usual size of text."""
        pen = QPen(colour, self.em * weight / 13 * self.density)
        pen.setCosmetic(True)  # markers are drawn by scaling a small shape
        return pen

    def hairline(self, colour: QColor | None = None) -> QPen:
        """A line one pixel wide."""
        pen = QPen(colour or self.grid, max(1.0, round(0.75 * self.density)))
        pen.setCosmetic(True)
        return pen

    def table(self, kind: MapKind) -> NDArray[np.uint32]:
        """(256,) 0xffRRGGBB: entry 0 for what is missing, 1 … 255 from the lowest to the highest value."""
        colours = colour_map(kind, self.palette.theme).astype(np.uint32)
        spread = colours[np.linspace(0, len(colours) - 1, 255).round().astype(int)]
        table = np.empty(256, dtype=np.uint32)
        table[0] = QColor(missing(self.palette.theme)).rgb()
        table[1:] = 0xFF000000 | (spread[:, 0] << 16) | (spread[:, 1] << 8) | spread[:, 2]
        return table
