"""The user's own files: which reader, and what is checked whatever the reader."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntklab.datasets.readers.arrays import npz_arrays, read_array, read_npy, read_npz
from ntklab.datasets.readers.border import locate, open_file, reading, refuse, shown
from ntklab.datasets.readers.classes import understand
from ntklab.datasets.readers.idx import idx_array, looks_like_idx, read_idx
from ntklab.datasets.readers.raw import Raw, Target
from ntklab.datasets.readers.table import read_table, table_columns
from ntklab.datasets.samples import Samples
from ntklab.spec.dataset import File

MAX_NAMES = 4096  # features beyond that go without names

READERS: dict[str, Callable[[Path, File], Raw]] = {
    "npz": read_npz,
    "npy": read_npy,
    "table": read_table,
    "idx": read_idx,
}
SUFFIXES = {".npz": "npz", ".npy": "npy", ".csv": "table", ".tsv": "table", ".txt": "table"}
COLUMNS: dict[str, Callable[[Path], tuple[str, ...]]] = {"npz": npz_arrays, "table": table_columns}


def columns(path: Path | str) -> tuple[str, ...]:
    """What can be picked as features and target: arrays of an ``.npz``, columns of a table; nothing of other files.

    Raises ``DataError`` and ``FileError``.
    """
    file = locate(path)
    with reading(file):
        form = _form(file)
        return COLUMNS[form](file) if form in COLUMNS else ()


def read(source: File) -> Samples:
    """All samples of the user's file. Raises ``DataError`` and ``FileError`` naming it."""
    path = locate(source.path)
    with reading(path):
        raw = READERS[_form(path)](path, source)
        X, image_shape = _as_rows(raw.X, path)
        y = raw.y if source.labels is None else _labels(locate(source.labels))
        if y is None:
            raise refuse(path, "it has no labels", "give the file of labels beside it")
        if isinstance(y, np.ndarray) and y.ndim == 0:
            raise refuse(path, "the target is a single number", "give one a sample")
        if len(y) != len(X):
            raise refuse(path, f"{len(X)} samples and {len(y)} labels", "give the labels of the same samples")
        found = understand(y, source.task, path)
    unnamed = range(X.shape[1] if X.shape[1] <= MAX_NAMES else 0)
    return Samples(
        X,
        np.arange(len(X)),
        labels=found.labels,
        values=found.values,
        class_names=found.names,
        class_numbers=found.numbers,
        feature_names=raw.feature_names or tuple(f"x{number + 1}" for number in unnamed),
        image_shape=image_shape,
        title=shown(path.name),
        notes=raw.notes,
    )


def _form(path: Path) -> str:
    """Form of a file by its suffix, else by its first bytes."""
    if path.suffix.lower() in SUFFIXES:
        return SUFFIXES[path.suffix.lower()]
    with open_file(path) as stream:
        if looks_like_idx(stream.read(4)):
            return "idx"
    raise refuse(path, "the form of this file is not known", "choose an .npz, .npy, .csv or IDX file")


def _labels(path: Path) -> Target:
    with reading(path):
        if path.suffix.lower() != ".npy":
            return idx_array(path)
        with open_file(path) as stream:
            return read_array(stream, path.stat().st_size, path)


def _as_rows(X: NDArray[Any], path: Path) -> tuple[NDArray[Any], tuple[int, int] | None]:
    """Samples as rows (n, d) of finite numbers, and the shape of a picture where they are pictures (n, h, w[, 1])."""
    if X.dtype.kind not in "biuf":
        raise refuse(path, f"the features are {shown(X.dtype)}, not numbers", "choose an array of numbers")
    if X.ndim == 0 or X.size == 0:
        raise refuse(path, f"the features have the shape {X.shape}: there are no samples", "choose another array")
    picture = X.ndim == 3 or (X.ndim == 4 and X.shape[3] == 1)
    rows = X.reshape(len(X), -1)
    step = max(1, 2**22 // rows.shape[1])
    for start in range(0, len(rows) if rows.dtype.kind == "f" else 0, step):
        part = np.isfinite(rows[start : start + step])
        if not part.all():
            row, column = np.argwhere(~part)[0]
            value = rows[start + row, column]
            raise refuse(path, f"row {start + row}, column {column} (counting from 0) is {value}", "fill or remove it")
    return rows, (int(X.shape[1]), int(X.shape[2])) if picture else None
