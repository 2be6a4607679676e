"""Kernel ridge regression."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntklab.errors import DataError, NumericalError, SpecError
from ntklab.spectra import eigen, rounding_floor

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class KernelRidge:
    """The fit of ``targets`` (N, k) by a kernel with eigenvalues (N,) and eigenvectors (N, N), at any ridge δ.

    With A = K + δI: minimises Σ(f − y)² + δ|f|² in the kernel's space, so δ = N·β for a penalty β on the half mean
    squared error. ``floor`` is the size of rounding noise in the eigenvalues: λ + δ must be above it.
    """

    eigenvalues: Array
    eigenvectors: Array
    targets: Array
    floor: float

    @classmethod
    def of(cls, K: NDArray[np.floating], targets: NDArray[np.floating]) -> KernelRidge:
        """Decompose ``K`` (N, N). Raises ``DataError`` for ``targets`` of other samples, ``NumericalError`` for NaN."""
        Y = np.asarray(targets, dtype=np.float64)
        if Y.ndim not in (1, 2) or len(Y) != len(K):
            raise DataError(
                f"the kernel has {len(K)} samples and the targets the shape {Y.shape}; give one row a sample"
            )
        eigenvalues, eigenvectors = eigen(K)
        return cls(eigenvalues, eigenvectors, Y.reshape(len(Y), -1), rounding_floor(eigenvalues, K.dtype))

    def inverse_spectrum(self, ridge: float) -> Array:
        """(N,): 1/(λ + ``ridge``). Raises ``NumericalError`` where the system is singular, ``SpecError`` for δ < 0."""
        if not (np.isfinite(ridge) and ridge >= 0):
            raise SpecError(f"ridge: expected a number of at least 0, got {ridge!r}; give 0 or a number above it")
        shifted = self.eigenvalues + ridge
        if shifted[-1] <= self.floor:
            raise NumericalError(
                f"the kernel is numerically singular: its smallest eigenvalue plus the ridge {ridge:g} is "
                f"{shifted[-1]:.1e}, rounding is {self.floor:.1e}; give a ridge above {2 * self.floor:.1e}"
            )
        return np.asarray(1 / shifted)

    def coefficients(self, ridge: float) -> Array:
        """α = A⁻¹Y, (N, k): the prediction at x is Σ_i K(x, x_i)·α_i."""
        return np.asarray(
            self.eigenvectors @ (self.inverse_spectrum(ridge)[:, None] * (self.eigenvectors.T @ self.targets))
        )

    def predict(self, K_test: NDArray[np.floating], ridge: float) -> Array:
        """(M, k) predictions from the kernel ``K_test`` (M, N) between test and training samples."""
        return np.asarray(np.asarray(K_test, dtype=np.float64) @ self.coefficients(ridge))
