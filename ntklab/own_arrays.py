"""An experiment on the user's own arrays, kept in a file so that it can be saved, undone and opened again."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
from numpy.typing import ArrayLike, NDArray

from ntklab import datasets
from ntklab.errors import DataError, SpecError
from ntklab.files import write_atomically
from ntklab.spec import Architecture, Dataset, Experiment, fitted, sample_shape
from ntklab.spec.dataset import File

TEST_SHARE = 0.2


def experiment_of(
    shown: Any, X: ArrayLike | None = None, y: ArrayLike | None = None, *, folder: Path | None = None
) -> Experiment | None:
    """What to open the window on: the experiment itself, or one of the architecture ``shown`` and its data.

    ``X`` (n, d) and ``y`` (n,) numbers, or classes (n,) or one-hot (n, k); a fifth of the samples becomes the test
    set. ``folder`` defaults to the user's data folder. Raises ``SpecError`` and ``DataError``.
    """
    if (X is None) != (y is None):
        raise DataError("show: samples and targets go together, got one of them; give both X and y")
    if isinstance(shown, Experiment | None) and X is None:
        return shown
    if not isinstance(shown, Architecture):
        raise SpecError(
            f"show: expected an Architecture or an Experiment, got {type(shown).__name__}; the window edits "
            "descriptions of networks, for a module use ntklab.empirical_ntk"
        )
    dataset = Dataset() if X is None else _dataset(np.asarray(X), np.asarray(y), folder or _folder())
    shape = sample_shape(dataset)
    if shape is None:
        data = datasets.load(dataset)
        shape = data.features, data.outputs
    return Experiment(fitted(shown, *shape), dataset)


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
