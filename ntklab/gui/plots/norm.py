"""From values to the entries of a colour table: 0 for NaN, 1 … 255 from low to high."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ntklab.figures.model import Norm

Index = NDArray[np.uint8]
_BLOCK = 1 << 16
LOG_SPAN = 1e-6  # a log norm begins at most this far below its top


def bounds(norm: Norm) -> tuple[float, float]:
    """(low, high) in the coordinate of the colour bar: log₁₀ for log norms."""
    if norm.kind == "log":
        high = norm.high if norm.high > 0 else 1.0
        low = norm.low if norm.low > 0 else high * LOG_SPAN
        return math.log10(min(low, high)), math.log10(high)
    return norm.low, norm.high


def quantise(values: NDArray[np.floating], norm: Norm, out: Index | None = None) -> Index:
    """Entry of the colour table for each of ``values``; ``out`` (same shape) takes the result.

    On a log norm, 0 and negative values have no colour and count as missing.
    """
    index = np.empty(values.shape, dtype=np.uint8) if out is None else out
    rows = max(1, _BLOCK // max(1, values[:1].size))
    for start in range(0, len(values), rows):  # intermediate results stay in the cache
        _quantise(values[start : start + rows], norm, index[start : start + rows])
    return index


def _quantise(values: NDArray[np.floating], norm: Norm, index: Index) -> None:
    low, high = bounds(norm)
    scale = 254.0 / ((high - low) or 1.0)
    below = np.float32(low - 1.5 / scale)  # subtracted before scaling: a narrow range far from 0 keeps its digits
    if norm.kind == "log":
        with np.errstate(divide="ignore", invalid="ignore"):
            scaled = np.log10(values, dtype=np.float32)
        scaled[np.isneginf(scaled)] = np.nan
        scaled -= below
    else:
        scaled = np.subtract(values, below, dtype=np.float32)
    scaled *= np.float32(scale)
    np.clip(scaled, np.float32(1.0), np.float32(255.0), out=scaled)  # NaN stays NaN
    np.fmax(scaled, np.float32(0.0), out=scaled)  # and becomes 0
    np.copyto(index, scaled, casting="unsafe")
