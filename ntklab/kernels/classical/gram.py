"""Gram matrices of the classical kernels, one row of the table each."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntklab.errors import DataError, SpecError
from ntklab.kernels.classical.length_scale import median_distance
from ntklab.results import Gram, Provenance

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Parameters:
    """``length_scale`` ℓ of the stationary kernels, smoothness ``nu`` of Matérn, ``degree`` and ``offset``."""

    length_scale: float
    nu: float
    degree: int
    offset: float


def _rbf(x1: Array, x2: Array | None, given: Parameters) -> Any:
    from sklearn.gaussian_process.kernels import RBF

    return RBF(given.length_scale)(x1, x2)


def _laplace(x1: Array, x2: Array | None, given: Parameters) -> Any:
    from sklearn.gaussian_process.kernels import Matern

    return Matern(given.length_scale, nu=0.5)(x1, x2)


def _matern(x1: Array, x2: Array | None, given: Parameters) -> Any:
    from sklearn.gaussian_process.kernels import Matern

    return Matern(given.length_scale, nu=given.nu)(x1, x2)


def _polynomial(x1: Array, x2: Array | None, given: Parameters) -> Any:
    from sklearn.metrics.pairwise import polynomial_kernel

    return polynomial_kernel(x1, x2, degree=given.degree, gamma=1 / x1.shape[1], coef0=given.offset)


def _linear(x1: Array, x2: Array | None, given: Parameters) -> Any:
    return _polynomial(x1, x2, replace(given, degree=1, offset=0.0))


@dataclass(frozen=True)
class Kernel:
    """Its formula with ℓ, ν, p, c for the parameters, which of them it has, and how it is computed."""

    formula: str
    parameters: tuple[str, ...]
    compute: Callable[[Array, Array | None, Parameters], Any]


KERNELS: dict[str, Kernel] = {
    "rbf": Kernel("exp(−|x − x'|²/(2ℓ²))", ("length_scale",), _rbf),
    "laplace": Kernel("exp(−|x − x'|/ℓ), Euclidean", ("length_scale",), _laplace),
    "matern": Kernel("Matérn of smoothness ν at |x − x'|/ℓ", ("length_scale", "nu"), _matern),
    "polynomial": Kernel("(x·x'/d + c)^p", ("degree", "offset"), _polynomial),
    "linear": Kernel("x·x'/d", (), _linear),
}


def classical_kernel(
    kind: str,
    x1: NDArray[np.floating],
    x2: NDArray[np.floating] | None = None,
    *,
    length_scale: float | None = None,
    nu: float = 1.5,
    degree: int = 3,
    offset: float = 1.0,
) -> Gram:
    """Kernel ``kind`` of ``KERNELS`` between ``x1`` (n1, d) and ``x2`` (n2, d), default ``x1``, in float64.

    ``length_scale`` None is the median distance within ``x1``. The Laplace kernel is that of the Euclidean distance,
    whose spectrum is close to the NTK's (Geifman et al. 2020), not scikit-learn's of the Manhattan distance. Raises
    ``SpecError`` for an unknown kind or a parameter out of range, ``DataError`` for samples that do not fit.
    """
    if kind not in KERNELS:
        raise SpecError(f"kernel: unknown, got {kind!r}; choose one of {', '.join(KERNELS)}")
    start = time.perf_counter()
    kernel = KERNELS[kind]
    X1 = _samples(x1)
    X2 = None if x2 is None else _samples(x2)
    if X2 is not None and X2.shape[1] != X1.shape[1]:
        raise DataError(f"x1 has {X1.shape[1]} features and x2 has {X2.shape[1]}; give the same features")
    scale = median_distance(X1) if length_scale is None and "length_scale" in kernel.parameters else length_scale
    given = Parameters(scale if scale is not None else 1.0, nu, degree, offset)
    _check(given)
    values = np.asarray(kernel.compute(X1, X2, given), dtype=np.float64)
    used = tuple(f"{name} = {getattr(given, name):g}" for name in kernel.parameters)
    notes = (kernel.formula, *used)
    provenance = Provenance(kind, route="scikit-learn", seconds=time.perf_counter() - start, notes=notes)
    return Gram(values, provenance, symmetric=X2 is None)


def _samples(x: NDArray[np.floating]) -> Array:
    X = np.asarray(x, dtype=np.float64)
    if X.ndim < 2 or X.size == 0 or not np.isfinite(X).all():
        raise DataError(f"samples must be a non-empty array (n, d) of finite numbers, got the shape {X.shape}; "
                        "give one row a sample")  # fmt: skip
    return X.reshape(len(X), -1)


def _check(given: Parameters) -> None:
    for name, good, advice in (
        ("length_scale", np.isfinite(given.length_scale) and given.length_scale > 0, "a number above 0"),
        ("nu", given.nu > 0, "a number above 0"),
        ("degree", given.degree >= 1 and given.degree == int(given.degree), "a whole number of at least 1"),
        ("offset", np.isfinite(given.offset) and given.offset >= 0, "a number of at least 0"),
    ):
        if not good:
            raise SpecError(f"{name}: got {getattr(given, name)!r}; give {advice}")
