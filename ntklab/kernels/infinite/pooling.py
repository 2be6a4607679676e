"""Pooling: means and sums over windows of positions, of both samples independently."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from ntklab import spec
from ntklab.kernels.infinite.convolution import moved, sliding, windows
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


class Pool(Step):
    """S[i, i'] ← Σ S[p, p'] over positions p of window i and p' of window i', divided by their numbers for a mean."""

    def __init__(self, layer: spec.AvgPool | spec.SumPool, before: Form, context: Context) -> None:
        axes = windows(layer, before.sizes)
        super().__init__(before, before.but(sizes=tuple(window.outputs for window in axes)), context)
        self.moves = [sliding(window, context.device) for window in axes]
        self.cost = self.moving(1.0 + 2.0 * sum(layer.window), buffers=2)
        self.counts: list[Tensor] = []
        if isinstance(layer, spec.AvgPool):
            inside = [window.inside if layer.normalize_edges else 0 * window.inside + window.kernel for window in axes]
            self.counts = [context.ready(torch.from_numpy(count)) for count in inside]

    def run(self, state: State) -> State:
        T = None if state.ntk is None else self._pooled(state.ntk)
        return replace(state, nngp=self._pooled(state.nngp), ntk=T)

    def _pooled(self, S: Tensor) -> Tensor:
        axes = len(self.before.sizes)
        for start in (S.ndim - 2 * axes, S.ndim - axes) if self.before.crossed else (0,):
            for axis, moves in enumerate(self.moves):
                S = moved(S, (start + axis,), moves)
                if self.counts:
                    count = self.counts[axis].to(S)
                    count = count if self.before.crossed else count.square()
                    S.div_(count.reshape(-1, *(1,) * (S.ndim - start - axis - 1)))
        return S


def bind(layer: spec.AvgPool | spec.SumPool, before: Form, context: Context, _: str) -> Step:
    """Without pairs of positions windows have a single one."""
    return Pool(layer, before, context)


def bind_global(layer: spec.GlobalAvgPool | spec.GlobalSumPool, before: Form, context: Context, _: str) -> Step:
    """Vectors have nothing to pool."""
    if not before.sizes:
        return Same(before, context)
    return GlobalPool(before, context, mean=isinstance(layer, spec.GlobalAvgPool))
