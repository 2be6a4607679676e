"""A matrix at halved and halved again resolutions, so that a large heat map is drawn from few numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
Where = tuple[int, int] | NDArray[np.intp]
_STRIP = 512


@dataclass(frozen=True, eq=False)
class Pyramid:
    """``levels[0]`` (h, w) float32 and each next one half as large (rounded up): means of 2×2 blocks.

    A block with a NaN is NaN, so that a faulty entry stays visible at every size. Levels are written in place by
    ``paste``: readers on another thread may see a picture that is half new, never a broken one.
    """

    levels: tuple[Image, ...]

    @property
    def shape(self) -> tuple[int, int]:
        """(h, w) of the matrix itself."""
        h, w = self.levels[0].shape
        return h, w

    def size(self, level: int) -> tuple[int, int]:
        """(h, w) of a level."""
        h, w = self.levels[level].shape
        return h, w

    def part(self, level: int, rows: tuple[int, int], columns: tuple[int, int]) -> Image:
        """Values of a level (rows, columns)."""
        return self.levels[level][slice(*rows), slice(*columns)]

    def level_for(self, values_per_pixel: float) -> int:
        """The coarsest level that still has a value for every pixel when a pixel spans that many entries."""
        finest = max(values_per_pixel, 1.0)
        return min(len(self.levels) - 1, int(np.floor(np.log2(finest) + 1e-6)))

    def paste(self, rows: Where, columns: Where, values: NDArray[np.floating]) -> None:
        """Put ``values`` at ``rows`` × ``columns``, each (start, stop) or positions, and renew what lies above."""
        if isinstance(rows, tuple) and isinstance(columns, tuple):
            self.levels[0][slice(*rows), slice(*columns)] = values
        else:
            self.levels[0][np.ix_(_positions(rows), _positions(columns))] = values
        self._renew(_span(rows), _span(columns))

    def _renew(self, rows: tuple[int, int], columns: tuple[int, int]) -> None:
        for source, target in zip(self.levels, self.levels[1:], strict=False):
            rows, columns = _even(rows, source.shape[0]), _even(columns, source.shape[1])
            above = _half(rows), _half(columns)
            halve(source[slice(*rows), slice(*columns)], target[slice(*above[0]), slice(*above[1])])
            rows, columns = above


def build(values: NDArray[np.floating], *, smallest: int = 256) -> Pyramid:
    """The pyramid of ``values`` (h, w), down to a level with at most ``smallest`` rows and columns.

    Takes about 30 ms for 4096², so call it off the GUI thread. A float32 C-ordered array becomes level 0 without a
    copy: ``paste`` then writes into it.
    """
    levels = [np.ascontiguousarray(values, dtype=np.float32)]
    while max(levels[-1].shape) > max(smallest, 1):
        source = levels[-1]
        h, w = source.shape
        target = np.empty(((h + 1) // 2, (w + 1) // 2), dtype=np.float32)
        for start in range(0, h, _STRIP):  # strips stay in the cache
            halve(source[start : start + _STRIP], target[start // 2 : (start + _STRIP) // 2])
        levels.append(target)
    return Pyramid(tuple(levels))


def empty(shape: tuple[int, int], *, smallest: int = 256) -> Pyramid:
    """A pyramid of ``shape`` with nothing computed yet."""
    return build(np.full(shape, np.nan, dtype=np.float32), smallest=smallest)


def halve(source: Image, target: Image) -> None:
    """Write the means of the 2×2 blocks of ``source`` (h, w) to ``target`` (⌈h/2⌉, ⌈w/2⌉); edge blocks are smaller."""
    h, w = source.shape
    H, W = h // 2, w // 2
    inner = target[:H, :W]
    np.add(source[0 : 2 * H : 2, 0 : 2 * W : 2], source[0 : 2 * H : 2, 1 : 2 * W : 2], out=inner)
    inner += source[1 : 2 * H : 2, 0 : 2 * W : 2]
    inner += source[1 : 2 * H : 2, 1 : 2 * W : 2]
    inner *= np.float32(0.25)
    if w % 2:
        target[:H, W] = (source[0 : 2 * H : 2, -1] + source[1 : 2 * H : 2, -1]) * np.float32(0.5)
    if h % 2:
        target[H, :W] = (source[-1, 0 : 2 * W : 2] + source[-1, 1 : 2 * W : 2]) * np.float32(0.5)
    if h % 2 and w % 2:
        target[H, W] = source[-1, -1]


def _positions(where: Where) -> NDArray[np.intp]:
    return np.arange(*where) if isinstance(where, tuple) else where


def _span(where: Where) -> tuple[int, int]:
    if isinstance(where, tuple):
        return where
    return (int(where.min()), int(where.max()) + 1) if where.size else (0, 0)


def _even(span: tuple[int, int], size: int) -> tuple[int, int]:
    """``span`` widened to whole blocks of two."""
    return span[0] // 2 * 2, min(size, (span[1] + 1) // 2 * 2)


def _half(span: tuple[int, int]) -> tuple[int, int]:
    return span[0] // 2, (span[1] + 1) // 2
