"""What each kind of layer does to the shape of one sample (channels last), and why it cannot: a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from ntklab.spec.attention import SelfAttention
from ntklab.spec.convolution import Conv, ConvLocal, Convolution, ConvTranspose
from ntklab.spec.faults import PlacedError, complaint
from ntklab.spec.layers import Branch, Dense, Flatten, Layer
from ntklab.spec.nested import nested_shape
from ntklab.spec.normalisation import LayerNorm
from ntklab.spec.pooling import AvgPool, GlobalAvgPool, GlobalSumPool, Pool, SumPool
from ntklab.spec.positions import Aggregate, DotGeneral, ImageResize, Index

Shape = tuple[int, ...]
Place = tuple[str, ...]


def after(layer: Layer, shape: Shape, place: Place = ()) -> Shape:
    """Shape of one sample behind ``layer``. Raises ``PlacedError``, at ``place``, if the layer does not fit there."""
    if isinstance(layer, Branch):
        return merged(layer, [_end(branch, shape, place) for branch in layer.branches], place)
    change = _CHANGES.get(type(layer))
    return shape if change is None else change(layer, shape, place)


def _end(branch: Sequence[Layer], shape: Shape, place: Place) -> Shape:
    for layer in branch:
        shape = after(layer, shape, place)
    return shape


def _need_space(shape: Shape, place: Place) -> None:
    if len(shape) < 2:
        advice = "give the network a sequence, an image or a volume, and put this before Flatten and global pools"
        raise complaint(place, "expected spatial axes before this layer", list(shape), advice)


def _need_rank(sizes: Shape, shape: Shape, place: Place) -> None:
    """One of ``sizes`` for each spatial axis."""
    rank = len(shape) - 1
    if len(sizes) != rank:
        reason = f"expected {rank} size{'s' * (rank > 1)}, one for each spatial axis of {list(shape)}"
        raise complaint(place, reason, list(sizes), f"write {[*sizes, *rank * [sizes[-1]]][:rank]}")


def _slid(layer: Convolution | Pool, window: str, shape: Shape, place: Place) -> Shape:
    """Spatial sizes behind a window that slides over them: ⌈n/s⌉, or ⌊(n − k)/s⌋ + 1 without padding."""
    sizes: Shape = getattr(layer, window)
    _need_windows(layer, window, shape, place)
    if layer.padding != "VALID":
        return tuple(-(-n // s) for n, s in zip(shape, layer.strides, strict=False))
    if any(k > n for n, k in zip(shape, sizes, strict=False)):
        reason = f"expected at most {list(shape[:-1])}, the spatial axes of {list(shape)}, without padding"
        raise complaint((*place, window), reason, list(sizes), 'make it smaller or use the padding "SAME"')
    return tuple((n - k) // s + 1 for n, k, s in zip(shape, sizes, layer.strides, strict=False))


def _need_windows(layer: Convolution | Pool, window: str, shape: Shape, place: Place) -> None:
    _need_space(shape, place)
    _need_rank(getattr(layer, window), shape, (*place, window))
    if layer.stride is not None:
        _need_rank(layer.stride, shape, (*place, "stride"))


def _conv(layer: Convolution, shape: Shape, place: Place) -> Shape:
    return (*_slid(layer, "kernel", shape, place), layer.channels)


def _conv_transpose(layer: ConvTranspose, shape: Shape, place: Place) -> Shape:
    _need_windows(layer, "kernel", shape, place)
    valid = layer.padding == "VALID"
    sizes = zip(shape, layer.kernel, layer.strides, strict=False)
    return (*(n * s + (max(k - s, 0) if valid else 0) for n, k, s in sizes), layer.channels)


def _pool(layer: Pool, shape: Shape, place: Place) -> Shape:
    return (*_slid(layer, "window", shape, place), shape[-1])


def _global_pool(_: Layer, shape: Shape, place: Place) -> Shape:
    _need_space(shape, place)
    return shape[-1:]


def _attention(layer: SelfAttention, shape: Shape, place: Place) -> Shape:
    _need_space(shape, place)
    return (*shape[:-1], layer.n_chan_out)


def _resize(layer: ImageResize, shape: Shape, place: Place) -> Shape:
    _need_space(shape, place)
    here = (*place, "shape")
    if len(layer.shape) != len(shape) + 1:
        reason = f"expected {len(shape) + 1} sizes, for batch and the axes of {list(shape)}"
        raise complaint(here, reason, list(layer.shape), "write −1 for batch, for channels and for what stays")
    if layer.shape[0] != -1 or layer.shape[-1] != -1:
        raise complaint(here, "expected −1 for batch and channels", list(layer.shape), "only spatial axes are resized")
    return tuple(n if size == -1 else size for n, size in zip(shape, layer.shape[1:], strict=True))


def _index(layer: Index, shape: Shape, place: Place) -> Shape:
    here = (*place, "slices")
    if len(layer.slices) != len(shape) + 1:
        reason = f"expected {len(shape) + 1} slices, for batch and the axes of {list(shape)}"
        raise complaint(here, reason, f"{len(layer.slices)}", "write [none, none, none] for an axis that stays")
    for number, axis in ((1, "batch"), (len(layer.slices), "channel")):
        start, _, step = part = layer.slices[number - 1]
        if part[1] is not None or start or step not in (None, 1):
            reason = f"expected no slice of the {axis} axis"
            raise complaint((*here, f"entry {number}"), reason, list(part), "write [none, none, none]")
    sizes = tuple(len(indices) for indices in layer.ranges(shape))
    for number, size in enumerate(sizes, start=2):
        if size == 0:
            reason = f"nothing remains of the {shape[number - 2]} positions along this axis"
            raise complaint((*here, f"entry {number}"), reason, list(layer.slices[number - 1]), "take at least one")
    return sizes


def _layer_norm(layer: LayerNorm, shape: Shape, place: Place) -> Shape:
    axes = axis_numbers(layer.axis, shape, (*place, "axis"))
    if len(shape) not in axes:
        raise complaint((*place, "axis"), "expected the channel axis among them", list(layer.axis), "add −1")
    return shape


def _aggregate(layer: Aggregate, shape: Shape, place: Place) -> Shape:
    _need_space(shape, place)
    axes = axis_numbers(layer.axis, shape, (*place, "axis"))
    if not axes or len(shape) in axes:
        advice = "write [1] for the first" if len(shape) == 2 else f"choose from 1 to {len(shape) - 1}"
        raise complaint((*place, "axis"), "expected spatial axes", list(layer.axis), advice)
    return shape


def axis_numbers(axes: Sequence[int], shape: Shape, place: Place = ()) -> Shape:
    """``axes`` of the network's values as numbers from 1 (0 is batch) to ``len(shape)`` (channels).

    Raises ``PlacedError`` for an axis that is not there, that is the batch axis, or that is named twice.
    """
    rank = len(shape)
    found = tuple(axis + rank + 1 if axis < 0 else axis for axis in axes)
    if not all(1 <= axis <= rank for axis in found):
        reason = f"expected axes from 1 to {rank} (0 is batch, {rank} or −1 channels) of {list(shape)}"
        raise complaint(place, reason, list(axes), "the batch axis stays as it is")
    if len(set(found)) < len(found):
        raise complaint(place, "expected each axis once", list(axes), "remove one")
    return found


def _dot_general(layer: DotGeneral, shape: Shape, place: Place) -> Shape:
    own, other = (0, *shape), nested_shape(layer.array)
    here = (*place, "dimension_numbers")
    for name, (mine, theirs) in (("contracted", layer.contracted), ("batch", layer.shared)):
        _need_pairs(name, mine, theirs, own=own, other=other, place=here)
    used, taken = (layer.contracted[side] + layer.shared[side] for side in (0, 1))
    if len(set(used)) < len(used) or len(set(taken)) < len(taken):
        raise complaint(here, "expected each axis once", list(map(list, (used, taken))), "remove one")
    free = [n for axis, n in enumerate(own) if axis not in used and 0 < axis < len(shape)]
    added = [n for axis, n in enumerate(other) if axis not in taken]
    rest = free + added if layer.side == "rhs" else added + free
    return (*(own[axis] for axis in layer.shared[0]), *rest, shape[-1])


def _need_pairs(name: str, mine: Shape, theirs: Shape, *, own: Shape, other: Shape, place: Place) -> None:
    """Axes of the network's values and of the array that go together have equal sizes."""
    if len(mine) != len(theirs):
        reason = f"expected as many {name} axes on the left as on the right"
        raise complaint(place, reason, [list(mine), list(theirs)], "name them in pairs")
    if any(not 0 < axis < len(own) - 1 for axis in mine):
        spatial = f"from 1 to {len(own) - 2}" if len(own) > 2 else "that the network's values do not have here"
        reason = f"expected {name} axes of the network's values {spatial}, the spatial ones of {list(own[1:])}"
        raise complaint(place, reason, list(mine), "batch and channels stay as they are")
    if any(axis >= len(other) for axis in theirs):
        reason = f"expected {name} axes of the array of shape {list(other)}"
        raise complaint(place, reason, list(theirs), "the first is 0")
    sizes, given = [own[axis] for axis in mine], [other[axis] for axis in theirs]
    if sizes != given:
        reason = f"expected sizes {sizes} along the {name} axes of the array, as the network's values have"
        raise complaint(place, reason, given, "change the array or the axes")


