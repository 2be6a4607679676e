"""Kernels and outputs as people hold them (a ``Gram``, an array, a tensor) turned into matrices."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntklab.errors import DataError
from ntklab.results.gram import Gram
from ntklab.results.stored import StoredValues

Array = NDArray[np.float64]


def operator_of(kernel: Any, name: str = "kernel") -> NDArray[np.floating]:
    """``kernel`` (a ``Gram``, array or tensor) as the matrix that acts on outputs, in its own precision.

    (n1, n2) as it is; (n1, n2, k, k), outputs "full", as (n1·k, n2·k) with index i·k + output. A kernel on disk stays
    there, to be read some rows at a time. Raises ``DataError`` for other shapes, entries that are not finite, and what
    is not numbers.
    """
    if isinstance(kernel, Gram) and isinstance(kernel.values, StoredValues) and kernel.values.ndim != 3:
        _check_bad(kernel.health.bad, kernel.values.size, name)
        return kernel.operator
    K = kernel.values if isinstance(kernel, Gram) else _floats(kernel, name)
    if K.ndim == 4 and K.shape[2] == K.shape[3]:
        n1, n2, k, _ = K.shape
        K = K.transpose(0, 2, 1, 3).reshape(n1 * k, n2 * k)
    if K.ndim != 2:
        raise DataError(
            f"{name}: expected a kernel (n1, n2) or (n1, n2, k, k), got the shape {list(K.shape)}; "
            "compute it with outputs='mean' or outputs='full'"
        )
    _check_finite(K, name)
    return K


def outputs_of(values: Any, name: str) -> Array:
    """Outputs or targets (n, k) in float64; (n,) is one output. Raises ``DataError``."""
    found = np.asarray(_floats(values, name), dtype=np.float64)
    if found.ndim not in (1, 2):
        raise DataError(f"{name}: expected (n, k) or (n,), got the shape {list(found.shape)}; give one row a sample")
    _check_finite(found, name)
    return found.reshape(len(found), -1) if found.ndim == 1 else found


def _floats(values: Any, name: str) -> NDArray[np.floating]:
    """An array, from tensors too, which need not be on the CPU or free of a graph."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise DataError(f"{name}: expected an array of numbers, got {type(values).__name__}; convert it")
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)


def _check_finite(array: NDArray[np.floating], name: str) -> None:
    _check_bad(int(array.size - np.count_nonzero(np.isfinite(array))), array.size, name)


def _check_bad(bad: int, size: int, name: str) -> None:
    if bad:
        raise DataError(
            f"{name}: {bad} of {size} numbers are NaN or infinite; remove them, or compute the kernel in float64"
        )
