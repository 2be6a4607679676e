"""What a kernel is asked of: the module, on the device and in the precision asked for, and the samples."""

from __future__ import annotations

import copy
import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from ntklab import spec
from ntklab.errors import DataError, NtkLabError, SpecError
from ntklab.kernels.empirical.factors import Factor
from ntklab.kernels.empirical.graphs import WithPatterns
from ntklab.kernels.empirical.outputs import outputs_of
from ntklab.kernels.empirical.routes.known import known
from ntklab.kernels.empirical.routes.route import Route
from ntklab.kernels.empirical.routes.uses import frozen
from ntklab.networks import build, torch_device, torch_dtype
from ntklab.spec.convolution import Convolution


@dataclass(frozen=True, eq=False)
class Subject:
    """A module ready to be looked at, the way to its factors, and what its provenance says.

    ``pairs``: the kernel keeps all pairs of outputs.
    """

    route: Route
    pairs: bool
    dtype: torch.dtype
    device: torch.device
    parameterisation: str | None = None
    seed: int | None = None
    content: str = ""
    trusted: bool = True
    sample_shape: tuple[int, ...] | None = None
    output_shape: tuple[int, ...] | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def module(self) -> nn.Module:
        """The network itself."""
        return self.route.module

    def factors(self, x: Tensor, layers: Collection[str] | None = None) -> list[Factor]:
        """Factors on the samples ``x`` of the layers of these names, None for all."""
        return self.route.factors(x, layers)

    def of(self, module: nn.Module, **changes: Any) -> Subject:
        """The same of another module."""
        return replace(self, route=known(module, pairs=self.pairs), **changes)

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

    def with_patterns(self, shape: tuple[int, ...], pattern_shape: tuple[int, ...]) -> Subject:
        """The same for rows of samples of ``shape`` and their patterns."""
        return self.of(WithPatterns(self.module, shape, pattern_shape), sample_shape=None)


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


def subject(
    model: nn.Module | spec.Architecture, *, seed: int, dtype: str, device: str, pairs: bool = True,
    mask_constant: float | None = None,
) -> Subject:  # fmt: skip
    """Build ``model`` if it is a spec; else take it, as a copy where its dtype or device is another.

    Raises ``NtkLabError`` for a module that the factors do not cover.
    """
    number, place = torch_dtype(dtype), torch_device(device)
    if isinstance(model, spec.Architecture):
        network = build(model, seed=seed, dtype=dtype, device=place, mask_constant=mask_constant)
        return Subject(
            known(network, pairs=pairs), pairs, number, place,
            parameterisation=parameterisation(model), seed=seed, content=model.content_hash(),
            sample_shape=model.input.shape, output_shape=spec.output_shape(model),
        )  # fmt: skip
    if not isinstance(model, nn.Module):
        raise SpecError(f"model: expected an Architecture or a torch.nn.Module, got {type(model).__name__}")
    known(model, pairs=pairs)  # names what it does not cover before anything is copied
    module = _moved(model, number, place)
    left = frozen(module)
    notes = (f"parameters not trained and not counted: {', '.join(left)}",) if left else ()
    return Subject(known(module, pairs=pairs), pairs, number, place, trusted=False, notes=notes)


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
    """ "ntk", "standard", "mup", "mixed", or None without layers that have weights."""
    found = set(_parameterisations(architecture.layers))
    return found.pop() if len(found) == 1 else ("mixed" if found else None)


def _parameterisations(layers: Sequence[spec.Layer]) -> Iterator[str]:
    for layer in layers:
        if isinstance(layer, spec.Branch):
            for branch in layer.branches:
                yield from _parameterisations(branch)
        elif isinstance(layer, spec.SelfAttention):
            yield "ntk"
        elif isinstance(layer, spec.Dense | Convolution):
            yield layer.param
