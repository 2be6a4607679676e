"""The posterior of a Gaussian process whose covariance is a kernel of wide networks."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntklab.errors import SpecError
from ntklab.generalization.ridge import KernelRidge
from ntklab.results import Gaussian, operator_of, outputs_of
from ntklab.spectra import condition_number

Array = NDArray[np.float64]


def posterior(
    kernel: Any,
    targets: Any,
    kernel_test: Any,
    kernel_test_test: Any = None,
    *,
    ridge: float = 0.0,
    relative: bool = False,
) -> Gaussian:
    """Of f ~ GP(0, K), given ``targets`` (N, k) or (N,) with noise of variance ``ridge``: mean and covariance on test.

    With A = K + δI: mean K* A⁻¹ Y, covariance K** − K* A⁻¹ K*ᵀ (Rasmussen, Williams 2006, eqs. 2.23 and 2.24).
    ``kernel`` (N, N), ``kernel_test`` (M, N) between test and training samples, ``kernel_test_test`` (M, M), without
    which there is no covariance. With ``relative`` δ is ``ridge`` times the mean diagonal of ``kernel``. Kernels of
    shape (n, n', k, k) couple outputs. The training samples themselves: give ``kernel`` three times.

    With the NNGP kernel this is Bayesian inference with infinitely wide networks (Lee et al. 2018, arXiv:1711.00165).
    With the NTK the mean is that of trained networks, but the covariance is not theirs: it is that of the Gaussian
    process whose prior is the NTK. Trained networks: ``dynamics.ensemble``.

    Solved with eigenvalues in float64 and without hidden jitter: a kernel that is numerically singular with its ridge
    raises ``NumericalError`` and names the ridge that would do. Raises ``SpecError`` for a negative ridge and kernels
    that do not fit, ``DataError`` for entries that are not finite.
    """
    K, K_test = operator_of(kernel), operator_of(kernel_test, "kernel_test")
    Y = outputs_of(targets, "targets")
    k = Y.shape[1]
    coupled = len(K) != len(Y) and len(K) == Y.size
    fit = KernelRidge.of(K, Y.reshape(-1, 1) if coupled else Y)
    if relative:
        ridge *= float(np.trace(K)) / len(K)
    if K_test.shape[1] != len(K):
        raise _misfit("kernel_test", K_test, "(M, N)")
    mean = fit.predict(K_test, ridge).reshape(-1, k)
    covariance = None
    if kernel_test_test is not None:
        prior = operator_of(kernel_test_test, "kernel_test_test")
        if prior.shape != (len(K_test), len(K_test)):
            raise _misfit("kernel_test_test", prior, "(M, M)")
        covariance = _covariance(fit, ridge, np.asarray(K_test, dtype=np.float64), np.asarray(prior, dtype=np.float64))
        if coupled:
            covariance = covariance.reshape(len(mean), k, len(mean), k).transpose(0, 2, 1, 3)
    shifted = fit.eigenvalues + ridge
    return Gaussian(mean, covariance, float(ridge), condition_number(shifted, fit.floor), _notes(K, shifted, ridge))


def _covariance(fit: KernelRidge, ridge: float, K_test: Array, prior: Array) -> Array:
    """K** − K* A⁻¹ K*ᵀ as prior − B Bᵀ, symmetric by construction."""
    B = K_test @ fit.eigenvectors * np.sqrt(fit.inverse_spectrum(ridge))
    return np.asarray((prior + prior.T) / 2 - B @ B.T)


def _notes(K: NDArray[np.floating], shifted: Array, ridge: float) -> tuple[str, ...]:
    notes = [f"ridge {ridge:.6g} on the diagonal of the training kernel"] if ridge else []
    if (condition := condition_number(shifted)) > float(np.finfo(K.dtype).eps) ** -0.5:
        notes.append(
            f"the training kernel is ill-conditioned ({condition:.1e} in {K.dtype}): as many digits are lost; "
            "a larger ridge, or a kernel in float64, keeps more"
        )
    return tuple(notes)


def _misfit(name: str, kernel: NDArray[np.floating], wanted: str) -> SpecError:
    return SpecError(
        f"{name}: expected a kernel {wanted} that fits the training kernel, got the shape {list(kernel.shape)}; "
        "compute it between the test and the training samples"
    )
