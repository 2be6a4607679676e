"""a·min(x, 0) + b·max(x, 0): ReLU, leaky ReLU, the absolute value."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ntklab.kernels.infinite.activations.dual import Closed, Price, correlation, inverse_root, root_, squared_sine


@dataclass(frozen=True)
class Rectifier(Closed):
    """With the angle θ = atan2(√(1 − ρ²), ρ), A = (a² + b²)/2 and B = (a − b)²/(2π):

    E φ'φ' = A − B θ and E φφ = √(q q')·(B sin θ + (A − B θ) ρ) (Cho & Saul 2009, arc-cosine kernels of order 0 and 1;
    atan2 keeps the digits that arccos loses near ρ = ±1). A zero sample has θ = π/2 with any other and itself.
    """

    a: float
    b: float

    @property
    def cost(self) -> Price:
        return Price(7.0, 4)

    @property
    def _constants(self) -> tuple[float, float]:
        return (self.a**2 + self.b**2) / 2, (self.a - self.b) ** 2 / (2 * torch.pi)

    def diagonal(self, q: Tensor) -> tuple[Tensor, Tensor]:
        A, B = self._constants
        return A * q, torch.full_like(q, A) - B * torch.pi / 2 * (q == 0)

    def table(self, q: Tensor) -> Tensor:
        return torch.stack([inverse_root(q), q.sqrt()])

    def pair(self, S: Tensor, left: Tensor, right: Tensor, *, derivative: bool) -> tuple[Tensor, Tensor | None]:
        A, B = self._constants
        rho = correlation(S, left[0], right[0])
        sine = root_(squared_sine(rho))
        slope = torch.atan2(sine, rho, out=rho).mul_(-B).add_(A)
        scale = (left[1] * B) * right[1]
        return S.mul_(slope).addcmul_(sine, scale), slope if derivative else None
