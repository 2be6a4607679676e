"""Condition number, and the size below which an eigenvalue is rounding noise."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[np.float64]


def rounding_floor(eigenvalues: Array, dtype: DTypeLike = np.float64) -> float:
    """N·eps·λ_1 with the eps of ``dtype``, the precision in which the kernel was computed; 0 for a zero matrix."""
    return float(len(eigenvalues) * np.finfo(dtype).eps * max(eigenvalues[0], 0.0))


def condition_number(eigenvalues: Array, floor: float = 0.0) -> float:
    """λ_1/λ_N of descending ``eigenvalues`` (N,); infinite if λ_N is at or below ``floor``: numerically singular."""
    smallest = float(eigenvalues[-1])
    return float(eigenvalues[0]) / smallest if smallest > max(floor, 0.0) else math.inf
