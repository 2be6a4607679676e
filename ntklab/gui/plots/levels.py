"""Pulling at a colour bar: the value that was taken hold of follows the hand."""

from __future__ import annotations

from ntklab.figures.model import Norm
from ntklab.gui.plots.norm import bounds

_NEAREST = 0.04  # of the bar: closer to the fixed end one cannot pull


def pulled(norm: Norm, start: float, now: float) -> Norm:
    """``norm`` after the value at share ``start`` of the bar (0 bottom, 1 top) has been pulled to share ``now``.

    In the upper half the top moves and the bottom stays, in the lower half the other way round; a symmetric norm stays
    symmetric about 0.
    """
    low, high = bounds(norm)
    value = low + start * (high - low)
    if norm.kind == "symmetric":
        reach = abs(now - 0.5)
        if abs(start - 0.5) < _NEAREST or reach < _NEAREST:
            return norm
        high = abs(value) / (2 * reach)
        low = -high
    elif start >= 0.5:
        high = low + (value - low) / max(now, _NEAREST)
    else:
        share = min(now, 1 - _NEAREST)
        low = (value - share * high) / (1 - share)
    return _norm(norm, low, high)


def stretched(norm: Norm, factor: float) -> Norm:
    """``norm`` with its top moved so that it spans ``factor`` times as much."""
    low, high = bounds(norm)
    high = high * factor if norm.kind == "symmetric" else low + (high - low) * factor
    return _norm(norm, -high if norm.kind == "symmetric" else low, high)


def _norm(norm: Norm, low: float, high: float) -> Norm:
    if not high > low:
        return norm
    if norm.kind == "log":
        return Norm("log", 10.0 ** max(low, -300.0), 10.0 ** min(high, 300.0))
    return Norm(norm.kind, low, high)
