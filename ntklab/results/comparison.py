"""How far a finite-width kernel is from its infinite-width limit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ntklab.results.gram import Gram
from ntklab.results.provenance import Provenance

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class WidthConvergence:
    """Relative Frobenius distance of the empirical from the analytic NTK, for each width and seed.

    ``widths`` (W,), ``errors`` (W, S). ``slope`` is the least-squares slope of log RMS error against log width with its
    standard ``slope_error`` (theory: about −½ for one network; Jacot 2018, Lee 2019); None with fewer than 3 widths.
    """

    widths: NDArray[np.int64]
    errors: Array
    slope: float | None
    slope_error: float | None
    provenance: Provenance


def relative_distance(K: NDArray[np.floating], reference: NDArray[np.floating]) -> float:
    """|K − reference| / |reference| in the Frobenius norm, computed in float64; NaN if the reference is 0."""
    R = np.asarray(reference, dtype=np.float64)
    size = float(np.linalg.norm(R))
    return float(np.linalg.norm(np.asarray(K, dtype=np.float64) - R)) / size if size else math.nan


@lru_cache(maxsize=2)
def distance(gram: Gram, limit: Gram) -> float:
    """``relative_distance`` of two kernels, mean over outputs; remembered for the window, which must not wait."""
    return relative_distance(gram.matrix, limit.matrix)