_CHANGES: dict[type[Any], Callable[[Any, Shape, Place], Shape]] = {
    Dense: lambda layer, shape, _: (*shape[:-1], layer.width),
    Flatten: lambda _, shape, __: (prod(shape),),
    Conv: _conv, ConvLocal: _conv, ConvTranspose: _conv_transpose,
    AvgPool: _pool, SumPool: _pool, GlobalAvgPool: _global_pool, GlobalSumPool: _global_pool,
    LayerNorm: _layer_norm, SelfAttention: _attention,
    ImageResize: _resize, Index: _index, DotGeneral: _dot_general, Aggregate: _aggregate,
}  # fmt: skip


def merged(layer: Branch, ends: list[Shape], place: Place = ()) -> Shape:
    """The shape behind ``layer`` whose branches end in ``ends``. Raises ``PlacedError`` if they do not fit."""
    return _concatenated(layer, ends, place) if layer.merge == "concat" else _equal(layer, ends, place)


def _equal(layer: Branch, ends: list[Shape], place: Place) -> Shape:
    if len(set(ends)) > 1:
        reason = f"branches to {layer.merge} must end in one shape"
        spatial = len({end[:-1] for end in ends}) > 1
        advice = 'use the padding "SAME" and equal strides in all' if spatial else "make widths equal"
        raise PlacedError(place, f"{reason}, got {_listed(ends)}; {advice}")
    return ends[0]


