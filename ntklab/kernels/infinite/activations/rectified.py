"""max(x, 0)^n: the arc-cosine kernels of every order."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import pi, prod

import torch
from torch import Tensor

from ntklab.kernels.infinite.activations.dual import Closed, Price, correlation, inverse_root, root_, squared_sine


@dataclass(frozen=True)
class RectifiedMonomial(Closed):
    """E φφ = (q q')^{n/2}/(2π)·J_n(θ), E φ'φ' = n²·(q q')^{(n−1)/2}/(2π)·J_{n−1}(θ) (Cho & Saul 2009), n ≠ 1.

    J_n = P_n(cos θ)(π − θ) + Q_n(cos θ) sin θ with polynomials of whole coefficients (``angular_polynomials``).
    """

    degree: int

    @property
    def cost(self) -> Price:
        return Price(8.0 + self.degree, 6)

    def diagonal(self, q: Tensor) -> tuple[Tensor, Tensor]:
        n = self.degree
        slope = n**2 * _moment(2 * n - 2) / 2 * q ** (n - 1) if n else torch.zeros_like(q)
        return _moment(2 * n) / 2 * torch.where(q > 0, q**n, 0.0), slope

    def table(self, q: Tensor) -> Tensor:
        n = self.degree
        below = q ** ((n - 1) / 2) if n else torch.zeros_like(q)
        return torch.stack([inverse_root(q), torch.where(q > 0, q ** (n / 2), 0.0), below])

    def pair(self, S: Tensor, left: Tensor, right: Tensor, *, derivative: bool) -> tuple[Tensor, Tensor | None]:
        rho = correlation(S, left[0], right[0]).clamp_(-1, 1)
        sine = root_(squared_sine(rho))
        rest = torch.atan2(sine, rho).neg_().add_(pi)  # π − θ
        k = _angular(self.degree, rho, sine, rest).mul_(left[1]).mul_(right[1] / (2 * pi))
        if not derivative or self.degree == 0:
            return k, None
        slope = _angular(self.degree - 1, rho, sine, rest).mul_(left[2])
        return k, slope.mul_(right[2] * (self.degree**2 / (2 * pi)))


def _angular(n: int, rho: Tensor, sine: Tensor, rest: Tensor) -> Tensor:
    P, Q = angular_polynomials(n)
    return _polynomial(P, rho).mul_(rest).addcmul_(_polynomial(Q, rho), sine)


def _polynomial(coefficients: tuple[float, ...], x: Tensor) -> Tensor:
    """Σ_j coefficients[j]·x^j for coefficients that are zero at every other j."""
    value = torch.zeros_like(x)
    square, top = x * x, len(coefficients) - 1
    for j in range(top, -1, -2):
        value.mul_(square).add_(coefficients[j])
    return value.mul_(x) if top % 2 else value


@cache
def angular_polynomials(n: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Coefficients of P_n and Q_n, lowest first.

    From d/dρ J_n = n² J_{n−1}: P_n' = n² P_{n−1} with P_n(0) = (E z^n)², and
    P_n + (1 − x²) Q_n' − x Q_n = n² (1 − x²) Q_{n−1}, solved from the highest power down.
    """
    P, Q = _exact_polynomials(n)
    return tuple(map(float, P)), tuple(map(float, Q))


@cache
def _exact_polynomials(n: int) -> tuple[tuple[Fraction, ...], tuple[Fraction, ...]]:
    if n == 0:
        return (Fraction(1),), ()
    P_below, Q_below = _exact_polynomials(n - 1)
    P = [Fraction(_moment(n)) ** 2, *(Fraction(n * n) * a / (j + 1) for j, a in enumerate(P_below))]
    R = [-a for a in P]
    for j, a in enumerate(Q_below):
        R[j] += n * n * a
        R[j + 2] -= n * n * a
    Q = [Fraction(0)] * (n + 2)
    for j in range(n, 0, -1):
        Q[j - 1] = ((j + 1) * Q[j + 1] - R[j]) / j
    return tuple(P), tuple(Q[:n])


def _moment(n: int) -> int:
    """E z^n for z ~ N(0, 1): (n − 1)!! for even n."""
    return prod(range(n - 1, 0, -2)) if n % 2 == 0 else 0
