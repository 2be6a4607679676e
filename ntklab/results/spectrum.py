"""Eigenvalues of a kernel and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntklab.results.provenance import Provenance

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Of a symmetric kernel matrix (N, N), eigenvalues descending.

    ``eigenvectors`` (N, N) in columns. ``floor`` is the size below which an eigenvalue is rounding noise (N·eps of the
    kernel's dtype times the largest). ``condition`` is λ_1/λ_N, infinite below the floor. ``effective_dimension`` is
    Σ λ/(λ+ridge) at ``ridge``. ``target_power`` (N,) is the share of the target's squared norm in each mode (empty
    without targets), summing to 1. ``alignment`` is <K, YYᵀ>/(|K|·|YYᵀ|) and ``centred_alignment`` the same after
    centring both (CKA); None without targets. ``largest_rate`` is the largest stable learning rate for ``loss``.
    Definitions and sources: ``ntklab.spectra``.
    """

    eigenvalues: Array
    eigenvectors: Array
    floor: float
    condition: float
    stable_rank: float
    participation_ratio: float
    effective_dimension: float
    ridge: float
    target_power: Array
    alignment: float | None
    centred_alignment: float | None
    largest_rate: float
    loss: str
    momentum: float
    provenance: Provenance

    @property
    def cumulative_power(self) -> Array:
        """(N,): share of the target in the first modes (Canatar, Bordelon, Pehlevan 2021)."""
        return np.cumsum(self.target_power)
