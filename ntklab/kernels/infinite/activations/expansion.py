"""Hermite coefficients of a function at many variances, and how many of them a correlation needs.

φ(√q z) = Σ_k c_k h_k(z) and φ'(√q z) = Σ_k d_k h_k(z) with c_{k+1} = √(q/(k+1))·d_k, so that
E φφ = Σ c_k c_k' ρ^k and E φ'φ' = Σ d_k d_k' ρ^k (Daniely, Frostig, Singer 2016). The d_k are integrated and the c_k
follow: so both keep their relative precision down to q = 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log2, sqrt

import numpy as np
import torch
from torch import Tensor

from ntklab.kernels.infinite.activations.functions import Function
from ntklab.kernels.infinite.activations.quadrature import REACH, hermite_rule
from ntklab.kernels.infinite.activations.smoothing import moments, panels

LEVELS = (0.0, 0.125, 0.25, *(1 - 2.0**-j for j in range(1, 14)), 1.0)
TOLERANCE = 1e-14
_ROWS = 2048
_ROWS_ALONE = 64  # with nodes of their own


def slope_coefficients(function: Function, q: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """c_0 (n,) and d_0 … d_{count−1} (n, count) at each variance."""
    q, where = torch.unique(q, return_inverse=True)
    if function.central:
        parts = _common(function, q, count)
    else:
        parts = [_own(function, chunk, count) for chunk in torch.split(q, _ROWS_ALONE)]
    return torch.cat([c for c, _ in parts])[where], torch.cat([d for _, d in parts])[where]


def _common(function: Function, q: Tensor, count: int) -> list[tuple[Tensor, Tensor]]:
    """With the same nodes for all variances, about 0."""
    z, basis = hermite_rule(
        _power_of_two(float(q.max())), function.feature, _power_of_two(count), kinked=function.kinked
    )
    parts = []
    for chunk in torch.split(q.sqrt(), _ROWS):
        values, slopes = function.at(chunk[:, None] * z)
        parts.append((values @ basis[:, 0], slopes @ basis[:, :count]))
    return parts


def _own(function: Function, q: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """With nodes of their own for variances whose functions vary elsewhere."""
    edges = torch.tensor(function.mesh(REACH * sqrt(float(q.max()))).edges, dtype=torch.float64)
    sigma = q.sqrt()[:, None]
    z, w = panels(edges / sigma.clamp(min=1e-300), REACH, longest=min(3.0, 9.0 / sqrt(count + 1.0)))
    values, slopes = function.at(sigma * z)
    slopes = slopes * w
    d = torch.empty(len(q), count, dtype=q.dtype)
    below, here = torch.zeros_like(z), torch.ones_like(z)
    for k in range(count):
        d[:, k] = torch.linalg.vecdot(slopes, here)
        below, here = here, (z * here).sub_(below, alpha=sqrt(k)).div_(sqrt(k + 1))
    return torch.linalg.vecdot(values, w), d


def _power_of_two(x: float) -> int:
    return 2 ** max(0, ceil(log2(x))) if x > 1 else 1


@dataclass(frozen=True)
class Expansion:
    """How many coefficients each correlation needs, for all variances of a layer.

    ``degrees[i]`` is the number that leaves a relative truncation below ``TOLERANCE`` for |ρ| ≤ ``LEVELS[i]``, or None
    where more than were looked at are needed. ``odd``: d_1, d_3, … are zero.
    """

    degrees: tuple[int | None, ...]
    odd: bool

    @classmethod
    def of(cls, function: Function, q: Tensor, *, most: int) -> Expansion:
        """Looks at the coefficients up to ``most`` at a few of the variances ``q``, the largest among them.

        A function that jumps has a series, but its slopes' is not the derivative of that: it is not used.
        """
        probe = torch.quantile(q[: 1 << 20], torch.linspace(0, 1, 9, dtype=q.dtype))
        probe = torch.unique(torch.cat([probe, q.max()[None]]))
        if function.mesh(REACH * sqrt(float(q.max()))).jumps:
            return cls((None,) * len(LEVELS), odd=False)
        k, slope = moments(function, probe)
        count = 256
        while True:
            c, d = slope_coefficients(function, probe, count)
            degrees = _degrees(probe, (k, slope), c, d)
            if degrees[-1] is not None or count >= most:
                break
            count = min(2 * count, most)
        odd = bool(d[:, 1::2].abs().max() <= 1e-15 * d.abs().max())
        return cls(degrees, odd)


def _degrees(q: Tensor, exact: tuple[Tensor, Tensor], c: Tensor, d: Tensor) -> tuple[int | None, ...]:
    """For each level the first degree behind which neither series has more than the tolerance left, at any variance."""
    index = np.arange(d.shape[1])
    powers = np.array(LEVELS)[:, None] ** index
    beyond = np.array(LEVELS) ** d.shape[1]
    squares = d.square()
    values = squares * q[:, None] / (torch.from_numpy(index) + 1)
    good = np.ones_like(powers, dtype=bool)
    for terms, rest, scale in (
        (values, exact[0] - c.square() - values.sum(1), exact[0].max()),
        (squares, exact[1] - squares.sum(1), exact[1].max()),
    ):
        tails = np.cumsum((terms.amax(0).numpy() * powers)[:, ::-1], axis=1)[:, ::-1]
        good &= tails + beyond[:, None] * max(0.0, float(rest.max())) <= TOLERANCE * float(scale)
    return tuple(int(row.argmax()) if row.any() else None for row in good)
