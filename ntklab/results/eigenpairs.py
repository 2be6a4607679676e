"""The largest eigenvalues of a kernel that is too large to be decomposed, and their eigenvectors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntklab.results.provenance import Provenance

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Eigenpairs:
    """The ``eigenvalues`` (m,) of a symmetric kernel Θ (N, N) that are largest, descending.

    ``eigenvectors`` (N, m) in columns, of length 1, the entry of largest magnitude positive. ``residuals`` (m,) are
    ‖Θv − λv‖: an eigenvalue of Θ lies within that distance of λ. ``products`` Θv were taken.
    """

    eigenvalues: Array
    eigenvectors: Array
    residuals: Array
    products: int
    provenance: Provenance
