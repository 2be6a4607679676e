"""Normalisation layers."""

from __future__ import annotations

from ntklab.spec.base import NonNegative, Spec
from ntklab.spec.weights import Axis


class LayerNorm(Spec, frozen=True, tag=True):
    """x ← (x − mean)/√(eps + variance), both over ``axis``; in the limit x/√(eps + mean of x² over ``axis``).

    ``axis`` counts the batch axis (0) and must contain the channel axis (−1). No affine parameters are learned. What
    comes in must be Gaussian in the limit: put this behind a layer with weights.
    """

    axis: tuple[Axis, ...] = (-1,)
    eps: NonNegative = 1e-12
