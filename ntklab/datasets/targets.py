"""Targets: centred one-hot, ±1, or numbers as they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ntklab.datasets.samples import Samples
from ntklab.datasets.scaling import fit_columns
from ntklab.errors import DataError
from ntklab.results.data import Array


@dataclass(frozen=True, eq=False)
class Targets:
    """(n, k) and (m, k), and what was done."""

    train: Array
    test: Array
    notes: tuple[str, ...]


def targets(kind: str, train: Samples, test: Samples, *, standardise: bool) -> Targets:
    """Targets as ``Dataset.targets`` says. Raises ``DataError`` where classes are needed and missing, or too many."""
    if kind == "auto":
        kind = "values" if train.labels is None else "sign" if len(train.class_names) == 2 else "one_hot"
    found = TARGETS[kind](train, test)
    return _standardised(found, train.title) if kind == "values" and standardise else found


def _one_hot(train: Samples, test: Samples) -> Targets:
    k = len(_need_classes(train, "one_hot").class_names)
    if k < 2:
        raise DataError(f"{train.title}: one-hot targets need two classes or more, got {k}; "
                        "choose another target column, or more classes")  # fmt: skip
    codes = np.eye(k) - 1 / k
    note = f"one-hot targets, centred: 1 − 1/{k} for the class and −1/{k} for the others"
    return Targets(codes[train.labels], codes[test.labels], (note,))


def _sign(train: Samples, test: Samples) -> Targets:
    names = _need_classes(train, "sign").class_names
    if len(names) != 2:
        raise DataError(f'{train.title}: ±1 targets need two classes, got {len(names)}; choose two, or "one_hot"')
    codes = np.array([[-1.0], [1.0]])
    return Targets(codes[train.labels], codes[test.labels], (f"targets: −1 for {names[0]}, +1 for {names[1]}",))


def _values(train: Samples, test: Samples) -> Targets:
    return Targets(_numbers(train), _numbers(test), ("targets as they are",))


def _standardised(found: Targets, title: str) -> Targets:
    Y, Y_test = found.train, found.test
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        mean, deviation, constant = fit_columns(Y)
        scaled = (Y - mean) / deviation, (Y_test - mean) / deviation
    if not (np.isfinite(deviation).all() and all(np.isfinite(part).all() for part in scaled)):
        raise DataError(f"{title}: the targets are too large to standardise (above 1e150); rescale them")
    shown = np.where(np.abs(mean) < 1e-12 * deviation, 0.0, mean)
    listed = ", ".join(f"{m:.4g} ± {s:.4g}" for m, s in zip(shown[:5], deviation[:5], strict=True))
    note = f"targets standardised on the training samples (mean ± standard deviation: {listed})"
    warning = ("warning: a target is the same for all training samples",) if constant.any() else ()
    return Targets(*scaled, (note, *warning))


def _numbers(samples: Samples) -> Array:
    if samples.labels is None:
        return np.asarray(samples.values, dtype=np.float64)
    return np.asarray(samples.class_numbers, dtype=np.float64)[samples.labels][:, None]


def _need_classes(samples: Samples, kind: str) -> Samples:
    if samples.labels is None:
        raise DataError(f'{samples.title}: targets "{kind}" need classes, got numbers; choose the targets "values"')
    return samples


TARGETS: dict[str, Callable[[Samples, Samples], Targets]] = {
    "one_hot": _one_hot,
    "sign": _sign,
    "values": _values,
}
