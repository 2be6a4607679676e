"""A matrix on screen: only what is visible is coloured, from a pyramid level that matches the pixels."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QTransform
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from ntklab.figures.model import Norm
from ntklab.figures.pyramid import Pyramid, halve
from ntklab.figures.zoom import StoredPyramid
from ntklab.gui.plots.norm import quantise

Values = NDArray[np.floating]
_STRIP = 1 << 19  # entries reduced at a time: about 2 ms
_SMALLEST = 256


def growing(values: Values) -> Generator[None, None, Pyramid]:
    """Build the pyramid of ``values`` in strips of a few milliseconds, so that the window stays alive meanwhile."""
    h, w = values.shape
    if values.dtype == np.float32 and values.flags.c_contiguous:
        base = values
    else:
        base = np.empty((h, w), dtype=np.float32)
        for rows in _strips(h, w):
            base[rows] = values[rows]
            yield
    levels = [base]
    while max(levels[-1].shape) > _SMALLEST:
        source = levels[-1]
        target = np.empty(((source.shape[0] + 1) // 2, (source.shape[1] + 1) // 2), dtype=np.float32)
        for rows in _strips(*source.shape):
            halve(source[rows], target[rows.start // 2 : (rows.stop + 1) // 2])
            yield
        levels.append(target)
    return Pyramid(tuple(levels))


def preview(values: Values) -> Pyramid:
    """Something to see at once: every f-th entry stands for its neighbours. Its levels are not means."""
    levels, step = [], 1
    while True:
        levels.append(values[::step, ::step])
        if max(levels[-1].shape) <= _SMALLEST:
            return Pyramid(tuple(levels))
        step *= 2


def _strips(h: int, w: int) -> list[slice]:
    rows = max(2, _STRIP // max(w, 1) // 2 * 2)
    return [slice(start, min(h, start + rows)) for start in range(0, h, rows)]


def _nothing() -> None: ...


class MatrixItem(pg.GraphicsObject):
    """Row i of a pyramid from y = i to i + 1, column j from x = j to j + 1, under the item's own transform."""

    def __init__(self, painted: Callable[[], None] = _nothing) -> None:
        """``painted`` is called after another part of the matrix was coloured."""
        super().__init__()
        self._painted = painted
        self._pyramid: Pyramid | StoredPyramid | None = None
        self._norm = Norm("linear", 0.0, 1.0)
        self._table: list[int] = [0] * 256
        self._image: QImage | None = None
        self._key: tuple[int, int, int, int, int] | None = None  # level, rows, columns of the image
        self._buffer = np.empty((0, 0), dtype=np.uint8)
        self.painted_entries = 0  # coloured at the last change, for tests and benchmarks
        self.setFlag(self.GraphicsItemFlag.ItemUsesExtendedStyleOption)  # tells paint what is exposed

    def set_pyramid(self, pyramid: Pyramid | StoredPyramid) -> None:
        """Show ``pyramid``."""
        if self._pyramid is None or pyramid.shape != self._pyramid.shape:
            self.prepareGeometryChange()
        self._pyramid = pyramid
        self.renew()

    def set_colours(self, norm: Norm, table: NDArray[np.uint32]) -> None:
        """Colour values by ``norm`` with ``table`` (see ``norm.quantise``)."""
        self._table = table.tolist()
        if norm != self._norm:
            self._norm, self._key = norm, None
        elif self._image is not None:
            self._image.setColorTable(self._table)
        self.update()

    def place(self, extent: tuple[float, float, float, float]) -> None:
        """Stretch the matrix over (x0, x1, y0, y1), its first row at y1."""
        if self._pyramid is None:
            return
        h, w = self._pyramid.shape
        x0, x1, y0, y1 = extent
        self.setTransform(QTransform.fromTranslate(x0, y1).scale((x1 - x0) / w, -(y1 - y0) / h))

    def renew(self) -> None:
        """The values have changed in place."""
        self._key = None
        self.update()

    def boundingRect(self) -> QRectF:
        """All entries."""
        if self._pyramid is None:
            return QRectF()
        h, w = self._pyramid.shape
        return QRectF(0, 0, w, h)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, _widget: QWidget | None = None) -> None:
        """Colour what is exposed, unless the last image still covers it."""
        exposed = option.exposedRect & self.boundingRect()
        if self._pyramid is None or exposed.isEmpty():
            return
        level = self._pyramid.level_for(_entries_per_pixel(painter))
        self._cover(level, exposed)
        if self._key is None or self._image is None:
            return
        size = 1 << level
        _, i0, i1, j0, j1 = self._key
        h, w = self._pyramid.shape
        target = QRectF(j0 * size, i0 * size, (j1 - j0) * size, (i1 - i0) * size)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.setClipRect(QRectF(0, 0, w, h), Qt.ClipOperation.IntersectClip)  # edge blocks are whole
        painter.drawImage(target, self._image)

    def _cover(self, level: int, exposed: QRectF) -> None:
        assert self._pyramid is not None
        (h, w), size = self._pyramid.size(level), 1 << level
        i0, i1 = max(0, math.floor(exposed.top() / size)), min(h, math.ceil(exposed.bottom() / size))
        j0, j1 = max(0, math.floor(exposed.left() / size)), min(w, math.ceil(exposed.right() / size))
        if i1 <= i0 or j1 <= j0:
            return
        old = self._key
        if old and old[0] == level and old[1] <= i0 and old[2] >= i1 and old[3] <= j0 and old[4] >= j1:
            return
        self._image = self._coloured(self._pyramid.part(level, (i0, i1), (j0, j1)))
        self._key = (level, i0, i1, j0, j1)
        self._painted()

    def _coloured(self, part: Values) -> QImage:
        h, w = part.shape
        line = (w + 3) // 4 * 4  # QImage wants lines of whole words
        if self._buffer.shape != (h, line):
            self._buffer = np.empty((h, line), dtype=np.uint8)
        quantise(part, self._norm, self._buffer[:, :w])
        self.painted_entries = h * w
        image = QImage(self._buffer.data, w, h, line, QImage.Format.Format_Indexed8)
        image.setColorTable(self._table)
        return image


def _entries_per_pixel(painter: QPainter) -> float:
    t = painter.deviceTransform()
    pixels = min(math.hypot(t.m11(), t.m12()), math.hypot(t.m21(), t.m22()))  # per entry
    return 1.0 / max(pixels, 1e-9)
