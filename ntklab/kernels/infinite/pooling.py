"""Pooling: means and sums over windows of positions, of both samples independently."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from ntklab import spec
from ntklab.kernels.infinite.dropout import Same
from ntklab.kernels.infinite.form import Form
from ntklab.kernels.infinite.state import Context, Pairs, State, Step


class GlobalPool(Step):
    """S ← the mean (or sum) of S[p, p'] over all pairs of positions that are not masked; T likewise."""

    def __init__(self, before: Form, context: Context, *, mean: bool) -> None:
        super().__init__(before, before.but(sizes=()), context)
        self.mean = mean
        self._counts: Tensor | None = None
        if before.masks is not None:
            counts = (~before.masks).flatten(0, -2).sum(dim=0).clamp(min=1)
            self._counts = context.ready(counts)[None]
        self.cost = self.moving(0.5)

    def run(self, state: State) -> State:
        T = None if state.ntk is None else self._pooled(state.ntk, state.pairs)
        return replace(state, nngp=self._pooled(state.nngp, state.pairs), ntk=T)

    def _pooled(self, S: Tensor, pairs: Pairs) -> Tensor:
        total = S.reshape(len(S), -1).sum(dim=1)
        if not self.mean:
            return total
        if self._counts is None:
            return total.div_(self.before.entries)
        left, right = (side[0] for side in pairs.beside(self._counts, self.after))
        return total.div_(left * right)


def bind_global(layer: spec.GlobalAvgPool | spec.GlobalSumPool, before: Form, context: Context, _: str) -> Step:
    """Vectors have nothing to pool."""
    if not before.sizes:
        return Same(before, context)
    return GlobalPool(before, context, mean=isinstance(layer, spec.GlobalAvgPool))
