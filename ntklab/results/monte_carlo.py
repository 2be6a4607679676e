"""A kernel estimated from finite networks, with its standard error, and how it agrees with the analytic one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from ntklab.errors import NumericalError, SpecError
from ntklab.results.gram import Gram
from ntklab.results.provenance import Provenance
from ntklab.results.student import normal_scores, two_sided

Array = NDArray[np.float64]

LEAST_NETWORKS = 3
"""Networks a width from which deviations are judged: with two, a standard error says next to nothing."""

LIMIT = 3.0
_ROUNDING = 32  # units in the last place that the kernel of one network is taken to be wrong by


@dataclass(frozen=True, eq=False)
class MonteCarlo:
    """Mean and standard error of the kernel ``kind`` ("nngp" or "ntk") over random networks, (n1, n2) each.

    ``means`` and ``standard_errors`` (W, n1, n2) belong to the hidden ``widths`` (W,), ascending; a width of 0 stands
    for the widths written in the architecture. ``networks`` were drawn at each width; a standard error is their
    standard deviation over √networks, NaN for one network. The mean at width n has a bias of order 1/n as an estimate
    of the limit. ``limit`` and ``limit_error`` (n1, n2) are the intercept of the least-squares line a + b/n, weighted
    by n, and its standard error over seeds: None below three widths. All widths share their seeds.
    """

    kind: str
    widths: NDArray[np.int64]
    means: Array
    standard_errors: Array
    networks: int
    provenance: Provenance
    limit: Array | None = None
    limit_error: Array | None = None
    symmetric: bool = True

    @property
    def width(self) -> int:
        """The largest width; 0 for the widths as written."""
        return int(self.widths[-1])

    @property
    def mean(self) -> Array:
        """(n1, n2): the mean over the widest networks."""
        return self.means[-1]  # type: ignore[no-any-return]

    @property
    def standard_error(self) -> Array:
        """(n1, n2): of ``mean``."""
        return self.standard_errors[-1]  # type: ignore[no-any-return]

    @cached_property
    def relative_error(self) -> float:
        """|standard error| / |mean| in the Frobenius norm; NaN for one network."""
        size = float(np.linalg.norm(self.mean))
        return float(np.linalg.norm(self.standard_error)) / size if size else float("nan")

    def z_scores(self, analytic: Gram | NDArray[np.floating], *, extrapolated: bool | None = None) -> ZScores:
        """How many standard errors the estimate lies above the kernel ``analytic`` (n1, n2), entry by entry.

        ``extrapolated`` True compares the extrapolation to infinite width, False the mean over the widest networks
        (whose bias of order 1/width counts as a deviation), None the former where there is one. As the standard errors
        are estimated from ``networks`` draws, deviations follow Student's t; they are given as the normal deviation of
        the same probability. Rounding of the networks' precision is part of the error. Raises ``SpecError`` for fewer
        than three networks or an extrapolation that does not exist, ``NumericalError`` for a kernel of other samples.
        """
        if self.networks < LEAST_NETWORKS:
            raise SpecError(
                f"z-scores: need at least {LEAST_NETWORKS} networks a width to know the standard error, got "
                f"{self.networks}; draw more"
            )
        use_limit = self.limit is not None if extrapolated is None else extrapolated
        estimate, error = self._estimate(use_limit=use_limit)
        K = np.asarray(analytic.matrix if isinstance(analytic, Gram) else analytic, dtype=np.float64)
        if K.shape != estimate.shape:
            raise NumericalError(
                f"z-scores: both kernels must be on the same samples, got {estimate.shape} and {K.shape}; compute both "
                "again"
            )
        return self._scored(estimate - K, error, extrapolated=use_limit)

    def _estimate(self, *, use_limit: bool) -> tuple[Array, Array]:
        if not use_limit:
            return self.mean, self.standard_error
        if self.limit is None or self.limit_error is None:
            raise SpecError(
                f"z-scores: there is no extrapolation from {len(self.widths)} widths; draw at three widths or more, "
                "or compare the widest networks"
            )
        return self.limit, self.limit_error

    def _scored(self, deviation: Array, error: Array, *, extrapolated: bool) -> ZScores:
        rounding = _ROUNDING * float(np.finfo(self.provenance.dtype).eps) * float(np.abs(self.mean).max(initial=0.0))
        whole = np.hypot(error, rounding)
        t = np.divide(deviation, whole, out=np.zeros_like(deviation), where=(whole != 0) | (deviation != 0))
        z = normal_scores(t, self.networks - 1)
        return ZScores(z, self.networks, self.width, extrapolated=extrapolated, symmetric=self.symmetric)


@dataclass(frozen=True, eq=False)
class ZScores:
    """Deviations ``values`` (n1, n2) of an estimate in standard errors, as normal ones.

    Were the estimate unbiased, each entry would be N(0, 1). Entries share their networks, so they deviate together: the
    share of large ones scatters more than independent numbers would.
    """

    values: Array
    networks: int
    width: int
    extrapolated: bool
    symmetric: bool

    @cached_property
    def distinct(self) -> Array:
        """The finite or infinite scores, each pair of samples once."""
        values = self.values[np.triu_indices(len(self.values))] if self.symmetric else self.values.ravel()
        return np.asarray(values[~np.isnan(values)])

    @cached_property
    def beyond(self) -> float:
        """Share of |z| > 3 among the distinct entries; NaN without entries."""
        return float(np.mean(np.abs(self.distinct) > LIMIT)) if self.distinct.size else float("nan")

    @property
    def expected(self) -> float:
        """The share of |z| > 3 to expect: 0.0027."""
        return two_sided(LIMIT)

    @cached_property
    def largest(self) -> float:
        """max |z|; NaN without entries."""
        return float(np.abs(self.distinct).max()) if self.distinct.size else float("nan")

    @cached_property
    def rms(self) -> float:
        """Root of the mean z²: about 1 where the estimate and the analytic kernel agree. NaN without entries."""
        return float(np.sqrt(np.mean(self.distinct**2))) if self.distinct.size else float("nan")


@lru_cache(maxsize=4)
def agreement(found: MonteCarlo, analytic: Gram) -> ZScores | None:
    """``found.z_scores(analytic)``, remembered; None with too few networks, or of kernels on other samples."""
    if found.networks < LEAST_NETWORKS or found.mean.shape != analytic.matrix.shape:
        return None
    return found.z_scores(analytic)
