"""Modules made of layers with weights of known kinds: by the rules of their structure, else by hooks and autograd."""

from __future__ import annotations

from collections.abc import Collection

from torch import Tensor, nn

from ntklab.kernels.empirical.factors import Factor
from ntklab.kernels.empirical.routes import hooks, structural
from ntklab.kernels.empirical.routes.route import Layer, Needs, Route
from ntklab.kernels.empirical.routes.sizes import Sizes, measured
from ntklab.kernels.empirical.routes.uses import Use, layer_uses


class _Known(Route):
    """``pairs``: the kernel keeps all pairs of outputs."""

    def __init__(self, module: nn.Module, *, pairs: bool) -> None:
        self.module = module
        self.uses = layer_uses(module, pairs=pairs)
        self.layers = tuple(_layer(use) for use in self.uses)

    def _wanted(self, layers: Collection[str] | None) -> list[Use]:
        return [use for use in self.uses if layers is None or use.name in layers]

    def _needs(self, sizes: Sizes, passing: int) -> Needs:
        return Needs(passing + 2 * sizes.patches, sizes.weights, sizes.forward, sizes.backward)


class Structural(_Known):
    """Every module has a rule: one backward pass for all outputs."""

    name = "per-layer factors, one backward pass for all outputs"

    def factors(self, x: Tensor, layers: Collection[str] | None = None) -> list[Factor]:
        return structural.factors(self.module, self._wanted(layers), x)

    def needs(self, x: Tensor, k: int) -> Needs:
        sizes = measured(self.module, self.uses, x)
        return self._needs(sizes, 3 * sizes.values + k * sizes.cotangent)


class Hooks(_Known):
    """What lies between the layers is not known: autograd, an output at a time."""

    name = "per-layer factors, one autograd pass an output"

    def factors(self, x: Tensor, layers: Collection[str] | None = None) -> list[Factor]:
        return hooks.factors(self.module, self._wanted(layers), x)

    def needs(self, x: Tensor, k: int) -> Needs:
        sizes = measured(self.module, self.uses, x)
        return self._needs(sizes, 10 * sizes.values + k * sizes.seen)


def known(module: nn.Module, *, pairs: bool) -> Route:
    """The route of a module whose trained parameters are all in layers of known kinds. Raises ``NtkLabError``."""
    return (Structural if structural.covers(module) else Hooks)(module, pairs=pairs)


def _layer(use: Use) -> Layer:
    labels = [label for label, scale in (("weight", use.weight_scale), ("bias", use.bias_scale)) if scale is not None]
    prefix = f"{use.name}." if use.name else ""
    return Layer(use.name, tuple(prefix + label for label in labels), "inputs × cotangents")
