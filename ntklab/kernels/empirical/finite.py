"""Which samples a kernel has no finite numbers for: said, as a picture would not show it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ntklab.kernels.tiles import Block

_SHOWN = 8  # samples that a note lists


class NotFinite:
    """Counts pairs of samples whose kernel is NaN or infinite."""

    def __init__(self, n1: int, n2: int, *, symmetric: bool) -> None:
        self.rows, self.columns = np.zeros(n1, dtype=np.int64), np.zeros(n2, dtype=np.int64)
        self.symmetric = symmetric

    def look(self, tile: Block, seen: Tensor) -> None:
        """Count in the mean over outputs of a tile."""
        if bool(seen.isfinite().all()):
            return
        bad = ~seen.isfinite().numpy()
        self.rows[tile.row_slice] += bad.sum(1)
        self.columns[tile.column_slice] += bad.sum(0)
        if tile.mirror:
            self.rows[tile.column_slice] += bad.sum(0)
            self.columns[tile.row_slice] += bad.sum(1)

    def said(self) -> str:
        """In words, or nothing."""
        if not self.rows.any():
            return ""
        rows, columns = np.flatnonzero(self.rows == len(self.columns)), np.flatnonzero(self.columns == len(self.rows))
        words = [("samples", rows)] if self.symmetric else [("rows", rows), ("columns", columns)]
        whose = "; ".join(f"{word} {_listed(found)}" for word, found in words if len(found))
        return f"{self.rows.sum()} numbers of the kernel are not finite{': ' if whose else ''}{whose}"


def _listed(samples: NDArray[np.int64] | Sequence[int]) -> str:
    shown = ", ".join(map(str, samples[:_SHOWN]))
    return shown if len(samples) <= _SHOWN else f"{shown} and {len(samples) - _SHOWN} more"
