"""Convolutions: the mean of covariances over a window that slides over both positions at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from math import prod

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntklab import spec
from ntklab.geometry import Spread, Window
from ntklab.kernels.infinite.dense import Dense, true_width
from ntklab.kernels.infinite.form import Form
from ntklab.kernels.infinite.state import Context, Pairs, State, Step

Convolution = spec.Conv | spec.ConvTranspose | spec.ConvLocal
Index = slice | Tensor
Move = tuple[Index, Index]
"""Where positions of an axis come from and where they go, for one offset of a kernel."""


@dataclass(frozen=True, eq=False)
class Moves:
    """Those of ``each`` offset of a kernel along an axis of ``inputs`` positions, to ``outputs`` positions."""

    each: tuple[Move, ...]
    inputs: int
    outputs: int

    @cached_property
    def still(self) -> int | None:
        """The first offset that leaves every position where it is: the sum may start from there. On a circle that is
        shorter than the kernel there are several."""
        whole = slice(0, self.outputs, 1)
        if self.inputs != self.outputs:
            return None
        stays = (all(isinstance(part, slice) and part == whole for part in move) for move in self.each)
        return next((number for number, stay in enumerate(stays) if stay), None)


class Conv(Step):
    """S[p, p'] ← W_std²·A(S)[p, p'] + b_std² with A the mean over δ of S[s·p + δ, s·p' + δ], zero outside the image.

    T as in a dense layer on A(S) and A(T) (Novak et al. 2019, arXiv:1810.05148; Arora et al. 2019, arXiv:1904.11955).
    ``axes`` say how positions move along each axis: a transposed convolution only moves them otherwise. At a shift the
    axes are as long as there are positions with a partner.
    """

    def __init__(self, layer: Convolution, axes: Sequence[Window | Spread], before: Form, context: Context) -> None:
        sizes = tuple(axis.outputs for axis in axes)
        after = before.but(sizes=sizes, width=true_width(layer, layer.channels), gaussian=True)
        super().__init__(before, after, context)
        self.axes, self.strides = axes, layer.strides
        self.dense = Dense(layer, after.but(width=before.width), after, context, window=prod(layer.kernel))
        self.cost = self.moving(1.0 + 1.5 * sum(layer.kernel), buffers=2)

    def run(self, state: State) -> State:
        T = None if state.ntk is None else self._sum(state.ntk)
        return self.dense.run(replace(state, nngp=self._sum(state.nngp), ntk=T, pairs=self._behind(state.pairs)))

    def _behind(self, pairs: Pairs) -> Pairs:
        return pairs if pairs.shift is None else replace(pairs, shift=pairs.shift.under(self.strides))

    def _sum(self, S: Tensor) -> Tensor:
        """Over the window; the dense layer divides by its size."""
        still, twice = len(self.before.leading), len(self.before.trailing)
        for axis, shape in enumerate(self.axes):
            first = S.ndim - 2 * twice + axis - still
            dims = (axis,) if axis < still else (first, first + twice)
            S = moved(S, dims, _moves(replace(shape, size=S.shape[dims[0]]), S.device))
        return S


def moved(S: Tensor, dims: Sequence[int], moves: Moves) -> Tensor:
    """The sum over ``moves`` along ``dims``, all at once."""
    size, still = moves.outputs, moves.still
    shape = [size if dim in dims else n for dim, n in enumerate(S.shape)]
    total = S.new_zeros(shape) if still is None else S.clone()
    for number, (source, target) in enumerate(moves.each):
        if number == still:
            continue
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


def _moves(axis: Window | Spread, device: torch.device) -> Moves:
    return sliding(axis, device) if isinstance(axis, Window) else _spreading(axis, device)


@lru_cache(maxsize=4096)
def sliding(window: Window, device: torch.device) -> Moves:
    """The moves of a window, one for each of its offsets."""
    places = np.arange(window.outputs)
    moves = []
    for seen in window.taps.T:
        inside = seen >= 0
        if inside.any():
            moves.append((as_index(seen[inside], device), as_index(places[inside], device)))
    return Moves(tuple(moves), window.size, window.outputs)


@lru_cache(maxsize=4096)
def _spreading(spread: Spread, device: torch.device) -> Moves:
    moves = []
    for matrix in spread.matrices:
        places, positions = np.nonzero(matrix)
        if len(places):
            moves.append((as_index(positions, device), as_index(places, device)))
    return Moves(tuple(moves), spread.size, spread.outputs)


def as_index(positions: NDArray[np.intp], device: torch.device) -> Index:
    """A slice where the positions are evenly spaced and rise, which needs no copy; else their numbers."""
    first = int(positions[0])
    if len(positions) == 1:
        return slice(first, first + 1, 1)
    steps = np.diff(positions)
    if steps[0] > 0 and (steps == steps[0]).all():
        return slice(first, int(positions[-1]) + 1, int(steps[0]))
    return torch.from_numpy(positions.copy()).to(device)


def bind(layer: spec.Conv | spec.ConvLocal, before: Form, context: Context, _: str) -> Step:
    """Weights of its own at each position do not change what a position has with itself."""
    return Conv(layer, windows(layer, before.sizes), before, context)


def bind_transpose(layer: spec.ConvTranspose, before: Form, context: Context, _: str) -> Step:
    """fan_in is that of the whole kernel, although fewer positions contribute where the stride is above 1."""
    parts = zip(before.sizes, layer.kernel, layer.strides, strict=True)
    return Conv(layer, [Spread(n, k, s, layer.padding) for n, k, s in parts], before, context)
