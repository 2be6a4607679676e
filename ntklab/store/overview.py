"""A kernel made small enough to be seen at once: means of squares of entries, kept up while tiles arrive."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ntklab.store.layout import Cell, Layout

Image = NDArray[np.float32]
SIDE = 1024


def factor(n1: int, n2: int) -> int:
    """Entries a side that one number of the overview stands for: a power of 2, so that it is a level of a pyramid."""
    step = 1
    while -(-max(n1, n2) // step) > SIDE:
        step *= 2
    return step


def size(n1: int, n2: int) -> tuple[int, int]:
    """Rows and columns of the overview, at most 1024 each."""
    step = factor(n1, n2)
    return -(-n1 // step), -(-n2 // step)


class Overview:
    """Means over the entries that are there yet; squares without any are NaN, and so are those that hold a NaN.

    Takes 12 bytes for each of at most 1024² numbers.
    """

    def __init__(self, layout: Layout) -> None:
        n1, n2 = layout.shape[:2]
        self.step = factor(n1, n2)
        self._sums = np.zeros(size(n1, n2), dtype=np.float64)
        self._counts = np.zeros(size(n1, n2), dtype=np.uint32)

    def add(self, cell: Cell, values: NDArray[np.floating]) -> None:
        """Take in the tile ``cell``, ``values`` (rows, columns), and its mirror image where it has one."""
        (rows, above), (columns, left) = (_pieces(span, self.step) for span in (cell.rows, cell.columns))
        with np.errstate(invalid="ignore", over="ignore"):
            across = np.add.reduceat(values, left, axis=1, dtype=np.float64)
            sums = np.add.reduceat(across, above, axis=0)
            counts = np.outer(_lengths(above, cell.rows), _lengths(left, cell.columns)).astype(np.uint32)
            self._sums[rows, columns] += sums
            self._counts[rows, columns] += counts
            if cell.mirror:
                self._sums[columns, rows] += sums.T
                self._counts[columns, rows] += counts.T

    def image(self) -> Image:
        """(h, w), as it is now."""
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            return (self._sums / self._counts).astype(np.float32)


def _pieces(span: tuple[int, int], step: int) -> tuple[slice, NDArray[np.intp]]:
    """The numbers of the overview that a span of samples touches, and where their parts of it begin."""
    first, last = span[0] // step, (span[1] - 1) // step + 1
    starts = np.maximum(np.arange(first, last) * step, span[0]) - span[0]
    return slice(first, last), starts.astype(np.intp)


def _lengths(starts: NDArray[np.intp], span: tuple[int, int]) -> NDArray[np.intp]:
    return np.diff(np.append(starts, span[1] - span[0]))
