"""Variance, tangent kernel and correlation against depth, in a stack of equal layers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntklab import spec
from ntklab.kernels.infinite.activations import DUALS

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Inputs:
    """Where the recursion starts: ``q`` (n,) = x·x/d of some samples and ``S`` (n, n) = x·x'/d between them."""

    q: Tensor
    S: Tensor

    @classmethod
    def of(cls, X: Array) -> Inputs:
        """Of the samples X (n, d)."""
        S = torch.from_numpy(X @ X.T / X.shape[1])
        return cls(S.diagonal().clone(), S)

    @classmethod
    def pair(cls, variance: float, correlation: float) -> Inputs:
        """Two samples of the same ``variance`` with that ``correlation``."""
        S = variance * torch.tensor([[1.0, correlation], [correlation, 1.0]], dtype=torch.float64)
        return cls(S.diagonal().clone(), S)


@dataclass(frozen=True, eq=False)
class Profile:
    """Of the units before the activation in layers 1 … D, each (D,): the mean variance q^l, the mean diagonal of the
    NTK of the network that ends there, and the mean correlation of different samples. NaN behind an overflow."""

    variance: Array
    tangent: Array
    correlation: Array


def profile(activation: spec.Activation, *, W_std: float, b_std: float, inputs: Inputs, depth: int) -> Profile:
    """The recursion of the infinite-width kernels through ``depth`` equal layers in the NTK parameterisation.

    q ← W² E φ² + b², Θ ← W² Θ E φ'² + q and S ← W² E φφ + b² (Jacot et al. 2018, arXiv:1806.07572).
    """
    weight, bias = W_std**2, b_std**2
    q, t, S = inputs.q.clone(), torch.zeros_like(inputs.q), inputs.S.clone()
    found = np.full((3, depth), np.nan)
    for layer in range(depth):
        if layer:
            dual = DUALS[type(activation)](activation, q)
            k, slope = dual.diagonal(q)
            table = dual.table(q)
            S, _ = dual.pair(S, table[:, :, None], table[:, None, :], derivative=False)
            q, t = k, t * slope
        q, S = weight * q + bias, weight * S + bias
        t = weight * t + q
        if not bool(torch.isfinite(q).all() & torch.isfinite(t).all()):
            break
        found[:, layer] = float(q.mean()), float(t.mean()), mean_correlation(q, S)
    return Profile(*found)


def mean_correlation(q: Tensor, S: Tensor) -> float:
    """Mean of S/√(q q') over pairs of different samples; NaN with fewer than two of a variance above 0."""
    there = q > 0
    n = int(there.sum())
    if n < 2:
        return float("nan")
    scale = q[there].rsqrt()
    correlation = S[there][:, there] * scale[:, None] * scale
    correlation.fill_diagonal_(0.0)
    return float(correlation.sum() / (n * (n - 1)))
