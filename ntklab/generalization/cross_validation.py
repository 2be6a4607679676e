"""Generalised cross-validation."""

from __future__ import annotations

import numpy as np

from ntklab.generalization.ridge import KernelRidge


def generalised_cross_validation(fit: KernelRidge, ridge: float) -> float:
    """(|α|²/N)/(tr A⁻¹/N)², summed over outputs; A = K + δI, α = A⁻¹Y (Craven, Wahba 1979).

    Equal to the usual (|(I − S)Y|²/N)/(tr(I − S)/N)² with S = K·A⁻¹, but without its 0/0 as the ridge goes to 0.
    Estimates the squared test error, summed over outputs.
    """
    inverse = fit.inverse_spectrum(ridge)
    n = len(inverse)
    return float(np.sum(fit.coefficients(ridge) ** 2) / n / inverse.mean() ** 2)
