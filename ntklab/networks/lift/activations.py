"""Pointwise functions of torch as activations of the spec: by name, and any other by trying it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ntklab import spec
from ntklab.errors import SpecError
from ntklab.networks.functions import function_of
from ntklab.networks.lift.context import Spot
from ntklab.networks.lift.values import Step, Value
from ntklab.spec import activations as layers

HOMES = ("torch", "torch.nn.functional", "torch.special")


def activate(spot: Spot, x: Value, layer: spec.Activation) -> Value:
    """``layer`` on units that are Gaussian in the limit; on others it has no closed form."""
    if not x.gaussian:
        joined = bool(x.steps) and isinstance(x.steps[-1].layer, spec.Branch) and x.steps[-1].layer.merge == "concat"
        reason = f"it acts on {x.place}, whose units are not Gaussian of one variance in the limit"
        apart = "apply it to each part before they are joined, or put" if joined else "put"
        spot.obstruct(reason, f"{apart} a layer with weights before it")
    return x.then(spot.place, Step(layer))  # type: ignore[arg-type]


def elementwise(spot: Spot, x: Value, name: str, arguments: Sequence[Any] = ()) -> Value | None:
    """The pointwise function ``name`` of torch with numbers behind the tensor; None if there is none of that kind."""
    if not all(isinstance(part, int | float) for part in arguments):
        return None
    for home in HOMES:
        try:
            layer = layers.Elementwise(f"{home}.{name}", tuple(map(float, arguments)))
            function_of(layer)
        except SpecError:
            continue
        return activate(spot, x, layer)
    return None


def fixed(layer: spec.Activation) -> Callable[..., Value]:
    """The rule of a function without options."""

    def rule(spot: Spot, input: Value, inplace: bool = False) -> Value:  # noqa: ARG001
        return activate(spot, input, layer)

    return rule


def leaky_relu(spot: Spot, input: Value, negative_slope: float = 0.01, inplace: bool = False) -> Value:  # noqa: ARG001
    """``LeakyRelu``."""
    return activate(spot, input, layers.LeakyRelu(negative_slope))


def gelu(spot: Spot, input: Value, approximate: str = "none") -> Value:
    """``Gelu``: the exact function alone."""
    if approximate != "none":
        spot.refuse(f"approximate={approximate!r}: the rule is that of the exact function", "use approximate='none'")
    return activate(spot, input, layers.Gelu())


def elu(spot: Spot, input: Value, alpha: float = 1.0, inplace: bool = False) -> Value:  # noqa: ARG001
    """``Elu``."""
    return activate(spot, input, layers.Elu(alpha))


def celu(spot: Spot, input: Value, alpha: float = 1.0, inplace: bool = False) -> Value:  # noqa: ARG001
    """max(x, 0) + α·min(exp(x/α) − 1, 0), with α = 1 the same as ELU."""
    return elu(spot, input) if alpha == 1 else _numbers(spot, input, "celu", alpha)


def softplus(spot: Spot, input: Value, beta: float = 1.0, threshold: float = 20.0) -> Value:
    """Softplus; above the threshold torch is linear, which differs by less than e^-20."""
    plain = (beta, threshold) == (1, 20)
    return (
        activate(spot, input, layers.Numerical("softplus"))
        if plain
        else _numbers(spot, input, "softplus", beta, threshold)
    )


def threshold(spot: Spot, input: Value, threshold: float, value: float, inplace: bool = False) -> Value:  # noqa: ARG001
    """``nn.Threshold``; at 0 it is ReLU."""
    plain = (threshold, value) == (0, 0)
    return activate(spot, input, layers.Relu()) if plain else _numbers(spot, input, "threshold", threshold, value)


def hardtanh(
    spot: Spot, input: Value, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False  # noqa: ARG001
) -> Value:  # fmt: skip
    """Clipping."""
    return _numbers(spot, input, "hardtanh", min_val, max_val)


def clamp(spot: Spot, input: Value, min: float | None = None, max: float | None = None) -> Value:
    """``torch.clamp`` by numbers."""
    if min is not None and max is not None:
        return _numbers(spot, input, "hardtanh", min, max)
    if (min, max) != (0, None):
        spot.refuse("it clips on one side, other than below 0", "clip on both sides, or use ReLU")
    return activate(spot, input, layers.Relu())


def rrelu(
    spot: Spot, input: Value, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False,
    inplace: bool = False,  # noqa: ARG001
) -> Value:  # fmt: skip
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


def _numbers(spot: Spot, x: Value, name: str, *arguments: Any) -> Value:
    found = elementwise(spot, x, name, arguments)
    return spot.refuse(f"{name} with {list(arguments)} has no rule", "give it numbers") if found is None else found


_PLAIN: dict[str, spec.Activation] = {
    "relu": layers.Relu(), "abs": layers.Abs(), "absolute": layers.Abs(), "erf": layers.Erf(), "sin": layers.Sin(),
    "cos": layers.Cos(), "exp": layers.Exp(), "sign": layers.Sign(), "sgn": layers.Sign(), "selu": layers.Selu(),
    "tanh": layers.Numerical("tanh"), "sigmoid": layers.Numerical("sigmoid"), "expit": layers.Numerical("sigmoid"),
    "silu": layers.Numerical("swish"), "mish": layers.Numerical("mish"),
}  # fmt: skip

POINTWISE: dict[str, Callable[..., Value]] = {
    **{name: fixed(layer) for name, layer in _PLAIN.items()},
    "elu": elu, "celu": celu, "softplus": softplus, "gelu": gelu, "leaky_relu": leaky_relu, "threshold": threshold,
    "rrelu": rrelu, "pow": power, "square": square, "hardtanh": hardtanh, "clamp": clamp, "clip": clamp,
}  # fmt: skip
