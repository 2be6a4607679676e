"""From values to the range of a colour bar, without being ruled by a few outliers."""

from __future__ import annotations

import numpy as np

from ntklab.figures.model import Array, Norm

_SAMPLE = 1 << 20


def robust(values: Array) -> Norm:
    """A linear norm over the finite ``values``.

    It covers them all unless some lie further from the central 99 % than half its span; those saturate.
    """
    finite = _finite(values)
    if finite.size == 0:
        return Norm("linear", 0.0, 1.0)
    low, high = (float(q) for q in np.percentile(finite, (0.5, 99.5)))
    slack = 0.5 * (high - low) or np.inf
    low, high = max(float(finite.min()), low - slack), min(float(finite.max()), high + slack)
    return Norm("linear", *_apart(low, high))


def symmetric(values: Array) -> Norm:
    """A norm symmetric about 0 over the finite ``values``, with the same rule for outliers."""
    finite = np.abs(_finite(values))
    if finite.size == 0:
        return Norm("symmetric", -1.0, 1.0)
    high = min(float(finite.max()), 1.5 * float(np.percentile(finite, 99.5)) or np.inf)
    high = high if high > 0 else 1.0
    return Norm("symmetric", -high, high)


def clipped(values: Array, norm: Norm) -> tuple[bool, bool]:
    """Whether some ``values`` lie below and above the range of ``norm``."""
    finite = _finite(values)
    margin = 1e-9 * (norm.high - norm.low)
    return bool((finite < norm.low - margin).any()), bool((finite > norm.high + margin).any())


def _finite(values: Array) -> Array:
    """The finite values; of more than a million, an even subset with both extremes."""
    flat = np.ravel(values)
    if flat.size > _SAMPLE:
        step = flat.size // _SAMPLE | 1  # odd, so that columns of an even matrix are not skipped
        with np.errstate(invalid="ignore"):
            extremes = np.array([np.fmin.reduce(flat), np.fmax.reduce(flat)], dtype=flat.dtype)
        flat = np.concatenate([flat[::step], extremes])
    return np.asarray(flat[np.isfinite(flat)], dtype=np.float64)


def _apart(low: float, high: float) -> tuple[float, float]:
    """A range of some width around a constant."""
    if high > low:
        return low, high
    margin = 0.5 * abs(low) or 1.0
    return low - margin, high + margin
