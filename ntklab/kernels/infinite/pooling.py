"""Pooling: means and sums over windows of positions, of both samples independently."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
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
        self.windows = windows(layer, before.sizes)
        super().__init__(before, before.but(sizes=tuple(window.outputs for window in self.windows)), context)
        self.cost = self.moving(1.0 + 2.0 * sum(layer.window), buffers=2)
        self._counts: list[Tensor] = []
        if isinstance(layer, spec.AvgPool):
            inside = [w.inside if layer.normalize_edges else np.full(w.outputs, w.kernel) for w in self.windows]
            self._counts = [context.ready(torch.from_numpy(count)) for count in inside]

    def run(self, state: State) -> State:
        T = None if state.ntk is None else self._pooled(state.ntk)
        return replace(state, nngp=self._pooled(state.nngp), ntk=T)

    def _pooled(self, S: Tensor) -> Tensor:
        axes = len(self.before.sizes)
        for start in (S.ndim - 2 * axes, S.ndim - axes) if self.before.crossed else (0,):
            for axis in range(axes):
                S = self.summed(S, start + axis, axis)
        return self.divided(S, crossed=self.before.crossed)

    def summed(self, S: Tensor, dim: int, axis: int) -> Tensor:
        """Over the windows along a spatial axis, which is ``dim`` of ``S``."""
        return moved(S, (dim,), sliding(self.windows[axis], S.device))

    def divided(self, S: Tensor, *, crossed: bool) -> Tensor:
        """By the numbers of positions, for a mean; of both windows of a pair."""
        axes = len(self.windows)
        for axis, count in enumerate(self._counts):
            if crossed:
                for dim in (S.ndim - 2 * axes + axis, S.ndim - axes + axis):
                    S.div_(count.to(S).reshape(-1, *(1,) * (S.ndim - dim - 1)))
            else:
                S.div_(count.to(S).square().reshape(-1, *(1,) * (S.ndim - axis - 1)))
        return S


def bind(layer: spec.AvgPool | spec.SumPool, before: Form, context: Context, _: str) -> Step:
    """Without pairs of positions windows have a single one."""
    return Pool(layer, before, context)


def bind_global(layer: spec.GlobalAvgPool | spec.GlobalSumPool, before: Form, context: Context, _: str) -> Step:
    """Vectors have nothing to pool."""
    if not before.sizes:
        return Same(before, context)
    return GlobalPool(before, context, mean=isinstance(layer, spec.GlobalAvgPool))
