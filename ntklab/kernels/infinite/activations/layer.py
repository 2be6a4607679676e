"""An activation as a step: exact variances of samples alone, the dual's pair formula for tiles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from ntklab.kernels.infinite.activations.dual import Dual
from ntklab.kernels.infinite.activations.numerical import NumericalDual
from ntklab.kernels.infinite.form import Form
from ntklab.kernels.infinite.state import Context, Kept, Pairs, State, Step, Stopped, variances


class ActivationStep(Step):
    """S ← E φφ and T ← T·E φ'φ' for jointly Gaussian units; ``make`` gives the dual for some variances."""

    def __init__(self, make: Callable[[Tensor], Dual], before: Form, context: Context) -> None:
        super().__init__(before, before.but(gaussian=False), context)
        self._make, self._kept = make, Kept()
        self._price(make(torch.ones(1, dtype=torch.float64)), before.positions * 16)
        self._variances: Tensor
        self._dual: Dual
        self._table: Tensor

    def alone(self, state: State) -> State:
        q = variances(state.nngp, self.before).cpu()
        self._kept.add(state.pairs, q)
        dual = self._dual_of(q)
        k, slope = (part.reshape(q.shape).to(state.nngp) for part in dual.diagonal(q.flatten()))
        t = None if state.ntk is None else variances(state.ntk, self.before) * slope
        if self.before.crossed:
            here = Pairs.alone(slice(None))
            table = self._tabulate(dual, q).to(state.nngp)
            state = replace(self._through(replace(state, pairs=here), dual, table), pairs=state.pairs)
        return state.with_alone(k, t, self.before)

    def settle(self) -> None:
        self._variances = q = self._kept.all()
        self._dual = self._dual_of(q)
        self._table = self.context.ready(self._tabulate(self._dual, q))
        self.notes = (self._dual.note,) if self._dual.note else ()
        self._price(self._dual, self._table.element_size() * self._table[..., 0].numel())

    def _dual_of(self, q: Tensor) -> Dual:
        dual = self._make(q.flatten())
        return dual.watched(self._check_wanted) if isinstance(dual, NumericalDual) else dual

    def _check_wanted(self) -> None:
        if self.context.stop.is_set():
            raise Stopped

    def _price(self, dual: Dual, table: int) -> None:
        cost = self.moving(dual.cost.nanoseconds, buffers=dual.cost.buffers, table=table)
        self.cost = replace(cost, prepares=isinstance(dual, NumericalDual))

    def error(self) -> float:
        return self._dual.error(self._variances.flatten())

    def run(self, state: State) -> State:
        if state.pairs.diagonal:
            state.nngp.diagonal(dim1=-2, dim2=-1).zero_()  # not wanted: a harmless correlation
        return self._through(state, self._dual, self._table)

    def _through(self, state: State, dual: Dual, table: Tensor) -> State:
        left, right = state.pairs.beside(table, self.before)
        S, T = state.nngp, state.ntk
        k, slope = dual.pair(S, left, right, derivative=T is not None)
        if T is not None:
            T = T.zero_() if slope is None else T.mul_(slope)
        return replace(state, nngp=k, ntk=T)

    @staticmethod
    def _tabulate(dual: Dual, q: Tensor) -> Tensor:
        table = dual.table(q.flatten())
        return table.reshape(len(table), *q.shape)
