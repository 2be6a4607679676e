"""Activations of finite networks against their definitions in the spec, written with numpy and math."""

import math

import numpy as np
import pytest
import torch
from numpy.polynomial import hermite_e
from scipy.special import erf

from ntklab import spec
from ntklab.networks.activations import POINTWISE
from ntklab.networks.modules import Pointwise
from ntklab.spec import LAYER_TYPES, is_activation

X = np.linspace(-2.5, 2.5, 21)  # 0 included


def L(name, **fields):
    return LAYER_TYPES[name](**fields)


def hermite(n):
    return hermite_e.hermeval(X, [0] * n + [1]) / math.sqrt(math.factorial(n))


softplus = np.log1p(np.exp(X))
CASES = [
    (L("Relu"), np.maximum(X, 0)),
    (L("LeakyRelu", alpha=0.3), np.maximum(X, 0) + 0.3 * np.minimum(X, 0)),
    (L("ABRelu", a=-0.5, b=1.7), -0.5 * np.minimum(X, 0) + 1.7 * np.maximum(X, 0)),
    (L("Abs"), np.abs(X)),
    (L("Elu", alpha=0.7), np.where(X > 0, X, 0.7 * np.expm1(X))),
    (L("Selu"), 1.0507009873554805 * np.where(X > 0, X, 1.6732632423543772 * np.expm1(X))),
    (L("Erf", a=1.2, b=0.7, c=0.3), 1.2 * erf(0.7 * X) + 0.3),
    (L("Gelu"), X * 0.5 * (1 + erf(X / math.sqrt(2)))),
    (L("Sin", a=1.2, b=0.7, c=0.3), 1.2 * np.sin(0.7 * X + 0.3)),
    (L("Cos", a=1.2, b=0.7, c=0.3), 1.2 * np.cos(0.7 * X + 0.3)),
    (L("Rbf", gamma=0.6), math.sqrt(2) * np.sin(math.sqrt(1.2) * X + math.pi / 4)),
    (L("Gaussian", a=1.1, b=-0.4), 1.1 * np.exp(-0.4 * X**2)),
    (L("Exp", a=1.1, b=-0.4), 1.1 * np.exp(-0.4 * X)),
    (L("Gabor"), np.exp(-(X**2)) * np.sin(X)),
    (L("Sign"), np.sign(X)),
    (L("Sigmoid_like"), 0.5 * erf(X / 2.4020563531719796) + 0.5),
    (L("Polynomial", coef=(0.5,)), np.full_like(X, 0.5)),
    (L("Polynomial", coef=(0.5, -1.0, 0.25, 2.0)), 0.5 - X + 0.25 * X**2 + 2 * X**3),
    (L("Monomial", degree=0), np.ones_like(X)),
    (L("Monomial", degree=3), X**3),
    (L("RectifiedMonomial", degree=0), (X > 0).astype(float)),
    (L("RectifiedMonomial", degree=2), np.maximum(X, 0) ** 2),
    *((L("Hermite", degree=n), hermite(n)) for n in (0, 1, 2, 5)),
    (L("Numerical", fn="tanh"), np.tanh(X)),
    (L("Numerical", fn="sigmoid"), 1 / (1 + np.exp(-X))),
    (L("Numerical", fn="swish"), X / (1 + np.exp(-X))),
    (L("Numerical", fn="softplus"), softplus),
    (L("Numerical", fn="mish"), X * np.tanh(softplus)),
    (L("Elementwise", fn="torch.nn.functional.softsign"), X / (1 + np.abs(X))),
    (L("Elementwise", fn="torch.clamp", arguments=(-0.7, 1.3)), np.clip(X, -0.7, 1.3)),
]


@pytest.mark.parametrize(("layer", "expected"), CASES, ids=lambda value: type(value).__name__)
def test_function(layer, expected):
    got = Pointwise(layer)(torch.from_numpy(X)).numpy()
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)


def test_every_activation_of_the_spec_is_here_and_tested():
    named = {cls for name, cls in LAYER_TYPES.items() if issubclass(cls, spec.Activation) and name != "ExpNormalized"}
    assert set(POINTWISE) == named == {type(layer) for layer, _ in CASES}
    assert all(is_activation(layer) for layer, _ in CASES)


@pytest.mark.parametrize("layer", [layer for layer, _ in CASES], ids=lambda layer: type(layer).__name__)
def test_derivative_is_that_of_the_function(layer):
    x = torch.from_numpy(X[X != 0]).requires_grad_()
    step = 1e-6
    pointwise = Pointwise(layer)
    slope = (pointwise(x.detach() + step) - pointwise(x.detach() - step)) / (2 * step)
    value = pointwise(x)
    got = torch.autograd.grad(value.sum(), x)[0] if value.requires_grad else torch.zeros_like(x)
    np.testing.assert_allclose(got.numpy(), slope.numpy(), rtol=1e-6, atol=1e-6)
