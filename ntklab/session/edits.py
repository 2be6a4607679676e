"""Edits: pure functions from an experiment and what the user wants to a new experiment.

Each raises ``SpecError`` with the remedy when the result would be impossible. Layers are addressed by their index in
the stack, or inside a branch by a path (layer, branch, layer, …). What depends on the edit follows it: input and
read-out follow the data where its shape is known, and residual branches follow the width that they are added to.
"""

from __future__ import annotations

from typing import Any

from ntklab.session import sketches
from ntklab.session.sketches import changed, inside, known, settled, sketch_of
from ntklab.spec import (
    SOURCE_TYPES,
    Branch,
    Checkpoint,
    Experiment,
    Layer,
    ModelFile,
    Spec,
    fitted,
    sample_shape,
)
from ntklab.spec.dataset import SCALINGS, sample_count
from ntklab.spec.faults import complaint, suggestion

Place = int | tuple[int, ...]


def set_source(experiment: Experiment, source: Spec | str, **fields: Any) -> Experiment:
    """Learn from another source: a value, or a type name with its fields (those not given stay as they are).

    A new type of source starts without a choice of classes, with automatic targets, in the scaling that suits it, and
    with at most the samples it has.
    """
    dataset = experiment.dataset
    if isinstance(source, str):
        same = type(dataset.source).__name__ == source
        with inside(("dataset", f"source ({source})")):
            source = changed(dataset.source, fields) if same else _new_source(source, fields)
    if type(source) is type(dataset.source):
        return set_dataset(experiment, source=source)
    n_train, n_test = _at_most(sample_count(source), dataset.n_train, dataset.n_test)
    scaling = SCALINGS[type(source).__name__]
    return set_dataset(
        experiment, source=source, classes=None, targets="auto", scaling=scaling, n_train=n_train, n_test=n_test
    )


def set_dataset(experiment: Experiment, **fields: Any) -> Experiment:
    """Change fields of the dataset; input and read-out of the network follow."""
    dataset = changed(experiment.dataset, fields)
    shape = sample_shape(dataset)
    architecture = experiment.architecture if shape is None else fitted(experiment.architecture, *shape)
    return _replaced(experiment, dataset=dataset, architecture=architecture)


def fit_data(experiment: Experiment, features: int, outputs: int) -> Experiment:
    """Resize input and read-out to data that had to be loaded before its shape was known (a file)."""
    return _replaced(experiment, architecture=fitted(experiment.architecture, features, outputs))


def set_training(experiment: Experiment, **fields: Any) -> Experiment:
    """Change fields of the training."""
    return _replaced(experiment, training=changed(experiment.training, fields))


def set_kernel(experiment: Experiment, **fields: Any) -> Experiment:
    """Change fields of the kernel request."""
    return _replaced(experiment, kernel=changed(experiment.kernel, fields))


def use_model(experiment: Experiment, model: ModelFile | None) -> Experiment:
    """Compute with the user's own network in place of the one described, or (None) with that again.

    Parameters of a file were those of the other network: they go.
    """
    checkpoint = experiment.checkpoint if _same_network(experiment.model, model) else None
    return _replaced(experiment, model=model, checkpoint=checkpoint)


def use_checkpoint(experiment: Experiment, checkpoint: Checkpoint | None) -> Experiment:
    """Take the parameters of the network from a file, or (None) as they are drawn."""
    return _replaced(experiment, checkpoint=checkpoint)


def set_model_input(experiment: Experiment, shape: tuple[int, ...] | None) -> Experiment:
    """Give the user's own network samples of another shape; None: the features in a row."""
    if experiment.model is None:
        raise complaint("model", "expected a network of your own", None, "choose a Python file first")
    return _replaced(experiment, model=experiment.model.replace(input=shape))


def _same_network(one: Any, other: Any) -> bool:
    """Whether two models differ in nothing but the content of their file and the shape of samples."""
    return (getattr(one, "path", None), getattr(one, "function", None)) == (
        getattr(other, "path", None), getattr(other, "function", None),
    )  # fmt: skip


def mute(experiment: Experiment, layers: tuple[str, ...]) -> Experiment:
    """Leave the layers of these names out of the kernel of training the others; names as the ledger has them."""
    return set_kernel(experiment, muted=layers)


def rename(experiment: Experiment, name: str) -> Experiment:
    """Give the experiment another name."""
    return _replaced(experiment, name=name)


