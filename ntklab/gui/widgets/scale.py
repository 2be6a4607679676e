"""The mapping between the integer positions of a slider and the values they stand for."""

from __future__ import annotations

import math
from dataclasses import dataclass

# The most that a slider's value may differ from the position of its handle is half a position.
POSITIONS = 200


@dataclass(frozen=True)
class Scale:
    """Values from ``minimum`` to ``maximum`` on positions 0 to ``positions``; ``log`` makes equal ratios equal steps.

    Values at positions are rounded: to whole numbers where ``integer``, else to multiples of ``step`` (linear) or to
    two significant digits (log).
    """

    minimum: float
    maximum: float
    integer: bool = False
    log: bool = False
    step: float = 1.0
    positions: int = POSITIONS

    def at(self, position: int) -> int | float:
        """The value at ``position``."""
        share = min(max(position / self.positions, 0.0), 1.0)
        if self.log:
            value = self._least * (self.maximum / self._least) ** share
            return round(value) if self.integer else float(f"{value:.2g}")
        value = self.minimum + share * (self.maximum - self.minimum)
        if self.integer:
            return round(value)
        return float(f"{self.minimum + round((value - self.minimum) / self.step) * self.step:.12g}")

    def position(self, value: float) -> int:
        """The position nearest to ``value``; the ends stand for what lies beyond them."""
        return round(self.share(value) * self.positions)

    def share(self, value: float) -> float:
        """Where ``value`` lies between the ends, from 0 to 1."""
        inside = min(max(value, self._least), self.maximum)
        if self.log:
            return math.log(inside / self._least) / math.log(self.maximum / self._least)
        return (inside - self.minimum) / (self.maximum - self.minimum)

    @property
    def _least(self) -> float:
        return max(self.minimum, 1e-12) if self.log else self.minimum


def stepped(value: float, steps: int, *, scale: Scale) -> int | float:
    """``value`` after ``steps`` presses of an arrow key: multiples of the step, or 1-2-5 and doubling on log scales."""
    if not scale.log:
        raw = value + steps * (scale.step if not scale.integer else max(1, round(scale.step)))
        return round(raw) if scale.integer else float(f"{raw:.12g}")
    for _ in range(abs(steps)):
        value = _neighbour(value, up=steps > 0, doubling=scale.integer)
    return max(1, round(value)) if scale.integer else value


def _neighbour(value: float, *, up: bool, doubling: bool) -> float:
    if value <= 0:
        return 1.0 if up else value
    if doubling:
        exponent = math.log2(value)
        return float(2.0 ** (math.floor(exponent + 1e-9) + 1 if up else math.ceil(exponent - 1e-9) - 1))
    decade = math.floor(math.log10(value))
    ladder = [mantissa * 10.0**power for power in (decade - 1, decade, decade + 1) for mantissa in (1, 2, 5)]
    above = [float(f"{rung:.12g}") for rung in ladder if (rung > value * (1 + 1e-9))]
    below = [float(f"{rung:.12g}") for rung in ladder if (rung < value * (1 - 1e-9))]
    return above[0] if up else below[-1]
