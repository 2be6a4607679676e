"""Alignment of a kernel with the targets, uncentred and centred.

The uncentred one is dominated by the constant mode of an NTK (digits give 0.03 to 0.07 whatever the network): show the
centred one beside it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def target_alignment(K: Array, targets: Array) -> float | None:
    """<K, YYᵀ>/(|K|·|YYᵀ|) of ``K`` (N, N) with ``targets`` (N, k), in the Frobenius product; between −1 and 1.

    None where a norm is 0. Cristianini, Shawe-Taylor, Elisseeff, Kandola 2001.
    """
    return _cosine(K, targets)


def centred_target_alignment(K: Array, targets: Array) -> float | None:
    """The same after centring both, H K H and H YYᵀ H with H = I − 11ᵀ/N (CKA: Cortes, Mohri, Rostamizadeh 2012).

    None where nothing is left after centring: a single sample, constant targets, a constant kernel.
    """
    rows = K.mean(axis=0)
    centred = K - rows - rows[:, None] + rows.mean()
    Y = targets - targets.mean(axis=0)
    noise = len(K) * float(np.finfo(np.float64).eps)  # what centring a constant leaves behind
    if np.linalg.norm(centred) <= noise * np.linalg.norm(K) or np.linalg.norm(Y) <= noise * np.linalg.norm(targets):
        return None
    return _cosine(centred, Y)


def _cosine(K: Array, Y: Array) -> float | None:
    norms = float(np.linalg.norm(K)) * float(np.linalg.norm(Y.T @ Y))
    return float(np.sum(Y * (K @ Y))) / norms if norms > 0 else None
