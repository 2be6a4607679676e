"""Expectations over two correlated Gaussians by brute force.

E f(u) g(v) is integrated in polar coordinates: the kinks of activations at 0 lie on four rays, so panels between the
rays are exact for kinked and smooth functions alike. Functions are those of the finite networks, derivatives torch's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import pairwise
from math import acos, ceil, pi, sqrt

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntklab.networks.activations import POINTWISE
from ntklab.spec.activations import Activation

Array = NDArray[np.float64]
Function = Callable[[Tensor], Tensor]


def expectation(f: Function, g: Function, q1: float, S: float, q2: float) -> float:
    """E f(u) g(v) for (u, v) ~ N(0, [[q1, S], [S, q2]]); f and g may have kinks or jumps at 0."""
    rho = S / sqrt(q1 * q2) if q1 * q2 > 0 else 0.0
    turn = acos(min(1.0, max(-1.0, rho)))
    rays = sorted({angle % (2 * pi) for base in (0.0, turn) for angle in (base + pi / 2, base - pi / 2)})
    finer = ceil(max(1.0, sqrt(max(q1, q2)) / 2))  # functions vary on the scale of 1
    angle, weight = _panels((*rays, rays[0] + 2 * pi), pi / 8 / finer)
    r, w = _panels((0.0, 13.0), 1 / finer)
    u = torch.from_numpy(sqrt(q1) * np.cos(angle)[:, None] * r)
    v = torch.from_numpy(sqrt(q2) * np.cos(angle - turn)[:, None] * r)
    return float(weight @ (f(u) * g(v)).numpy() @ (w * r * np.exp(-r * r / 2))) / (2 * pi)


@cache
def moments(layer: Activation, q1: float, S: float, q2: float) -> tuple[float, float]:
    """E φφ and E φ'φ' of an activation."""

    def value(x: Tensor) -> Tensor:
        return POINTWISE[type(layer)](layer, x)

    def slope(x: Tensor) -> Tensor:
        x = x.clone().requires_grad_()
        y = value(x)
        return torch.autograd.grad(y.sum(), x)[0] if y.requires_grad else torch.zeros_like(x)

    return expectation(value, value, q1, S, q2), expectation(slope, slope, q1, S, q2)


@cache
def _panels(edges: tuple[float, ...], longest: float) -> tuple[Array, Array]:
    """Nodes and weights of Gauss–Legendre panels between the edges, none longer than ``longest``."""
    x, w = np.polynomial.legendre.leggauss(16)
    pieces = [np.linspace(a, b, max(2, int(np.ceil((b - a) / longest)) + 1)) for a, b in pairwise(edges) if b > a]
    low, high = (
        np.concatenate([piece[start:stop] for piece in pieces])[:, None] for start, stop in ((0, -1), (1, None))
    )
    return ((low + high) / 2 + (high - low) / 2 * x).ravel(), ((high - low) / 2 * w).ravel()
