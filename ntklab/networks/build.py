"""From an architecture spec to a torch module."""

from __future__ import annotations

import math

import psutil
import torch
from torch import nn

from ntklab import spec
from ntklab.errors import MemoryBudgetError, SpecError
from ntklab.networks.builders import Flow, stack
from ntklab.networks.devices import torch_device, torch_dtype
from ntklab.networks.draws import Draws
from ntklab.networks.modules import Dense
from ntklab.networks.network import Network


def build(
    architecture: spec.Architecture,
    *,
    seed: int = 0,
    dtype: str = "float32",
    device: str | torch.device = "cpu",
    mask_constant: float | None = None,
) -> nn.Module:
    """The finite network that ``architecture`` describes, drawn with ``seed``, in evaluation mode.

    Maps (n, *sample shape), channels last, to (n, *output shape): (n, k) for a dense read-out on vectors. Equal seeds
    give equal draws on every device and in every dtype (rounded); a wider network contains the draws of a narrower one
    (see ``draws``). A layer in standard parameterisation is s[1]·width wide. Branches have weights of their own.

    With ``Aggregate`` layers the module is called as ``network(x, pattern=A)``, A (n, *axes, *axes). With a
    ``mask_constant`` positions whose every channel equals it are masked (see ``network``).

    Raises ``SpecError`` for a layer without a finite network, ``DeviceError`` for a device that is not there, and
    ``MemoryBudgetError`` if the parameters exceed the free memory.
    """
    if seed < 0:
        raise SpecError(f"seed: expected a whole number of at least 0, got {seed}; give 0 or more")
    place, layers = torch_device(device), architecture.layers
    if mask_constant is not None:
        _refuse_masked_transposes(layers)
    draws = Draws(seed, torch_dtype(dtype))
    _check_memory(architecture, draws.dtype)
    network, flow = stack(layers, Flow(architecture.input.shape), draws)
    _check_output(architecture, flow)
    _scale_readout(architecture, network)
    if mask_constant is not None or _has(layers, spec.Aggregate):
        network = Network(*network, mask_constant=mask_constant)
    return network.to(place).eval()


def _check_memory(architecture: spec.Architecture, dtype: torch.dtype) -> None:
    needed = spec.parameter_count(architecture) * dtype.itemsize
    free = psutil.virtual_memory().available
    if needed > free:
        raise MemoryBudgetError(
            f"network: its parameters need {needed / 2**30:.1f} GiB, {free / 2**30:.1f} GiB are free; "
            "choose a smaller width, or the infinite kernel for the limit"
        )


def _check_output(architecture: spec.Architecture, flow: Flow) -> None:
    wanted = spec.output_shape(architecture)
    if flow.shape != wanted:
        raise SpecError(
            f"architecture: the network's true output is {list(flow.shape)} but the spec says {list(wanted)}; "
            "give the last layer with weights s[1] = 1"
        )


def _scale_readout(architecture: spec.Architecture, network: nn.Sequential) -> None:
    """muP: the read-out is divided by another √fan_in (Yang & Hu 2021, arXiv:2011.14522, abc-parameterisation)."""
    last = architecture.readout_index
    readout = None if last is None else network[last]
    if isinstance(readout, Dense) and architecture.layers[-1].param == "mup":  # type: ignore[union-attr]
        readout.weight_scale /= math.sqrt(readout.weight.shape[1])


def _has(layers: tuple[spec.Layer, ...], kind: type[spec.Spec]) -> bool:
    """Whether a layer of this kind is among ``layers`` or in their branches."""
    return any(
        any(_has(path, kind) for path in layer.branches) if isinstance(layer, spec.Branch) else isinstance(layer, kind)
        for layer in layers
    )


def _refuse_masked_transposes(layers: tuple[spec.Layer, ...]) -> None:
    if _has(layers, spec.ConvTranspose):
        raise SpecError(
            "ConvTranspose: masks cannot be carried through a transposed convolution; leave out mask_constant, or "
            "enlarge with ImageResize"
        )
