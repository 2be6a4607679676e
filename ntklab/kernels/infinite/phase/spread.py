"""What finite width adds: how much the variance of a layer differs between networks that were drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ntklab import spec
from ntklab.networks.activations import POINTWISE

_REACH, _NODES = 12.0, 8001
_STEP = 1e-3


@dataclass(frozen=True)
class Hidden:
    """A hidden layer: ``width`` units with ``activation``, and the deviations of the weights and biases behind it."""

    activation: spec.Activation
    width: int
    W_std: float
    b_std: float


@dataclass(frozen=True)
class Spread:
    """``depth_to_width`` is Σ 1/n over the hidden layers, ``relative`` the standard deviation between drawn networks of
    the variance of their output units, over its mean, to first order in 1/n."""

    depth_to_width: float
    relative: float


def spread(hidden: Sequence[Hidden], variance: float) -> Spread:
    """Of a plain stack whose first layer has units of that ``variance``.

    Given the units below, those of layer l + 1 are Gaussian with the variance Q = W²/n·Σ φ(z_i)² + b², which is random
    at finite n: Var Q ← V'(q)²·Var Q + W⁴·Var φ(√q z)²/n (Roberts, Yaida, Hanin 2022, arXiv:2106.10165, ch. 5). For
    ReLU without bias, Var Q/q² = 5 Σ 1/n: log Q is nearly Gaussian (Hanin & Nica 2020, arXiv:1812.05994).
    """
    q, variance_of_q = variance, 0.0
    for layer in hidden:
        weight = layer.W_std**2
        first, second = _moments(layer.activation, q)
        slope = weight * _slope(layer.activation, q)
        variance_of_q = slope**2 * variance_of_q + weight**2 * (second - first**2) / layer.width
        q = weight * first + layer.b_std**2
    relative = variance_of_q**0.5 / q if q > 0 else float("nan")
    return Spread(sum(1 / layer.width for layer in hidden), relative)


def hidden_layers(architecture: spec.Architecture) -> list[Hidden] | None:
    """The hidden layers of a plain fully connected stack; None for any other network."""
    found: list[Hidden] = []
    below: tuple[spec.Activation, int] | None = None
    width: int | None = None
    for layer in architecture.layers:
        if isinstance(layer, spec.Dense):
            if below is not None:
                found.append(Hidden(*below, layer.W_std, layer.b_std or 0.0))
            elif width is not None:
                return None  # two dense layers without an activation between
            below, width = None, layer.width
        elif isinstance(layer, spec.Activation) and type(layer) in POINTWISE and width is not None and below is None:
            below = layer, width
        else:
            return None
    return found if below is None and width is not None and len(architecture.input.shape) == 1 else None


def _moments(activation: spec.Activation, q: float) -> tuple[float, float]:
    """E φ² and E φ⁴ at the variance ``q``, by equal steps: to some 1e-5, for functions with a kink too."""
    z = torch.linspace(-_REACH, _REACH, _NODES, dtype=torch.float64)
    weights = torch.softmax(-z * z / 2, dim=0)
    square: Tensor = POINTWISE[type(activation)](activation, q**0.5 * z).square()
    return float(weights @ square), float(weights @ square.square())


def _slope(activation: spec.Activation, q: float) -> float:
    """dE φ²/dq."""
    above, below = (_moments(activation, q * (1 + step))[0] for step in (_STEP, -_STEP))
    return (above - below) / (2 * _STEP * q) if q > 0 else 0.0
