"""a·sin(b·x + c): sine, cosine, and the activation whose kernel is the radial basis function."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, sin, sqrt

from torch import Tensor

from ntklab.kernels.infinite.activations.dual import Price, Smooth


@dataclass(frozen=True)
class Sinusoid(Smooth):
    """With C = cos 2c, s = b²S and E = exp(−b²(q + q')/2):

    E φφ = a²/2·E·[(1 − C) cosh s + (1 + C) sinh s],  E φ'φ' = a²b²/2·E·[(1 + C) cosh s + (1 − C) sinh s].
    ``even`` = 1 − C and ``odd`` = 1 + C are given themselves, so that a quarter period is exact. In this form a small s
    loses no digits; e^|s| is taken into E, so a large one does not overflow.
    """

    a: float
    b: float
    even: float
    odd: float

    @classmethod
    def sine(cls, a: float, b: float, c: float) -> Sinusoid:
        """a·sin(b·x + c)"""
        return cls(a, b, even=2 * sin(c) ** 2, odd=2 * cos(c) ** 2)

    @classmethod
    def cosine(cls, a: float, b: float, c: float) -> Sinusoid:
        """a·cos(b·x + c)"""
        return cls(a, b, even=2 * cos(c) ** 2, odd=2 * sin(c) ** 2)

    @classmethod
    def rbf(cls, gamma: float) -> Sinusoid:
        """√2·sin(√(2γ)·x + π/4), with E φφ = exp(−γ(q + q' − 2S)) (Rahimi & Recht 2007)"""
        return cls(sqrt(2), sqrt(2 * gamma), even=1.0, odd=1.0)

    @property
    def cost(self) -> Price:
        return Price(8.0, 4)

    def table(self, q: Tensor) -> Tensor:
        return (-(self.b**2) / 2 * q)[None]

    def pair(self, S: Tensor, left: Tensor, right: Tensor, *, derivative: bool) -> tuple[Tensor, Tensor | None]:
        s = S.mul_(self.b**2)
        size = s.abs()
        E = (left[0] + right[0]).add_(size).exp_().mul_(self.a**2 / 2)
        sinh = size.mul_(-2).expm1_().mul_(-0.5).copysign_(s)  # both times e^−|s|
        cosh = 1 - sinh.abs()
        k = (self.even * cosh).add_(sinh, alpha=self.odd).mul_(E)
        if not derivative:
            return k, None
        return k, cosh.mul_(self.odd).add_(sinh, alpha=self.even).mul_(E).mul_(self.b**2)
