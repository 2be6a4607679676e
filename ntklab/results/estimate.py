"""A number estimated from independent draws, or an array of them, with standard errors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ntklab.results.provenance import Provenance
from ntklab.results.student import normal_scores

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Estimate:
    """``mean`` and ``standard_error`` (any shape, the same) of ``draws`` independent unbiased estimates.

    The standard error is their standard deviation over √draws, itself known to a share of about 1/√(2·draws).
    """

    mean: Array
    standard_error: Array
    draws: int
    provenance: Provenance

    @classmethod
    def of(cls, values: NDArray[np.floating], provenance: Provenance, *, seconds: float | None = None) -> Estimate:
        """From all draws (draws, …), two at least."""
        found = np.asarray(values, dtype=np.float64)
        m = len(found)
        error = found.std(axis=0, ddof=1) / np.sqrt(m)
        return cls(found.mean(axis=0), np.asarray(error), m, replace(provenance, seconds=seconds))

    @cached_property
    def relative_error(self) -> float:
        """|standard error| / |mean| in the Frobenius norm."""
        size = float(np.linalg.norm(self.mean))
        return float(np.linalg.norm(self.standard_error)) / size if size else float("nan")

    def z_scores(self, exact: NDArray[np.floating]) -> Array:
        """How many standard errors ``mean`` lies above ``exact``, of the same shape.

        The error being estimated from ``draws``, deviations follow Student's t about; they are given as the normal
        deviation of the same probability. 0 where the estimate has no error and no deviation.
        """
        deviation = self.mean - np.asarray(exact, dtype=np.float64)
        rounding = 32 * np.finfo(self.provenance.dtype).eps * np.abs(self.mean).max(initial=0.0)
        whole = np.hypot(self.standard_error, rounding)
        t = np.divide(deviation, whole, out=np.zeros_like(deviation), where=(whole != 0) | (deviation != 0))
        return normal_scores(t, self.draws - 1)
