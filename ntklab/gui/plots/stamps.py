"""Markers of many colours: each level of the colours is drawn once, and then put down wherever it is needed.

pyqtgraph's scatter plot renders a marker for every distinct colour again at each new set of colours, which costs tens
of milliseconds where colours follow the values of a network in training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QPainter, QPen, QPixmap, QTransform

from ntklab.figures.model import Array
from ntklab.gui.plots.reduce import extent

Paint = tuple[QPen, QBrush]


@dataclass(frozen=True, eq=False)
class Stamps:
    """One marker a level, side by side in ``picture``; ``side`` is the side of each in device pixels."""

    picture: QPixmap
    side: int
    density: float

    @property
    def reach(self) -> float:
        """From the middle of a marker to its edge, in pixels."""
        return self.side / self.density / 2


def stamps(symbol: str, size: float, paints: Sequence[Paint], density: float) -> Stamps:
    """Markers ``symbol``, ``size`` pixels wide without their outlines, one for each of ``paints``."""
    outline = max(pen.widthF() for pen, _ in paints)
    side = ceil(size * density + outline) + 2
    picture = QPixmap(side * len(paints), side)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    shape = pg.graphicsItems.ScatterPlotItem.Symbols[symbol]
    for level, (pen, brush) in enumerate(paints):
        painter.setTransform(QTransform(size * density, 0, 0, size * density, (level + 0.5) * side, side / 2))
        painter.setPen(pen)
        painter.setBrush(brush)
        painter.drawPath(shape)
    painter.end()
    picture.setDevicePixelRatio(density)
    return Stamps(picture, side, density)


class StampsItem(pg.GraphicsObject):
    """Points of a cloud, each stamped with the marker of its level."""

    def __init__(self) -> None:
        super().__init__()
        self._points = np.empty((0, 2))
        self._levels = np.empty(0, dtype=np.intp)
        self._stamps: Stamps | None = None
        self._bounds = QRectF()

    def set_points(self, x: Array, y: Array, levels: NDArray[np.intp], made: Stamps) -> None:
        """Stamp marker ``levels[i]`` of ``made`` at (``x[i]``, ``y[i]``), both finite."""
        points = np.column_stack([x, y]).astype(np.float64)
        if not np.array_equal(points, self._points) or self._stamps is not made:
            self.prepareGeometryChange()
        self._points, self._levels, self._stamps = points, levels, made
        across, along = extent([points[:, 0]]), extent([points[:, 1]])
        self._bounds = QRectF()
        if across and along:
            self._bounds = QRectF(across[0], along[0], across[1] - across[0], along[1] - along[0])
        self.update()

    @property
    def levels(self) -> NDArray[np.intp]:
        """The marker of each point."""
        return self._levels

    def boundingRect(self) -> QRectF:
        """The points, and half a marker around them."""
        reach = 0.0 if self._stamps is None else self._stamps.reach
        pixel = self.pixelVectors()
        margin_x = reach * (abs(pixel[0].x()) if pixel[0] is not None else 0.0)
        margin_y = reach * (abs(pixel[1].y()) if pixel[1] is not None else 0.0)
        return self._bounds.adjusted(-margin_x, -margin_y, margin_x, margin_y)

    def viewTransformChanged(self) -> None:
        """The size of a marker in view coordinates has changed."""
        self.prepareGeometryChange()

    def paint(self, painter: QPainter, _option: Any, _widget: Any = None) -> None:
        """Put the markers down on whole device pixels, so that they stay sharp."""
        if self._stamps is None or not len(self._points):
            return
        made, placed = self._stamps, painter.worldTransform()
        painter.resetTransform()
        xs = placed.m11() * self._points[:, 0] + placed.m21() * self._points[:, 1] + placed.dx()
        ys = placed.m12() * self._points[:, 0] + placed.m22() * self._points[:, 1] + placed.dy()
        lefts = np.round((xs - made.reach) * made.density) / made.density
        tops = np.round((ys - made.reach) * made.density) / made.density
        side = made.side
        for left, top, level in zip(lefts.tolist(), tops.tolist(), self._levels.tolist(), strict=True):
            painter.drawPixmap(QPointF(left, top), made.picture, QRectF(level * side, 0, side, side))
        painter.setWorldTransform(placed)
