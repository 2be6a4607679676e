"""A normal distribution over the outputs of a network on some samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntklab.errors import DataError

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Gaussian:
    """``mean`` (M, k) and ``covariance`` (M, M) of the outputs on M samples.

    The outputs of a sample are independent and share ``covariance``; kernels that couple outputs give (M, M, k, k).
    None where the covariance was not asked for. ``ridge`` is the number that was added to the diagonal of the training
    kernel, ``condition`` the condition number of that kernel with the ridge: about log10(condition) of the 16 digits of
    float64 are lost in the mean. ``notes`` say whatever else a reader must know.
    """

    mean: Array
    covariance: Array | None
    ridge: float
    condition: float
    notes: tuple[str, ...] = ()

    @property
    def variance(self) -> Array:
        """(M,) or (M, k): the diagonal of the covariance, with negative rounding set to 0. Raises ``DataError``."""
        if self.covariance is None:
            raise DataError("the covariance was not asked for; give the kernel between the test samples too")
        diagonal = np.einsum("ii...->i...", self.covariance)
        if diagonal.ndim == 3:
            diagonal = np.einsum("ioo->io", diagonal)
        return np.asarray(np.maximum(diagonal, 0.0))

    @property
    def deviation(self) -> Array:
        """The standard deviation: the square root of ``variance``."""
        return np.asarray(np.sqrt(self.variance))
