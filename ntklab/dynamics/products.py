"""Products with a large symmetric kernel, in pieces short enough to be cancelled between."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ntklab.errors import NumericalError

Array = NDArray[np.float64]
T = TypeVar("T")
Pieces = Generator[None, None, T]  # yields between two pieces of work of a few ms, returns the result

BLOCK = 2_000_000  # numbers of a kernel read between two yields: about 5 ms
DIRECT = 256  # up to this size all eigenvalues take a few ms
ITERATIONS = 300


def product(kernel: Array, columns: Array) -> Pieces[Array]:
    """``kernel @ columns``, some rows at a time; overflow gives infinity or NaN without a warning."""
    result = np.empty((len(kernel), columns.shape[1]))
    rows = max(1, BLOCK // max(1, kernel.shape[1]))
    for start in range(0, len(kernel), rows):
        with np.errstate(over="ignore", invalid="ignore"):
            np.matmul(kernel[start : start + rows], columns, out=result[start : start + rows])
        yield
    return result


def largest_eigenvalue(kernel: Array, *, tolerance: float = 1e-10) -> Pieces[float]:
    """λ_1 of a symmetric ``kernel`` (n, n), to a relative ``tolerance``.

    Above a few hundred rows by Lanczos with full reorthogonalisation (Golub, Van Loan 2013, §10.1), stopped by its
    residual bound. Raises ``NumericalError`` if an entry is not finite.
    """
    if not np.isfinite(kernel).all():
        raise NumericalError("the kernel has entries that are NaN or infinite; scale the data, or compute in float64")
    yield
    if len(kernel) <= DIRECT:
        return float(np.linalg.eigvalsh(kernel)[-1])
    return (yield from _lanczos(kernel, tolerance))


def _lanczos(kernel: Array, tolerance: float) -> Pieces[float]:
    n, steps = len(kernel), min(ITERATIONS, len(kernel))
    basis = np.zeros((steps + 1, n))
    start = np.random.default_rng(0).standard_normal(n) + kernel.sum(axis=1)
    basis[0] = start / np.linalg.norm(start)
    diagonal, beside = np.zeros(steps), np.zeros(steps)
    top = 0.0
    for j in range(steps):
        w = (yield from product(kernel, basis[j][:, None]))[:, 0]
        diagonal[j] = basis[j] @ w
        for _ in range(2):  # twice is enough (Giraud et al. 2005)
            w -= basis[: j + 1].T @ (basis[: j + 1] @ w)
        beside[j] = np.linalg.norm(w)
        T = np.diag(diagonal[: j + 1]) + np.diag(beside[:j], 1) + np.diag(beside[:j], -1)
        values, vectors = np.linalg.eigh(T)
        top = float(values[-1])
        if beside[j] * abs(vectors[-1, -1]) <= tolerance * abs(top):
            break
        basis[j + 1] = w / beside[j]
    return top
