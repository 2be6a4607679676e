"""Dual activations: the table from an activation to what it does to covariances, and how a layer applies it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from torch import Tensor

from ntklab import spec
from ntklab.errors import NoRuleError
from ntklab.kernels.infinite.activations.dual import Dual
from ntklab.kernels.infinite.activations.erf import Erf
from ntklab.kernels.infinite.activations.exponential import ExpNormalized, Exponential
from ntklab.kernels.infinite.activations.functions import FUNCTIONS, elementwise, elu, selu
from ntklab.kernels.infinite.activations.gaussian import Gabor, Gaussian
from ntklab.kernels.infinite.activations.gelu import Gelu
from ntklab.kernels.infinite.activations.layer import ActivationStep
from ntklab.kernels.infinite.activations.numerical import NumericalDual
from ntklab.kernels.infinite.activations.polynomial import hermite, monomial, polynomial
from ntklab.kernels.infinite.activations.rectified import RectifiedMonomial
from ntklab.kernels.infinite.activations.relu import Rectifier
from ntklab.kernels.infinite.activations.sign import Sign
from ntklab.kernels.infinite.activations.sinusoid import Sinusoid
from ntklab.kernels.infinite.form import Form
from ntklab.kernels.infinite.state import Context, Step
from ntklab.spec import activations as acts

_LOGISTIC_SCALE = 2.4020563531719796

DUALS: dict[type[spec.Spec], Callable[[Any, Tensor], Dual]] = {
    acts.Relu: lambda _, __: Rectifier(0.0, 1.0),
    acts.LeakyRelu: lambda layer, _: Rectifier(layer.alpha, 1.0),
    acts.ABRelu: lambda layer, _: Rectifier(layer.a, layer.b),
    acts.Abs: lambda _, __: Rectifier(-1.0, 1.0),
    acts.Elu: lambda layer, q: NumericalDual.of(elu(layer), q),
    acts.Selu: lambda layer, q: NumericalDual.of(selu(layer), q),
    acts.Erf: lambda layer, _: Erf(layer.a, layer.b, layer.c),
    acts.Sigmoid_like: lambda _, __: Erf(0.5, 1 / _LOGISTIC_SCALE, 0.5),
    acts.Gelu: lambda _, __: Gelu(),
    acts.Sin: lambda layer, _: Sinusoid.sine(layer.a, layer.b, layer.c),
    acts.Cos: lambda layer, _: Sinusoid.cosine(layer.a, layer.b, layer.c),
    acts.Rbf: lambda layer, _: Sinusoid.rbf(layer.gamma),
    acts.Gaussian: lambda layer, _: Gaussian(layer.a, layer.b),
    acts.Exp: lambda layer, _: Exponential(layer.a, layer.b),
    acts.Gabor: lambda _, __: Gabor(),
    acts.Sign: lambda _, __: Sign(),
    acts.Polynomial: lambda layer, _: polynomial(layer.coef),
    acts.Monomial: lambda layer, _: monomial(layer.degree),
    acts.RectifiedMonomial: lambda layer, _: (
        Rectifier(0.0, 1.0) if layer.degree == 1 else RectifiedMonomial(layer.degree)
    ),
    acts.Hermite: lambda layer, _: hermite(layer.degree),
    acts.ExpNormalized: lambda layer, _: ExpNormalized(layer.gamma, layer.shift, layer.do_clip),
    acts.Numerical: lambda layer, q: NumericalDual.of(FUNCTIONS[layer.fn], q),
    acts.Elementwise: lambda layer, q: NumericalDual.of(elementwise(layer), q),
}


def bind(layer: spec.Layer, before: Form, context: Context, place: str) -> Step:
    """The step of an activation. Raises ``NoRuleError`` unless the input is Gaussian."""
    if not before.gaussian:
        raise NoRuleError(
            f"{place}: its input is not Gaussian, so its expectation has no closed form; put a layer with weights "
            "before it"
        )
    return ActivationStep(partial(DUALS[type(layer)], layer), before, context)
