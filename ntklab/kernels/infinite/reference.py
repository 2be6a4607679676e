"""The slow twin: one pair of samples at a time, every expectation by brute force. For tests.

E f(u) g(v) over correlated Gaussians is integrated in polar coordinates: the kinks of activations at 0 lie on four
rays, so panels between the rays are exact for kinked and smooth functions alike. Functions are those of the finite
networks, their derivatives torch's: nothing is shared with the fast rules.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from math import acos, pi, prod, sqrt
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntklab import spec
from ntklab.networks.activations import POINTWISE
from ntklab.spec.shapes import layer_shapes

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Pair:
    """NNGP covariances q1, S, q2 of two samples, their tangent kernel T, the width of the layer, and whether they are
    one sample."""

    S: float
    T: float
    q1: float
    q2: float
    width: float
    same: bool


def reference_kernel(architecture: spec.Architecture, x1: Array, x2: Array | None = None) -> dict[str, Array]:
    """{"nngp", "ntk"}: (n1, n2) kernels of infinite width, to about 1e-12. Takes tens of milliseconds an entry."""
    layer_shapes(architecture)
    left = np.asarray(x1, dtype=np.float64).reshape(len(x1), -1)
    right = left if x2 is None else np.asarray(x2, dtype=np.float64).reshape(len(x2), -1)
    S, T = (np.empty((len(left), len(right))) for _ in range(2))
    for i, a in enumerate(left):
        for j, b in enumerate(right):
            q1, cross, q2 = (float(np.dot(u, v)) / len(u) for u, v in ((a, a), (a, b), (b, b)))
            start = Pair(S=cross, T=0.0, q1=q1, q2=q2, width=len(a), same=x2 is None and i == j)
            end = _stack(architecture.layers, start)
            S[i, j], T[i, j] = end.S, end.T
    return {"nngp": S, "ntk": T}


def expectation(f: Callable[[Tensor], Tensor], g: Callable[[Tensor], Tensor], q1: float, S: float, q2: float) -> float:
    """E f(u) g(v) for (u, v) ~ N(0, [[q1, S], [S, q2]]); f and g may have kinks or jumps at 0."""
    rho = S / sqrt(q1 * q2) if q1 * q2 > 0 else 0.0
    turn = acos(min(1.0, max(-1.0, rho)))
    rays = sorted({angle % (2 * pi) for base in (0.0, turn) for angle in (base + pi / 2, base - pi / 2)})
    edges = [*rays, rays[0] + 2 * pi]
    angle, weight = _panels(tuple(edges), pi / 8)
    r, w = _panels((0.0, 13.0), 0.4)
    u = torch.from_numpy(sqrt(q1) * np.cos(angle)[:, None] * r)
    v = torch.from_numpy(sqrt(q2) * np.cos(angle - turn)[:, None] * r)
    return float(weight @ (f(u) * g(v)).numpy() @ (w * r * np.exp(-r * r / 2))) / (2 * pi)


@cache
def _panels(edges: tuple[float, ...], longest: float) -> tuple[Array, Array]:
    """Nodes and weights of Gauss–Legendre panels between the edges, none longer than ``longest``."""
    x, w = np.polynomial.legendre.leggauss(16)
    pieces = [np.linspace(a, b, max(2, int(np.ceil((b - a) / longest)) + 1)) for a, b in pairwise(edges) if b > a]
    low, high = (
        np.concatenate([piece[start:stop] for piece in pieces])[:, None] for start, stop in ((0, -1), (1, None))
    )
    return ((low + high) / 2 + (high - low) / 2 * x).ravel(), ((high - low) / 2 * w).ravel()


def _stack(layers: Sequence[spec.Layer], pair: Pair) -> Pair:
    for layer in layers:
        rule = _activation if spec.is_activation(layer) else _RULES[type(layer)]
        pair = rule(layer, pair)
    return pair


def _activation(layer: Any, pair: Pair) -> Pair:
    def value(x: Tensor) -> Tensor:
        return POINTWISE[type(layer)](layer, x)

    def slope(x: Tensor) -> Tensor:
        x = x.clone().requires_grad_()
        y = value(x)
        return torch.autograd.grad(y.sum(), x)[0] if y.requires_grad else torch.zeros_like(x)

    return replace(
        pair,
        S=expectation(value, value, pair.q1, pair.S, pair.q2),
        T=pair.T * expectation(slope, slope, pair.q1, pair.S, pair.q2),
        q1=expectation(value, value, pair.q1, pair.q1, pair.q1),
        q2=expectation(value, value, pair.q2, pair.q2, pair.q2),
    )


def _dense(layer: spec.Dense, pair: Pair) -> Pair:
    weight, bias = layer.W_std**2, (layer.b_std or 0.0) ** 2
    S, q1, q2 = (weight * k + bias for k in (pair.S, pair.q1, pair.q2))
    if layer.param == "ntk":
        return replace(pair, S=S, q1=q1, q2=q2, T=weight * pair.T + S, width=layer.width)
    T = weight * pair.T + pair.width / layer.s[0] * pair.S + (layer.b_std is not None)
    return replace(pair, S=S, q1=q1, q2=q2, T=T, width=layer.s[1] * layer.width)


def _dropout(layer: spec.Dropout, pair: Pair) -> Pair:
    if layer.mode == "test":
        return pair
    pair = replace(pair, q1=pair.q1 / layer.keep_rate, q2=pair.q2 / layer.keep_rate)
    return replace(pair, S=pair.S / layer.keep_rate, T=pair.T / layer.keep_rate) if pair.same else pair


def _branch(layer: spec.Branch, pair: Pair) -> Pair:
    ends = [_stack(branch, pair) for branch in layer.branches]
    if layer.merge == "prod":
        S, q1, q2 = (prod(getattr(end, name) for end in ends) for name in ("S", "q1", "q2"))
        T = sum(end.T * prod(other.S for other in ends if other is not end) for end in ends)
        return replace(ends[0], S=S, q1=q1, q2=q2, T=T)
    total = sum(end.width for end in ends)
    weights = [end.width / total if layer.merge == "concat" else 1.0 for end in ends]
    S, T, q1, q2 = (
        sum(weight * getattr(end, name) for weight, end in zip(weights, ends, strict=True))
        for name in ("S", "T", "q1", "q2")
    )
    return replace(ends[0], S=S, T=T, q1=q1, q2=q2, width=total if layer.merge == "concat" else ends[0].width)


_RULES: dict[type[spec.Spec], Callable[[Any, Pair], Pair]] = {
    spec.Dense: _dense,
    spec.Dropout: _dropout,
    spec.Flatten: lambda _, pair: pair,
    spec.Branch: _branch,
}
