"""How the target spreads over the modes of a kernel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ntklab.errors import DataError

Array = NDArray[np.float64]


def target_power(eigenvectors: Array, targets: Array) -> Array:
    """(N,): share Σ_c (v_i·y_c)² / |Y|² of the targets (N, k) in each mode, summed over outputs; sums to 1.

    All zero if the targets are. Canatar, Bordelon, Pehlevan 2021 (cumulative power C(ρ)); see ``Spectrum``.
    """
    Y = targets.reshape(len(targets), -1)
    if len(Y) != len(eigenvectors):
        raise DataError(f"the kernel has {len(eigenvectors)} samples and the targets have {len(Y)}; pass those "
                        "of the same samples")  # fmt: skip
    power = np.asarray(np.sum((eigenvectors.T @ Y) ** 2, axis=1))
    total = float(power.sum())
    return power / total if total else power
