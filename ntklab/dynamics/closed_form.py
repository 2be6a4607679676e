"""Training a linear model on the squared error, solved: every mode of its kernel decays at its own rate.

With Θ = V diag(λ) Vᵀ on the training samples and r = Vᵀ(y − f0), every algorithm here moves the weights by
u = Jᵀ V [q(λ) r], so that f = f0 + V [λ q r] on train and f0 + Θ_test,train V [q r] on test (Lee et al. 2019,
arXiv:1902.06720, eqs. 9 to 11). Each ``filter`` below gives q. They take the slope c of the loss (see ``losses``; 1/N
for "half_mse") and a weight ``decay`` β towards the START (not the origin): mode λ has curvature a = c·λ + β, and
β = c·δ is kernel ridge with δ (added to Θ) when time runs out. Time in gradient flow is learning rate × step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntklab import spectra
from ntklab.dynamics.linear import LinearModel
from ntklab.errors import NumericalError

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Eigen:
    """``values`` (n,) descending and ``vectors`` (n, n) in columns of a symmetric positive semi-definite kernel."""

    values: Array
    vectors: Array


def decompose(K: NDArray[np.floating], precision: str | None = None) -> Eigen:
    """Eigenpairs of ``K`` (n, n) in float64, with negative eigenvalues of rounding size set to 0.

    ``precision`` is the dtype in which K was computed, None its own. Raises ``NumericalError`` if an entry is not
    finite or an eigenvalue is negative beyond rounding in that dtype.
    """
    values, vectors = spectra.eigen(K)
    dtype = np.dtype(precision or K.dtype)
    if values[-1] < -max(1e-10, len(values) * float(np.finfo(dtype).eps)) * values[0]:
        raise NumericalError(
            f"the kernel is not positive semi-definite: its eigenvalues run from {values[-1]:.2e} to {values[0]:.2e}, "
            f"beyond rounding in {dtype}; compute the kernel again in float64"
        )
    return Eigen(np.maximum(values, 0.0), vectors)


def flow(eigenvalues: Array, time: float, *, slope: float, decay: float = 0.0) -> Array:
    """q of gradient flow at ``time`` (may be infinite): c·(1 − e^(−a·time))/a, c·time where a is 0."""
    a = slope * eigenvalues + decay
    if math.isinf(time):
        return ridge(eigenvalues, decay / slope)
    growth = np.where(a == 0.0, time, -np.expm1(-a * time) / np.where(a == 0.0, 1.0, a))
    return slope * growth


def descent(
    eigenvalues: Array, steps: int, *, rate: float, slope: float, momentum: float = 0.0, decay: float = 0.0
) -> Array:
    """q of ``steps`` steps of gradient descent at ``rate``, with heavy-ball ``momentum`` as in torch (v0 = 0).

    In the coordinates (q, velocity) a step is affine: v ← momentum·v + a·q − c, q ← q − rate·v. Its power is taken by
    squaring, for all modes at once and without diagonalising: the step is defective at critical damping. Without
    momentum the power is c·(1 − (1 − rate·a)^steps)/a. A mode beyond the stable rate overflows to infinity.
    """
    a = slope * eigenvalues + decay
    if momentum == 0.0:
        return slope * _geometric(rate * a, steps) * rate
    step = np.zeros((len(a), 3, 3))
    step[:, 0, 0], step[:, 0, 1], step[:, 0, 2] = 1.0 - rate * a, -rate * momentum, rate * slope
    step[:, 1, 0], step[:, 1, 1], step[:, 1, 2] = a, momentum, -slope
    step[:, 2, 2] = 1.0
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(np.linalg.matrix_power(step, steps)[:, 0, 2])


def momentum_flow(
    eigenvalues: Array, steps: float, *, rate: float, momentum: float, slope: float, decay: float = 0.0
) -> tuple[Array, Array]:
    """(q, dq/ds) of the heavy ball in continuous time after ``steps`` steps at ``rate``, at rest at the start.

    The ball v ← momentum·v + g, θ ← θ − rate·v moves as q'' + γ·q' + a·q = c does in s = steps·√rate, with the friction
    γ = (1 − momentum)/√rate (Qian 1999). Without cancellation for slow modes, early times and critical damping.
    """
    a, half, s = slope * eigenvalues + decay, (1.0 - momentum) / math.sqrt(rate) / 2, steps * math.sqrt(rate)
    if math.isinf(s):
        if half == 0.0:
            raise NumericalError("a heavy ball of momentum 1 never comes to rest; give a finite number of steps")
        return ridge(eigenvalues, decay / slope), np.zeros_like(a)
    q, velocity = np.empty_like(a), np.empty_like(a)
    apart = (half**2 - a) * s**2 > _APART
    q[apart], velocity[apart] = _overdamped(a[apart], half, s)
    q[~apart], velocity[~apart] = _oscillating(a[~apart], half, s)
    return slope * q, slope * velocity


_APART = 1e-4  # (ω·s)² from which the two exponentials of an overdamped mode are told apart without loss
_EARLY = 0.01  # a·s² up to which a mode has moved so little that its way is summed instead of differenced
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)


def _overdamped(a: Array, half: float, s: float) -> tuple[Array, Array]:
    """q and q' at s of q'' + 2·half·q' + a·q = 1 from rest, for a below half²."""
    omega = np.sqrt(half**2 - a)
    fast = half + omega
    slow = a / fast  # half − ω without cancellation
    gone = np.where(slow == 0.0, s, -np.expm1(-slow * s) / np.where(slow == 0.0, 1.0, slow))
    q = (gone + np.expm1(-fast * s) / fast) / (2 * omega)
    return q, (np.exp(-slow * s) - np.exp(-fast * s)) / (2 * omega)


def _oscillating(a: Array, half: float, s: float) -> tuple[Array, Array]:
    """The same for a above half² or so near to it that both roots nearly coincide."""
    square = half**2 - a
    cosine, sine = _waves(square, s)
    damping = math.exp(-half * s)
    early = a * s**2 < _EARLY
    q = (1.0 - damping * (cosine + half * sine)) / np.where(early, 1.0, a)
    times = s * (1 + _NODES) / 2
    q[early] = s / 2 * sum(w * math.exp(-half * u) * _waves(square[early], u)[1]
                           for u, w in zip(times, _WEIGHTS, strict=True))  # fmt: skip
    return q, damping * sine


def _waves(square: Array, s: float) -> tuple[Array, Array]:
    """cosh(ωs) and sinh(ωs)/ω with ω² = ``square``, which are cos(ωs) and sin(ωs)/ω where that is negative."""
    omega = np.sqrt(np.abs(square))
    z = omega * s
    rising = np.where(square > 0.0, z, 0.0)
    cosine = np.where(square > 0.0, np.cosh(rising), np.cos(z))
    sine = np.where(square > 0.0, np.sinh(rising), np.sin(z))
    return cosine, np.where(z < 1e-8, s, sine / np.where(z < 1e-8, 1.0, omega))


def ridge(eigenvalues: Array, delta: float = 0.0) -> Array:
    """q of kernel ridge regression, 1/(λ + δ): where every algorithm ends. Modes with λ + δ = 0 stay at their start."""
    total = eigenvalues + delta
    return np.where(total > 0.0, 1.0 / np.where(total > 0.0, total, 1.0), 0.0)


def predict(model: LinearModel, spectrum: Eigen, q: Array) -> tuple[Array, Array]:
    """Outputs on train (…, N, k) and test (…, M, k) of ``model`` when mode i has been filtered by ``q`` (…, n)."""
    train, test = changes(model, spectrum, q)
    return model.start + train, model.start_test + test


def changes(model: LinearModel, spectrum: Eigen, q: Array) -> tuple[Array, Array]:
    """The same without the outputs at the start: f − f0; of a derivative of q, the derivative of f."""
    r = spectrum.vectors.T @ model.columns(model.targets - model.start)
    with np.errstate(over="ignore", invalid="ignore"):
        dual = spectrum.vectors @ (q[..., None] * r)
        train = spectrum.vectors @ ((spectrum.values * q)[..., None] * r)
        return model.rows(train), model.rows(model.kernel_test @ dual)


def with_nugget(K: Array, amount: float, *, absolute: bool = False) -> Array:
    """K + amount·(trace(K)/n)·I, or K + amount·I if ``absolute``: observation noise as part of the training kernel."""
    scale = 1.0 if absolute else float(np.trace(K)) / len(K)
    return K + amount * scale * np.eye(len(K))


def _geometric(x: Array, steps: int) -> Array:
    """Σ_{j<steps} (1 − x)^j, accurate for small x; ``steps`` where x is 0."""
    safe = np.where(x == 0.0, 1.0, x)
    slow = np.where((x > 0.0) & (x < 0.5), x, 0.0)
    with np.errstate(over="ignore", invalid="ignore"):
        power = np.where(slow > 0.0, -np.expm1(steps * np.log1p(-slow)), 1.0 - (1.0 - x) ** steps)
    return np.where(x == 0.0, float(steps), power / safe)
