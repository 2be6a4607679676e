"""Pointwise nonlinearities. Names and fields are those of the golden manifest (see its ``conventions``)."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from ntklab.spec.base import Spec

Degree = Annotated[int, msgspec.Meta(ge=0, le=64)]
Coefficients = Annotated[tuple[float, ...], msgspec.Meta(min_length=1, max_length=65)]
Numbers = Annotated[tuple[float, ...], msgspec.Meta(max_length=16)]
Gamma = Annotated[float, msgspec.Meta(gt=0)]
Nodes = Annotated[int, msgspec.Meta(ge=1, le=10_000)]
FunctionName = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(torch(\.special|\.nn\.functional)?\.[A-Za-z]\w*|own\.[A-Za-z_]\w*@[0-9a-f]{16})$",
        extra={
            "words": "the name of a function: torch.…, torch.special.… or torch.nn.functional.…",
            "remedy": "write for example torch.nn.functional.hardswish; ntklab.activation gives names to your own",
        },
    ),
]


class Activation(Spec, frozen=True):
    """Base of the pointwise layers."""


class Relu(Activation, frozen=True, tag=True):
    """max(x, 0)"""


class LeakyRelu(Activation, frozen=True, tag=True):
    """alpha·min(x, 0) + max(x, 0)"""

    alpha: float = 0.1


class ABRelu(Activation, frozen=True, tag=True):
    """a·min(x, 0) + b·max(x, 0)"""

    a: float = 0.0
    b: float = 1.0


class Abs(Activation, frozen=True, tag=True):
    """|x|"""


class Erf(Activation, frozen=True, tag=True):
    """a·erf(b·x) + c"""

    a: float = 1.0
    b: float = 1.0
    c: float = 0.0


class Gelu(Activation, frozen=True, tag=True):
    """x·Φ(x), Φ the standard normal distribution function (the exact form)"""


class Elu(Activation, frozen=True, tag=True):
    """x for x > 0, else alpha·(exp(x) − 1)"""

    alpha: float = 1.0


class Selu(Activation, frozen=True, tag=True):
    """λ·x for x > 0, else λ·α·(exp(x) − 1), with λ = 1.0507… and α = 1.6732…

    Mean 0 and variance 1 are then a stable fixed point of layers with W_std = 1 (Klambauer et al. 2017,
    arXiv:1706.02515).
    """


class Sin(Activation, frozen=True, tag=True):
    """a·sin(b·x + c)"""

    a: float = 1.0
    b: float = 1.0
    c: float = 0.0


class Cos(Activation, frozen=True, tag=True):
    """a·cos(b·x + c)"""

    a: float = 1.0
    b: float = 1.0
    c: float = 0.0


class Rbf(Activation, frozen=True, tag=True):
    """√2·sin(√(2·gamma)·x + π/4): its NNGP kernel is the radial basis function exp(−gamma·|u−v|²)"""

    gamma: Gamma = 1.0


class Gaussian(Activation, frozen=True, tag=True):
    """a·exp(b·x²), b below 0 (or small enough for the expectation to exist)"""

    a: float = 1.0
    b: float = -1.0


class Exp(Activation, frozen=True, tag=True):
    """a·exp(b·x)"""

    a: float = 1.0
    b: float = 1.0


class Gabor(Activation, frozen=True, tag=True):
    """exp(−x²)·sin(x)"""


class Sign(Activation, frozen=True, tag=True):
    """sign(x); its derivative is 0 almost everywhere, so only the layers above train"""


class Sigmoid_like(Activation, frozen=True, tag=True):  # noqa: N801 (the manifest's name)
    """½·erf(x/2.4020563531719796) + ½: the logistic function to within 0.02"""


class Polynomial(Activation, frozen=True, tag=True):
    """Σ_k coef[k]·x^k"""

    coef: Coefficients = (0.0, 1.0)


class Monomial(Activation, frozen=True, tag=True):
    """x^degree"""

    degree: Degree = 2


class RectifiedMonomial(Activation, frozen=True, tag=True):
    """x^degree for x > 0, else 0"""

    degree: Degree = 2


class Hermite(Activation, frozen=True, tag=True):
    """The orthonormal probabilists' Hermite polynomial; its inputs must have unit variance"""

    degree: Degree = 2


class ExpNormalized(Activation, frozen=True, tag=True):
    """Kernel-only: K → √(K11·K22)·exp(gamma·(cosine + shift)); there is no finite network of this kind"""

    gamma: Gamma = 1.0
    shift: float = -1.0
    do_clip: bool = False


class Numerical(Activation, frozen=True, tag=True):
    """A function without closed-form dual, integrated numerically; ``deg`` is the least effort"""

    fn: Literal["tanh", "sigmoid", "swish", "softplus", "mish"] = "tanh"
    deg: Nodes = 40


class Elementwise(Activation, frozen=True, tag=True):
    """fn(x, *arguments) for any pointwise function of torch, integrated numerically

    ``fn`` is a name in torch, torch.special or torch.nn.functional whose first argument is the tensor; ``arguments``
    are the numbers behind it. ``ntklab.activation`` makes such a layer of a function of your own. Where the function or
    its slope jumps is found numerically; ``kinks`` adds places that are not found.
    """

    fn: FunctionName = "torch.nn.functional.hardswish"
    arguments: Numbers = ()
    kinks: Numbers = ()


AnyActivation = (
    Relu | LeakyRelu | ABRelu | Abs | Elu | Selu | Erf | Gelu | Sin | Cos | Rbf | Gaussian | Exp | Gabor | Sign
    | Sigmoid_like | Polynomial | Monomial | RectifiedMonomial | Hermite | ExpNormalized | Numerical | Elementwise
)  # fmt: skip
