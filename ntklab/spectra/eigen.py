"""Eigenvalues and eigenvectors of a symmetric matrix."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ntklab.errors import NumericalError

Array = NDArray[np.float64]
_FAILED = "the eigendecomposition failed: {}; compute the kernel in float64"


def eigen(K: NDArray[np.floating]) -> tuple[Array, Array]:
    """Eigenvalues (N,), descending, and eigenvectors (N, N) in columns, of the symmetric part of ``K`` (N, N).

    Computed in float64 whatever the dtype of ``K`` (a float32 decomposition is off by about 1e-5 of the largest). The
    entry of largest magnitude of each eigenvector is positive, so that equal kernels give equal signs. numpy's ``eigh``
    (LAPACK syevd) runs without the interpreter lock, which scipy's dense ``eigh`` holds. Raises ``NumericalError`` for
    entries that are not finite and if LAPACK does not converge.
    """
    symmetric = _symmetric(K)
    try:
        values, vectors = np.linalg.eigh(symmetric)
    except np.linalg.LinAlgError as error:
        raise NumericalError(_FAILED.format(error)) from error
    vectors = vectors[:, ::-1]
    largest = np.abs(vectors).argmax(axis=0)
    signs = np.sign(vectors[largest, np.arange(vectors.shape[1])])
    return np.ascontiguousarray(values[::-1]), vectors * signs


def eigenvalues(K: NDArray[np.floating]) -> Array:
    """The eigenvalues (N,) of ``eigen`` alone, in a third of its time. Raises ``NumericalError`` like it."""
    try:
        return np.ascontiguousarray(np.linalg.eigvalsh(_symmetric(K))[::-1])
    except np.linalg.LinAlgError as error:
        raise NumericalError(_FAILED.format(error)) from error


def _symmetric(K: NDArray[np.floating]) -> Array:
    """The symmetric part, checked."""
    symmetric = np.asarray(K, dtype=np.float64)
    if symmetric.ndim != 2 or symmetric.shape[0] != symmetric.shape[1] or symmetric.size == 0:
        raise NumericalError(
            f"eigenvalues need a square matrix with at least one row, got the shape {symmetric.shape}; "
            "compute the kernel between a set of samples and itself"
        )
    symmetric = symmetric + symmetric.T
    symmetric *= 0.5
    bad = int(symmetric.size - np.count_nonzero(np.isfinite(symmetric)))
    if bad:
        raise NumericalError(
            f"the kernel has {bad} entries that are NaN or infinite; scale the data and compute it again in float64"
        )
    return symmetric
