"""The median heuristic for the length scale of a stationary kernel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ntklab.errors import DataError

MOST = 1000  # samples that enter the median


def median_distance(X: NDArray[np.floating]) -> float:
    """Median Euclidean distance between different rows of ``X`` (n, d); evenly spaced rows of more than 1,000.

    Raises ``DataError`` if it is 0 or there are fewer than two rows.
    """
    from sklearn.metrics import pairwise_distances

    rows = np.asarray(X, dtype=np.float64)
    if len(rows) > MOST:
        rows = rows[np.linspace(0, len(rows) - 1, MOST).astype(int)]
    distances = pairwise_distances(rows)[np.triu_indices(len(rows), k=1)]
    median = float(np.median(distances)) if distances.size else 0.0
    if median == 0:
        raise DataError("most samples are equal, so their distances give no length scale; give length_scale")
    return median
