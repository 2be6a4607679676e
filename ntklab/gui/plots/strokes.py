"""Lines and bands in view coordinates, fast enough to be redrawn while they grow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QBrush, QPainter, QPainterPath, QPen, QPolygonF, QTransform

from ntklab.gui.plots.reduce import Array, extent

_LONG = 400  # points beyond which Qt's exact outlines of thick lines cost milliseconds
_THIN = 1.5  # pixels below which a line may be drawn one pixel wide


class LineItem(pg.GraphicsObject):
    """A line that breaks at NaN.

    Qt draws cosmetic lines one pixel wide some thirty times faster than wider ones, whose outline it computes. A long
    line is therefore drawn four times, one pixel wide, half its width to each side.
    """

    def __init__(self) -> None:
        super().__init__()
        self._path = QPainterPath()
        self._bounds = QRectF()
        self._pen = QPen()
        self._points = 0

    def set_points(self, x: Array, y: Array) -> None:
        """Go through the points (``x``, ``y``)."""
        self.prepareGeometryChange()
        self._points = x.size
        self._path = pg.functions.arrayToQPath(x, y, connect="finite")
        across, along = extent([x[np.isfinite(y)]]), extent([y])
        self._bounds = QRectF()
        if across and along:
            self._bounds = QRectF(across[0], along[0], across[1] - across[0], along[1] - along[0])
        self.update()

    def set_pen(self, pen: QPen) -> None:
        """Draw with ``pen`` (cosmetic)."""
        self.prepareGeometryChange()
        self._pen = pen
        self.update()

    def boundingRect(self) -> QRectF:
        """The points, and half the pen's width around them."""
        pixel = self.pixelVectors()
        margin_x = self._pen.widthF() * (abs(pixel[0].x()) if pixel[0] is not None else 0.0)
        margin_y = self._pen.widthF() * (abs(pixel[1].y()) if pixel[1] is not None else 0.0)
        return self._bounds.adjusted(-margin_x, -margin_y, margin_x, margin_y)

    def viewTransformChanged(self) -> None:
        """The pen's width in view coordinates has changed."""
        self.prepareGeometryChange()

    def paint(self, painter: QPainter, _option: Any, _widget: Any = None) -> None:
        """Draw it."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if self._points <= _LONG:
            painter.setPen(self._pen)
            painter.drawPath(self._path)
            return
        width = self._pen.widthF()
        painter.setPen(_one_pixel(self._pen))
        if width < _THIN:
            painter.drawPath(self._path)
            return
        placed, off = painter.worldTransform(), (width - 1) / 2
        for dx, dy in ((-off, -off), (off, off), (-off, off), (off, -off)):
            painter.setWorldTransform(placed * QTransform.fromTranslate(dx, dy))
            painter.drawPath(self._path)
        painter.setWorldTransform(placed)


class BandItem(pg.GraphicsObject):
    """The region between two curves over the same x."""

    def __init__(self) -> None:
        super().__init__()
        self._polygon = QPolygonF()
        self._brush = QBrush()

    def set_band(self, x: Array, low: Array, high: Array) -> None:
        """Fill between ``low`` and ``high``; points where one is NaN are left out."""
        good = np.isfinite(x) & np.isfinite(low) & np.isfinite(high)
        xs = np.concatenate([x[good], x[good][::-1]])
        ys = np.concatenate([low[good], high[good][::-1]])
        self.prepareGeometryChange()
        self._polygon = pg.functions.arrayToQPolygonF(xs, ys)
        self.update()

    def set_brush(self, brush: QBrush) -> None:
        """Fill with ``brush``."""
        self._brush = brush
        self.update()

    def boundingRect(self) -> QRectF:
        """Of the polygon."""
        return self._polygon.boundingRect()

    def paint(self, painter: QPainter, _option: Any, _widget: Any = None) -> None:
        """Fill it."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(QPen(Qt.PenStyle.NoPen))
        painter.setBrush(self._brush)
        painter.drawPolygon(self._polygon)


def _one_pixel(pen: QPen) -> QPen:
    """``pen`` one pixel wide, with dashes of the same length."""
    thin = QPen(pen)
    thin.setWidthF(1.0)
    if pen.style() == Qt.PenStyle.CustomDashLine:
        thin.setDashPattern([dash * pen.widthF() for dash in pen.dashPattern()])
    return thin
