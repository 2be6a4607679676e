"""Parallel branches with independent weights, and how their ends merge."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from torch import Tensor

from ntklab import spec
from ntklab.errors import NtkLabError
from ntklab.kernels.infinite.state import Cost, Samples, State, Step

Pairs = tuple[Tensor, Tensor | None]


def merge(layer: spec.Branch, branches: Sequence[Step], place: str) -> Step:
    """One step that runs every branch on the same tile and merges the ends.

    sum: S, T, q and t add. concat on channels: their means, weighted by width. prod: S = Π S_i and, by the product
    rule, T = Σ_i T_i Π_{j≠i} S_j. Raises ``NtkLabError`` where the branches are not independent.
    """
    _check(layer, branches, place)
    join = _joiner(layer.merge, [step.after.width for step in branches])
    ends = [step.after for step in branches]
    q, t = join([(end.q.clone(), end.t.clone()) for end in ends])
    assert t is not None
    after = Samples(q=q, t=t, width=_width(layer.merge, ends), gaussian=_gaussian(layer.merge, ends))

    def run(state: State) -> State:
        copies = [*(state.clone() for _ in branches[1:]), state]
        states = [step.run(copy) for step, copy in zip(branches, copies, strict=True)]
        S, T = join([(end.nngp, end.ntk) for end in states])
        return replace(state, nngp=S, ntk=T)

    return Step(run, after, _cost(branches), tuple(note for step in branches for note in step.notes))


def _joiner(how: str, widths: Sequence[float]) -> Callable[[list[Pairs]], Pairs]:
    if how == "prod":
        return _product
    weights = [width / sum(widths) if how == "concat" else 1.0 for width in widths]
    return lambda ends: (
        _sum([S for S, _ in ends], weights),
        _sum([T for _, T in ends], weights),
    )


def _sum(parts: Sequence[Tensor | None], weights: Sequence[float]) -> Tensor:
    total: Tensor | None = None
    for part, weight in zip(parts, weights, strict=True):
        if part is None:
            continue
        if total is None:
            total = part if weight == 1 else part.mul_(weight)
        else:
            total.add_(part, alpha=weight)
    return total  # type: ignore[return-value]


def _product(ends: list[Pairs]) -> Pairs:
    S, T = ends[0]
    for S_next, T_next in ends[1:]:
        if T is not None:
            T.mul_(S_next)
        if T_next is not None:
            T = T_next.mul_(S) if T is None else T.addcmul_(S, T_next)
        S = S.mul_(S_next)
    return S, T


def _width(how: str, ends: Sequence[Samples]) -> float:
    return sum(end.width for end in ends) if how == "concat" else ends[0].width


def _gaussian(how: str, ends: Sequence[Samples]) -> bool:
    return all(end.gaussian for end in ends) and (how != "prod" or len(ends) == 1)


def _check(layer: spec.Branch, branches: Sequence[Step], place: str) -> None:
    """Sums need independent Gaussian ends, products independent ones: else there are cross terms."""
    if len(branches) == 1 or layer.merge == "concat":
        return
    bare = [number for number, branch in enumerate(layer.branches, start=1) if not _has_weights(branch)]
    if len(bare) > 1:
        raise NtkLabError(
            f"{place}: branches {bare} have no weights of their own, so they are not independent and the {layer.merge} "
            "has no rule; keep one of them, or put a Dense layer into the others"
        )
    ends = [number for number, step in enumerate(branches, start=1) if not step.after.gaussian]
    if layer.merge == "sum" and ends:
        raise NtkLabError(
            f"{place}: branches {ends} do not end in Gaussian units, so their sum has no closed form; "
            "end them with a Dense layer, and put one before the branches"
        )


def _has_weights(layers: Sequence[spec.Layer]) -> bool:
    return any(
        isinstance(layer, spec.Dense)
        or (isinstance(layer, spec.Branch) and any(_has_weights(branch) for branch in layer.branches))
        for layer in layers
    )


def _cost(branches: Sequence[Step]) -> Cost:
    """Two more tiles are held for each branch beside the one that runs."""
    total = Cost(nanoseconds=2.0 * len(branches))
    for step in branches:
        total = total.then(step.cost)
    return replace(total, buffers=total.buffers + 2 * (len(branches) - 1))
