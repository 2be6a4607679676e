"""An experiment on the user's own arrays, kept in a file so that it can be saved, undone and opened again.

The user's own module is no array: the experiment names it, and the window gets it.
"""

from __future__ import annotations

import copy
import hashlib
import io
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
from numpy.typing import ArrayLike, NDArray

from ntklab import datasets
from ntklab.errors import DataError, SpecError
from ntklab.files import write_atomically
from ntklab.spec import Architecture, Dataset, Dense, Experiment, Input, fitted, sample_shape
from ntklab.spec.activations import Relu
from ntklab.spec.dataset import File

TEST_SHARE = 0.2


def experiment_of(
    shown: Any, X: ArrayLike | None = None, y: ArrayLike | None = None, *, folder: Path | None = None
) -> tuple[Experiment | None, Mapping[str, Any]]:
    """What to open the window on: the experiment itself, or one of the network ``shown`` and its data.

    ``X`` (n, …) and ``y`` (n,) numbers, or classes (n,) or one-hot (n, k); a fifth of the samples becomes the test
    set. ``folder`` defaults to the user's data folder. Beside it the module that the experiment names, by its
    fingerprint, where ``shown`` is one. Raises ``SpecError`` and ``DataError``.
    """
    if (X is None) != (y is None):
        raise DataError("show: samples and targets go together, got one of them; give both X and y")
    if isinstance(shown, Experiment | None) and X is None:
        return shown, {}
    module = _is_module(shown)
    if not module and not isinstance(shown, Architecture):
        raise SpecError(
            f"show: expected a torch module, an Architecture or an Experiment, got {type(shown).__name__}; give one"
        )
    if module and X is None:
        raise DataError("show: a module needs samples as it takes them, got none; give X and y")
    dataset = Dataset() if X is None else _dataset(_numbers(X), _numbers(y), folder or _folder())
    shape = sample_shape(dataset)
    if shape is None:
        data = datasets.load(dataset)
        shape = data.features, data.outputs
    if not module:
        return Experiment(fitted(shown, *shape), dataset), {}
    return _of_module(shown, dataset.replace(scaling="none"), shape, tuple(_numbers(X).shape[1:]))


def _is_module(shown: Any) -> bool:
    """Whether it is a torch module: there is none where torch is not loaded."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(shown, torch.nn.Module)


def _of_module(
    module: Any, dataset: Dataset, shape: tuple[int, int], sample: tuple[int, ...]
) -> tuple[Experiment, Mapping[str, Any]]:
    """The experiment on a snapshot of ``module``, and that. Beside it stands a plain network to go to from there."""
    from ntklab.networks import own

    snapshot = copy.deepcopy(module).eval()
    named = own.model_object(snapshot, sample)
    layers = (Dense(512, W_std=2**0.5), Relu(), Dense(512, W_std=2**0.5), Relu(), Dense(shape[1]))
    architecture = Architecture(Input("vector", (shape[0],)), layers)
    name = named.name.rpartition(":")[2]
    return Experiment(architecture, dataset, name=name, model=named), {named.sha256: snapshot}


def _numbers(values: Any) -> NDArray[Any]:
    """An array of what may be a tensor on some device."""
    return np.asarray(values.detach().cpu() if hasattr(values, "detach") else values)


def _folder() -> Path:
    return platformdirs.user_data_path("ntklab", appauthor=False) / "arrays"


def _dataset(X: NDArray[Any], y: NDArray[Any], folder: Path) -> Dataset:
    if X.ndim < 2 or not len(X) or len(X) != len(y):
        raise DataError(
            f"show: expected X of (n, d) and y of n targets, got {X.shape} and {y.shape}; give one row each"
        )
    buffer = io.BytesIO()
    np.savez(buffer, X=X.reshape(len(X), -1), y=_column(y))
    content = buffer.getvalue()
    path = write_atomically(folder / f"{hashlib.sha256(content).hexdigest()[:16]}.npz", content)
    n_test = int(TEST_SHARE * len(X))
    return Dataset(source=File(str(path), features="X", target="y"), n_train=len(X) - n_test, n_test=n_test)


def _column(y: NDArray[Any]) -> NDArray[Any]:
    """(n,): numbers as they are, one-hot rows as the number of their class."""
    rows = y.reshape(len(y), -1)
    if rows.shape[1] == 1:
        return rows[:, 0]
    marked = rows == rows.max()
    if len(np.unique(rows)) != 2 or not (marked.sum(axis=1) == 1).all():
        raise DataError("show: the window takes one target a sample, got several; give one column, or one-hot rows")
    return np.asarray(marked.argmax(axis=1))
