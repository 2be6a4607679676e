"""Pooling: means and sums over windows of positions, of both samples independently."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from ntklab import spec
from ntklab.kernels.infinite.dropout import Same
from ntklab.kernels.infinite.form import Form
from ntklab.kernels.infinite.state import Context, State, Step


class GlobalPool(Step):
    """S ← the mean (or sum) of S[p, p'] over all pairs of positions; T likewise."""

    def __init__(self, before: Form, context: Context, *, mean: bool) -> None:
        super().__init__(before, before.but(sizes=()), context)
        self.mean = mean
        self.cost = self.moving(0.5)

    def run(self, state: State) -> State:
        return replace(state, nngp=self._pooled(state.nngp), ntk=None if state.ntk is None else self._pooled(state.ntk))

    def _pooled(self, S: Tensor) -> Tensor:
        total = S.reshape(len(S), -1).sum(dim=1)
        return total.div_(self.before.entries) if self.mean else total


def bind_global(layer: spec.GlobalAvgPool | spec.GlobalSumPool, before: Form, context: Context, _: str) -> Step:
    """Vectors have nothing to pool."""
    if not before.sizes:
        return Same(before, context)
    return GlobalPool(before, context, mean=isinstance(layer, spec.GlobalAvgPool))