def set_width(experiment: Experiment, width: int) -> Experiment:
    """Give every hidden layer with weights ``width`` channels."""
    return _replaced(experiment, architecture=experiment.architecture.with_width(width))


def set_deviations(experiment: Experiment, W_std: float, b_std: float) -> Experiment:
    """Give every layer with weights but the read-out these deviations; the read-out too, where it is the only one.

    Layers without a bias get none for a ``b_std`` of 0.
    """
    architecture, last = experiment.architecture, experiment.architecture.readout_index
    layers = tuple(
        layer if index == last else _deviated(layer, W_std, b_std) for index, layer in enumerate(architecture.layers)
    )
    if layers == architecture.layers and last is not None:
        layers = (*layers[:last], _deviated(layers[last], W_std, b_std))
    return _replaced(experiment, architecture=architecture.replace(layers=layers))


def set_parameterisation(experiment: Experiment, param: str) -> Experiment:
    """Give every layer with weights the parameterisation "ntk", "standard" or "mup"."""
    return settled(experiment, sketches.set_everywhere(sketch_of(experiment), param=param))


def add_layer(experiment: Experiment, index: Place, name: str, **fields: Any) -> Experiment:
    """Insert a layer of type ``name`` at ``index``, with defaults that suit its neighbours (see ``new_layer``).

    A position behind the read-out means the one before it: the read-out stays last.
    """
    sketch, _ = sketches.add_layer(sketch_of(experiment), _path(index), name, **fields)
    return settled(experiment, sketch)


def remove_layer(experiment: Experiment, index: Place) -> Experiment:
    """Take a layer out. The read-out stays."""
    return settled(experiment, sketches.remove_layer(sketch_of(experiment), _path(index)))


def move_layer(experiment: Experiment, source: Place, target: Place) -> Experiment:
    """Take the layer at ``source`` out and put it in where ``target`` is then. The read-out stays last."""
    start, end = _path(source), _path(target)
    at = len(start) - 1
    behind = end[:at] == start[:at] and len(end) > at and end[at] >= start[at]
    end = (*end[:at], end[at] + 1, *end[at + 1 :]) if behind else end
    sketch, _ = sketches.move_layer(sketch_of(experiment), start, end)
    return settled(experiment, sketch)


def edit_layer(experiment: Experiment, index: Place, field: str, value: Any) -> Experiment:
    """Change one field of a layer. Raises ``SpecError`` if it cannot stay as it is given."""
    sketch = sketches.edit_layer(sketch_of(experiment), _path(index), **{field: value})
    return settled(experiment, sketch, keep=_path(index))


def set_layer(experiment: Experiment, index: Place, layer: Layer) -> Experiment:
    """Put ``layer`` in place of another. Raises ``SpecError`` if it cannot stay as it is given."""
    sketch = sketches.set_layer(sketch_of(experiment), _path(index), layer)
    return settled(experiment, sketch, keep=_path(index))


def layer_at(experiment: Experiment, index: Place) -> Layer:
    """The layer at an index or path. Raises ``SpecError`` if there is none."""
    return sketches.layer_at(sketch_of(experiment), _path(index))


def _deviated(layer: Any, W_std: float, b_std: float) -> Any:
    if isinstance(layer, Branch):
        branches = tuple(tuple(_deviated(part, W_std, b_std) for part in path) for path in layer.branches)
        return layer.replace(branches=branches)
    if not hasattr(layer, "W_std"):
        return layer
    return layer.replace(W_std=W_std, b_std=b_std if b_std or layer.b_std is not None else None)


def _path(index: Place) -> tuple[int, ...]:
    return (index,) if isinstance(index, int) else tuple(index)


def _at_most(total: int | None, n_train: int, n_test: int) -> tuple[int, int]:
    """Sample numbers in the same proportion with a sum of at most ``total``."""
    if total is None or n_train + n_test <= total:
        return n_train, n_test
    train = max(1, total * n_train // (n_train + n_test))
    return train, total - train


def _new_source(name: str, fields: dict[str, Any]) -> Spec:
    if name not in SOURCE_TYPES:
        raise complaint("source", "unknown type", name, suggestion(name, list(SOURCE_TYPES)))
    return SOURCE_TYPES[name](**known(SOURCE_TYPES[name], fields))


def _replaced(experiment: Experiment, **fields: Any) -> Experiment:
    return experiment.replace(**fields)  # type: ignore[no-any-return]
