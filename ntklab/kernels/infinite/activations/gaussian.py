"""Gaussian-shaped activations: a·exp(b·x²) and the Gabor function exp(−x²)·sin x."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ntklab.kernels.infinite.activations.dual import Price, Smooth
from ntklab.kernels.infinite.activations.tilted import Tilt


@dataclass(frozen=True)
class Gaussian(Smooth):
    """With P, c, d of ``Tilt(−2b)``: E φφ = a²/√(P d), E φ'φ' = −2b·a²·c/(P d^{3/2}). Finite where 4b·q < 1."""

    a: float
    b: float

    @property
    def cost(self) -> Price:
        return Price(5.0, 4)

    def diagonal(self, q: Tensor) -> tuple[Tensor, Tensor]:
        k, slope = super().diagonal(q)
        finite = 1 - 4 * self.b * q > 0
        return torch.where(finite, k, torch.inf), torch.where(finite, slope, torch.inf)

    def table(self, q: Tensor) -> Tensor:
        return Tilt(-2 * self.b).table(q)

    def pair(self, S: Tensor, left: Tensor, right: Tensor, *, derivative: bool) -> tuple[Tensor, Tensor | None]:
        c, d = Tilt(-2 * self.b).parts(S, left, right)
        inverse = d.rsqrt_()
        k = (inverse * left[2]).mul_(right[2] * self.a**2)
        if not derivative:
            return k, None
        slope = c.mul_(inverse).mul_(inverse).mul_(inverse).mul_(left[4]).mul_(right[4] * (-2 * self.b * self.a**2))
        return k, slope


@dataclass(frozen=True)
class Gabor(Smooth):
    """sin under the weight exp(−u² − v²), which turns the covariance into (Σ⁻¹ + 2)⁻¹ with entries q̃, q̃' and S̃.

    With ``Tilt(2)``, h = (b + b')/(2d) = 1 − q̃ − q̃', G = 1/√(P d) and E = exp((h − 1)/2):
    E φφ = G E sinh S̃, E φ'φ' = 4S̃(1 + h)·E φφ + G E (G² + 8S̃²) cosh S̃ (its derivative by S).
    """

    @property
    def cost(self) -> Price:
        return Price(14.0, 8)

    def table(self, q: Tensor) -> Tensor:
        return Tilt(2.0).table(q)

    def pair(self, S: Tensor, left: Tensor, right: Tensor, *, derivative: bool) -> tuple[Tensor, Tensor | None]:
        c, d = Tilt(2.0).parts(S, left, right)
        h = (left[4] + right[4]).mul_(0.5).div_(d)
        inverse = d.rsqrt_()
        G = (inverse * left[2]).mul_(right[2])
        S_tilde = c.mul_(inverse).mul_(G).mul_(0.5)
        GE = (h - 1).mul_(0.5).exp_().mul_(G)
        k = torch.sinh(S_tilde).mul_(GE)
        if not derivative:
            return k, None
        slope = G.square_().addcmul_(S_tilde, S_tilde, value=8).mul_(GE).mul_(torch.cosh(S_tilde))
        return k, slope.addcmul_(h.add_(1).mul_(S_tilde), k, value=4)
