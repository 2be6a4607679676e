"""Pointwise functions of finite networks, one row for each activation of ``ntklab.spec.activations``.

Derivatives are torch's: that of ReLU at 0 is 0, that of sign is 0 everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ntklab.networks.functions import function_of
from ntklab.spec import activations as spec

Function = Callable[[Any, Tensor], Tensor]

_NUMERICAL: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "swish": functional.silu,
    "softplus": functional.softplus,
    "mish": functional.mish,
}
_LOGISTIC_SCALE = 2.4020563531719796


def _polynomial(layer: spec.Polynomial, x: Tensor) -> Tensor:
    value = torch.full_like(x, layer.coef[-1]) if len(layer.coef) == 1 else layer.coef[-1] * x
    for coefficient in layer.coef[-2:0:-1]:
        value = (value + coefficient) * x
    return value + layer.coef[0] if len(layer.coef) > 1 else value


def _rectified_monomial(layer: spec.RectifiedMonomial, x: Tensor) -> Tensor:
    positive = torch.relu(x)
    return torch.sign(positive) if layer.degree == 0 else positive**layer.degree


def _hermite(layer: spec.Hermite, x: Tensor) -> Tensor:
    below, value = torch.zeros_like(x), torch.ones_like(x)
    for n in range(layer.degree):
        below, value = value, (x * value - math.sqrt(n) * below) / math.sqrt(n + 1)
    return value


POINTWISE: dict[type[spec.Activation], Function] = {
    spec.Relu: lambda _, x: torch.relu(x),
    spec.LeakyRelu: lambda layer, x: functional.leaky_relu(x, layer.alpha),
    spec.ABRelu: lambda layer, x: layer.b * torch.relu(x) - layer.a * torch.relu(-x),
    spec.Abs: lambda _, x: torch.abs(x),
    spec.Elu: lambda layer, x: functional.elu(x, layer.alpha),
    spec.Selu: lambda _, x: functional.selu(x),
    spec.Erf: lambda layer, x: layer.a * torch.erf(layer.b * x) + layer.c,
    spec.Gelu: lambda _, x: functional.gelu(x),
    spec.Sin: lambda layer, x: layer.a * torch.sin(layer.b * x + layer.c),
    spec.Cos: lambda layer, x: layer.a * torch.cos(layer.b * x + layer.c),
    spec.Rbf: lambda layer, x: math.sqrt(2) * torch.sin(math.sqrt(2 * layer.gamma) * x + math.pi / 4),
    spec.Gaussian: lambda layer, x: layer.a * torch.exp(layer.b * x * x),
    spec.Exp: lambda layer, x: layer.a * torch.exp(layer.b * x),
    spec.Gabor: lambda _, x: torch.exp(-x * x) * torch.sin(x),
    spec.Sign: lambda _, x: torch.sign(x),
    spec.Sigmoid_like: lambda _, x: 0.5 * torch.erf(x / _LOGISTIC_SCALE) + 0.5,
    spec.Polynomial: _polynomial,
    spec.Monomial: lambda layer, x: x**layer.degree,
    spec.RectifiedMonomial: _rectified_monomial,
    spec.Hermite: _hermite,
    spec.Numerical: lambda layer, x: _NUMERICAL[layer.fn](x),
    spec.Elementwise: lambda layer, x: function_of(layer)(x),
}
