"""Sliding windows: torch's numbers of padding in terms of SAME, VALID and CIRCULAR."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ntklab import spec
from ntklab.networks.lift.context import Spot
from ntklab.networks.lift.shaping import spatial_axes, spread
from ntklab.networks.lift.values import Step, Value
from ntklab.spec.weights import Padding


@dataclass(frozen=True)
class Window:
    """Windows of ``size`` along an axis of ``positions``, ``stride`` apart, with ``padding`` at both ends."""

    positions: int
    size: int
    stride: int = 1
    padding: int = 0

    @property
    def count(self) -> int:
        """How many windows torch has."""
        return (self.positions + 2 * self.padding - self.size) // self.stride + 1

    @property
    def same(self) -> bool:
        """Whether XLA's SAME means the same windows: ⌈n/s⌉ of them, with the smaller half of the padding in front."""
        count = -(-self.positions // self.stride)
        total = max((count - 1) * self.stride + self.size - self.positions, 0)
        return self.count == count and self.padding == total // 2

    @property
    def inside_same(self) -> bool:
        """Whether they are among the windows of SAME with stride 1."""
        return self.padding <= (self.size - 1) // 2 and self.count > 0

    @property
    def among_same(self) -> tuple[int | None, int | None, int | None]:
        """(start, stop, step) of these windows among those of SAME with stride 1."""
        start = (self.size - 1) // 2 - self.padding
        stop = start + (self.count - 1) * self.stride + 1
        open_end = stop + self.stride > self.positions
        return (start or None, None if open_end else stop, None if self.stride == 1 else self.stride)


@dataclass(frozen=True)
class Slide:
    """How windows are written: by padding and strides, and a slice of their positions afterwards if need be."""

    sizes: tuple[int, ...]
    strides: tuple[int, ...]
    padding: Padding
    after: tuple[Step, ...] = ()


def slide(
    spot: Spot,
    x: Value,
    *,
    size: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int] | Literal["same"],
    wrap: bool = False,
) -> Slide:
    """Windows over the spatial axes of ``x``, as torch sees them, channels first.

    A strided window whose padding is not XLA's (3 wide, stride 2, padding 1 on an even number of positions: XLA pads
    behind, torch in front) is every second position of the same window with stride 1: the same function, at the cost of
    the positions in between. Refuses padding of more than half the window.
    """
    same: Padding = "CIRCULAR" if wrap else "SAME"
    axes = spatial_axes(spot, x, len(size))
    if any(axis is None and k != 1 for axis, k in zip(axes, size, strict=True)):
        spot.refuse("the window is larger than the one position there is", "check the input shape")
    sizes, strides = spread(axes, size, x, 1), spread(axes, stride, x, 1)
    if padding == "same":  # torch allows it with stride 1 alone, and means the same
        return Slide(sizes, strides, same)
    paddings = spread(axes, padding, x, 0)
    windows = [Window(*numbers) for numbers in zip(x.shape[:-1], sizes, strides, paddings, strict=True)]
    if not any(window.padding for window in windows):
        return Slide(sizes, strides, "VALID")
    if all(window.same for window in windows):
        return Slide(sizes, strides, same)
    for window in windows:
        if not window.inside_same:
            reason = f"padding={window.padding} with a window of {window.size} on {window.positions} positions"
            most = (window.size - 1) // 2
            spot.refuse(f"{reason} has no counterpart in SAME, VALID or CIRCULAR", f"pad by {most} at most")
    index = spec.Index(((None, None, None), *(window.among_same for window in windows), (None, None, None)))
    return Slide(sizes, (1,) * len(sizes), same, (Step(index),))


def numbers(value: int | Sequence[int], count: int) -> tuple[int, ...]:
    """One number for each of ``count`` axes: torch's "one for all, or one each"."""
    several = (value,) if isinstance(value, int) else tuple(value)
    return several * count if len(several) == 1 else several
