"""sign(x)."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import torch
from torch import Tensor

from ntklab.kernels.infinite.activations.dual import Closed, Price, correlation, inverse_root, root_, squared_sine


@dataclass(frozen=True)
class Sign(Closed):
    """E φφ = 1 − 2θ/π with cos θ = ρ; φ' is 0 almost everywhere, so nothing below is trained through it."""

    @property
    def cost(self) -> Price:
        return Price(6.0, 3)

    def diagonal(self, q: Tensor) -> tuple[Tensor, Tensor]:
        return (q > 0).to(q.dtype), torch.zeros_like(q)

    def table(self, q: Tensor) -> Tensor:
        return inverse_root(q)[None]

    def pair(self, S: Tensor, left: Tensor, right: Tensor, *, derivative: bool) -> tuple[Tensor, Tensor | None]:  # noqa: ARG002
        rho = correlation(S, left[0], right[0])
        return torch.atan2(root_(squared_sine(rho)), rho).mul_(-2 / pi).add_(1), None
