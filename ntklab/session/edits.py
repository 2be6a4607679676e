"""Edits: pure functions from an experiment and what the user wants to a new experiment.

Each raises ``SpecError`` with the remedy when the result would be impossible. Layers are addressed by their index in
the stack, or inside a branch by a path (layer, branch, layer, …). What depends on the edit follows it: input and
read-out follow the data where its shape is known, and residual branches follow the width that they are added to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ntklab.errors import SpecError
from ntklab.session.defaults import new_layer
from ntklab.spec import SOURCE_TYPES, Dense, Experiment, Layer, Spec, fitted, sample_shape
from ntklab.spec.dataset import SCALINGS, sample_count
from ntklab.spec.faults import PlacedError, complaint, suggestion
from ntklab.spec.fitting import Stack, follow

Place = int | tuple[int, ...]


def set_source(experiment: Experiment, source: Spec | str, **fields: Any) -> Experiment:
    """Learn from another source: a value, or a type name with its fields (those not given stay as they are).

    A new type of source starts without a choice of classes, with automatic targets, in the scaling that suits it, and
    with at most the samples it has.
    """
    dataset = experiment.dataset
    if isinstance(source, str):
        same = type(dataset.source).__name__ == source
        with _in(("dataset", f"source ({source})")):
            source = _changed(dataset.source, fields) if same else _new_source(source, fields)
    if type(source) is type(dataset.source):
        return set_dataset(experiment, source=source)
    n_train, n_test = _at_most(sample_count(source), dataset.n_train, dataset.n_test)
    scaling = SCALINGS[type(source).__name__]
    return set_dataset(
        experiment, source=source, classes=None, targets="auto", scaling=scaling, n_train=n_train, n_test=n_test
    )


def set_dataset(experiment: Experiment, **fields: Any) -> Experiment:
    """Change fields of the dataset; input and read-out of the network follow."""
    dataset = _changed(experiment.dataset, fields)
    shape = sample_shape(dataset)
    architecture = experiment.architecture if shape is None else fitted(experiment.architecture, *shape)
    return _replaced(experiment, dataset=dataset, architecture=architecture)


def fit_data(experiment: Experiment, features: int, outputs: int) -> Experiment:
    """Resize input and read-out to data that had to be loaded before its shape was known (a file)."""
    return _replaced(experiment, architecture=fitted(experiment.architecture, features, outputs))


def set_training(experiment: Experiment, **fields: Any) -> Experiment:
    """Change fields of the training."""
    return _replaced(experiment, training=_changed(experiment.training, fields))


def set_kernel(experiment: Experiment, **fields: Any) -> Experiment:
    """Change fields of the kernel request."""
    return _replaced(experiment, kernel=_changed(experiment.kernel, fields))


def rename(experiment: Experiment, name: str) -> Experiment:
    """Give the experiment another name."""
    return _replaced(experiment, name=name)


def set_width(experiment: Experiment, width: int) -> Experiment:
    """Make every hidden dense layer ``width`` wide."""
    return _replaced(experiment, architecture=experiment.architecture.with_width(width))


def set_parameterisation(experiment: Experiment, param: str) -> Experiment:
    """Give every dense layer the parameterisation "ntk" or "standard"."""
    return _with_layers(experiment, tuple(_everywhere(layer, param=param) for layer in experiment.architecture.layers))


def add_layer(experiment: Experiment, index: Place, name: str, **fields: Any) -> Experiment:
    """Insert a layer of type ``name`` at ``index``, with defaults that suit its neighbours (see ``new_layer``).

    A position behind the read-out means the one before it: the read-out stays last.
    """
    path = _path(index)
    last = experiment.architecture.readout_index
    if len(path) == 1 and last is not None:
        path = (min(path[0], last),)
    with _in(("architecture", f"new layer ({name})")):
        layer = _changed(new_layer(experiment.architecture, path, name), fields)
    return _with_layers(experiment, _edited(experiment, path, _insert(layer), ends=True))


def remove_layer(experiment: Experiment, index: Place) -> Experiment:
    """Take a layer out. The read-out stays."""
    path = _path(index)
    _keep_readout(experiment, path, "removed")
    return _with_layers(experiment, _edited(experiment, path, lambda stack, at: (*stack[:at], *stack[at + 1 :])))


def move_layer(experiment: Experiment, source: Place, target: Place) -> Experiment:
    """Take the layer at ``source`` out and put it in where ``target`` is then. The read-out stays last."""
    start, end = _path(source), _path(target)
    _keep_readout(experiment, start, "moved")
    layer = layer_at(experiment, start)
    last = experiment.architecture.readout_index
    if len(start) == len(end) == 1 and last is not None:
        end = (min(end[0], last - 1),)
    without = _edited(experiment, start, lambda stack, at: (*stack[:at], *stack[at + 1 :]))
    return _with_layers(experiment, _at(without, end, _insert(layer), ends=True))


def edit_layer(experiment: Experiment, index: Place, field: str, value: Any) -> Experiment:
    """Change one field of a layer."""
    layer = layer_at(experiment, index)
    with _in(_words(experiment, _path(index))):
        edited = _changed(layer, {field: value})
    return set_layer(experiment, index, edited)


def set_layer(experiment: Experiment, index: Place, layer: Layer) -> Experiment:
    """Put ``layer`` in place of another. Raises ``SpecError`` if it cannot stay as it is given."""
    path = _path(index)
    layers = _edited(experiment, path, lambda stack, at: (*stack[:at], layer, *stack[at + 1 :]))
    edited = _with_layers(experiment, layers)
    if layer_at(edited, path) != layer:  # it would only have followed the others: say why it must
        return _replaced(experiment, architecture=experiment.architecture.replace(layers=layers))
    return edited


def layer_at(experiment: Experiment, index: Place) -> Layer:
    """The layer at an index or path. Raises ``SpecError`` if there is none."""
    found: list[Layer] = []

    def look(stack: Stack, at: int) -> Stack:
        found.append(stack[at])
        return stack

    _edited(experiment, _path(index), look)
    return found[0]


def _with_layers(experiment: Experiment, layers: Stack) -> Experiment:
    """With ``layers`` as they are if they fit, else with the branches following."""
    try:
        return _replaced(experiment, architecture=experiment.architecture.replace(layers=layers))
    except SpecError:
        followed = follow(layers, experiment.architecture.input.shape)
        if followed == layers:
            raise
        return _replaced(experiment, architecture=experiment.architecture.replace(layers=followed))


def _edited(experiment: Experiment, path: tuple[int, ...], change: Callable[[Stack, int], Stack], *,
            ends: bool = False) -> Stack:  # fmt: skip
    return _at(experiment.architecture.layers, path, change, ends=ends)


def _at(stack: Stack, path: tuple[int, ...], change: Callable[[Stack, int], Stack], *, ends: bool) -> Stack:
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


def _insert(layer: Layer) -> Callable[[Stack, int], Stack]:
    return lambda stack, at: (*stack[:at], layer, *stack[at:])


def _everywhere(layer: Layer, **fields: Any) -> Layer:
    if isinstance(layer, Dense):
        return layer.replace(**fields)  # type: ignore[no-any-return]
    branches = getattr(layer, "branches", None)
    if branches is None:
        return layer
    inner = tuple(tuple(_everywhere(part, **fields) for part in branch) for branch in branches)
    return layer.replace(branches=inner)  # type: ignore[no-any-return]


def _path(index: Place) -> tuple[int, ...]:
    return (index,) if isinstance(index, int) else tuple(index)


def _keep_readout(experiment: Experiment, path: tuple[int, ...], verb: str) -> None:
    if path == (experiment.architecture.readout_index,):
        text = f"the read-out cannot be {verb}, it gives the outputs that the data needs; change another layer"
        raise PlacedError(_words(experiment, path), text)


def _at_most(total: int | None, n_train: int, n_test: int) -> tuple[int, int]:
    """Sample numbers in the same proportion with a sum of at most ``total``."""
    if total is None or n_train + n_test <= total:
        return n_train, n_test
    train = max(1, total * n_train // (n_train + n_test))
    return train, total - train


@contextmanager
def _in(place: tuple[str, ...]) -> Iterator[None]:
    """Faults of a value that is made on its own lie at ``place`` in the experiment."""
    try:
        yield
    except PlacedError as fault:
        raise fault.moved(place) from None


def _words(experiment: Experiment, path: tuple[int, ...]) -> tuple[str, ...]:
    """The place of a layer: architecture, layer 2 (Branch), branch 1, layer 1 (Dense)."""
    words = ["architecture"]
    for depth in range(1, len(path) + 1, 2):
        layer = layer_at(experiment, path[:depth])
        words.append(f"layer {path[depth - 1] + 1} ({type(layer).__name__})")
        words.extend(f"branch {number + 1}" for number in path[depth : depth + 1])
    return tuple(words)


def _new_source(name: str, fields: dict[str, Any]) -> Spec:
    if name not in SOURCE_TYPES:
        raise complaint("source", "unknown type", name, suggestion(name, list(SOURCE_TYPES)))
    return SOURCE_TYPES[name](**_known(SOURCE_TYPES[name], fields))


def _changed(spec: Any, fields: dict[str, Any]) -> Any:
    return spec.replace(**_known(type(spec), fields)) if fields else spec


def _replaced(experiment: Experiment, **fields: Any) -> Experiment:
    return experiment.replace(**fields)  # type: ignore[no-any-return]


def _known(cls: type[Spec], fields: dict[str, Any]) -> dict[str, Any]:
    known = list(cls.__struct_fields__)
    for name in fields:
        if name not in known:
            raise PlacedError((cls.word or cls.__name__,), f"there is no field {name!r}; {suggestion(name, known)}")
    return fields
