"""Functions without a closed-form dual: themselves and their derivatives, in forms that lose no digits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from math import ceil, log2

import torch
from torch import Tensor
from torch.nn import functional

from ntklab.kernels.infinite.activations.meshes import Mesh, central_mesh, feature_of, found_mesh
from ntklab.networks.functions import function_of
from ntklab.spec import activations as acts

Pair = Callable[[Tensor], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Function:
    """φ and φ' ``at`` any numbers.

    A ``central`` one varies on the scale ``feature`` at 0 and ever slower away from it: about the distance of its
    nearest singularity from the real axis, or for a function with a kink at 0 (``kinked``) the scale of its two sides.
    Any other has a ``search`` instead, which finds its mesh as far out as it is asked.
    """

    name: str
    at: Pair
    feature: float = 0.0
    kinked: bool = False
    search: Callable[[float], Mesh] | None = None

    @property
    def central(self) -> bool:
        """Whether it varies at 0 alone."""
        return self.search is None

    def mesh(self, reach: float) -> Mesh:
        """Where it varies, as far as ``reach``."""
        return _mesh(self, 2.0 ** ceil(log2(max(reach, 1.0))))


@lru_cache(maxsize=512)
def _mesh(function: Function, reach: float) -> Mesh:
    if function.search is not None:
        return function.search(reach)
    return central_mesh(function.feature, reach, kinked=function.kinked)


def _tanh(x: Tensor) -> tuple[Tensor, Tensor]:
    t = torch.tanh(x)
    return t, (1 - t).mul_(1 + t)


def _sigmoid(x: Tensor) -> tuple[Tensor, Tensor]:
    s = torch.sigmoid(x)
    return s, (1 - s).mul_(s)


def _swish(x: Tensor) -> tuple[Tensor, Tensor]:
    s = torch.sigmoid(x)
    y = x * s
    return y, (1 - s).mul_(y).add_(s)


def _softplus(x: Tensor) -> tuple[Tensor, Tensor]:
    return functional.softplus(x, threshold=40), torch.sigmoid(x)


def _mish(x: Tensor) -> tuple[Tensor, Tensor]:
    y, s = _softplus(x)
    t, slope = _tanh(y)
    return x * t, slope.mul_(s).mul_(x).add_(t)


FUNCTIONS: dict[str, Function] = {
    row.name: row
    for row in (
        Function("tanh", _tanh, torch.pi / 2),
        Function("sigmoid", _sigmoid, torch.pi),
        Function("swish", _swish, torch.pi),
        Function("softplus", _softplus, torch.pi),
        Function("mish", _mish, 3 * torch.pi / 4),
    )
}

_NEAR, _FAR = 16.0, 1e6  # how far out functions of torch are tried
_SELU_SCALE, _SELU_ALPHA = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717


def elu(layer: acts.Elu) -> Function:
    """x above 0, alpha·(exp(x) − 1) below."""
    return _exponential_unit("ELU", 1.0, layer.alpha)


def selu(_: acts.Selu) -> Function:
    """λ·x above 0, λ·α·(exp(x) − 1) below."""
    return _exponential_unit("SELU", _SELU_SCALE, _SELU_SCALE * _SELU_ALPHA)


@cache
def _exponential_unit(name: str, right: float, left: float) -> Function:
    def at(x: Tensor) -> tuple[Tensor, Tensor]:
        below, value = x <= 0, torch.expm1(x.clamp(max=0)).mul_(left)
        return torch.where(below, value, right * x), torch.where(below, value.add_(left), right)

    return Function(name, at, feature=3.0, kinked=True)


@lru_cache(maxsize=64)
def elementwise(layer: acts.Elementwise) -> Function:
    """Any function of torch, differentiated by it. Raises ``SpecError`` where there is none of this name."""
    function, name = function_of(layer), layer.fn.split("@")[0].rpartition(".")[2]

    def at(x: Tensor) -> tuple[Tensor, Tensor]:
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            y = function(x)
            slope = torch.autograd.grad(y.sum(), x)[0] if y.requires_grad else torch.zeros_like(x)
        return y.detach(), slope

    def search(reach: float) -> Mesh:
        return found_mesh(at, reach, layer.kinks, name)

    near = search(_NEAR)
    if not near.jumps and set(near.kinks) <= {0.0}:
        kinked = bool(near.kinks)
        feature = feature_of(at, _FAR, kinked=kinked)
        if feature is not None:
            return Function(name, at, feature, kinked)
    return Function(name, at, search=search)
