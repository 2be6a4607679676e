"""What each of several kernels adds to their sum: to its trace, its alignment with the targets, and its eigenvalues.

The NTK is the sum of the parts of its layers (Novak, Sohl-Dickstein, Schoenholz 2022, arXiv:2206.08720), and all three
are linear in the kernel, so shares add up to 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def shares(amounts: Array) -> Array:
    """``amounts`` (L, …) over their sum along the first axis; NaN where that is 0 or not finite."""
    total = amounts.sum(axis=0)
    good = np.isfinite(total) & (total != 0)
    return np.asarray(np.where(good, amounts / np.where(good, total, 1.0), np.nan))


def target_amount(K: Array, targets: Array) -> float:
    """tr(YᵀK Y) of ``K`` (N, N) with Y, the ``targets`` (N, k) centred over the samples.

    The numerator ⟨HKH, YYᵀ⟩ of the centred alignment (CKA), with H = I − 11ᵀ/N: linear in K, as HY is Y.
    """
    Y = targets - targets.mean(axis=0)
    return float(np.sum(Y * (K @ Y)))


def mode_amounts(K: Array, vectors: Array) -> Array:
    """(N,): v_kᵀK v_k for the eigenvectors ``vectors`` (N, N), in columns, of the sum that ``K`` is a part of.

    Over all parts they add up to λ_k.
    """
    return np.asarray(np.einsum("ik,ik->k", vectors, K @ vectors))
