"""Long curves with as few points as the screen can show, and the range of data on an axis."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_POINTS_PER_PIXEL = 2


def transformed(values: NDArray[np.floating], log: bool) -> Array:
    """View coordinates: log₁₀ on a log axis. What cannot be drawn is NaN."""
    found = np.asarray(values, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.where(found > 0, np.log10(found), np.nan) if log else found
    return np.where(np.isfinite(found), found, np.nan)


def thinned(x: Array, y: Array, low: float, high: float, pixels: float) -> tuple[Array, Array]:
    """The part of an ascending curve in [``low``, ``high``] with at most two points a pixel: least and greatest.

    Curves that do not ascend in x, or are short anyway, come back whole.
    """
    if x.size <= 2 * _POINTS_PER_PIXEL * pixels or not high > low or not bool(np.all(x[1:] >= x[:-1])):
        return x, y
    start, stop = max(int(np.searchsorted(x, low)) - 1, 0), min(int(np.searchsorted(x, high, "right")) + 1, x.size)
    x, y = x[start:stop], y[start:stop]
    if x.size <= _POINTS_PER_PIXEL * pixels:
        return x, y
    column = np.floor((x - low) * (pixels / (high - low)))
    starts = np.concatenate([[0], np.flatnonzero(column[1:] != column[:-1]) + 1])
    least, greatest = np.fmin.reduceat(y, starts), np.fmax.reduceat(y, starts)
    return np.repeat(x[starts], 2), np.stack([least, greatest], axis=1).ravel()


def extent(arrays: Iterable[NDArray[np.floating]]) -> tuple[float, float] | None:
    """Least and greatest finite value; None if there is none."""
    lows, highs = [], []
    for array in arrays:
        finite = array[np.isfinite(array)]
        if finite.size:
            lows.append(float(finite.min()))
            highs.append(float(finite.max()))
    return (min(lows), max(highs)) if lows else None


def padded(found: tuple[float, float] | None, share: float, *, log: bool = False) -> tuple[float, float]:
    """``found`` with ``share`` of its length more on each side; something sensible around a point or nothing."""
    if found is None:
        return (0.0, 1.0)
    low, high = found
    least = 1e-9 * max(abs(low), abs(high), 1e-300)
    if high - low <= least:
        margin = 0.5 if log else (0.1 * abs(low) or 0.5)
        return low - margin, high + margin
    margin = share * (high - low)
    return low - margin, high + margin
