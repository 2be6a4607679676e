"""Means and sums over positions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ntklab import spec
from ntklab.networks.lift.context import Spot
from ntklab.networks.lift.shaping import axis_of, settled, spatial_axes, spread
from ntklab.networks.lift.values import Axes, Step, Value
from ntklab.networks.lift.windows import numbers, slide

Numbers = int | Sequence[int]


def mean(spot: Spot, input: Value, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Value:  # noqa: ARG001
    """The mean over some axes: GlobalAvgPool over all positions, else AvgPool."""
    return _over(spot, input, dim, keepdim, summed=False)


def total(spot: Spot, input: Value, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Value:  # noqa: ARG001
    """The sum over some axes: GlobalSumPool over all positions, else SumPool."""
    return _over(spot, input, dim, keepdim, summed=True)


def _over(spot: Spot, x: Value, dim: Any, keepdim: bool, *, summed: bool) -> Value:
    if dim is None:
        spot.refuse("it pools over the batch too", "name the axes of positions: dim=(2, 3)")
    dims = (dim,) if isinstance(dim, int) else tuple(dim)
    gone = {axis_of(spot, x, part) for part in dims}
    pooled = {axis for position in gone for axis in x.axes[position]}
    if x.channel in pooled and x.shape[-1] > 1:
        spot.mislaid("it pools over channels", "use a layer with weights; pool over positions only")
    axes: Axes = tuple(
        () if position in gone else group for position, group in enumerate(x.axes) if keepdim or position not in gone
    )
    return _pooled(spot, x, pooled - {x.channel}, axes, summed=summed)


def _pooled(spot: Spot, x: Value, pooled: set[int], axes: Axes, *, summed: bool) -> Value:
    if not pooled:
        return settled(spot.place, x.seen(axes))
    if all(axis in pooled or x.shape[axis] == 1 for axis in range(x.channel)):
        layer: spec.Layer = spec.GlobalSumPool() if summed else spec.GlobalAvgPool()
        return x.then(spot.place, Step(layer), axes=tuple((0,) if x.channel in group else () for group in axes))
    window = tuple(x.shape[axis] if axis in pooled else 1 for axis in range(x.channel))
    part: spec.Layer = spec.SumPool(window) if summed else spec.AvgPool(window)
    return x.then(spot.place, Step(part), axes=axes)


def adaptive_average(spot: Spot, input: Value, output_size: Any) -> Value:
    """``adaptive_avg_pool1d`` to ``3d``: over everything, or over windows of equal size."""
    rank = len(input.axes) - 1
    axes = spatial_axes(spot, input, rank)
    wanted = numbers(output_size, rank) if output_size is not None else (None,) * rank
    sizes = input.sizes[1:]
    wanted = tuple(size if out is None else out for out, size in zip(wanted, sizes, strict=True))
    if all(out == 1 for out in wanted):
        return mean(spot, input, tuple(range(2, rank + 2)), keepdim=True)
    if any(size % out for size, out in zip(sizes, wanted, strict=True)):
        reason = f"{list(sizes)} positions do not divide into {list(wanted)} windows of equal size"
        spot.refuse(reason, "choose an output size that divides the input's, or 1")
    window = spread(axes, [size // out for size, out in zip(sizes, wanted, strict=True)], input, 1)
    return input if set(window) == {1} else input.then(spot.place, Step(spec.AvgPool(window, window)))


def average(
    spot: Spot,
    input: Value,
    kernel_size: Numbers,
    stride: Numbers | None = None,
    padding: Numbers = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Value:
    """``avg_pool1d`` to ``3d``: AvgPool, and a slice of its positions where torch pads otherwise than XLA."""
    rank = len(input.axes) - 1
    size, pads = numbers(kernel_size, rank), numbers(padding, rank)
    strides = numbers(stride or size, rank)
    if divisor_override is not None:
        spot.refuse(f"divisor_override={divisor_override}", "leave it out, and multiply by a number instead")
    whole = zip(input.sizes[1:], size, strides, pads, strict=True)
    if ceil_mode and any((n + 2 * p - k) % s for n, k, s, p in whole):
        spot.refuse("ceil_mode=True lets the last windows hang over the edge", "use ceil_mode=False")
    window = slide(spot, input, size=size, stride=strides, padding=pads)
    layer = spec.AvgPool(
        window.sizes, None if set(window.strides) == {1} else window.strides, window.padding,
        normalize_edges=window.padding != "VALID" and not count_include_pad,
    )  # fmt: skip
    return input.then(spot.place, Step(layer), *window.after)
