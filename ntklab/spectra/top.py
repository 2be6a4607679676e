"""The largest eigenvalues of a kernel that is known through its products with vectors: Lanczos with restarts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import replace
from threading import Event
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ntklab.errors import NumericalError, SpecError
from ntklab.progress import Forecast, Progress, Work, translated
from ntklab.results import Eigenpairs, Gram, Provenance, operator_of
from ntklab.spectra.eigen import eigen
from ntklab.store import LazyArray

Array = NDArray[np.float64]

_BEAT = 0.1  # seconds between two looks at the thread that iterates
_SMALL = 48  # rows up to which the matrix is formed
_BLOCK = 64 * 2**20  # bytes of rows of a kernel in memory that are multiplied between two events
_ASKEW = 1e-3  # residuals, relative to the largest eigenvalue, that no rounding explains
_TOLERANCES = {"float32": 1e-6, "float64": 1e-11}


class Operator(Protocol):
    """A symmetric (N, N) matrix known by its products. ``product(V)`` as well, for work that can be left midway."""

    @property
    def shape(self) -> tuple[int, int]:
        """(N, N)"""

    def matvec(self, v: Any) -> Any:
        """The product with v (N,)."""


def top_eigenpairs(
    kernel: Operator | Gram | NDArray[np.floating], count: int = 10, *, tolerance: float | None = None, seed: int = 0
) -> Work[Eigenpairs]:
    """The ``count`` largest eigenvalues of a symmetric ``kernel`` (N, N), with eigenvectors and residuals.

    ``kernel`` is an operator (``shape``, ``matvec``, and perhaps ``product`` and ``forecast``), a ``Gram`` or an array;
    of kernels with all pairs of outputs the matrix that acts on stacked outputs. By the implicitly restarted Lanczos
    method of ARPACK (Lehoucq, Sorensen, Yang 1998), started from a vector drawn with ``seed``, in float64, until
    residuals are below ``tolerance`` times a lower bound of the largest eigenvalue; None is 1e-11, for kernels in
    float32 1e-6. A small kernel, and one of which most eigenvalues are asked, is decomposed.

    Yields a ``Forecast`` and ``Progress``, also while a product is computed: it may be left at any time. Raises
    ``SpecError`` for a count outside 1 … N, ``NumericalError`` without convergence and for products that are not
    finite.
    """
    started = time.perf_counter()
    asked = _Counted(_operator(kernel))
    n = asked.shape[0]
    if not 1 <= count <= n:
        raise SpecError(f"count: expected 1 to {n} eigenvalues of a kernel with {n} rows, got {count}; ask for fewer")
    basis = min(n, max(2 * count + 8, 24))
    one = asked.forecast()
    guess = None if one.seconds is None else one.seconds * 2 * basis
    yield Forecast(8 * n * (basis + 2 * count) + one.peak_bytes, guess, 2 * basis, one.route or "Lanczos")
    if n <= _SMALL or 3 * count > n:
        K = yield from asked.product(np.eye(n))
        values, vectors = eigen(K)
    else:
        tolerance = _TOLERANCES[asked.dtype] if tolerance is None else tolerance
        values, vectors = yield from _lanczos(asked, count, basis=basis, tolerance=tolerance, seed=seed)
    values, vectors = values[:count], vectors[:, :count]
    vectors = vectors * np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(count)])
    images = yield from asked.product(vectors)
    residuals = np.linalg.norm(images - vectors * values, axis=0)
    if residuals.max() > _ASKEW * np.abs(values).max():
        raise NumericalError(
            f"eigenvalues: Θv and λv differ by {residuals.max():.1e}, the largest λ is {np.abs(values).max():.1e}; "
            "the products are not those of one symmetric matrix, check the operator"
        )
    provenance = replace(asked.provenance, seconds=time.perf_counter() - started)
    return Eigenpairs(values, vectors, residuals, asked.count, provenance)


def _lanczos(asked: _Counted, count: int, *, basis: int, tolerance: float, seed: int) -> Work[tuple[Array, Array]]:
    """Eigenvalues, descending, and eigenvectors. ARPACK calls for products in a thread of its own."""
    from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh  # 0.1 s that others need not wait for

    n = asked.shape[0]
    start = np.random.default_rng(seed).standard_normal(n)
    image = yield from asked.product(start[:, None])
    # Shifted by about the largest eigenvalue, all are judged by residuals relative to that one, also those near 0.
    shift = float(np.linalg.norm(image) / np.linalg.norm(start))
    if shift == 0:
        return np.zeros(count), np.linalg.qr(np.random.default_rng(seed).standard_normal((n, count)))[0]
    stop = Event()

    def multiply(v: Array) -> Array:
        work = asked.product(v.reshape(-1, 1))
        try:
            while True:
                next(work)
                if stop.is_set():
                    work.close()
                    raise _StoppedError
        except StopIteration as end:
            found: Array = end.value.reshape(-1) + shift * v.reshape(-1)
            return found

    def solve() -> tuple[Array, Array]:
        shifted = LinearOperator((n, n), matvec=multiply, dtype=np.float64)
        values, vectors = eigsh(shifted, k=count, which="LA", ncv=basis, v0=start, tol=tolerance / 2)
        return values, vectors

    with _thread(solve, stop) as future:
        while not wait((future,), timeout=_BEAT).done:
            yield Progress(asked.count, max(2 * basis, asked.count + 1), "products")
        try:
            values, vectors = future.result()
        except ArpackNoConvergence as error:
            raise NumericalError(
                f"eigenvalues: {len(error.eigenvalues)} of {count} converged after {asked.count} products; ask for "
                "fewer, raise the tolerance, or compute the kernel in float64"
            ) from error
    order = np.argsort(values)[::-1]
    return values[order] - shift, vectors[:, order]


class _StoppedError(Exception):
    """Nobody waits for the eigenvalues any more."""


@contextmanager
def _thread(act: Callable[[], tuple[Array, Array]], stop: Event) -> Iterator[Future[tuple[Array, Array]]]:
    """``act`` in another thread, which ends after the step that it is at when the block is left."""
    pool = ThreadPoolExecutor(1, thread_name_prefix="eigenvalues")
    try:
        yield pool.submit(act)
    finally:
        stop.set()
        pool.shutdown(wait=True)


class _Counted:
    """An operator with products in float64, one column or several, that are counted and checked."""

    def __init__(self, operator: Any) -> None:
        self.operator = operator
        self.count = 0
        self.shape: tuple[int, int] = tuple(operator.shape)
        self.dtype = str(np.dtype(getattr(operator, "dtype", None) or np.float64))
        self.provenance: Provenance = getattr(operator, "provenance", None) or Provenance("kernel", dtype=self.dtype)
        if len(self.shape) != 2 or self.shape[0] != self.shape[1] or not self.shape[0]:
            raise SpecError(
                f"kernel: eigenvalues need a square kernel with at least one row, got the shape {list(self.shape)}; "
                "compute it between a set of samples and itself"
            )

    def forecast(self) -> Forecast:
        """Of one product."""
        found = getattr(self.operator, "forecast", None)
        return found() if found is not None else Forecast(16 * self.shape[0])

    def product(self, V: Array) -> Work[Array]:
        """With V (N, m). Raises ``NumericalError``."""
        work = getattr(self.operator, "product", None)
        if work is not None:
            found = yield from translated(work(V), lambda event: None if isinstance(event, Forecast) else event)
        else:
            columns = []
            for v in V.T:
                columns.append(np.asarray(self.operator.matvec(np.ascontiguousarray(v))).reshape(-1))
                yield Progress(len(columns), V.shape[1], "products")
            found = np.stack(columns, axis=1)
        self.count += V.shape[1]
        if not np.isfinite(found).all():
            raise NumericalError("the kernel has products that are NaN or infinite; scale the data, or use float64")
        return np.asarray(found, dtype=np.float64).reshape(V.shape)


def _operator(kernel: Any) -> Any:
    if isinstance(kernel, Gram):
        return _Matrix(operator_of(kernel), kernel.provenance)
    return kernel if hasattr(kernel, "matvec") else _Matrix(operator_of(kernel), None)


class _Matrix:
    """A kernel in memory, multiplied some rows at a time, or on disk, by its tiles."""

    def __init__(self, K: NDArray[np.floating], provenance: Provenance | None) -> None:
        self.K, self.provenance = K, provenance
        self.shape, self.dtype = K.shape, K.dtype

    def product(self, V: Array) -> Work[Array]:
        """KV."""
        if isinstance(self.K, LazyArray):
            return (yield from self.K.product(V))
        rows = max(1, _BLOCK // max(1, self.K[0].nbytes))
        parts = []
        for start in range(0, len(self.K), rows):
            parts.append(self.K[start : start + rows] @ V.astype(self.dtype, copy=False))
            yield Progress(min(start + rows, len(self.K)), len(self.K), "rows")
        return np.concatenate(parts)
