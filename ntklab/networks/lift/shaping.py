"""Operations that move numbers without changing them: views, permutations, slices."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from types import EllipsisType
from typing import Any

from ntklab import spec
from ntklab.networks.lift.axes import joins_all, mixes, regrouped, torch_axis
from ntklab.networks.lift.context import Spot
from ntklab.networks.lift.values import BATCH, Axes, Step, Value

_ALL = (None, None, None)
_KEEP_BATCH = "keep the batch axis first and separate"


def axis_of(spot: Spot, x: Value, dim: int) -> int:
    """torch's ``dim`` as an index into the axes of one sample. Refuses the batch axis."""
    axis = torch_axis(dim, len(x.axes))
    if axis is None:
        spot.refuse(f"there is no axis {dim} among those of {shown(x.sizes)}", "check the input shape")
    if axis == -1:
        spot.refuse("it acts along the batch axis, across samples", _KEEP_BATCH)
    return axis


def is_channel(x: Value, axis: int) -> bool:
    """Whether torch's ``axis`` is the channel axis of ``x``."""
    group = x.axes[axis]
    return x.channel in group and all(x.shape[other] == 1 for other in group if other != x.channel)


def same(_: Spot, x: Value, *__: Any, **___: Any) -> Value:
    """Copies, casts and changes of memory layout."""
    return x


def flattened(place: str, x: Value, axes: Axes) -> Value:
    """``x`` as a vector behind a Flatten; torch's axis with the channels holds it."""
    vector = tuple((0,) if x.channel in group else () for group in axes)
    return x.then(place, Step(spec.Flatten()), axes=vector)


def reshaped(spot: Spot, x: Value, sizes: Sequence[int]) -> Value:
    """torch's ``view`` with the batch axis among ``sizes``."""
    known = prod(size for size in sizes if size != -1)
    total = BATCH * prod(x.sizes)
    full = [total // max(known, 1) if size == -1 else size for size in sizes]
    if not full or full[0] != BATCH:
        reason = f"it joins the batch axis with others or moves it: {shown(x.sizes)} to {_whole(full)}"
        spot.refuse(reason, f"{_KEEP_BATCH}; layers that act on the last axis need no joining")
    axes = regrouped(x.axes, x.shape, full[1:])
    if axes is None:
        reason = f"it splits an axis: {shown(x.sizes)} to {_whole(full)}"
        spot.refuse(reason, "the limit knows channels as a whole (write heads as nn.MultiheadAttention; begin a "
                            "generator with a ConvTranspose on a 1×1 image)")  # fmt: skip
    if joins_all(axes, x.shape):
        return flattened(spot.place, x, axes)
    if mixes(axes, x.shape):
        spot.refuse("it joins channels with some of the positions", "flatten all axes but the batch")
    return x.seen(axes)


def shown(sizes: Sequence[int]) -> str:
    """The sizes of one sample as torch sees a batch of n: "(n, 3, 8, 8)"."""
    return _whole((BATCH, *sizes))


def _whole(sizes: Sequence[int]) -> str:
    words = [str(size) if size % BATCH else "n" if size == BATCH else f"{size // BATCH}·n" for size in sizes]
    return f"({', '.join(words)})"


def view(spot: Spot, x: Value, *shape: Any, size: Any = None) -> Value:
    """``Tensor.view``, ``Tensor.reshape``."""
    given = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple | list) else shape
    sizes = size if size is not None else given
    if not all(isinstance(part, int) for part in sizes):
        spot.refuse("it changes the number format, not the shape", "leave it out")
    return reshaped(spot, x, list(sizes))


def flatten(spot: Spot, x: Value, start_dim: int = 0, end_dim: int = -1) -> Value:
    """``torch.flatten``."""
    start, end = axis_of(spot, x, start_dim), axis_of(spot, x, end_dim)
    sizes = x.sizes
    return reshaped(spot, x, [BATCH, *sizes[:start], prod(sizes[start : end + 1]), *sizes[end + 1 :]])


