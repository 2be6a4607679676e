"""Shapes and parameter counts of an architecture, layer by layer, and the faults that make it impossible."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from ntklab.errors import SpecError
from ntklab.spec.architecture import Architecture
from ntklab.spec.layers import Branch, Dense, Flatten, Layer

Shape = tuple[int, ...]


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
        raise SpecError("architecture: it has no layers; add a Dense layer")
    return _stack(architecture.layers, architecture.input.shape, "layer")


def output_shape(architecture: Architecture) -> Shape:
    """Shape of the network's output for one sample."""
    return layer_shapes(architecture)[-1].after


def parameter_count(architecture: Architecture) -> int:
    """Number of trainable numbers of the finite network."""
    return sum(entry.parameters for entry in layer_shapes(architecture))


def _stack(layers: tuple[Layer, ...], shape: Shape, where: str) -> tuple[LayerShape, ...]:
    entries = []
    for position, layer in enumerate(layers, start=1):
        entry = _layer(layer, shape, f"{where} {position} ({type(layer).__name__})")
        entries.append(entry)
        shape = entry.after
    return tuple(entries)


def _layer(layer: Layer, shape: Shape, where: str) -> LayerShape:
    if isinstance(layer, Dense):
        bias = layer.width if layer.b_std is not None else 0
        return LayerShape(layer, shape, (*shape[:-1], layer.width), shape[-1] * layer.width + bias)
    if isinstance(layer, Flatten):
        return LayerShape(layer, shape, (prod(shape),), 0)
    if isinstance(layer, Branch):
        return _branch(layer, shape, where)
    return LayerShape(layer, shape, shape, 0)


def _branch(layer: Branch, shape: Shape, where: str) -> LayerShape:
    ends, parameters = [], 0
    for number, branch in enumerate(layer.branches, start=1):
        entries = _stack(branch, shape, f"{where}, branch {number}, layer")
        ends.append(entries[-1].after if entries else shape)
        parameters += sum(entry.parameters for entry in entries)
    return LayerShape(layer, shape, _merged(layer, ends, where), parameters)


def _merged(layer: Branch, ends: list[Shape], where: str) -> Shape:
    if layer.merge != "concat":
        if len(set(ends)) > 1:
            shapes = " and ".join(str(list(end)) for end in ends)
            raise SpecError(
                f"{where}: branches to {layer.merge} must end in one shape, got {shapes}; make widths equal"
            )
        return ends[0]
    rank = len(ends[0])
    axis = _concat_axis(layer.axis, rank, where)
    rests = {end[:axis] + end[axis + 1 :] for end in ends if len(end) == rank}
    if len(rests) != 1 or any(len(end) != rank for end in ends):
        shapes = " and ".join(str(list(end)) for end in ends)
        raise SpecError(f"{where}: branches to concat must agree in all axes but {axis - rank}, got {shapes}")
    joined = sum(end[axis] for end in ends)
    return (*ends[0][:axis], joined, *ends[0][axis + 1 :])


def _concat_axis(axis: int | None, rank: int, where: str) -> int:
    """The axis among one sample's axes; in specs axis 0 is the batch, as in the manifest."""
    given = -1 if axis is None else axis
    index = given + rank if given < 0 else given - 1
    if not 0 <= index < rank:
        raise SpecError(f"{where}: axis must be from {-rank} to -1, got {given}; use -1 for channels")
    return index
