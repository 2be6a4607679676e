"""Standard normal weights that are the same on every device, in every precision, and nested in width.

Each matrix is tiled by square blocks and each block has its own stream, keyed by (seed, layer, parameter, block). So a
layer's draws depend on no other layer, and the matrix of a narrower layer is the leading corner of that of a wider one:
as the width grows, the network with one seed grows by new units instead of being redrawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import DTypeLike, NDArray
from torch import Tensor

BLOCK = 128
REMEMBERED = 128  # blocks, 17 MB: turning the width dial up to 1024 draws a layer once


@dataclass
class Draws:
    """Hands each layer with weights, in the order they are met, its own stream of normal numbers."""

    seed: int
    dtype: torch.dtype
    layers: int = 0

    def next(self) -> Stream:
        """The stream of the next layer."""
        self.layers += 1
        return Stream((self.seed, self.layers - 1), self.dtype)


@dataclass(frozen=True)
class Stream:
    """The normal numbers of one layer. Its parameters are numbered ``part``s; those at ``place``s of their own too."""

    key: tuple[int, int]
    dtype: torch.dtype

    def matrix(self, rows: int, columns: int, *, part: int = 0, place: int | None = None) -> Tensor:
        """(rows, columns), the leading corner of a larger one."""
        key = (*self.key, part) if place is None else (*self.key, part, place)
        number = np.float32 if self.dtype == torch.float32 else np.float64
        return torch.from_numpy(standard_normal((rows, columns), key, number))

    def vector(self, length: int, *, part: int, place: int | None = None) -> Tensor:
        """(length,), the beginning of a longer one."""
        return self.matrix(1, length, part=part, place=place)[0]


def standard_normal(shape: tuple[int, int], key: tuple[int, ...], dtype: DTypeLike) -> NDArray[np.floating]:
    """Independent N(0, 1) numbers of ``shape`` from the stream ``key``, drawn in float64 and rounded to ``dtype``."""
    values = np.empty(shape, dtype=dtype)
    for i in range(0, shape[0], BLOCK):
        for j in range(0, shape[1], BLOCK):
            target = values[i : i + BLOCK, j : j + BLOCK]
            place = (*key, i // BLOCK, j // BLOCK)
            drawn = _whole_block(place) if len(target) == BLOCK else _block(place, len(target))
            target[...] = drawn[:, : target.shape[1]]
    return values


def _block(place: tuple[int, ...], rows: int) -> NDArray[np.float64]:
    """The first ``rows`` of the block whose stream is ``place``: it fills row by row, so no others are drawn."""
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(place))).standard_normal((rows, BLOCK))


@lru_cache(maxsize=REMEMBERED)
def _whole_block(place: tuple[int, ...]) -> NDArray[np.float64]:
    block = _block(place, BLOCK)
    block.flags.writeable = False
    return block
