"""GELU: x·Φ(x)."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import torch
from torch import Tensor

from ntklab.kernels.infinite.activations.dual import Price, Smooth
from ntklab.kernels.infinite.activations.tilted import Tilt


@dataclass(frozen=True)
class Gelu(Smooth):
    """With P, c, d, a, b of ``Tilt(1)`` and t = arcsin c (Tsuchida et al. 2021, arXiv:2002.08517; derivative by S):

    E φφ = S/4 + √P/(2π)·[(bb'c² + aa'd)/√d + c t],  E φ'φ' = 1/4 + [(c/√d)(bb'/d + bb' + 1 − aa') + t]/(2π).
    """

    @property
    def cost(self) -> Price:
        return Price(12.0, 7)

    def table(self, q: Tensor) -> Tensor:
        tilt = Tilt(1.0).table(q)
        return torch.cat([tilt, (1 + q).sqrt()[None]])

    def pair(self, S: Tensor, left: Tensor, right: Tensor, *, derivative: bool) -> tuple[Tensor, Tensor | None]:
        c, d = Tilt(1.0).parts(S, left, right)
        inverse = d.rsqrt()  # 1/√d
        angle = (c * inverse).atan_()
        k = d.mul_(left[3]).mul_(right[3]).addcmul_((c * left[4]).mul_(right[4]), c).mul_(inverse).addcmul_(c, angle)
        k.mul_(left[5]).mul_(right[5] / (2 * pi)).add_(S, alpha=0.25)
        if not derivative:
            return k, None
        return k, _slope(c.mul_(inverse), inverse, angle, left, right)


def _slope(tangent: Tensor, inverse: Tensor, angle: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """¼ + [tan·(bb'(1/d + 1) + b + b' − bb') + t]/(2π), in which 1 − aa' = b + b' − bb'."""
    weight = inverse.mul_(inverse).mul_(left[4]).mul_(right[4]).add_(left[4]).add_(right[4])
    return weight.mul_(tangent).add_(angle).mul_(1 / (2 * pi)).add_(0.25)
