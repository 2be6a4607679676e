"""Samples that come with a graph: both in one row, for those who know samples alone."""

from __future__ import annotations

from math import prod

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from ntklab.errors import DataError
from ntklab.kernels.empirical.wrapped import Wrapper

Shape = tuple[int, ...]


class WithPatterns(Wrapper):
    """A network called as ``network(x, pattern=…)`` on rows (n, numbers of the sample, of its pattern)."""

    def __init__(self, network: nn.Module, shape: Shape, pattern_shape: Shape) -> None:
        super().__init__(network)
        self.shape, self.pattern_shape = shape, pattern_shape

    def forward(self, rows: Tensor) -> Tensor:
        """Outputs of the network."""
        x, pattern = torch.split(rows, [prod(self.shape), prod(self.pattern_shape)], dim=1)
        n = len(rows)
        outputs: Tensor = self.network(x.reshape(n, *self.shape), pattern=pattern.reshape(n, *self.pattern_shape))
        return outputs


def rows_of(x: Tensor, pattern: ArrayLike | Tensor | None, shape: Shape, name: str) -> Tensor:
    """Samples and their patterns (n, *``shape``) in rows. Raises ``DataError`` for patterns that do not fit."""
    if pattern is None:
        raise DataError(f"{name}: expected a matrix for each of {len(x)} samples, got none; give both patterns")
    A = pattern.detach() if isinstance(pattern, Tensor) else torch.from_numpy(np.array(pattern, dtype=np.float64))
    if tuple(A.shape) != (len(x), *shape):
        raise DataError(
            f"{name}: expected one matrix for each sample, shape {[len(x), *shape]}, got {list(A.shape)}; stack the "
            "adjacency matrices in the order of the samples"
        )
    return torch.cat([x.flatten(1), A.to(x).flatten(1)], dim=1)
