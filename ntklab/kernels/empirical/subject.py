"""What a kernel is asked of: the module, on the device and in the precision asked for, and the samples."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from ntklab import spec
from ntklab.errors import DataError, NtkLabError, SpecError
from ntklab.kernels.empirical import cotangents, structural
from ntklab.kernels.empirical.factors import DenseUse, Factor, dense_uses, frozen, outputs_of
from ntklab.networks import build, torch_device, torch_dtype


@dataclass(frozen=True, eq=False)
class Route:
    """A way to the factors. ``copies`` of each layer's values are alive in a pass."""

    name: str
    factors: Callable[[nn.Module, Sequence[DenseUse], Tensor], list[Factor]]
    copies: int


STRUCTURAL = Route("per-layer factors, one backward pass for all outputs", structural.factors, 3)
AUTOGRAD = Route("per-layer factors, one autograd pass an output", cotangents.factors, 6)


@dataclass(frozen=True, eq=False)
class Subject:
    """A module ready to be looked at, its layers, and what its provenance says."""

    module: nn.Module
    uses: tuple[DenseUse, ...]
    route: Route
    dtype: torch.dtype
    device: torch.device
    parameterisation: str | None = None
    seed: int | None = None
    content: str = ""
    trusted: bool = True
    sample_shape: tuple[int, ...] | None = None
    output_shape: tuple[int, ...] | None = None
    notes: tuple[str, ...] = field(default=())

    def factors(self, x: Tensor) -> list[Factor]:
        """Factors of the layers on the samples ``x``."""
        return self.route.factors(self.module, self.uses, x)

    def outputs(self, x: Tensor) -> int:
        """The number k of outputs of a sample, asked with a few samples ``x`` where no spec says it."""
        if self.output_shape is not None:
            return math.prod(self.output_shape)
        with torch.no_grad():
            return outputs_of(self.module(x), len(x)).shape[1]

    def samples(self, x: ArrayLike | Tensor, name: str) -> Tensor:
        """``x`` as a tensor (n, *sample shape) on the device. Raises ``DataError``."""
        tensor = x.detach() if isinstance(x, Tensor) else _tensor(x, name, self.dtype)
        if tensor.ndim < 1 or len(tensor) < 1:
            raise DataError(f"{name}: expected samples (n, *shape), got shape {list(tensor.shape)}; give at least one")
        if self.sample_shape is not None and tuple(tensor.shape[1:]) != self.sample_shape:
            raise DataError(
                f"{name}: the network takes samples of shape {list(self.sample_shape)}, got {list(tensor.shape[1:])}; "
                "change the input of the architecture or the data"
            )
        return tensor.to(self.device, self.dtype).contiguous()


def _tensor(x: ArrayLike, name: str, dtype: torch.dtype) -> Tensor:
    """``x`` without copying where its dtype fits and it may be written (torch warns about any other array)."""
    try:
        array = np.asarray(x)
    except ValueError:
        array = np.empty(0, dtype=object)  # rows of different lengths
    if array.dtype.kind not in "biuf":
        raise DataError(f"{name}: expected an array of numbers, got {type(x).__name__}; convert it")
    number = np.float32 if dtype == torch.float32 else np.float64
    return torch.from_numpy(np.require(array, number, ["C", "W"]))


def subject(model: nn.Module | spec.Architecture, *, seed: int, dtype: str, device: str) -> Subject:
    """Build ``model`` if it is a spec; else take it, as a copy where its dtype or device is another.

    Raises ``NtkLabError`` for a module that the factors do not cover.
    """
    number, place = torch_dtype(dtype), torch_device(device)
    if isinstance(model, spec.Architecture):
        network = build(model, seed=seed, dtype=dtype, device=place)
        return Subject(
            network, dense_uses(network), STRUCTURAL, number, place,
            parameterisation=parameterisation(model), seed=seed, content=model.content_hash(),
            sample_shape=model.input.shape, output_shape=spec.output_shape(model),
        )  # fmt: skip
    if not isinstance(model, nn.Module):
        raise SpecError(f"model: expected an Architecture or a torch.nn.Module, got {type(model).__name__}")
    uses = dense_uses(model)
    module = _moved(model, number, place)
    if module is not model:
        uses = dense_uses(module)
    left = frozen(module)
    notes = (f"parameters not trained and not counted: {', '.join(left)}",) if left else ()
    route = STRUCTURAL if structural.covers(module) else AUTOGRAD
    return Subject(module, uses, route, number, place, trusted=False, notes=notes)


def _moved(model: nn.Module, dtype: torch.dtype, device: torch.device) -> nn.Module:
    tensors = [*model.parameters(), *(b for b in model.buffers() if b.is_floating_point())]
    if all(t.dtype == dtype and t.device == _indexed(device) for t in tensors):
        return model
    try:
        return copy.deepcopy(model).to(device, dtype)
    except RuntimeError as error:
        raise NtkLabError(f"model: it cannot be copied to {dtype} on {device}: {error}; convert it first") from error


def _indexed(device: torch.device) -> torch.device:
    return torch.device("cuda", torch.cuda.current_device()) if device == torch.device("cuda") else device


def parameterisation(architecture: spec.Architecture) -> str | None:
    """ "ntk", "standard", "mixed", or None without dense layers."""
    found = {layer.param for layer in _dense_layers(architecture.layers)}
    return found.pop() if len(found) == 1 else ("mixed" if found else None)


def _dense_layers(layers: Sequence[spec.Layer]) -> Iterator[spec.Dense]:
    for layer in layers:
        if isinstance(layer, spec.Dense):
            yield layer
        elif isinstance(layer, spec.Branch):
            for branch in layer.branches:
                yield from _dense_layers(branch)
