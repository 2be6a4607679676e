"""Functions without a closed-form dual: themselves and their derivatives, in forms that lose no digits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Function:
    """φ and φ'. ``feature`` is the scale on which φ varies: about the distance of its nearest singularity from the
    real axis, or the length over which a kink at 0 must be resolved."""

    name: str
    value: Callable[[Tensor], Tensor]
    slope: Callable[[Tensor], Tensor]
    feature: float


def _tanh_slope(x: Tensor) -> Tensor:
    return 4 * torch.sigmoid(2 * x) * torch.sigmoid(-2 * x)


def _sigmoid_slope(x: Tensor) -> Tensor:
    return torch.sigmoid(x) * torch.sigmoid(-x)


def _swish_slope(x: Tensor) -> Tensor:
    return torch.sigmoid(x) * (1 + x * torch.sigmoid(-x))


def _mish_slope(x: Tensor) -> Tensor:
    y = functional.softplus(x, threshold=40)
    return torch.tanh(y) + x * _tanh_slope(y) * torch.sigmoid(x)


def _softplus(x: Tensor) -> Tensor:
    return functional.softplus(x, threshold=40)


FUNCTIONS: dict[str, Function] = {
    row.name: row
    for row in (
        Function("tanh", torch.tanh, _tanh_slope, torch.pi / 2),
        Function("sigmoid", torch.sigmoid, _sigmoid_slope, torch.pi),
        Function("swish", functional.silu, _swish_slope, torch.pi),
        Function("softplus", _softplus, torch.sigmoid, torch.pi),
        Function("mish", lambda x: x * torch.tanh(_softplus(x)), _mish_slope, 3 * torch.pi / 4),
    )
}
