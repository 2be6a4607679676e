"""Whether a target is classes or numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntklab.datasets.readers.border import refuse
from ntklab.datasets.readers.raw import Target
from ntklab.results.data import Labels

MAX_CLASSES = 1000
LARGEST = 2**53  # of a class number: beyond, float64 does not tell whole numbers apart
FEW = 100  # most whole numbers that "auto" takes as classes; fewer in small files


@dataclass(frozen=True, eq=False)
class Understood:
    """Either ``labels`` (n,) with names and numbers of the classes, or ``values`` (n, k)."""

    labels: Labels | None = None
    names: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()
    values: NDArray[Any] | None = None


def understand(y: Target, task: str, path: Path) -> Understood:
    """Classes or numbers, as ``File.task`` says; see ``Dataset``. Raises ``DataError`` where that is impossible."""
    if not isinstance(y, np.ndarray):
        return _words(y, task, path)
    if y.ndim == 2 and y.shape[1] > 1 and y.dtype.kind not in "SU":
        return _matrix(y, task, path)
    if y.size != len(y):
        raise refuse(path, f"the target has the shape {y.shape}", "give one row a sample")
    column = y.reshape(-1)
    return _words([_word(word) for word in column], task, path) if y.dtype.kind in "SU" else _column(column, task, path)


def _column(column: NDArray[Any], task: str, path: Path) -> Understood:
    """One number a sample."""
    if column.dtype.kind == "f" and not np.isfinite(column).all():
        row = int(np.flatnonzero(~np.isfinite(column))[0])
        raise refuse(path, f"the target of row {row} (counting from 0) is {column[row]}", "fill it or remove the row")
    if task == "regression":
        return Understood(values=column[:, None])
    distinct, labels = np.unique(column, return_inverse=True)
    numbers = distinct.astype(np.float64)
    odd = numbers[(numbers != np.floor(numbers)) | (np.abs(numbers) > LARGEST)]
    few = len(distinct) <= min(FEW, max(10, math.isqrt(len(column)))) and len(distinct) < len(column)
    if task == "auto" and (odd.size or not few):
        return Understood(values=column[:, None])
    if odd.size:
        raise refuse(path, f"the target holds {odd[0]:g}, and classes are words or whole numbers",
                     'choose the task "regression"')  # fmt: skip
    _check_count(len(distinct), len(column), path)
    whole = tuple(int(number) for number in distinct)
    return Understood(labels.astype(np.int64), tuple(map(str, whole)), whole)


def _words(words: Sequence[str], task: str, path: Path) -> Understood:
    if task == "regression":
        raise refuse(path, f"the target holds words ({words[0][:40]!r}), not numbers", 'choose the task "classes"')
    names = sorted(set(words))
    _check_count(len(names), len(words), path)
    position = {name: place for place, name in enumerate(names)}
    labels = np.fromiter((position[word] for word in words), np.int64, len(words))
    return Understood(labels, tuple(names), tuple(range(len(names))))


def _word(word: bytes | str) -> str:
    """On one line, and valid as UTF-8."""
    encoded = word if isinstance(word, bytes) else str(word).encode("utf-8", "replace")
    return " ".join(encoded.decode("utf-8", "replace").split())


def _matrix(y: NDArray[Any], task: str, path: Path) -> Understood:
    """Several targets, or one-hot rows of 0 and 1."""
    finite = np.isfinite(y).all()
    one_hot = finite and bool(((y == 0) | (y == 1)).all() and (y.sum(axis=1) == 1).all())
    if one_hot and task != "regression":
        _check_count(y.shape[1], len(y) + 1, path)
        numbers = tuple(range(y.shape[1]))
        return Understood(y.argmax(axis=1).astype(np.int64), tuple(map(str, numbers)), numbers)
    if task == "classes":
        raise refuse(path, f"the target has {y.shape[1]} columns that are not one-hot", 'choose the task "regression"')
    if not finite:
        row, column = np.argwhere(~np.isfinite(y))[0]
        raise refuse(path, f"target {column} of row {row} (counting from 0) is {y[row, column]}", "fill or remove it")
    return Understood(values=y)


def _check_count(classes: int, samples: int, path: Path) -> None:
    if classes > MAX_CLASSES or classes >= samples > 2:
        raise refuse(path, f"the target has {classes} different values in {samples} samples, too many for classes",
                     'choose another target, or the task "regression"')  # fmt: skip
