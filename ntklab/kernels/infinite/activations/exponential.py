"""a·exp(b·x), and the kernel-only exponential of the cosine."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ntklab.kernels.infinite.activations.dual import Closed, Price, Smooth, correlation, inverse_root


@dataclass(frozen=True)
class Exponential(Smooth):
    """E φφ = a²·exp(b²(q + q' + 2S)/2), E φ'φ' = b²·E φφ."""

    a: float
    b: float

    @property
    def cost(self) -> Price:
        return Price(3.0, 2)

    def table(self, q: Tensor) -> Tensor:
        return (self.b**2 / 2 * q)[None]

    def pair(self, S: Tensor, left: Tensor, right: Tensor, *, derivative: bool) -> tuple[Tensor, Tensor | None]:
        k = S.mul_(self.b**2).add_(left[0]).add_(right[0]).exp_().mul_(self.a**2)
        return k, k * self.b**2 if derivative else None


@dataclass(frozen=True)
class ExpNormalized(Closed):
    """K → √(q q')·exp(γ(ρ + shift)), T → γ·T·exp(γ(ρ + shift)); ``clip`` keeps ρ inside [−1, 1]."""

    gamma: float
    shift: float
    clip: bool

    @property
    def cost(self) -> Price:
        return Price(3.5, 2)

    def diagonal(self, q: Tensor) -> tuple[Tensor, Tensor]:
        factor = torch.exp(self.gamma * ((q > 0).to(q) + self.shift))
        return q * factor, self.gamma * factor

    def table(self, q: Tensor) -> Tensor:
        return torch.stack([inverse_root(q), q.sqrt()])

    def pair(self, S: Tensor, left: Tensor, right: Tensor, *, derivative: bool) -> tuple[Tensor, Tensor | None]:
        rho = correlation(S, left[0], right[0])
        if self.clip:
            rho.clamp_(-1, 1)
        factor = rho.add_(self.shift).mul_(self.gamma).exp_()
        k = torch.mul(factor, left[1], out=S).mul_(right[1])
        return k, factor.mul_(self.gamma) if derivative else None