def unflatten(spot: Spot, x: Value, dim: int, sizes: Sequence[int]) -> Value:
    """``torch.unflatten``."""
    axis = axis_of(spot, x, dim)
    return reshaped(spot, x, [BATCH, *x.sizes[:axis], *sizes, *x.sizes[axis + 1 :]])


def permute(spot: Spot, x: Value, *dims: Any) -> Value:
    """``torch.permute``."""
    order = dims[0] if len(dims) == 1 and isinstance(dims[0], tuple | list) else dims
    if not order or torch_axis(order[0], len(x.axes)) != -1:
        spot.refuse("it moves the batch axis", _KEEP_BATCH)
    return x.seen(tuple(x.axes[axis_of(spot, x, dim)] for dim in order[1:]))


def transpose(spot: Spot, x: Value, dim0: int, dim1: int) -> Value:
    """``torch.transpose``."""
    one, other = axis_of(spot, x, dim0), axis_of(spot, x, dim1)
    order = list(x.axes)
    order[one], order[other] = order[other], order[one]
    return x.seen(tuple(order))


def matrix_transpose(spot: Spot, x: Value) -> Value:
    """``Tensor.mT``."""
    return transpose(spot, x, -2, -1)


def movedim(spot: Spot, x: Value, source: int, destination: int) -> Value:
    """``torch.movedim`` of one axis."""
    if not isinstance(source, int) or not isinstance(destination, int):
        spot.refuse("it moves several axes", "use permute")
    start, end = axis_of(spot, x, source), axis_of(spot, x, destination)
    order = list(x.axes)
    order.insert(end, order.pop(start))
    return x.seen(tuple(order))


def squeeze(spot: Spot, x: Value, dim: int | tuple[int, ...] | None = None) -> Value:
    """``torch.squeeze``."""
    dims = range(-len(x.axes), 0) if dim is None else (dim,) if isinstance(dim, int) else dim
    gone = {axis for axis in (axis_of(spot, x, part) for part in dims) if x.sizes[axis] == 1}
    return settled(spot.place, x.seen(tuple(group for axis, group in enumerate(x.axes) if axis not in gone)))


def unsqueeze(spot: Spot, x: Value, dim: int) -> Value:
    """``torch.unsqueeze``."""
    axis = torch_axis(dim, len(x.axes) + 1)
    if axis is None or axis < 0:
        spot.refuse("it puts an axis before the batch axis", _KEEP_BATCH)
    return x.seen((*x.axes[:axis], (), *x.axes[axis:]))


def settled(place: str, x: Value) -> Value:
    """``x`` as a vector, if only one position is left and torch no longer sees its axes."""
    spatial = set(range(x.channel))
    seen = {axis for group in x.axes for axis in group}
    if spatial and not spatial & seen and all(size == 1 for size in x.shape[:-1]):
        return flattened(place, x, x.axes)
    return x


def getitem(spot: Spot, x: Value, index: Any) -> Value:
    """``x[:, …]``: slices of positions, single positions, new axes."""
    parts = list(index) if isinstance(index, tuple) else [index]
    if not all(part is None or isinstance(part, int | slice | EllipsisType) for part in parts):
        spot.refuse("it picks entries by a list or a tensor", "use slices")
    parts = _spelled_out(parts, len(x.axes) + 1)
    if parts[0] != slice(None):
        spot.refuse("it picks samples from the batch", "write x[:, …]")
    slices: list[tuple[int | None, int | None, int | None]] = [_ALL] * (len(x.shape) + 1)
    axes: list[tuple[int, ...]] = []
    seen = iter(x.axes)
    for part in parts[1:]:
        group = () if part is None else next(seen)
        if part is not None and part != slice(None):
            _take(spot, x, part, group, slices)
        if not isinstance(part, int) or isinstance(part, bool):
            axes.append(group)
    if all(part == _ALL for part in slices):
        return settled(spot.place, x.seen(tuple(axes)))
    return settled(spot.place, x.then(spot.place, Step(spec.Index(tuple(slices))), axes=tuple(axes)))


