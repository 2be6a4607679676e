"""How fast gradient descent learns each eigenmode of the linearised network."""

from __future__ import annotations

import math

from ntklab.spectra.stability import CURVATURE


def half_life(
    eigenvalue: float, *, rate: float, n: int, k: int = 1, loss: str = "half_mse", momentum: float = 0.0
) -> float:
    """Steps in which the residual along a mode of ``eigenvalue`` halves, at learning rate ``rate`` on the linear model.

    Plain descent multiplies it by 1 − ηcλ a step (c as in ``stability``), heavy-ball momentum μ in the long run by the
    larger root of z² − (1 + μ − ηcλ)z + μ. For ``n`` samples and ``k`` outputs. Infinite where it does not shrink:
    eigenvalues of 0 and below, rates at the critical one and above. Lee et al. 2019, arXiv:1902.06720.
    """
    a = rate * CURVATURE[loss](n, k) * eigenvalue
    if a <= 0:
        return math.inf
    trace, discriminant = 1 + momentum - a, (1 + momentum - a) ** 2 - 4 * momentum
    if discriminant < 0:
        log_factor = 0.5 * math.log(momentum)
    elif trace > 0:  # 1 − z without cancellation, since most modes shrink by very little
        log_factor = _log1p(-2 * a / (1 - momentum + a + math.sqrt(discriminant)))
    else:
        log_factor = _log((abs(trace) + math.sqrt(discriminant)) / 2)
    return math.log(2) / -log_factor if log_factor < 0 else math.inf


def _log(value: float) -> float:
    return math.log(value) if value > 0 else -math.inf


def _log1p(value: float) -> float:
    return math.log1p(value) if value > -1 else -math.inf
