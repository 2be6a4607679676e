"""The outputs of infinitely wide networks over all initialisations, while they are trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntklab.dynamics import losses
from ntklab.dynamics.linear import LinearModel
from ntklab.dynamics.solution import Solution, gradient_flow
from ntklab.errors import SpecError
from ntklab.results import Gaussian, operator_of

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Networks trained by ``solution`` from outputs f0 ~ N(start, prior): Gaussian at all times, f being linear in f0.

    ``prior`` (N, N), ``prior_cross`` (M, N) and ``prior_test`` (M, M, or None) are the covariances of f0; mode λ of
    the training kernel is forgotten as e^(−``speed``·λ·steps).
    """

    solution: Solution
    speed: float
    prior: Array
    prior_cross: Array
    prior_test: Array | None

    def test(self, steps: float) -> Gaussian:
        """On test after ``steps`` (infinity: at the end): f = f0_test + A(y − f0) with A = Θ_test V q Vᵀ.

        The covariance is K** + A K Aᵀ − A K*ᵀ − K* Aᵀ, None without ``prior_test`` (Lee et al. 2019, eq. 16).
        """
        mean, vectors = self.solution.at(float(steps)).test, self.solution.spectrum.vectors
        if self.prior_test is None:
            return self._gaussian(mean, None)
        A = (self.solution.model.kernel_test @ vectors * self.solution.weights(steps)[0]) @ vectors.T
        shared = A @ self.prior_cross.T
        return self._gaussian(mean, self.prior_test + A @ self.prior @ A.T - shared - shared.T)

    def train(self, steps: float) -> Gaussian:
        """On train after ``steps``: f = y + E(f0 − y) with E = V e^(−speed·λ·steps) Vᵀ, so the covariance is E K E."""
        mean, spectrum = self.solution.at(float(steps)).train, self.solution.spectrum
        learned = self.solution.weights(steps)[0] > 0.0
        left = np.ones(len(learned))
        left[learned] = np.exp(-self.speed * spectrum.values[learned] * steps)
        E = (spectrum.vectors * left) @ spectrum.vectors.T
        return self._gaussian(mean, E @ self.prior @ E)

    def _gaussian(self, mean: Array, covariance: Array | None) -> Gaussian:
        found = None if covariance is None else (covariance + covariance.T) / 2
        return Gaussian(mean, found, self.solution.ridge, self.solution.condition, self.solution.notes)


def ensemble(
    model: LinearModel,
    *,
    nngp: Any = None,
    nngp_cross: Any = None,
    nngp_test: Any = None,
    loss: str = "half_mse",
    rate: float = 1.0,
    ridge: float = 0.0,
    relative: bool = False,
) -> Ensemble:
    """Infinitely wide networks of all initialisations under gradient flow (Lee et al. 2019, arXiv:1902.06720, eq. 16).

    ``model`` has the NTK between training samples, and between test and training samples; its start, the mean over
    initialisations, is zero unless given. ``nngp`` (N, N), ``nngp_cross`` (M, N) and ``nngp_test`` (M, M) are the
    covariances of the outputs at initialisation. Without the first two only the read-out is trained: the kernels of
    ``model`` are the NNGP themselves, and the end of training is the posterior of that Gaussian process.

    ``loss``, ``rate``, ``ridge`` and ``relative`` as in ``gradient_flow``. The noise that ``ridge`` stands for is
    learned from 0 where all layers are trained; where the read-out alone is, it is part of the prior too.

    The outputs of a network are independent of each other in this limit and share one covariance. Raises ``SpecError``
    for kernels that couple outputs and for shapes that do not fit, ``NumericalError`` as ``gradient_flow`` does.
    """
    if len(model.kernel) != len(model.targets):
        raise SpecError("ensemble: the kernel couples outputs; give the infinite kernel (N, N), one for all outputs")
    if (nngp is None) != (nngp_cross is None):
        raise SpecError("ensemble: nngp and nngp_cross belong together; give both, or none to train the read-out alone")
    solution = gradient_flow(model, loss=loss, rate=rate, ridge=ridge, relative=relative)
    n, m = len(model.targets), len(model.start_test)
    speed = losses.slope(loss, *model.targets.shape) * rate
    prior = solution.model.kernel if nngp is None else _fitting(nngp, "nngp", (n, n))
    cross = model.kernel_test if nngp_cross is None else _fitting(nngp_cross, "nngp_cross", (m, n))
    return Ensemble(
        solution, speed, prior, cross, None if nngp_test is None else _fitting(nngp_test, "nngp_test", (m, m))
    )


def _fitting(kernel: Any, name: str, shape: tuple[int, int]) -> Array:
    K = np.asarray(operator_of(kernel, name), dtype=np.float64)
    if K.shape != shape:
        raise SpecError(
            f"{name}: expected a kernel of {list(shape)}, got {list(K.shape)}; compute it between the samples of model"
        )
    return K
