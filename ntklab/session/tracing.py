"""Shapes through layers that need not fit: as far as they go, and what is wrong where they stop."""

from __future__ import annotations

from dataclasses import dataclass

from ntklab.session.sketches import Path, Sketch
from ntklab.spec import Branch, Layer
from ntklab.spec.counting import parameters_of
from ntklab.spec.faults import PlacedError
from ntklab.spec.transitions import Shape, after, merged


@dataclass(frozen=True)
class Traced:
    """A layer at ``path`` with what goes in and comes out; None where an earlier layer does not fit.

    ``fault`` says why this layer itself does not fit. A branch has the traces of its ``branches``, whose faults are not
    its own, and as many parameters as they have.
    """

    path: Path
    layer: Layer
    before: Shape | None
    after: Shape | None
    parameters: int = 0
    fault: PlacedError | None = None
    branches: tuple[tuple[Traced, ...], ...] = ()


def trace(sketch: Sketch) -> tuple[Traced, ...]:
    """The layers of ``sketch`` from input to output."""
    return _stack(sketch.layers, sketch.input.shape, ())


def first_fault(traced: tuple[Traced, ...]) -> Traced | None:
    """The first layer that does not fit, if there is one."""
    for entry in traced:
        for branch in entry.branches:
            found = first_fault(branch)
            if found is not None:
                return found
        if entry.fault is not None:
            return entry
    return None


def shape_before(sketch: Sketch, path: Path) -> Shape | None:
    """What goes in at ``path``, where a layer may be or come; None where an earlier layer does not fit."""
    return _before(trace(sketch), sketch.input.shape, path)


def _before(traced: tuple[Traced, ...], start: Shape | None, path: Path) -> Shape | None:
    at = path[0]
    if len(path) == 1 or at >= len(traced):
        return traced[min(at, len(traced)) - 1].after if at else start
    return _before(traced[at].branches[path[1]], traced[at].before, path[2:])


def _stack(layers: tuple[Layer, ...], shape: Shape | None, path: Path) -> tuple[Traced, ...]:
    found = []
    for index, layer in enumerate(layers):
        place = (*path, index)
        entry = _branch(layer, shape, place) if isinstance(layer, Branch) else _layer(layer, shape, place)
        found.append(entry)
        shape = entry.after
    return tuple(found)


def _layer(layer: Layer, shape: Shape | None, path: Path) -> Traced:
    if shape is None:
        return Traced(path, layer, None, None)
    try:
        end = after(layer, shape)
    except PlacedError as fault:
        return Traced(path, layer, shape, None, fault=fault)
    return Traced(path, layer, shape, end, parameters_of(layer, shape, end))


def _branch(layer: Branch, shape: Shape | None, path: Path) -> Traced:
    branches = tuple(_stack(inner, shape, (*path, number)) for number, inner in enumerate(layer.branches))
    ends = [inner[-1].after if inner else shape for inner in branches]
    parameters = sum(entry.parameters for inner in branches for entry in inner)
    known = [end for end in ends if end is not None]
    if len(known) < len(ends):
        return Traced(path, layer, shape, None, parameters, branches=branches)
    try:
        return Traced(path, layer, shape, merged(layer, known), parameters, branches=branches)
    except PlacedError as fault:
        return Traced(path, layer, shape, None, parameters, fault, branches)
