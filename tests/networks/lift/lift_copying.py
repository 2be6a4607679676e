"""The finite network of a lifted architecture with the weights of the module it was lifted from."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ntklab import spec
from ntklab.networks import build
from ntklab.networks.lift import Lifted, examine
from ntklab.networks.modules import Dense

WEIGHTED = (spec.Dense, spec.Conv, spec.ConvTranspose, spec.SelfAttention)


def network_like(module: nn.Module, lifted: Lifted, factors: dict[str, float] | None = None) -> nn.Module:
    """Built from the architecture, in float64, with the weights of ``module``, times ``factors`` by module path."""
    network = build(lifted.architecture, dtype="float64")
    layers = [part for part in network.modules() if isinstance(getattr(part, "spec", None), WEIGHTED)]
    assert len(layers) == len(lifted.sources)
    for layer, source in zip(layers, lifted.sources, strict=True):
        _copy(module.get_submodule(source), layer, (factors or {}).get(source, 1.0))
    return network


def _copy(original: nn.Module, layer: nn.Module, factor: float) -> None:
    if isinstance(original, nn.MultiheadAttention):
        parts = (layer.query, layer.key, layer.value, layer.out)
        weights = (*original.in_proj_weight.chunk(3), original.out_proj.weight)
        for part, weight in zip(parts, weights, strict=True):
            _put(part, weight, original.out_proj.bias if part is layer.out else None)
        return
    weight = original.weight * factor
    if isinstance(layer.spec, spec.ConvTranspose):
        weight = weight.transpose(0, 1).flip(tuple(range(2, weight.ndim)))
    if weight.ndim != layer.weight.ndim:  # a convolution on a single position
        weight = weight.flatten(1)
    if weight.shape != layer.weight.shape:  # the module saw the spatial axes swapped
        weight = weight.transpose(2, 3)
    _put(layer, weight, None if original.bias is None else original.bias * factor)


@torch.no_grad()
def _put(layer: nn.Module | Dense, weight: Tensor, bias: Tensor | None) -> None:
    layer.weight.copy_(weight / layer.weight_scale)
    if bias is not None and layer.bias_scale:
        layer.bias.copy_(bias / layer.bias_scale)


def channels_last(x: Tensor, first: bool) -> Tensor:
    """(n, C, …) as (n, …, C), if channels come first."""
    return x.movedim(1, -1) if first else x


def assert_same_function(
    module: nn.Module, shape: tuple[int, ...], first: bool = True, *, factors: dict[str, float] | None = None,
    **options: object,
) -> Lifted:  # fmt: skip
    """``module`` and the network of its architecture give the same numbers, layouts aside.

    ``factors``: by what the module multiplies the output of layers, with sign, where the lift takes that into W_std.
    """
    module = module.double()
    lifted = examine(module, shape, **options)
    network = network_like(module, lifted, factors)
    x = torch.randn(3, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        wanted = module(x)
        found = network(channels_last(x, first and len(shape) > 1))
    wanted = channels_last(wanted, first and wanted.ndim > 2)
    if wanted.ndim != found.ndim:
        wanted = wanted.reshape(found.shape)
    torch.testing.assert_close(found, wanted, rtol=1e-9, atol=1e-11)
    return lifted
