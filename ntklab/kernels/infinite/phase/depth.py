"""Variance, tangent kernel and correlation against depth, in a stack of equal layers."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

import numpy as np
import torch
from numpy.typing import NDArray

from ntklab import spec
from ntklab.kernels.infinite.phase.maps import maps_of
from ntklab.kernels.threads import threads_for
from ntklab.progress import Progress, Work

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Profile:
    """Of the units before the activation in layers 1 … D, each (D,), for two inputs of one variance: the variance q^l,
    the diagonal Θ^l of the NTK of the network that ends there, and the correlation c^l. NaN behind an overflow."""

    variance: Array
    tangent: Array
    correlation: Array


def profile(
    activation: spec.Activation, *, W_std: float, b_std: float, variance: float, correlation: float, depth: int
) -> Work[Profile]:
    """The recursion of the infinite-width kernels through ``depth`` equal layers in the NTK parameterisation.

    ``variance`` is x·x/d of both inputs, ``correlation`` the cosine between them. q ← W² E φ² + b²,
    Θ ← W² Θ E φ'² + q and S ← W² E φφ + b² (Jacot et al. 2018, arXiv:1806.07572). Yields ``Progress`` by layer.
    """
    maps, weight, bias = maps_of(activation), W_std**2, b_std**2
    q, c = weight * variance + bias, torch.tensor([correlation], dtype=torch.float64)
    c = (weight * variance * c + bias) / q if q else c
    t, found = q, np.full((3, depth), np.nan)
    for layer in range(depth):
        yield Progress(layer, depth, "profile against depth")
        if layer:
            with threads_for(0):
                value, slope = (float(part) for part in maps.moments(torch.tensor([q], dtype=torch.float64)))
                c = maps.correlation_map(c, weight=weight, bias=bias, q=q)
            q = weight * value + bias
            t = weight * t * slope + q
        if not (isfinite(q) and isfinite(t)):
            break
        found[:, layer] = q, t, float(c)
    return Profile(*found)
