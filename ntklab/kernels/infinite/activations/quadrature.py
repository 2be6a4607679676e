"""Expectations over one Gaussian variable: nodes that resolve a function at every variance, and Hermite functions."""

from __future__ import annotations

from functools import lru_cache
from math import ceil, pi, sqrt

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[np.float64]

REACH = 13.0  # beyond it exp(−z²/4) is below 1e-18
_ORDER = 20  # nodes of a panel
_GAUSS = np.polynomial.legendre.leggauss(_ORDER)
_DECAY = 37.0  # e^−37 is 1e-16


def gaussian_nodes(largest: float, *, feature: float, degree: int, kinked: bool) -> tuple[Tensor, Tensor]:
    """Nodes z and weights w (m,) with Σ w f(√q z) h(z) e^{−z²/4} ≈ ∫ f(√q z) h(z) e^{−z²/4} dz for all q ≤ ``largest``.

    For f that varies on the scale ``feature`` and h a Hermite function up to ``degree``, to 1e-16. Of two rules the
    one with fewer nodes: equal steps (exponentially accurate for analytic f; their number grows like √q), or
    Gauss–Legendre panels that grow away from 0 (their number grows like log q; right for f with a kink there too).
    """
    spread = max(sqrt(largest), 1e-3)
    waves = sqrt(degree + 1.0)
    step = 2 * pi / (waves + 10.0 + _DECAY * spread / feature)
    first = min(feature / spread, 1.0)
    longest = min(2.0, 12.0 / waves)
    panels = _panel_edges(first, longest)
    if not kinked and 2 * REACH / step <= 2 * _ORDER * (len(panels) - 1):
        z = step * torch.arange(-ceil(REACH / step), ceil(REACH / step) + 1, dtype=torch.float64)
        return z, torch.full_like(z, step)
    return _panels(panels)


def _panel_edges(first: float, longest: float) -> list[float]:
    """Edges from 0 to ``REACH`` whose distances double from ``first`` on until they are ``longest``."""
    edges, length = [0.0], first
    while edges[-1] < REACH:
        edges.append(min(edges[-1] + length, REACH))
        length = min(max(length, edges[-1]), longest)
    return edges


def _panels(edges: list[float]) -> tuple[Tensor, Tensor]:
    x, w = _GAUSS
    low, high = np.array(edges[:-1])[:, None], np.array(edges[1:])[:, None]
    z = ((high + low) / 2 + (high - low) / 2 * x).ravel()
    weights = ((high - low) / 2 * w).ravel()
    return torch.from_numpy(np.concatenate([-z[::-1], z])), torch.from_numpy(np.concatenate([weights[::-1], weights]))


def hermite_rule(largest: float, feature: float, count: int, *, kinked: bool) -> tuple[Tensor, Tensor]:
    """Nodes z (m,) and matrix (m, count) with f(√q z) @ matrix ≈ E f(√q z) h_k(z) for z ~ N(0, 1), all q ≤ ``largest``.

    Kept for other layers and runs: so give powers of 2.
    """
    return _hermite_rule(largest, feature, count, kinked)


@lru_cache(maxsize=12)
def _hermite_rule(largest: float, feature: float, count: int, kinked: bool) -> tuple[Tensor, Tensor]:
    z, w = gaussian_nodes(largest, feature=feature, degree=count, kinked=kinked)
    weights = w * torch.exp(-z * z / 4) / sqrt(2 * pi)
    return z, (torch.from_numpy(_hermite_functions(z.numpy(), count)) * weights).T.contiguous()


def _hermite_functions(z: Array, count: int) -> Array:
    """(count, m): h_k(z)·e^{−z²/4} for k < count, h_k orthonormal under N(0, 1); stable for thousands of k."""
    rows = np.empty((count, len(z)))
    rows[0] = np.exp(-z * z / 4)
    below = np.zeros_like(z)
    for k in range(count - 1):
        np.multiply(z, rows[k], out=rows[k + 1])
        rows[k + 1] -= sqrt(k) * below
        rows[k + 1] /= sqrt(k + 1)
        below = rows[k]
    return rows
