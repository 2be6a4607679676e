"""Polynomials, monomials and Hermite polynomials: finite Hermite series with exact coefficients."""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial, sqrt

import torch
from torch import Tensor

from ntklab.kernels.infinite.activations.dual import Price, Smooth, correlation
from ntklab.kernels.infinite.activations.series import hermite_pair, scale_of


@dataclass(frozen=True)
class FiniteSeries(Smooth):
    """A polynomial of which ``rows[k]`` = (exponent, factor) pairs give E φ^(k)(u)/√k! = Σ factor·r^exponent.

    u ~ N(0, q), r = q − ``centre``. Then E φφ = Σ_k [E φ^(k)(u)/√k!]·[E φ^(k)(v)/√k!]·S^k (Mehler), a finite sum.
    """

    rows: tuple[tuple[tuple[int, float], ...], ...]
    centre: float = 0.0

    @property
    def cost(self) -> Price:
        return Price(2.0 + 0.6 * len(self.rows), 4)

    def table(self, q: Tensor) -> Tensor:
        sigma, r = scale_of(q), q - self.centre
        coefficients = [
            sum((factor * r**exponent for exponent, factor in row), torch.zeros_like(q)) * sigma**k
            for k, row in enumerate(self.rows)
        ]
        return torch.stack([1 / sigma, *coefficients])

    def pair(self, S: Tensor, left: Tensor, right: Tensor, *, derivative: bool) -> tuple[Tensor, Tensor | None]:
        rho = correlation(S, left[0], right[0])
        k, slope = hermite_pair(rho, left[1:], right[1:], derivative=derivative)
        return k, None if slope is None else slope.mul_(left[0]).mul_(right[0])


def polynomial(coefficients: tuple[float, ...]) -> FiniteSeries:
    """Σ_n coefficients[n]·x^n, by E d^k/du^k u^n = n!/(2^m m!)·q^m with 2m = n − k."""
    return FiniteSeries(
        tuple(
            tuple(
                ((n - k) // 2, a * factorial(n) / (2 ** ((n - k) // 2) * factorial((n - k) // 2)) / sqrt(factorial(k)))
                for n, a in enumerate(coefficients)
                if a != 0 and n >= k and (n - k) % 2 == 0
            )
            for k in range(len(coefficients))
        )
    )


def monomial(degree: int) -> FiniteSeries:
    """x^degree"""
    return polynomial((*(0.0 for _ in range(degree)), 1.0))


def hermite(degree: int) -> FiniteSeries:
    """The orthonormal probabilists' Hermite polynomial h_n, by E h_{n−k}(u) ∝ (q − 1)^m with 2m = n − k.

    At q = 1 only S^n is left. The expansion about q = 1 avoids the cancellation of its monomials.
    """
    return FiniteSeries(
        tuple(
            (((degree - k) // 2, _hermite_factor(degree, (degree - k) // 2)),) if (degree - k) % 2 == 0 else ()
            for k in range(degree + 1)
        ),
        centre=1.0,
    )


def _hermite_factor(n: int, m: int) -> float:
    """Of (q − 1)^m in E h_n^(k)(u)/√k!, k = n − 2m: √(n!/((2m)! k!))·√((2m)!)/(2^m m!)."""
    return sqrt(factorial(n) / factorial(n - 2 * m)) / float(2**m * factorial(m))
