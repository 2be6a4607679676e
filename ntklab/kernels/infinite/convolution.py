"""Convolutions: the mean of covariances over a window that slides over both positions at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import prod

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntklab import spec
from ntklab.geometry import Spread, Window
from ntklab.kernels.infinite.dense import Dense, true_width
from ntklab.kernels.infinite.form import Form
from ntklab.kernels.infinite.state import Context, State, Step

Convolution = spec.Conv | spec.ConvTranspose | spec.ConvLocal
Index = slice | Tensor
Move = tuple[Index, Index]
"""Where positions of an axis come from and where they go, for one offset of a kernel."""


class Conv(Step):
    """S[p, p'] ← W_std²·A(S)[p, p'] + b_std² with A the mean over δ of S[s·p + δ, s·p' + δ], zero outside the image.

    T as in a dense layer on A(S) and A(T) (Novak et al. 2019, arXiv:1810.05148; Arora et al. 2019, arXiv:1904.11955).
    ``moves`` are those of each offset along each axis: a transposed convolution only moves positions otherwise.
    """

    def __init__(
        self, layer: Convolution, moves: Sequence[Sequence[Move]], before: Form, after: Form, context: Context
    ) -> None:
        super().__init__(before, after, context)
        self.moves, self.window = moves, prod(layer.kernel)
        self.dense = Dense(layer, after.but(width=before.width), after, context, window=self.window)
        self.cost = self.moving(1.0 + 1.5 * sum(layer.kernel), buffers=2)

    def run(self, state: State) -> State:
        T = None if state.ntk is None else self._mean(state.ntk)
        return self.dense.run(replace(state, nngp=self._mean(state.nngp), ntk=T))

    def _mean(self, S: Tensor) -> Tensor:
        axes, crossed = len(self.before.sizes), self.before.crossed
        for axis, moves in enumerate(self.moves):
            dims = (S.ndim - 2 * axes + axis, S.ndim - axes + axis) if crossed else (axis,)
            S = moved(S, dims, moves, self.after.sizes[axis])
        return S.div_(self.window)


def moved(S: Tensor, dims: Sequence[int], moves: Iterable[Move], size: int) -> Tensor:
    """The sum over ``moves`` along ``dims``, all at once, to ``size`` positions each."""
    total = S.new_zeros([size if dim in dims else n for dim, n in enumerate(S.shape)])
    for source, target in moves:
        if isinstance(source, slice) and isinstance(target, slice):
            _along(total, dims, target).add_(_along(S, dims, source))
            continue
        part = S
        for dim in dims:
            here = total.new_zeros([size if d == dim else n for d, n in enumerate(part.shape)])
            index = torch.arange(size, device=S.device)[target] if isinstance(target, slice) else target
            part = here.index_copy_(dim, index, _along(part, (dim,), source))
        total.add_(part)
    return total


def _along(S: Tensor, dims: Sequence[int], index: Index) -> Tensor:
    for dim in dims:
        S = S[(slice(None),) * dim + (index,)] if isinstance(index, slice) else S.index_select(dim, index)
    return S


def windows(layer: Convolution | spec.AvgPool | spec.SumPool, sizes: Sequence[int]) -> list[Window]:
    """One along each spatial axis."""
    kernel = layer.window if isinstance(layer, spec.AvgPool | spec.SumPool) else layer.kernel
    parts = zip(sizes, kernel, layer.strides, strict=True)
    return [Window(n, k, s, layer.padding) for n, k, s in parts]


def sliding(window: Window, device: torch.device) -> list[Move]:
    """The moves of a window, one for each of its offsets."""
    places = np.arange(window.outputs)
    moves = []
    for seen in window.taps.T:
        inside = seen >= 0
        if inside.any():
            moves.append((as_index(seen[inside], device), as_index(places[inside], device)))
    return moves


def _spreading(spread: Spread, device: torch.device) -> list[Move]:
    moves = []
    for matrix in spread.matrices:
        places, positions = np.nonzero(matrix)
        if len(places):
            moves.append((as_index(positions, device), as_index(places, device)))
    return moves


def as_index(positions: NDArray[np.intp], device: torch.device) -> Index:
    """A slice where the positions are evenly spaced and rise, which needs no copy; else their numbers."""
    first = int(positions[0])
    if len(positions) == 1:
        return slice(first, first + 1)
    steps = np.diff(positions)
    if steps[0] > 0 and (steps == steps[0]).all():
        return slice(first, int(positions[-1]) + 1, int(steps[0]))
    return torch.from_numpy(positions.copy()).to(device)


def bind(layer: spec.Conv | spec.ConvLocal, before: Form, context: Context, _: str) -> Step:
    """Weights of its own at each position do not change what a position has with itself."""
    axes = windows(layer, before.sizes)
    after = _behind(layer, before, tuple(window.outputs for window in axes))
    return Conv(layer, [sliding(window, context.device) for window in axes], before, after, context)


def bind_transpose(layer: spec.ConvTranspose, before: Form, context: Context, _: str) -> Step:
    """fan_in is that of the whole kernel, although fewer positions contribute where the stride is above 1."""
    parts = zip(before.sizes, layer.kernel, layer.strides, strict=True)
    axes = [Spread(n, k, s, layer.padding) for n, k, s in parts]
    after = _behind(layer, before, tuple(spread.outputs for spread in axes))
    return Conv(layer, [_spreading(spread, context.device) for spread in axes], before, after, context)


def _behind(layer: Convolution, before: Form, sizes: tuple[int, ...]) -> Form:
    return before.but(sizes=sizes, width=true_width(layer, layer.channels), gaussian=True)
