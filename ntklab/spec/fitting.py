"""Widths that follow from others: branches that are added or multiplied must end in one shape."""

from __future__ import annotations

from ntklab.spec.faults import PlacedError
from ntklab.spec.layers import Branch, Layer, own_width, resized
from ntklab.spec.transitions import Shape, after, concat_axis

Stack = tuple[Layer, ...]


def follow(layers: Stack, shape: Shape) -> Stack:
    """``layers`` with the last layer with weights of each branch resized where branches must agree in their channels.

    They must when they are added, multiplied, or put side by side along a spatial axis. A branch without such layers
    (the identity) has the width of its input and decides; without such a branch the first one decides. ``shape`` is
    that of one sample before the first layer. Shapes that cannot be repaired stay as they are and are refused by
    ``layer_shapes``.
    """
    fitted: list[Layer] = []
    for layer in layers:
        try:
            fitted.append(_branch(layer, shape) if isinstance(layer, Branch) else layer)
            shape = after(fitted[-1], shape)
        except PlacedError:
            break
    return (*fitted, *layers[len(fitted) :])


def _branch(layer: Branch, shape: Shape) -> Branch:
    branches = tuple(follow(branch, shape) for branch in layer.branches)
    if not _joins_channels(layer, shape):
        rigid = [branch for branch in branches if _last_weights(branch) is None]
        width = _end((*rigid, *branches)[0], shape)[-1]
        branches = tuple(branch if branch in rigid else _closed(branch, shape, width) for branch in branches)
    return layer.replace(branches=branches)  # type: ignore[no-any-return]


def _joins_channels(layer: Branch, shape: Shape) -> bool:
    if layer.merge != "concat":
        return False
    rank = len(_end(layer.branches[0], shape))
    return concat_axis(layer, rank) == rank - 1


def _closed(branch: Stack, shape: Shape, width: int) -> Stack:
    last = _last_weights(branch)
    assert last is not None
    return follow((*branch[:last], resized(branch[last], width), *branch[last + 1 :]), shape)


def _last_weights(branch: Stack) -> int | None:
    return max((index for index, layer in enumerate(branch) if own_width(layer) is not None), default=None)


def _end(branch: Stack, shape: Shape) -> Shape:
    for layer in branch:
        shape = after(layer, shape)
    return shape
