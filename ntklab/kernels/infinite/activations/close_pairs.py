"""Pairs on their own, at any correlation: long Hermite series and, where those fail, direct quadrature.

Needed for nearly collinear samples of large variance, whose Hermite series converge too slowly to run on whole tiles.
All in float64 on vectors of pairs.
"""

from __future__ import annotations

from math import ceil, pi, sqrt

import torch
from torch import Tensor

from ntklab.kernels.infinite.activations.expansion import slope_coefficients
from ntklab.kernels.infinite.activations.functions import Function
from ntklab.kernels.infinite.activations.quadrature import REACH, gaussian_nodes

Pair = tuple[Tensor, Tensor]
_ENTRIES = 1 << 21  # numbers held at once


def by_series(function: Function, rho: Tensor, q1: Tensor, q2: Tensor, *, count: int) -> Pair:
    """E φφ and E φ'φ' for each of the pairs (p,), with ``count`` Hermite coefficients."""
    variances, where = torch.unique(torch.cat([q1, q2]), return_inverse=True)
    c, d = slope_coefficients(function, variances, count)
    left, right = torch.split(where, len(q1))
    index = torch.arange(count, dtype=torch.float64)
    k, slope = torch.empty_like(rho), torch.empty_like(rho)
    for part in torch.split(torch.arange(len(rho)), max(1, _ENTRIES // count)):
        i, j, r = left[part], right[part], rho[part]
        terms = d[i] * d[j] * _powers(r, index)
        slope[part] = terms.sum(1)
        k[part] = c[i] * c[j] + (q1[part] * q2[part]).sqrt() * r * (terms / (index + 1)).sum(1)
    return k, slope


def _powers(rho: Tensor, index: Tensor) -> Tensor:
    powers = torch.exp(rho.abs().log()[:, None] * index)
    powers[:, 1::2] *= rho.sign()[:, None]
    return powers


def by_quadrature(function: Function, rho: Tensor, q1: Tensor, q2: Tensor) -> Pair:
    """E φφ and E φ'φ' for each of the pairs (p,), at any variance and correlation, by nested quadrature.

    u = √(|ρ|q)·z + √((1 − |ρ|)q)·e and v = ±√(|ρ|q')·z + √((1 − |ρ|)q')·e' with independent z, e, e' has the covariance
    wanted, so E φ(u) φ(v) = E_z[φ̄(z) φ̄'(z)]: each factor is φ smoothed over its own noise.
    """
    k, slope = torch.empty_like(rho), torch.empty_like(rho)
    for p in range(len(rho)):
        k[p], slope[p] = _one_pair(function, float(rho[p]), float(q1[p]), float(q2[p]))
    return k, slope


def _one_pair(function: Function, rho: float, q1: float, q2: float) -> tuple[float, float]:
    size = min(abs(rho), 1.0)
    z, w = gaussian_nodes(size * max(q1, q2), feature=function.feature / 2)
    weights = w * torch.exp(-z * z / 2) / sqrt(2 * pi)
    first = _smoothed(function, sqrt(size * q1) * z, sqrt((1 - size) * q1))
    second = _smoothed(function, sqrt(size * q2) * z * (1 if rho >= 0 else -1), sqrt((1 - size) * q2))
    k, slope = (float(weights @ (a * b)) for a, b in zip(first, second, strict=True))
    return k, slope


def _smoothed(function: Function, y: Tensor, deviation: float) -> Pair:
    """E φ(y + deviation·e) and E φ'(y + deviation·e), e ~ N(0, 1), at each y: equal steps, exponentially accurate."""
    step = 2 * pi / (12.0 + 37.0 * deviation / function.feature)
    half = ceil(0.7 * REACH / step)
    e = step * torch.arange(-half, half + 1, dtype=torch.float64)
    weights = step * torch.exp(-e * e / 2) / sqrt(2 * pi)
    parts = [
        (function.value(x) @ weights, function.slope(x) @ weights)
        for x in (chunk[:, None] + deviation * e for chunk in torch.split(y, max(1, _ENTRIES // len(e))))
    ]
    return torch.cat([k for k, _ in parts]), torch.cat([slope for _, slope in parts])
