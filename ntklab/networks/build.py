"""From an architecture spec to a torch module: a table with one builder for each kind of layer."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import psutil
import torch
from torch import Tensor, nn

from ntklab import spec
from ntklab.errors import MemoryBudgetError, SpecError
from ntklab.networks.activations import POINTWISE
from ntklab.networks.devices import torch_device, torch_dtype
from ntklab.networks.draws import standard_normal
from ntklab.networks.modules import Dense, Merge, Pointwise

Shape = tuple[int, ...]


def build(
    architecture: spec.Architecture,
    *,
    seed: int = 0,
    dtype: str = "float32",
    device: str | torch.device = "cpu",
) -> nn.Module:
    """The finite network that ``architecture`` describes, drawn with ``seed``, in evaluation mode.

    Maps (n, *sample shape) to (n, *output shape): (n, k) for a dense read-out on vectors. Equal seeds give equal draws
    on every device and in every dtype (rounded); a wider network contains the draws of a narrower one (see ``draws``).
    A dense layer in standard parameterisation is s[1]·width wide. Branches have weights of their own.

    Raises ``SpecError`` for a layer without a finite network, ``DeviceError`` for a device that is not there, and
    ``MemoryBudgetError`` if the parameters exceed the free memory.
    """
    if seed < 0:
        raise SpecError(f"seed: expected a whole number of at least 0, got {seed}; give 0 or more")
    draws = _Draws(seed, torch_dtype(dtype))
    place = torch_device(device)
    _check_memory(architecture, draws.dtype)
    network, shape = _stack(architecture.layers, architecture.input.shape, draws)
    wanted = spec.output_shape(architecture)
    if shape != wanted:
        raise SpecError(
            f"architecture: the network's true output is {list(shape)} but the spec says {list(wanted)}; "
            "give the last Dense layer s[1] = 1"
        )
    return network.to(place).eval()


@dataclass
class _Draws:
    """Hands each dense layer, in the order they are met, its own stream of normal numbers."""

    seed: int
    dtype: torch.dtype
    layers: int = 0

    def dense(self, width: int, fan_in: int, *, bias: bool) -> tuple[Tensor, Tensor | None]:
        key = (self.seed, self.layers)
        self.layers += 1
        weight = self._normal((width, fan_in), (*key, 0))
        return weight, self._normal((1, width), (*key, 1))[0] if bias else None

    def _normal(self, shape: tuple[int, int], key: tuple[int, ...]) -> Tensor:
        number = np.float32 if self.dtype == torch.float32 else np.float64
        return torch.from_numpy(standard_normal(shape, key, number))


def _check_memory(architecture: spec.Architecture, dtype: torch.dtype) -> None:
    needed = spec.parameter_count(architecture) * dtype.itemsize
    free = psutil.virtual_memory().available
    if needed > free:
        raise MemoryBudgetError(
            f"network: its parameters need {needed / 2**30:.1f} GiB, {free / 2**30:.1f} GiB are free; "
            "choose a smaller width, or the infinite kernel for the limit"
        )


def _stack(layers: tuple[spec.Layer, ...], shape: Shape, draws: _Draws) -> tuple[nn.Sequential, Shape]:
    modules = []
    for layer in layers:
        module, shape = _layer(layer, shape, draws)
        modules.append(module)
    return nn.Sequential(*modules), shape


def _layer(layer: spec.Layer, shape: Shape, draws: _Draws) -> tuple[nn.Module, Shape]:
    if type(layer) in POINTWISE:
        return Pointwise(layer), shape  # type: ignore[arg-type]
    if type(layer) not in BUILDERS:
        raise SpecError(
            f"{type(layer).__name__}: no finite network has this layer; use the infinite kernel, or another activation"
        )
    return BUILDERS[type(layer)](layer, shape, draws)


def _dense(layer: spec.Dense, shape: Shape, draws: _Draws) -> tuple[nn.Module, Shape]:
    fan_in, width = shape[-1], _true_width(layer)
    weight, bias = draws.dense(width, fan_in, bias=layer.b_std is not None)
    b_std = layer.b_std or 0.0
    if layer.param == "ntk":
        module = Dense(weight, bias, weight_scale=layer.W_std / math.sqrt(fan_in), bias_scale=b_std)
    else:
        weight *= layer.W_std * math.sqrt(layer.s[0] / fan_in)
        bias = None if bias is None else bias * b_std
        module = Dense(weight, bias, weight_scale=1 / math.sqrt(layer.s[0]), bias_scale=1.0)
    return module, (*shape[:-1], width)


def _true_width(layer: spec.Dense) -> int:
    """s[1]·width in standard parameterisation, which must be whole."""
    if layer.param == "ntk":
        return layer.width
    width = layer.s[1] * layer.width
    if abs(width - round(width)) > 1e-6 or round(width) < 1:
        raise SpecError(
            f"Dense.s: s[1]·width must be a whole number of units, got {layer.s[1]}·{layer.width}; change one of them"
        )
    return round(width)


def _dropout(layer: spec.Dropout, shape: Shape, _: _Draws) -> tuple[nn.Module, Shape]:
    return nn.Dropout(1 - layer.keep_rate) if layer.mode == "train" else nn.Identity(), shape


def _flatten(_: spec.Flatten, shape: Shape, __: _Draws) -> tuple[nn.Module, Shape]:
    return nn.Flatten(1), (math.prod(shape),)


def _branch(layer: spec.Branch, shape: Shape, draws: _Draws) -> tuple[nn.Module, Shape]:
    built = [_stack(branch, shape, draws) for branch in layer.branches]
    axis = -1 if layer.axis is None else layer.axis
    after = list(built[0][1])
    if layer.merge == "concat":
        position = axis if axis < 0 else axis - 1  # the spec counts the batch axis
        after[position] = sum(end[position] for _, end in built)
    return Merge([module for module, _ in built], layer.merge, axis), tuple(after)


BUILDERS: dict[type[spec.Spec], Callable[[Any, Shape, _Draws], tuple[nn.Module, Shape]]] = {
    spec.Dense: _dense,
    spec.Dropout: _dropout,
    spec.Flatten: _flatten,
    spec.Branch: _branch,
}
