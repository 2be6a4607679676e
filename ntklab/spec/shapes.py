"""Shapes and parameter counts of an architecture, layer by layer, and the faults that make it impossible."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from ntklab.spec.architecture import Architecture
from ntklab.spec.faults import DEEPEST, PlacedError, complaint
from ntklab.spec.layers import Branch, Dense, Flatten, Layer

Shape = tuple[int, ...]
Place = tuple[str, ...]


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
    if isinstance(layer, Dense):
        return LayerShape(layer, shape, (*shape[:-1], layer.width), _dense_parameters(layer, shape[-1]))
    if isinstance(layer, Flatten):
        return LayerShape(layer, shape, (prod(shape),), 0)
    if isinstance(layer, Branch):
        return _branch(layer, shape, place)
    return LayerShape(layer, shape, shape, 0)


def _dense_parameters(layer: Dense, fan_in: int) -> int:
    """Weights and biases of the finite layer; in standard parameterisation true widths are s times those written."""
    before, after = layer.s if layer.param == "standard" else (1.0, 1.0)
    width = round(after * layer.width)
    return round(before * fan_in) * width + (width if layer.b_std is not None else 0)


def _branch(layer: Branch, shape: Shape, place: Place) -> LayerShape:
    ends, parameters = [], 0
    for number, branch in enumerate(layer.branches, start=1):
        entries = _stack(branch, shape, (*place, f"branch {number}"))
        ends.append(entries[-1].after if entries else shape)
        parameters += sum(entry.parameters for entry in entries)
    merged = _concatenated(layer, ends, place) if layer.merge == "concat" else _equal(layer, ends, place)
    return LayerShape(layer, shape, merged, parameters)


def _equal(layer: Branch, ends: list[Shape], place: Place) -> Shape:
    if len(set(ends)) > 1:
        reason = f"branches to {layer.merge} must end in one shape"
        raise PlacedError(place, f"{reason}, got {_listed(ends)}; make widths equal")
    return ends[0]


def _concatenated(layer: Branch, ends: list[Shape], place: Place) -> Shape:
    rank = len(ends[0])
    if any(len(end) != rank for end in ends):
        reason = "branches to concat must have equally many axes"
        raise PlacedError(place, f"{reason}, got {_listed(ends)}; flatten them all")
    axis = _concat_axis(layer.axis, rank, place)
    if len({end[:axis] + end[axis + 1 :] for end in ends}) > 1:
        raise PlacedError(place, f"branches to concat must agree in all axes but {axis - rank}, got {_listed(ends)}; "
                           "make their sizes equal")  # fmt: skip
    return (*ends[0][:axis], sum(end[axis] for end in ends), *ends[0][axis + 1 :])


def _listed(ends: list[Shape]) -> str:
    return " and ".join(str(list(end)) for end in ends)


def _concat_axis(axis: int | None, rank: int, place: Place) -> int:
    """The axis among one sample's axes; in specs axis 0 is the batch, as in the manifest."""
    given = -1 if axis is None else axis
    index = given + rank if given < 0 else given - 1
    if not 0 <= index < rank:
        allowed = "-1" if rank == 1 else f"from {-rank} to -1"
        raise complaint((*place, "axis"), f"expected {allowed}", given, "use -1 for channels")
    return index
