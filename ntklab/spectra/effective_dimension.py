"""Effective dimension of a kernel at a ridge."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ntklab.errors import SpecError

Array = NDArray[np.float64]


def effective_dimension(eigenvalues: Array, ridge: float) -> float:
    """Σ λ/(λ + ridge), from 0 to N: the modes that kernel regression with K + ridge·I fits (Zhang 2005).

    ``ridge`` has the unit of an eigenvalue; at 0 this is the number of eigenvalues above 0. Eigenvalues must not be
    negative. Raises ``SpecError`` unless ``ridge`` is a finite number of at least 0.
    """
    if not (np.isfinite(ridge) and ridge >= 0):
        raise SpecError(f"ridge: expected a number of at least 0, got {ridge!r}; give 0 or a number above it")
    positive = eigenvalues[eigenvalues > 0]
    return float(np.sum(positive / (positive + ridge)))
