"""Pointwise functions of torch as activations of the spec."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ntklab import spec
from ntklab.networks.lift.context import Spot
from ntklab.networks.lift.values import Step, Value
from ntklab.spec import activations as layers
from ntklab.spec.kinds import fields

_NUMERICAL = {field.name: field.kind.choices for field in fields(layers.Numerical)}["fn"]


def activate(spot: Spot, x: Value, layer: spec.Activation) -> Value:
    """``layer`` on units that are Gaussian in the limit; on others it has no closed form."""
    if not x.gaussian:
        joined = bool(x.steps) and isinstance(x.steps[-1].layer, spec.Branch) and x.steps[-1].layer.merge == "concat"
        reason = f"it acts on {x.place}, whose units are not Gaussian of one variance in the limit"
        apart = "apply it to each part before they are joined, or put" if joined else "put"
        spot.obstruct(reason, f"{apart} a layer with weights before it")
    return x.then(spot.place, Step(layer))  # type: ignore[arg-type]


def fixed(layer: spec.Activation) -> Callable[..., Value]:
    """The rule of a function without options."""

    def rule(spot: Spot, input: Value, inplace: bool = False) -> Value:  # noqa: ARG001
        return activate(spot, input, layer)

    return rule


def numerical(name: str) -> Callable[..., Value]:
    """The rule of a function whose expectations are integrated numerically."""

    def rule(spot: Spot, input: Value, inplace: bool = False) -> Value:  # noqa: ARG001
        return integrated(spot, input, name)

    return rule


def integrated(spot: Spot, x: Value, name: str) -> Value:
    """``Numerical(name)``, if there is such a choice."""
    if name not in _NUMERICAL:
        spot.refuse("there is no infinite-width rule for this function", f"use one of: {', '.join(KNOWN)}")
    return activate(spot, x, layers.Numerical(name))  # type: ignore[arg-type]


def leaky_relu(spot: Spot, input: Value, negative_slope: float = 0.01, inplace: bool = False) -> Value:  # noqa: ARG001
    """``LeakyRelu``."""
    return activate(spot, input, layers.LeakyRelu(negative_slope))


def gelu(spot: Spot, input: Value, approximate: str = "none") -> Value:
    """``Gelu``: the exact function alone."""
    if approximate != "none":
        spot.refuse(f"approximate={approximate!r}: the rule is that of the exact function", "use approximate='none'")
    return activate(spot, input, layers.Gelu())


def softplus(spot: Spot, input: Value, beta: float = 1.0, threshold: float = 20.0) -> Value:  # noqa: ARG001
    """Softplus; above the threshold torch is linear, which differs by less than e^-20."""
    if beta != 1:
        spot.refuse(f"beta={beta}: there is a rule for 1 alone", "use beta=1")
    return integrated(spot, input, "softplus")


def elu(spot: Spot, input: Value, alpha: float = 1.0, inplace: bool = False) -> Value:  # noqa: ARG001
    """ELU and CELU with α = 1."""
    if alpha != 1:
        spot.refuse(f"alpha={alpha}: there is a rule for 1 alone", "use alpha=1")
    return integrated(spot, input, "elu")


def threshold(spot: Spot, input: Value, threshold: float, value: float, inplace: bool = False) -> Value:  # noqa: ARG001
    """``nn.Threshold(0, 0)`` is ReLU."""
    if threshold != 0 or value != 0:
        spot.refuse("only the threshold 0 with the value 0 has a rule", "use nn.ReLU")
    return activate(spot, input, layers.Relu())


def rrelu(spot: Spot, input: Value, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False,
          inplace: bool = False) -> Value:  # noqa: ARG001  # fmt: skip
    """Leaky ReLU with the mean slope, as torch has it in evaluation mode."""
    if training:
        spot.refuse("random slopes have no rule", "call .eval(), or use nn.LeakyReLU")
    return activate(spot, input, layers.LeakyRelu((lower + upper) / 2))


def power(spot: Spot, input: Value, exponent: Any) -> Value:
    """x to a whole power."""
    if not isinstance(exponent, int | float) or exponent != int(exponent) or exponent < 0:
        spot.refuse(f"the power {exponent} has no rule", "use a whole power of at least 0")
    return input if exponent == 1 else activate(spot, input, layers.Monomial(int(exponent)))


def square(spot: Spot, input: Value) -> Value:
    """x²."""
    return activate(spot, input, layers.Monomial(2))


_PLAIN: dict[str, spec.Activation] = {
    "relu": layers.Relu(), "abs": layers.Abs(), "absolute": layers.Abs(), "erf": layers.Erf(), "sin": layers.Sin(),
    "cos": layers.Cos(), "exp": layers.Exp(), "sign": layers.Sign(), "sgn": layers.Sign(),
}  # fmt: skip

POINTWISE: dict[str, Callable[..., Value]] = {
    **{name: fixed(layer) for name, layer in _PLAIN.items()},
    "tanh": numerical("tanh"), "sigmoid": numerical("sigmoid"), "silu": numerical("swish"), "mish": numerical("mish"),
    "selu": numerical("selu"), "elu": elu, "celu": elu, "softplus": softplus, "gelu": gelu, "leaky_relu": leaky_relu,
    "threshold": threshold, "rrelu": rrelu, "pow": power, "square": square,
}  # fmt: skip

KNOWN = ("relu", "leaky_relu", "gelu", "erf", "sin", "cos", "abs", *_NUMERICAL)
