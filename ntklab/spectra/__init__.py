"""Eigenvalues of a kernel and what follows from them: one quantity a file, numpy in float64, no network."""

from ntklab.spectra.alignment import centred_target_alignment, target_alignment
from ntklab.spectra.condition import condition_number, rounding_floor
from ntklab.spectra.effective_dimension import effective_dimension
from ntklab.spectra.eigen import eigen, eigenvalues
from ntklab.spectra.power import target_power
from ntklab.spectra.rank import participation_ratio, stable_rank
from ntklab.spectra.shares import mode_amounts, shares, target_amount
from ntklab.spectra.spectrum import spectrum
from ntklab.spectra.stability import critical_rate
from ntklab.spectra.top import top_eigenpairs

__all__ = [
    "centred_target_alignment",
    "condition_number",
    "critical_rate",
    "effective_dimension",
    "eigen",
    "eigenvalues",
    "mode_amounts",
    "participation_ratio",
    "rounding_floor",
    "shares",
    "spectrum",
    "stable_rank",
    "target_alignment",
    "target_amount",
    "target_power",
    "top_eigenpairs",
]
