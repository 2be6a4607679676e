"""Standard normal weights that are the same on every device, in every precision, and nested in width.

Each matrix is tiled by square blocks and each block has its own stream, keyed by (seed, layer, parameter, block). So a
layer's draws depend on no other layer, and the matrix of a narrower layer is the leading corner of that of a wider one:
as the width grows, the network with one seed grows by new units instead of being redrawn.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike, NDArray

BLOCK = 128


def standard_normal(shape: tuple[int, int], key: tuple[int, ...], dtype: DTypeLike) -> NDArray[np.floating]:
    """Independent N(0, 1) numbers of ``shape`` from the stream ``key``, drawn in float64 and rounded to ``dtype``."""
    values = np.empty(shape, dtype=dtype)
    block = np.empty((BLOCK, BLOCK))
    for i in range(0, shape[0], BLOCK):
        for j in range(0, shape[1], BLOCK):
            target = values[i : i + BLOCK, j : j + BLOCK]
            rows = block[: target.shape[0]]  # a block fills row by row, so the rows that are not needed are not drawn
            generator = np.random.Generator(np.random.SFC64(np.random.SeedSequence((*key, i // BLOCK, j // BLOCK))))
            generator.standard_normal(out=rows)
            target[...] = rows[:, : target.shape[1]]
    return values
