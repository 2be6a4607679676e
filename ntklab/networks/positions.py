"""Linear maps between positions, without weights, of values (n, *space, channels).

Those that mix positions have ``reach``, the map with the absolute values of its weights: what comes from where.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ntklab import spec


class Resize(nn.Module):
    """Multiplies each spatial axis by a matrix (after, before), None for an axis that stays."""

    def __init__(self, matrices: Sequence[Tensor | None]) -> None:
        super().__init__()
        self.axes = tuple(axis for axis, matrix in enumerate(matrices, start=1) if matrix is not None)
        for axis in self.axes:
            self.register_buffer(f"matrix_{axis}", matrices[axis - 1], persistent=False)

    def forward(self, a: Tensor) -> Tensor:
        for axis in self.axes:
            a = _multiplied(self.get_buffer(f"matrix_{axis}"), a, axis)
        return a

    def reach(self, x: Tensor) -> Tensor:
        """``x`` ≥ 0 through the absolute values of the weights."""
        for axis in self.axes:
            x = _multiplied(self.get_buffer(f"matrix_{axis}").abs(), x, axis)
        return x


def _multiplied(matrix: Tensor, a: Tensor, axis: int) -> Tensor:
    return torch.matmul(matrix, a.movedim(axis, -2)).movedim(-2, axis)


class Index(nn.Module):
    """Takes positions, ``ranges`` along each spatial axis."""

    def __init__(self, ranges: Sequence[range]) -> None:
        super().__init__()
        self.ranges = tuple(ranges)

    def forward(self, a: Tensor) -> Tensor:
        for axis, taken in enumerate(self.ranges, start=1):
            if taken != range(a.shape[axis]):
                a = a.index_select(axis, torch.tensor(list(taken), device=a.device))
        return a

    def reach(self, x: Tensor) -> Tensor:
        """The positions taken of ``x``."""
        return self.forward(x)

    def extra_repr(self) -> str:
        return ", ".join(f"{taken.start}:{taken.stop}:{taken.step}" for taken in self.ranges)


class DotGeneral(nn.Module):
    """The product of the spatial axes with a fixed array, as XLA's dot_general (see ``spec.DotGeneral``)."""

    array: Tensor

    def __init__(self, layer: spec.DotGeneral, axes: int, dtype: torch.dtype) -> None:
        super().__init__()
        self.register_buffer("array", torch.tensor(layer.array, dtype=dtype), persistent=False)
        self._own, self._other, self._result = _labels(layer, axes, self.array.ndim)

    def forward(self, a: Tensor) -> Tensor:
        return torch.einsum(a, self._own, self.array, self._other, self._result)

    def reach(self, x: Tensor) -> Tensor:
        """``x`` ≥ 0 through the absolute values of the array."""
        return torch.einsum(x, self._own, self.array.abs(), self._other, self._result)

    def extra_repr(self) -> str:
        return f"array={list(self.array.shape)}"


def _labels(layer: spec.DotGeneral, axes: int, other_axes: int) -> tuple[list[int], list[int], list[int]]:
    """A letter (a number) for each axis of the values, the array and the result; equal ones go together."""
    batch, channels = 0, axes + 1
    own = list(range(axes + 2))
    other = [channels + 1 + axis for axis in range(other_axes)]
    for mine, theirs in (layer.contracted, layer.shared):
        for i, j in zip(mine, theirs, strict=True):
            other[j] = i
    used = {*layer.contracted[0], *layer.shared[0]}
    free = [i for i in own[1:-1] if i not in used]
    added = [i for i in other if i > channels]
    rest = free + added if layer.side == "rhs" else added + free
    return own, other, [batch, *layer.shared[0], *rest, channels]


class Aggregate(nn.Module):
    """y_j = Σ_i A_ij x_i over the spatial ``axes`` (0 is the batch), A the pattern of each sample."""

    def __init__(self, axes: tuple[int, ...]) -> None:
        super().__init__()
        self.axes = axes

    def forward(self, a: Tensor, pattern: Tensor) -> Tensor:
        """``pattern`` (n, *axes, *axes), from which to which."""
        own = list(range(a.ndim))
        after = [a.ndim + i if i in self.axes else i for i in own]
        between = [0, *self.axes, *(a.ndim + i for i in self.axes)]
        return torch.einsum(a, own, pattern, between, after)

    def extra_repr(self) -> str:
        return f"axes={list(self.axes)}"
