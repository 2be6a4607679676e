"""Linear maps between positions, without weights: what they do to both positions of a pair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from ntklab import spec
from ntklab.errors import DataError
from ntklab.geometry import resize_matrix
from ntklab.kernels.infinite.form import Form
from ntklab.kernels.infinite.state import Context, Pairs, State, Step
from ntklab.spec.transitions import after, axis_numbers


class Map(Step):
    """A linear map between positions, the same for S and T."""

    def run(self, state: State) -> State:
        T = None if state.ntk is None else self.mapped(state.ntk, state.pairs)
        return replace(state, nngp=self.mapped(state.nngp, state.pairs), ntk=T)

    def mapped(self, S: Tensor, pairs: Pairs) -> Tensor:
        """S behind the map of both positions."""
        raise NotImplementedError

    def sides(self, S: Tensor) -> tuple[int, ...]:
        """Where the spatial axes of one side begin in ``S``: of both samples, or once where positions are diagonal."""
        axes = len(self.before.sizes)
        return (S.ndim - 2 * axes, S.ndim - axes) if self.before.crossed else (0,)


class Select(Map):
    """Takes positions, ``indices`` along each spatial axis."""

    def __init__(self, indices: Sequence[Sequence[int]], before: Form, context: Context) -> None:
        after = before.but(sizes=tuple(len(part) for part in indices))
        super().__init__(before, after, context)
        self.indices = [torch.tensor(list(part), device=context.device) for part in indices]

    def mapped(self, S: Tensor, _: Pairs) -> Tensor:
        for start in self.sides(S):
            for axis, index in enumerate(self.indices):
                if not torch.equal(index, torch.arange(self.before.sizes[axis], device=index.device)):
                    S = S.index_select(start + axis, index)
        return S


class Weigh(Map):
    """Multiplies each spatial axis by a matrix (after, before)."""

    def __init__(self, matrices: Sequence[Tensor], before: Form, context: Context) -> None:
        super().__init__(before, before.but(sizes=tuple(len(matrix) for matrix in matrices)), context)
        self.matrices = matrices
        self.cost = self.moving(2.0 + max(before.sizes) / 4, buffers=2)

    def mapped(self, S: Tensor, _: Pairs) -> Tensor:
        for start in self.sides(S):
            for axis, matrix in enumerate(self.matrices):
                S = torch.matmul(S.movedim(start + axis, -1), matrix.to(S).T).movedim(-1, start + axis)
        return S.contiguous()


class Contract(Map):
    """The product with an array, as XLA's dot_general; on each position alone the squares of the array count."""

    def __init__(self, layer: spec.DotGeneral, array: Tensor, before: Form, after: Form, context: Context) -> None:
        super().__init__(before, after, context)
        self.array = array
        own, other = list(range(len(before.sizes))), [10 + axis for axis in range(array.ndim)]
        for mine, theirs in (layer.contracted, layer.shared):
            for i, j in zip(mine, theirs, strict=True):
                other[j] = i - 1  # axis 0 is the batch
        shared = [i - 1 for i in layer.shared[0]]
        used = {*shared, *(i - 1 for i in layer.contracted[0])}
        free, added = [i for i in own if i not in used], [i for i in other if i >= 10]
        self.indices = own, other, shared + (free + added if layer.side == "rhs" else added + free)

    def mapped(self, S: Tensor, _: Pairs) -> Tensor:
        own, other, result = self.indices
        array = self.array.to(S)
        if not self.before.crossed:
            return torch.einsum(S, [*own, ...], array.square(), other, [*result, ...])
        batch, right = 20, [30 + i for i in own]
        S = torch.einsum(S, [batch, *own, *right], array, other, [batch, *result, *right])
        left = [40 + i for i in range(len(result))]
        return torch.einsum(S, [batch, *left, *own], array, other, [batch, *left, *result]).contiguous()


class Aggregate(Map):
    """S[j, j'] ← Σ A[i, j] S[i, i'] A'[i', j'] with the patterns A, A' of both samples (Du et al. 2019,
    arXiv:1905.13192)."""

    def __init__(self, layer: spec.Aggregate, patterns: Tensor, before: Form, context: Context) -> None:
        super().__init__(before, before, context)
        self.patterns = patterns
        self.axes = [axis - 1 for axis in axis_numbers(layer.axis, (*before.sizes, 1))]
        self.cost = self.moving(2.0 + before.positions / 8, buffers=2)

    def mapped(self, S: Tensor, pairs: Pairs) -> Tensor:
        own = list(range(1, len(self.before.sizes) + 1))
        after = [10 + i if i - 1 in self.axes else i for i in own]
        pattern = [0, *(own[axis] for axis in self.axes), *(10 + own[axis] for axis in self.axes)]
        other = [20 + i for i in own]
        S = torch.einsum(S, [0, *own, *other], self.patterns[pairs.left].to(S), pattern, [0, *after, *other])
        left = [20 + i for i in own]
        right = self.patterns[pairs.right].to(S)
        return torch.einsum(S, [0, *left, *own], right, pattern, [0, *left, *after]).contiguous()


def bind_resize(layer: spec.ImageResize, before: Form, context: Context, _: str) -> Map:
    """Nearest neighbours are a choice of positions, everything else weighs them."""
    sizes = [n if size == -1 else size for n, size in zip(before.sizes, layer.shape[1:-1], strict=True)]
    matrices = [
        torch.from_numpy(resize_matrix(n, size, method=layer.method, antialias=layer.antialias))
        for n, size in zip(before.sizes, sizes, strict=True)
    ]
    if layer.method == "nearest":
        return Select([matrix.argmax(dim=1).tolist() for matrix in matrices], before, context)
    return Weigh(matrices, before, context)


def bind_index(layer: spec.Index, before: Form, context: Context, _: str) -> Map:
    """A choice of positions."""
    return Select(layer.ranges((*before.sizes, 1))[:-1], before, context)


def bind_dot_general(layer: spec.DotGeneral, before: Form, context: Context, _: str) -> Map:
    """Sizes as in ``spec.layer_shapes``."""
    array = torch.tensor(layer.array, dtype=torch.float64, device=context.device)
    sizes = after(layer, (*before.sizes, 1))[:-1]
    return Contract(layer, array, before, before.but(sizes=sizes), context)


def bind_aggregate(layer: spec.Aggregate, before: Form, context: Context, place: str) -> Step:
    """Raises ``DataError`` if no patterns came with the samples, or if they do not fit the aggregated axes."""
    axes = [before.sizes[axis - 1] for axis in axis_numbers(layer.axis, (*before.sizes, 1))]
    if context.patterns is None:
        raise DataError(
            f"pattern1: {place} needs a matrix for each sample, got none; give pattern1 of shape "
            f"({', '.join(map(str, ['n', *axes, *axes]))})"
        )
    if list(context.patterns.shape[1:]) != [*axes, *axes]:
        raise DataError(
            f"pattern1: {place} needs patterns of shape {[*axes, *axes]} for each sample, got "
            f"{list(context.patterns.shape[1:])}; give one matrix between the positions of each sample"
        )
    return Aggregate(layer, context.patterns, before, context)
