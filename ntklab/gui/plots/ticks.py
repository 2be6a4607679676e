"""Where an axis has ticks and what they say. Pure functions; positions are in view coordinates (log₁₀ on log axes)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_STEPS = (1.0, 2.0, 5.0)
_PLAIN_LOW, _PLAIN_HIGH = -3, 4  # exponents of the powers of ten that are written out
_MINOR_DECADES = 8
_FEW_DECADES = 3  # with fewer, numbers between the powers of ten get labels too
_STRIDES = (1, 2, 3, 5, 10, 20, 50, 100, 200, 1000)


@dataclass(frozen=True)
class Ticks:
    """``at`` has ``labels``; ``minor`` ticks have none."""

    at: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()
    minor: tuple[float, ...] = ()


def linear(low: float, high: float, most: int) -> Ticks:
    """At most ``most`` ticks at multiples of 1, 2 or 5 times a power of ten."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return Ticks()
    step = _step((high - low) / max(most, 1))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    values = [k * step for k in range(first, last + 1)]
    while len(values) > max(most, 1):  # both ends counted, there may be one too many
        step = _step(step * 1.01)
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        values = [k * step for k in range(first, last + 1)]
    return Ticks(tuple(values), tuple(_labels(values, step)))


def log(low: float, high: float, most: int) -> Ticks:
    """Ticks of a log axis from 10^``low`` to 10^``high``: decades, thinned to ``most``; parts of one if zoomed in."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return Ticks()
    first, last = math.ceil(low - 1e-9), math.floor(high + 1e-9)
    if last - first + 1 > max(_FEW_DECADES, most) or last - first >= _FEW_DECADES:
        stride = next(s for s in _STRIDES if (last - first + 1) / s <= max(most, 2))
        at = [d for d in range(first, last + 1) if d % stride == 0]
        return Ticks(tuple(map(float, at)), _decade_labels([(1, d) for d in at]), _minor(low, high, stride))
    return _within_decades(low, high, most)


def cells(low: float, high: float, count: int, most: int, name: Callable[[int], str]) -> Ticks:
    """Ticks in the middle of cells (cell k covers [k, k+1]) called ``name(k)``."""
    span = max(high - low, 1e-9)
    step = max(1, math.ceil(_step(span / max(most, 1)) - 1e-9))
    first = max(0, math.floor(low))
    start = first + (-first) % step
    at = [k for k in range(start, min(count, math.ceil(high)) + 1) if low <= k + 0.5 <= high and k < count]
    at = [k for k in at if k % step == 0]
    return Ticks(tuple(k + 0.5 for k in at), tuple(name(k) for k in at))


def without_overlap(
    make: Callable[[int], Ticks],
    *,
    most: int,
    place: Callable[[float], float],
    size: Callable[[str], float],
    gap: float,
) -> Ticks:
    """The richest of ``make(most)``, ``make(most − 1)``, … whose labels keep ``gap`` pixels from each other."""
    for wanted in range(most, 1, -1):
        ticks = make(wanted)
        if not overlaps(ticks, place, size, gap):
            return ticks
    ticks = make(1)
    return Ticks(ticks.at[:1], ticks.labels[:1], ticks.minor)


def overlaps(ticks: Ticks, place: Callable[[float], float], size: Callable[[str], float], gap: float) -> bool:
    """Whether two labels, each centred on its tick, come closer than ``gap`` pixels."""
    spans = sorted((place(at) - size(label) / 2, place(at) + size(label) / 2)
                   for at, label in zip(ticks.at, ticks.labels, strict=True))  # fmt: skip
    return any(after[0] - before[1] < gap for before, after in pairwise(spans))


def _step(least: float) -> float:
    """The smallest of 1, 2, 5 × 10^k that is at least ``least``."""
    power = 10.0 ** math.floor(math.log10(least))
    return next((s * power for s in _STEPS if s * power >= least * (1 - 1e-9)), 10 * power)


def _labels(values: list[float], step: float) -> list[str]:
    largest = max((abs(v) for v in values), default=0.0)
    if largest >= 1e5 or (0 < largest < 1e-3):
        exponent = math.floor(math.log10(largest) + 1e-9)
        decimals = max(0, exponent - math.floor(math.log10(step) + 1e-9))
        return [_minus(f"{v / 10.0**exponent:.{decimals}f}×10{_raised(exponent)}") if v else "0" for v in values]
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return [_minus(f"{v:.{decimals}f}") if v else "0" for v in values]


def _decade_labels(parts: list[tuple[int, int]]) -> tuple[str, ...]:
    """Labels of mantissa × 10^exponent, written out where all are of common size."""
    if all(_PLAIN_LOW <= e < _PLAIN_HIGH or (m, e) == (1, _PLAIN_HIGH) for m, e in parts):
        return tuple(f"{m * 10.0**e:.{max(0, -e)}f}" for m, e in parts)
    return tuple((f"{m}×" if m != 1 else "") + f"10{_raised(e)}" for m, e in parts)


def _minor(low: float, high: float, stride: int) -> tuple[float, ...]:
    decades = range(math.floor(low), math.ceil(high) + 1)
    if stride > 1:
        return tuple(float(d) for d in decades if d % stride and low <= d <= high)
    if len(decades) > _MINOR_DECADES:
        return ()
    fine = (d + math.log10(m) for d in decades for m in range(2, 10))
    return tuple(v for v in fine if low <= v <= high)


def _within_decades(low: float, high: float, most: int) -> Ticks:
    for mantissas in (range(1, 10), (1, 2, 3, 5), (1, 2, 5), (1, 3), (1,)):
        parts = [(m, d) for d in range(math.floor(low), math.ceil(high) + 1) for m in mantissas]
        parts = [(m, d) for m, d in parts if low - 1e-9 <= d + math.log10(m) <= high + 1e-9]
        if 2 <= len(parts) <= max(most, 2):
            at = tuple(d + math.log10(m) for m, d in parts)
            return Ticks(at, _decade_labels(parts), _minor(low, high, 1))
    real = linear(10.0 ** min(low, 300.0), 10.0 ** min(high, 301.0), most)  # zoomed in deep
    shown = [(math.log10(v), label) for v, label in zip(real.at, real.labels, strict=True) if v > 0]
    return Ticks(tuple(at for at, _ in shown), tuple(label for _, label in shown))


def _raised(exponent: int) -> str:
    return str(exponent).translate(_SUPERSCRIPT)


def _minus(text: str) -> str:
    return text.replace("-", "−")
