"""Shapes and parameter counts of an architecture, layer by layer, and the faults that make it impossible."""

from __future__ import annotations

from dataclasses import dataclass

from ntklab.spec.architecture import Architecture
from ntklab.spec.counting import parameters_of
from ntklab.spec.faults import DEEPEST, PlacedError
from ntklab.spec.layers import Branch, Layer
from ntklab.spec.transitions import Place, Shape, after, merged


@dataclass(frozen=True)
class LayerShape:
    """What one layer does to one sample's shape, and how many parameters it has (those of its branches included)."""

    layer: Layer
    before: Shape
    after: Shape
    parameters: int


def layer_shapes(architecture: Architecture) -> tuple[LayerShape, ...]:
    """Shapes through the network, one entry a layer. Raises ``SpecError`` naming the layer that cannot be."""
    if not architecture.layers:
        raise PlacedError(("layers",), "expected at least one layer, got none; add a Dense layer")
    return _stack(architecture.layers, architecture.input.shape, ())


def output_shape(architecture: Architecture) -> Shape:
    """Shape of the network's output for one sample."""
    return layer_shapes(architecture)[-1].after


def parameter_count(architecture: Architecture) -> int:
    """Number of trainable numbers of the finite network."""
    return sum(entry.parameters for entry in layer_shapes(architecture))


def _stack(layers: tuple[Layer, ...], shape: Shape, place: Place) -> tuple[LayerShape, ...]:
    if len(place) > DEEPEST:
        raise PlacedError(place[:3], "branches are nested too deep; use fewer levels")
    entries = []
    for position, layer in enumerate(layers, start=1):
        entry = _layer(layer, shape, (*place, f"layer {position} ({type(layer).__name__})"))
        entries.append(entry)
        shape = entry.after
    return tuple(entries)


def _layer(layer: Layer, shape: Shape, place: Place) -> LayerShape:
    if isinstance(layer, Branch):
        return _branch(layer, shape, place)
    found = after(layer, shape, place)
    return LayerShape(layer, shape, found, parameters_of(layer, shape, found))


def _branch(layer: Branch, shape: Shape, place: Place) -> LayerShape:
    ends, parameters = [], 0
    for number, branch in enumerate(layer.branches, start=1):
        entries = _stack(branch, shape, (*place, f"branch {number}"))
        ends.append(entries[-1].after if entries else shape)
        parameters += sum(entry.parameters for entry in entries)
    return LayerShape(layer, shape, merged(layer, ends, place), parameters)
