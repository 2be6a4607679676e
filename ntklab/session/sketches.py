"""Sketches: an input and layers as somebody left them, which need not be possible, and what can be done to them.

Layers are addressed by paths (layer, branch, layer, …). Every function is pure and raises ``SpecError`` only for what
is wrong in itself (a width of 0, a place that is not there); whether the layers fit together, and fit the data, is
asked by ``settled``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from ntklab.errors import SpecError
from ntklab.session.defaults import new_layer
from ntklab.spec import Branch, Dense, Experiment, Flatten, GlobalAvgPool, GlobalSumPool, Input, Layer, Spec
from ntklab.spec.faults import PlacedError, complaint, suggestion
from ntklab.spec.fitting import Stack, follow

Path = tuple[int, ...]


@dataclass(frozen=True)
class Sketch:
    """An architecture that need not be possible."""

    input: Input
    layers: Stack

    @property
    def readout_index(self) -> int | None:
        """Position of the last layer if it is dense, else None."""
        return len(self.layers) - 1 if self.layers and isinstance(self.layers[-1], Dense) else None


def sketch_of(experiment: Experiment) -> Sketch:
    """The network of ``experiment``, to be changed."""
    return Sketch(experiment.architecture.input, experiment.architecture.layers)


def settled(experiment: Experiment, sketch: Sketch, *, keep: Path | None = None, strict: bool = False) -> Experiment:
    """``experiment`` with the network of ``sketch``: as it is if that fits, else with the branches following.

    The layer at ``keep`` must stay as it is, with ``strict`` all must. Raises ``SpecError`` saying what does not fit.
    """
    try:
        return _with(experiment, sketch)
    except SpecError:
        followed = sketch if strict else replace(sketch, layers=follow(sketch.layers, sketch.input.shape))
        if followed == sketch or (keep and layer_at(followed, keep) != layer_at(sketch, keep)):
            raise
        return _with(experiment, followed)


def _with(experiment: Experiment, sketch: Sketch) -> Experiment:
    architecture = experiment.architecture.replace(input=sketch.input, layers=sketch.layers)
    return experiment.replace(architecture=architecture)  # type: ignore[no-any-return]


def add_layer(sketch: Sketch, path: Path, name: str, **fields: Any) -> tuple[Sketch, Path]:
    """With a new layer of type ``name`` that suits its neighbours (see ``new_layer``), and where it is.

    A place behind the read-out means the one before it: the read-out stays last.
    """
    place = _before_readout(sketch, path)
    with inside(("architecture", f"new layer ({name})")):
        layer = changed(new_layer(sketch.layers, sketch.input.shape, place, name), fields)
    return _insert(sketch, place, layer), place


def remove_layer(sketch: Sketch, path: Path) -> Sketch:
    """Without the layer at ``path``. The read-out stays."""
    _keep_readout(sketch, path, "removed")
    return _edited(sketch, path, lambda stack, at: (*stack[:at], *stack[at + 1 :]))


def duplicate_layer(sketch: Sketch, path: Path) -> tuple[Sketch, Path]:
    """With another layer like that at ``path`` behind it, and where that is."""
    _keep_readout(sketch, path, "duplicated")
    place = (*path[:-1], path[-1] + 1)
    return _insert(sketch, place, layer_at(sketch, path)), place


def move_layer(sketch: Sketch, source: Path, target: Path) -> tuple[Sketch, Path]:
    """With the layer of ``source`` put in before what stands at ``target`` now, and where it is then.

    The read-out stays last. Raises ``SpecError`` for a move of a layer into itself.
    """
    _keep_readout(sketch, source, "moved")
    if target[: len(source)] == source and len(target) > len(source):
        raise PlacedError(words_of(sketch, source), "a block cannot be moved into itself; choose another place")
    end = _after_removal(source, _before_readout(sketch, target))
    layer = layer_at(sketch, source)
    return _insert(remove_layer(sketch, source), end, layer), end


def wrap_layer(sketch: Sketch, path: Path) -> tuple[Sketch, Path]:
    """With the layer at ``path`` in a residual block of its own, and where it is then."""
    _keep_readout(sketch, path, "put into a block")
    block = Branch(branches=((layer_at(sketch, path),), ()))
    return set_layer(sketch, path, block), (*path, 0, 0)


def unwrap_layer(sketch: Sketch, path: Path) -> Sketch:
    """With the layers of the first branch that has some in place of the block at ``path``."""
    block = layer_at(sketch, path)
    inner = next((branch for branch in getattr(block, "branches", ()) if branch), ())
    return _edited(sketch, path, lambda stack, at: (*stack[:at], *inner, *stack[at + 1 :]))


def set_input(sketch: Sketch, given: Input) -> Sketch:
    """With samples of another shape; windows keep their sizes, one for each spatial axis there is now.

    A network on vectors gets a Flatten in front when samples have positions, and loses it when they have none.
    """
    rank, layers = len(given.shape) - 1, sketch.layers
    if not rank:
        return Sketch(given, layers[1:] if layers and isinstance(layers[0], Flatten) else layers)
    joined = any(isinstance(layer, Flatten | GlobalAvgPool | GlobalSumPool) for layer in layers)
    in_front = () if joined or len(sketch.input.shape) > 1 else (Flatten(),)
    return Sketch(given, (*in_front, *(_of_rank(layer, rank) for layer in layers)))


def _of_rank(layer: Layer, rank: int) -> Layer:
    branches = getattr(layer, "branches", None)
    if branches is not None:
        inner = tuple(tuple(_of_rank(part, rank) for part in branch) for branch in branches)
        return layer.replace(branches=inner)  # type: ignore[no-any-return]
    sizes = {name: getattr(layer, name, None) for name in ("kernel", "window", "stride")}
    other = {name: (*size, *rank * (size[-1],))[:rank] for name, size in sizes.items() if size and len(size) != rank}
    return layer.replace(**other) if other else layer


def edit_layer(sketch: Sketch, path: Path, **fields: Any) -> Sketch:
    """With other values of some fields of the layer at ``path``."""
    with inside(words_of(sketch, path)):
        edited = changed(layer_at(sketch, path), fields)
    return set_layer(sketch, path, edited)


def set_layer(sketch: Sketch, path: Path, layer: Layer) -> Sketch:
    """With ``layer`` in place of that at ``path``."""
    return _edited(sketch, path, lambda stack, at: (*stack[:at], layer, *stack[at + 1 :]))


def set_everywhere(sketch: Sketch, **fields: Any) -> Sketch:
    """With other values of some fields of all layers, inside branches too, that have them all."""
    return replace(sketch, layers=tuple(_everywhere(layer, fields) for layer in sketch.layers))


def layer_at(sketch: Sketch, path: Path) -> Layer:
    """The layer at a path. Raises ``SpecError`` if there is none."""
    found: list[Layer] = []

    def look(stack: Stack, at: int) -> Stack:
        found.append(stack[at])
        return stack

    _edited(sketch, path, look)
    return found[0]


def words_of(sketch: Sketch, path: Path) -> tuple[str, ...]:
    """A place in words: architecture, layer 2 (Branch), branch 1, layer 1 (Dense)."""
    words = ["architecture"]
    for depth in range(1, len(path) + 1, 2):
        layer = layer_at(sketch, path[:depth])
        words.append(f"layer {path[depth - 1] + 1} ({type(layer).__name__})")
        words.extend(f"branch {number + 1}" for number in path[depth : depth + 1])
    return tuple(words)


def changed(spec: Any, fields: dict[str, Any]) -> Any:
    """``spec`` with other values of some fields. Raises ``SpecError`` for those that it does not have."""
    return spec.replace(**known(type(spec), fields)) if fields else spec


def known(cls: type[Spec], fields: dict[str, Any]) -> dict[str, Any]:
    """``fields``, if ``cls`` has all of them. Raises ``SpecError``."""
    names = list(cls.__struct_fields__)
    for name in fields:
        if name not in names:
            raise PlacedError((cls.word or cls.__name__,), f"there is no field {name!r}; {suggestion(name, names)}")
    return fields


@contextmanager
def inside(place: tuple[str, ...]) -> Iterator[None]:
    """Faults of a value that is made on its own lie at ``place`` in the experiment."""
    try:
        yield
    except PlacedError as fault:
        raise fault.moved(place) from None


def _insert(sketch: Sketch, path: Path, layer: Layer) -> Sketch:
    return _edited(sketch, path, lambda stack, at: (*stack[:at], layer, *stack[at:]), ends=True)


def _edited(sketch: Sketch, path: Path, change: Callable[[Stack, int], Stack], *, ends: bool = False) -> Sketch:
    return replace(sketch, layers=_at(sketch.layers, path, change, ends=ends))


def _at(stack: Stack, path: Path, change: Callable[[Stack, int], Stack], *, ends: bool) -> Stack:
    """``stack`` with ``change`` applied to the stack that ``path`` leads to; ``ends`` allows the place behind it."""
    at = path[0]
    if not 0 <= at < len(stack) + (ends and len(path) == 1):
        raise complaint("architecture", f"expected a layer from 1 to {len(stack)}", at + 1, "choose another")
    if len(path) == 1:
        return change(stack, at)
    branches = getattr(stack[at], "branches", ())
    if len(path) == 2 or not 0 <= path[1] < len(branches):
        place = ("architecture", f"layer {at + 1} ({type(stack[at]).__name__})")
        raise complaint(place, f"expected one of its {len(branches)} branches", list(path), "choose another")
    inner = _at(branches[path[1]], path[2:], change, ends=ends)
    block = stack[at].replace(branches=(*branches[: path[1]], inner, *branches[path[1] + 1 :]))
    return (*stack[:at], block, *stack[at + 1 :])


def _everywhere(layer: Layer, fields: dict[str, Any]) -> Layer:
    branches = getattr(layer, "branches", None)
    if branches is not None:
        inner = tuple(tuple(_everywhere(part, fields) for part in branch) for branch in branches)
        return layer.replace(branches=inner)  # type: ignore[no-any-return]
    has_all = set(fields) <= set(type(layer).__struct_fields__)
    return layer.replace(**fields) if has_all else layer


def _before_readout(sketch: Sketch, path: Path) -> Path:
    last = sketch.readout_index
    return (min(path[0], last),) if len(path) == 1 and last is not None else path


def _after_removal(source: Path, target: Path) -> Path:
    """What ``target`` is called once the layer of ``source`` is gone."""
    at = len(source) - 1
    passed = target[:at] == source[:at] and len(target) > at and target[at] > source[at]
    return (*target[:at], target[at] - 1, *target[at + 1 :]) if passed else target


def _keep_readout(sketch: Sketch, path: Path, verb: str) -> None:
    if path == (sketch.readout_index,):
        text = f"the read-out cannot be {verb}, it gives the outputs that the data needs; change another layer"
        raise PlacedError(words_of(sketch, path), text)
