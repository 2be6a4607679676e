"""Layouts: which axes of the spec torch's axes are, and how views and permutations change that.

Axes are those of one sample: the batch axis, torch's axis 0, never moves. See ``Value.axes``.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from ntklab.networks.lift.values import Axes, Shape


def layouts(sizes: Shape, channels: str) -> list[tuple[Shape, Axes]]:
    """Shapes of the spec, with the layouts, that an input of ``sizes`` may have: the likeliest first.

    ``channels``: "first" as in torch's convolutions, "last" as in its transformers, "auto" for either.
    """
    rank = len(sizes)
    last: tuple[Shape, Axes] = (sizes, tuple((axis,) for axis in range(rank)))
    if rank == 1:
        return [last]
    first: tuple[Shape, Axes] = ((*sizes[1:], sizes[0]), ((rank - 1,), *((axis,) for axis in range(rank - 1))))
    both = [last, first] if rank == 2 else [first, last]
    return {"first": [first], "last": [last]}.get(channels, both)


def torch_axis(dim: int, rank: int) -> int | None:
    """``dim`` of torch as an index into one sample's axes: -1 for the batch, None for an axis that is not there."""
    index = dim + rank + 1 if dim < 0 else dim
    return index - 1 if 0 <= index <= rank else None


def regrouped(axes: Axes, shape: Shape, sizes: Sequence[int]) -> Axes | None:
    """The layout in which torch sees ``sizes``, with no number moved; None where an axis would have to be split."""
    atoms = [axis for group in axes for axis in group]
    found: list[tuple[int, ...]] = []
    for size in sizes:
        group: list[int] = []
        while atoms and (prod(shape[axis] for axis in group) < size or (size == 1 and not group)):
            if size == 1 and shape[atoms[0]] != 1:
                break
            group.append(atoms.pop(0))
        if prod(shape[axis] for axis in group) != size:
            return None
        found.append(tuple(group))
    if any(shape[axis] != 1 for axis in atoms):
        return None
    if atoms and found:
        found[-1] = (*found[-1], *atoms)
    return tuple(found)


def mixes(axes: Axes, shape: Shape) -> bool:
    """Whether torch sees channels joined with positions, but not all of them."""
    channel = len(shape) - 1
    rest = [axis for group in axes for axis in group if shape[axis] > 1]
    for group in axes:
        others = [axis for axis in group if axis != channel and shape[axis] > 1]
        if channel in group and shape[channel] > 1 and others and len(others) + 1 < len(rest):
            return True
    return False


def joins_all(axes: Axes, shape: Shape) -> bool:
    """Whether torch sees channels and all positions as one axis."""
    channel = len(shape) - 1
    large = {axis for axis in range(len(shape)) if shape[axis] > 1} | {channel}
    return len(shape) > 1 and any(large <= set(group) for group in axes)
