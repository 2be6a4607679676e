"""Expectations under a Gaussian weight: what erf, GELU and Gaussian-shaped activations have in common."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ntklab.kernels.infinite.activations.dual import correlation, inverse_root, squared_sine


@dataclass(frozen=True)
class Tilt:
    """The covariance Σ = [[q, S], [S, q']] seen through the weight exp(−``strength``·(u² + v²)/2).

    With Q = strength·q, everything follows from P = (1 + Q)(1 + Q'), c = strength·S/√P and d = 1 − c², which is
    det(1 + strength·Σ)/P. d is computed without cancellation as b + a(b' + a'(1 − ρ²)) with a = Q/(1 + Q) and
    b = 1/(1 + Q), so it holds at every scale of q.
    """

    strength: float

    def table(self, q: Tensor) -> Tensor:
        """(5, n): 1/√q, √|a|, √b, a, b of each sample."""
        Q = self.strength * q
        b = 1 / (1 + Q)
        a = Q * b
        return torch.stack([inverse_root(q), a.abs().sqrt(), b.sqrt(), a, b])

    def parts(self, S: Tensor, left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
        """(c, d) of each pair. S may be overwritten."""
        rho = correlation(S, left[0], right[0])
        d = squared_sine(rho).mul_(right[3]).add_(right[4]).mul_(left[3]).add_(left[4])
        sign = 1.0 if self.strength >= 0 else -1.0
        return rho.mul_(left[1] * sign).mul_(right[1]), d
