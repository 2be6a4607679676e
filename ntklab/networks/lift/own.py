"""Networks of this package: their modules know the layers that they were built from."""

from __future__ import annotations

from typing import Any

from torch import nn

from ntklab import spec
from ntklab.networks.lift.context import Constant, Spot
from ntklab.networks.lift.values import Step, Value, weights_of
from ntklab.networks.modules import Merge
from ntklab.networks.network import Network


def layer_of(module: nn.Module) -> spec.Layer | None:
    """The layer that ``networks.build`` made ``module`` from, with the branches that it has now.

    None for modules of others, and for branches with such modules among them.
    """
    layer = getattr(module, "spec", None)
    if not isinstance(layer, spec.Spec):
        return None
    if not isinstance(module, Merge):
        return layer  # type: ignore[return-value]
    branches = [[layer_of(part) for part in branch.children()] for branch in module.branches]
    return None if any(None in branch for branch in branches) else layer.replace(branches=branches)


def own_module(spot: Spot, module: nn.Module, input: Value) -> Value:
    """A module of ``networks.build`` as its layer. What it takes and gives is channels last."""
    layer = layer_of(module)
    assert layer is not None
    if not (input.canonical or spec.is_activation(layer)):
        spot.mislaid("it takes channels last", 'give the input shape channels last, with channels="last"')
    settings = spot.settings
    spot.use(*(Constant(p, settings.name(p, f"{spot.path}.{n}")) for n, p in module.named_parameters()))
    after = input.then(spot.place, Step(layer, (spot.path,) * weights_of(layer)))
    return after if spec.is_activation(layer) else after.seen(tuple((axis,) for axis in range(len(after.shape))))


def network(spot: Spot, module: Network, x: Any, pattern: Any = None) -> Any:
    """A network with masks or patterns: kernels are given these themselves."""
    if pattern is not None:
        spot.refuse("a pattern is given when it is called", "give it to the kernel")
    if module.mask_constant is not None:
        spot.chose(f"positions of {module.mask_constant:g} are masked: give the kernel this mask_constant")
    for layer in module:
        x = layer(x)
    return x
