"""Images made larger or smaller: torch's interpolation where ImageResize, which is that of XLA, gives the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ntklab import spec
from ntklab.networks.lift.context import Spot
from ntklab.networks.lift.shaping import spatial_axes
from ntklab.networks.lift.values import Step, Value
from ntklab.networks.lift.windows import numbers

_LINEAR = ("linear", "bilinear", "trilinear")


def interpolate(
    spot: Spot,
    input: Value,
    size: int | Sequence[int] | None = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,  # noqa: ARG001 (sizes are whole)
    antialias: bool = False,
) -> Value:
    """``torch.nn.functional.interpolate``: nearest, by whole factors, and linear between pixel centres."""
    axes = spatial_axes(spot, input, len(input.axes) - 1)
    before = input.sizes[1:]
    after = _sizes(spot, before, size, scale_factor)
    if align_corners:
        spot.refuse("align_corners=True interpolates between corners", "use align_corners=False")
    if mode not in (*_LINEAR, "nearest", "nearest-exact"):
        spot.refuse(f"mode={mode!r} has no rule", "use 'nearest' or 'bilinear'")
    if mode == "nearest" and any(m % n for n, m in zip(before, after, strict=True)):
        spot.refuse(f"mode='nearest' from {list(before)} to {list(after)} takes other pixels than the nearest",
                    "use whole factors, or mode='nearest-exact'")  # fmt: skip
    if after == before:
        return input
    shape = [-1] * (len(input.shape) + 1)
    for axis, wanted in zip(axes, after, strict=True):
        if axis is None:
            spot.refuse("it enlarges a single position that the architecture has no axis for", "do not pool before it")
        shape[axis + 1] = wanted
    method = "linear" if mode in _LINEAR else "nearest"
    return input.then(spot.place, Step(spec.ImageResize(tuple(shape), method, antialias)))  # type: ignore[arg-type]


def _sizes(spot: Spot, before: tuple[int, ...], size: Any, scale_factor: Any) -> tuple[int, ...]:
    if size is not None:
        return numbers(size, len(before))
    factors = (scale_factor,) * len(before) if isinstance(scale_factor, int | float) else tuple(scale_factor)
    wanted = [n * factor for n, factor in zip(before, factors, strict=True)]
    if any(part != int(part) for part in wanted):
        spot.refuse(f"scale_factor={scale_factor} does not give whole sizes of {list(before)}", "give the size")
    return tuple(int(part) for part in wanted)
