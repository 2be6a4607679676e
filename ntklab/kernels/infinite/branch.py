"""Parallel branches with independent weights, and how their ends merge."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from ntklab import spec
from ntklab.errors import NoRuleError
from ntklab.kernels.infinite.form import Form
from ntklab.kernels.infinite.state import Context, Cost, State, Step

Ends = Sequence[Tensor | None]


class Merge(Step):
    """Runs every branch on the same tile and merges the ends.

    sum: S and T add. concat on channels: their means, weighted by width; on a spatial axis: blocks, with zeros between
    positions of different branches. prod: S = Π S_i and, by the product rule, T = Σ_i T_i Π_{j≠i} S_j.
    """

    def __init__(self, layer: spec.Branch, branches: Sequence[Step], before: Form, context: Context) -> None:
        ends = [branch.after for branch in branches]
        axis = _spatial_axis(layer, ends[0])
        super().__init__(before, _merged(layer.merge, ends, axis), context)
        self.branches = branches
        self._widths = [end.width for end in ends]
        self._join = self._joiner(layer.merge, axis)

    def alone(self, state: State) -> State:
        return self._each(state, lambda branch, copy: branch.alone(copy))

    def run(self, state: State) -> State:
        return self._each(state, lambda branch, copy: branch.run(copy))

    def settle(self) -> None:
        total = Cost()
        for branch in self.branches:
            branch.settle()
            total = total.then(branch.cost)
        copies = (len(self.branches) - 1) * self.context.kinds * max(self.before.entries, self.after.entries)
        nanoseconds = total.nanoseconds + 2 * len(self.branches) * self.after.entries
        self.cost = replace(total, nanoseconds=nanoseconds, held=total.held + copies)
        self.notes = tuple(note for branch in self.branches for note in branch.notes)

    @property
    def crosses(self) -> bool:
        return super().crosses or any(branch.crosses for branch in self.branches)

    def error(self) -> float:
        return sum(branch.error() for branch in self.branches)

    def _each(self, state: State, take: Callable[[Step, State], State]) -> State:
        copies = [*(state.clone() for _ in self.branches[1:]), state]
        ends = [take(branch, copy) for branch, copy in zip(self.branches, copies, strict=True)]
        S, T = self._join([end.nngp for end in ends], [end.ntk for end in ends])
        return replace(ends[0], nngp=S, ntk=T)

    def _joiner(self, how: str, axis: int | None) -> Callable[[Sequence[Tensor], Ends], tuple[Tensor, Tensor | None]]:
        if how == "prod":
            return _product
        if axis is not None:
            return lambda S, T: (_blocks(S, axis, self.after), self._tangent_blocks(S, T, axis))
        total = sum(self._widths)
        weights = [width / total if how == "concat" else 1.0 for width in self._widths]
        return lambda S, T: (_sum(S, weights), _sum(T, weights))  # type: ignore[return-value]

    def _tangent_blocks(self, S: Sequence[Tensor], T: Ends, axis: int) -> Tensor | None:
        if all(part is None for part in T):
            return None
        full = [torch.zeros_like(s) if t is None else t for s, t in zip(S, T, strict=True)]
        return _blocks(full, axis, self.after)


def bind(layer: spec.Branch, branches: Sequence[Step], before: Form, context: Context, place: str) -> Step:
    """Raises ``NoRuleError`` where the branches are not independent, or units meet that have no mean of zero."""
    _check(layer, branches, place)
    return Merge(layer, branches, before, context)


def _sum(parts: Ends, weights: Sequence[float]) -> Tensor | None:
    total: Tensor | None = None
    for part, weight in zip(parts, weights, strict=True):
        if part is None:
            continue
        if total is None:
            total = part if weight == 1 else part.mul_(weight)
        else:
            total.add_(part, alpha=weight)
    return total


def _product(S_ends: Sequence[Tensor], T_ends: Ends) -> tuple[Tensor, Tensor | None]:
    S, T = S_ends[0], T_ends[0]
    for S_next, T_next in zip(S_ends[1:], T_ends[1:], strict=True):
        if T is not None:
            T.mul_(S_next)
        if T_next is not None:
            T = T_next.mul_(S) if T is None else T.addcmul_(S, T_next)
        S = S.mul_(S_next)
    return S, T


def _blocks(parts: Sequence[Tensor], axis: int, form: Form) -> Tensor:
    """The parts one after the other on spatial ``axis``; crossed, as blocks of zeros and of themselves."""
    if not form.crossed:
        return torch.cat(list(parts), dim=axis)
    axes = len(form.sizes)
    batch = parts[0].shape[: parts[0].ndim - 2 * axes]
    whole = parts[0].new_zeros((*batch, *form.sizes, *form.sizes))
    start = 0
    for part in parts:
        size = part.shape[len(batch) + axis]
        block = whole.narrow(len(batch) + axis, start, size).narrow(len(batch) + axes + axis, start, size)
        block.copy_(part)
        start += size
    return whole


def _spatial_axis(layer: spec.Branch, end: Form) -> int | None:
    """The spatial axis of a concatenation of ends like ``end``, None for channels; axis 0 of the spec is the batch."""
    if layer.merge != "concat" or layer.axis is None:
        return None
    rank = len(end.sizes) + 2
    axis = layer.axis % rank
    return None if axis == rank - 1 else axis - 1


def _merged(how: str, ends: Sequence[Form], axis: int | None) -> Form:
    """Products are not Gaussian, and channels side by side are not of one variance."""
    first = ends[0]
    alike = len(ends) == 1 or how == "sum" or axis is not None
    gaussian = all(end.gaussian for end in ends) and alike
    width = sum(end.width for end in ends) if how == "concat" and axis is None else first.width
    if axis is None:
        return first.but(width=width, gaussian=gaussian)
    size = sum(end.sizes[axis] for end in ends)
    return first.but(sizes=(*first.sizes[:axis], size, *first.sizes[axis + 1 :]), width=width, gaussian=gaussian)


def _check(layer: spec.Branch, branches: Sequence[Step], place: str) -> None:
    """All but channels side by side need independent ends, sums and blocks of positions Gaussian ones: else there are
    products of units of different branches."""
    channels = layer.merge == "concat" and _spatial_axis(layer, branches[0].after) is None
    if len(branches) == 1 or channels:
        return
    bare = [number for number, branch in enumerate(layer.branches, start=1) if not _has_weights(branch)]
    if len(bare) > 1:
        raise NoRuleError(
            f"{place}: branches {bare} have no weights of their own, so they are not independent and the {layer.merge} "
            "has no rule; keep one of them, or put a layer with weights into the others"
        )
    ends = [number for number, step in enumerate(branches, start=1) if not step.after.gaussian]
    together = layer.merge == "sum" or (layer.merge == "concat" and branches[0].after.crossed)
    if ends and together:
        raise NoRuleError(
            f"{place}: branches {ends} do not end in Gaussian units, so the {layer.merge} has no closed form; "
            "end them with a layer with weights, and put one before the branches"
        )


def _has_weights(layers: Sequence[spec.Layer]) -> bool:
    return any(
        hasattr(layer, "b_std")
        or (isinstance(layer, spec.Branch) and any(_has_weights(branch) for branch in layer.branches))
        for layer in layers
    )
