"""Flatten: the mean over positions, each with itself."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from ntklab import spec
from ntklab.kernels.infinite.dropout import Same
from ntklab.kernels.infinite.form import Form
from ntklab.kernels.infinite.state import Context, State, Step


class Flatten(Step):
    """S ← the mean of S[p, p] over positions p; T likewise (Novak et al. 2019, arXiv:1810.05148, vectorisation)."""

    def __init__(self, before: Form, context: Context) -> None:
        after = Form(width=before.width * before.positions)
        super().__init__(before, after, context)
        self.cost = self.moving(0.5)

    def run(self, state: State) -> State:
        return replace(state, nngp=self._mean(state.nngp), ntk=None if state.ntk is None else self._mean(state.ntk))

    def _mean(self, S: Tensor) -> Tensor:
        return S.mean(dim=tuple(range(len(self.before.sizes))))


def bind(_: spec.Flatten, before: Form, context: Context, __: str) -> Step:
    """Vectors are flat already."""
    return Flatten(before, context) if before.sizes else Same(before, context)
