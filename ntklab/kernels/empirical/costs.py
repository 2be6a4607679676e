"""What the kernel of a module costs in memory and time, seen on the factors of a sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from ntklab.kernels.budget import WORKSPACE
from ntklab.kernels.empirical.factors import Factor
from ntklab.kernels.empirical.forms import Form
from ntklab.kernels.empirical.routes.route import Needs


@dataclass(frozen=True)
class LayerCost:
    """Of one layer: ``kept`` bytes of its factors for a sample, multiply-adds ``adds`` for a pair of samples.

    Where factors are lazy, the gradients of a sample have ``gradients`` numbers, at least ``unit`` of them are made at
    a time, and all of them take ``expansion`` multiply-adds.
    """

    name: str
    kept: int
    adds: int
    gradients: int = 0
    unit: int = 0
    expansion: int = 0


@dataclass(frozen=True)
class Costs:
    """Of one module and form: bytes and multiply-adds, per sample unless said otherwise.

    ``item`` bytes of one number, ``fixed`` bytes for inputs, parameters and work space; ``passing`` bytes alive while a
    sample goes through the network; ``cell`` bytes of one pair of samples in the result, ``beside`` bytes of one in
    what is computed with it, ``workspace`` bytes of one in a tile. ``pass_adds`` of a forward and backward pass;
    ``weights`` numbers belong to the network. ``layers`` in the order in which they are met.
    """

    item: int
    fixed: int
    layers: tuple[LayerCost, ...]
    passing: int
    cell: int
    workspace: int
    pass_adds: int
    weights: int = 0
    beside: int = 0

    @property
    def kept(self) -> int:
        """Bytes of the factors of all layers."""
        return max(self.item, sum(layer.kept for layer in self.layers))

    @property
    def pair_adds(self) -> int:
        """Multiply-adds of one pair of samples in a tile."""
        return max(1, sum(layer.adds for layer in self.layers))

    @property
    def pair_bytes(self) -> int:
        """Of one pair of samples in the result."""
        return self.cell + self.beside

    def tile_bytes(self, side: int) -> int:
        """Alive while a tile is computed: the sum, and the two products of the next layer."""
        return side * side * (3 * self.cell + self.workspace)


def costs(
    factors: Sequence[Factor], needs: Needs, form: Form, *, item: int, fixed: int, order: Sequence[str],
    parts: bool = False,
) -> Costs:  # fmt: skip
    """From the factors of one sample; a number has ``item`` bytes; ``fixed`` bytes are there at the start.

    ``order`` are the names of the layers; ``parts``: what each of them adds is kept too.
    """
    by_layer: dict[str, list[Factor]] = {name: [] for name in order}
    for factor in factors:
        by_layer.setdefault(factor.layer, []).append(factor)
    layers = tuple(_layer(name, found, form, item) for name, found in by_layer.items() if found)
    return Costs(
        item=item,
        fixed=WORKSPACE + fixed,
        layers=layers,
        passing=item * needs.passing,
        cell=item * prod(form.store(1, 1)),
        workspace=item * max((form.workspace(factor) for factor in factors), default=0),
        pass_adds=max(1, needs.forward + form.k * needs.backward),
        weights=needs.weights,
        beside=item * len(layers) if parts else 0,
    )


def _layer(name: str, factors: Sequence[Factor], form: Form, item: int) -> LayerCost:
    lazy = [factor for factor in factors if factor.lazy]
    return LayerCost(
        name,
        kept=item * sum(factor.numbers for factor in factors),
        adds=sum(form.multiply_adds(factor) for factor in factors),
        gradients=sum(factor.all_gradients for factor in lazy),
        unit=max((factor.unit for factor in lazy), default=0),
        expansion=sum(factor.places * factor.all_gradients for factor in lazy),
    )
