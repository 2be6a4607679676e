"""Widths that follow from others: branches that are added or multiplied must end in one shape."""

from __future__ import annotations

from math import prod

from ntklab.spec.layers import Branch, Dense, Flatten, Layer

Shape = tuple[int, ...]
Stack = tuple[Layer, ...]


def follow(layers: Stack, shape: Shape) -> Stack:
    """``layers`` with the last dense layer of each summed or multiplied branch resized to fit the others.

    A branch without dense layers (the identity) has the width of its input and decides; without such a branch the first
    one decides. ``shape`` is that of one sample before the first layer. Shapes that cannot be repaired stay as they are
    and are refused by ``layer_shapes``.
    """
    fitted = []
    for layer in layers:
        layer = _branch(layer, shape) if isinstance(layer, Branch) else layer
        fitted.append(layer)
        shape = _after(layer, shape)
    return tuple(fitted)


def _branch(layer: Branch, shape: Shape) -> Branch:
    branches = tuple(follow(branch, shape) for branch in layer.branches)
    if layer.merge != "concat":
        rigid = [branch for branch in branches if _last_dense(branch) is None]
        width = _end((*rigid, *branches)[0], shape)[-1]
        branches = tuple(branch if branch in rigid else _closed(branch, shape, width) for branch in branches)
    return layer.replace(branches=branches)  # type: ignore[no-any-return]


def _closed(branch: Stack, shape: Shape, width: int) -> Stack:
    last = _last_dense(branch)
    assert last is not None
    resized = branch[last].replace(width=width)
    return follow((*branch[:last], resized, *branch[last + 1 :]), shape)


def _last_dense(branch: Stack) -> int | None:
    return max((index for index, layer in enumerate(branch) if isinstance(layer, Dense)), default=None)


def _end(branch: Stack, shape: Shape) -> Shape:
    for layer in branch:
        shape = _after(layer, shape)
    return shape


def _after(layer: Layer, shape: Shape) -> Shape:
    """The shape after ``layer``, taking for granted that branches fit."""
    if isinstance(layer, Dense):
        return (*shape[:-1], layer.width)
    if isinstance(layer, Flatten):
        return (prod(shape),)
    if not isinstance(layer, Branch):
        return shape
    ends = [_end(branch, shape) for branch in layer.branches]
    if layer.merge == "concat":
        return (*ends[0][:-1], sum(end[-1] for end in ends))
    return ends[0]