def _spelled_out(parts: list[Any], rank: int) -> list[Any]:
    """Every axis with its index, and None for new ones."""
    if Ellipsis not in parts:
        parts = [*parts, Ellipsis]
    here = parts.index(Ellipsis)
    named = sum(part is not None and part is not Ellipsis for part in parts)
    return [*parts[:here], *[slice(None)] * (rank - named), *parts[here + 1 :]]


def _take(spot: Spot, x: Value, part: int | slice, group: tuple[int, ...], slices: list[Any]) -> None:
    size = prod(x.shape[axis] for axis in group)
    positions = [part % size] if isinstance(part, int) and -size <= part < size else None
    if isinstance(part, slice):
        positions = list(range(*part.indices(size)))
    if positions == list(range(size)):
        return
    if not positions:
        spot.refuse(f"nothing is left of an axis of {size}", "check the slice")
    if len(group) != 1 or group[0] == x.channel:
        what = "channels" if x.channel in group else "joined axes"
        spot.refuse(f"it takes a part of the {what}", "slice positions only, before they are joined")
    step = positions[1] - positions[0] if len(positions) > 1 else 1
    slices[group[0] + 1] = _slice(positions[0], positions[-1], step, size)


def _slice(first: int, last: int, step: int, size: int) -> tuple[int | None, int | None, int | None]:
    """The plainest (start, stop, step) from ``first`` to ``last``."""
    at_end = last + step >= size if step > 0 else last + step < 0
    begins = 0 if step > 0 else size - 1
    stop = None if at_end else last + (1 if step > 0 else -1)
    return (None if first == begins else first, stop, None if step == 1 else step)


def select(spot: Spot, x: Value, dim: int, index: int) -> Value:
    """``torch.select``."""
    return getitem(spot, x, (*[slice(None)] * (axis_of(spot, x, dim) + 1), index))


def narrow(spot: Spot, x: Value, dim: int, start: int, length: int) -> Value:
    """``torch.narrow``."""
    return getitem(spot, x, (*[slice(None)] * (axis_of(spot, x, dim) + 1), slice(start, start + length)))


def flip(spot: Spot, x: Value, *dims: Any) -> Value:
    """``torch.flip``."""
    order = dims[0] if len(dims) == 1 and isinstance(dims[0], tuple | list) else dims
    slices: list[Any] = [_ALL] * (len(x.shape) + 1)
    for dim in order:
        group = x.axes[axis_of(spot, x, dim)]
        if x.channel in group or len(group) > 1:
            spot.refuse("it reverses channels or joined axes", "reverse axes of positions")
        for axis in group:
            slices[axis + 1] = (None, None, -1)
    return x.then(spot.place, Step(spec.Index(tuple(slices))))


def need_channels(spot: Spot, x: Value, axis: int, channels: int) -> None:
    """``channels`` along torch's ``axis``, which must be that of the channels."""
    if is_channel(x, axis) and x.shape[-1] != channels:
        spot.refuse(f"it takes {channels} channels but gets {x.shape[-1]} of {shown(x.sizes)}", "check the input shape")


def spatial_axes(spot: Spot, x: Value, count: int) -> list[int | None]:
    """The spec's axes of torch's ``count`` spatial ones, behind channels first; None for those the spec lacks."""
    if len(x.axes) != count + 1:
        reason = f"expected {count} spatial axes behind channels, the input is {shown(x.sizes)}"
        spot.refuse(reason, "check the input shape: one sample, channels first, without batch")
    if not is_channel(x, 0) or any(len(group) > 1 for group in x.axes[1:]):
        reason = f"the axis of channels does not come first in {shown(x.sizes)}"
        spot.mislaid(reason, 'give the input channels first, or permute it; see channels="first" and "last"')
    return [group[0] if group else None for group in x.axes[1:]]


def spread(axes: Sequence[int | None], values: Sequence[Any], x: Value, default: Any) -> tuple[Any, ...]:
    """``values`` of torch's spatial axes in the order of the spec's, ``default`` for those that torch does not see."""
    found: list[Any] = [default] * x.channel
    for axis, value in zip(axes, values, strict=True):
        if axis is not None:
            found[axis] = value
    return tuple(found)
