"""Modules made of layers of known kinds: by the rules of their structure."""

from __future__ import annotations

from collections.abc import Collection

from torch import Tensor, nn

from ntklab.kernels.empirical.factors import Factor
from ntklab.kernels.empirical.routes import structural
from ntklab.kernels.empirical.routes.route import Layer, Needs, Route
from ntklab.kernels.empirical.routes.sizes import measured
from ntklab.kernels.empirical.routes.uses import Use, layer_uses


class Structural(Route):
    """Every module has a rule: one backward pass for all outputs. ``pairs``: the kernel keeps all pairs of outputs.

    Raises ``NtkLabError`` for layers that share parameters.
    """

    name = "per-layer factors, one backward pass for all outputs"

    def __init__(self, module: nn.Module, *, pairs: bool) -> None:
        self.module = module
        self.uses = layer_uses(module, pairs=pairs)
        self.layers = tuple(_layer(use) for use in self.uses)

    def factors(self, x: Tensor, layers: Collection[str] | None = None) -> list[Factor]:
        uses = [use for use in self.uses if layers is None or use.name in layers]
        return structural.factors(self.module, uses, x)

    def needs(self, x: Tensor, k: int) -> Needs:
        sizes = measured(self.module, self.uses, x)
        passing = 3 * sizes.values + k * sizes.cotangent + 2 * sizes.patches
        return Needs(passing, sizes.weights, sizes.forward, sizes.backward)


def _layer(use: Use) -> Layer:
    labels = [label for label, scale in (("weight", use.weight_scale), ("bias", use.bias_scale)) if scale is not None]
    prefix = f"{use.name}." if use.name else ""
    return Layer(use.name, tuple(prefix + label for label in labels), "inputs × cotangents")