def _concatenated(layer: Branch, ends: list[Shape], place: Place) -> Shape:
    rank = len(ends[0])
    if any(len(end) != rank for end in ends):
        reason = "branches to concat must have equally many axes"
        raise PlacedError(place, f"{reason}, got {_listed(ends)}; flatten them all")
    axis = concat_axis(layer, rank, place)
    if len({end[:axis] + end[axis + 1 :] for end in ends}) > 1:
        raise PlacedError(place, f"branches to concat must agree in all axes but {axis - rank}, got {_listed(ends)}; "
                           "make their sizes equal")  # fmt: skip
    return (*ends[0][:axis], sum(end[axis] for end in ends), *ends[0][axis + 1 :])


def _listed(ends: list[Shape]) -> str:
    return " and ".join(str(list(end)) for end in ends)


def concat_axis(layer: Branch, rank: int, place: Place = ()) -> int:
    """The axis along which branches stand side by side, from 0 among one sample's ``rank`` axes (in specs 0 is batch).

    Raises ``PlacedError`` for an axis that is not there.
    """
    given = -1 if layer.axis is None else layer.axis
    index = given + rank if given < 0 else given - 1
    if not 0 <= index < rank:
        allowed = "-1" if rank == 1 else f"from {-rank} to -1"
        raise complaint((*place, "axis"), f"expected {allowed}", given, "use -1 for channels")
    return index
