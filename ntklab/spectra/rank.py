"""How many eigenvalues carry a kernel: stable rank and participation ratio."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def stable_rank(eigenvalues: Array) -> float:
    """|K|_F² / |K|_2² = Σλ²/λ_1² (Rudelson, Vershynin 2007), from 1 to N; 0 for a zero matrix."""
    return float(np.sum(_relative(eigenvalues) ** 2))


def participation_ratio(eigenvalues: Array) -> float:
    """(Σλ)²/Σλ², from 1 to N; N exactly when all eigenvalues are equal; 0 for a zero matrix."""
    relative = _relative(eigenvalues)
    squares = float(np.sum(relative**2))
    return float(np.sum(relative)) ** 2 / squares if squares else 0.0


def _relative(eigenvalues: Array) -> Array:
    """Eigenvalues over the largest in magnitude, so that squares neither overflow nor vanish."""
    scale = float(np.abs(eigenvalues).max())
    return eigenvalues / scale if scale else np.zeros_like(eigenvalues)
