"""Scaling of features, fitted on the training samples."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntklab.datasets.samples import Samples
from ntklab.errors import DataError
from ntklab.results.data import Array


@dataclass(frozen=True, eq=False)
class Scaled:
    """Features after scaling, (n, d) and (m, d), and what was done."""

    train: Array
    test: Array
    notes: tuple[str, ...]


def scale(kind: str, train: Samples, test: Samples) -> Scaled:
    """Scale float64 ``train.X`` and ``test.X`` as ``Dataset.scaling`` says.

    Raises ``DataError`` for a sample of zeros (it has no direction) and for numbers too large to scale.
    """
    return SCALINGS[kind](train, test)


def fit_columns(X: Array) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Mean and standard deviation of each column, and which columns are constant (their deviation is given as 1)."""
    mean, deviation = X.mean(axis=0), X.std(axis=0)
    constant = (X.max(axis=0) == X.min(axis=0)) | (deviation == 0)
    mean = np.where(constant, X[0], mean)  # exact, so that a constant column becomes exactly 0
    return mean, np.where(constant, 1.0, deviation), constant


def _as_they_are(train: Samples, test: Samples) -> Scaled:
    return Scaled(train.X, test.X, ("features not scaled",))


def _standardise(train: Samples, test: Samples) -> Scaled:
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        mean, deviation, constant = fit_columns(train.X)
        scaled = (train.X - mean) / deviation, (test.X - mean) / deviation
    if not (np.isfinite(deviation).all() and all(np.isfinite(X).all() for X in scaled)):
        raise DataError(f"{train.title}: the features are too large to standardise (above 1e150); rescale them")
    notes = ["each feature has mean 0 and variance 1 on the training samples"]
    if constant.any():
        names = [train.feature_names[place] for place in np.flatnonzero(constant)[:5] if train.feature_names]
        listed = f" ({', '.join(names)}{', …' if constant.sum() > 5 else ''})" if names else ""
        notes.append(f"{constant.sum()} features are constant on the training samples{listed}: centred, not scaled")
    return Scaled(*scaled, tuple(notes))


def _unit_norm(train: Samples, test: Samples) -> Scaled:
    return Scaled(_directions(train), _directions(test), ("each sample has norm 1", *_warn_few(train)))


def _sphere(train: Samples, test: Samples) -> Scaled:
    radius = math.sqrt(train.X.shape[1])
    notes = ("each sample lies on the sphere of radius √d, x·x/d = 1", *_warn_few(train))
    return Scaled(radius * _directions(train), radius * _directions(test), notes)


def _directions(samples: Samples) -> Array:
    largest = np.abs(samples.X).max(axis=1, keepdims=True, initial=0.0)
    zero = np.flatnonzero(largest == 0)
    if zero.size:
        raise DataError(
            f"{samples.title}: sample {samples.rows[zero[0]]} (counting from 0) is all zeros and has no direction; "
            'choose the scaling "standardise" or "none", or remove the sample'
        )
    X = samples.X / largest  # first, so that squares neither overflow nor vanish
    return np.asarray(X / np.linalg.norm(X, axis=1, keepdims=True))


def _warn_few(samples: Samples) -> tuple[str, ...]:
    """With one or two features of unequal norms, scaling a sample to a fixed norm loses most of what it says."""
    d = samples.X.shape[1]
    with np.errstate(over="ignore", invalid="ignore"):
        norms = np.linalg.norm(samples.X, axis=1)
        alike = np.ptp(norms) <= 1e-9 * norms.max()
    if d > 2 or alike:
        return ()
    left = "sign of the feature" if d == 1 else "angle of the two features"
    return (f'warning: scaling to a fixed norm keeps only the {left}; choose "standardise" or "none"',)


SCALINGS: dict[str, Callable[[Samples, Samples], Scaled]] = {
    "none": _as_they_are,
    "standardise": _standardise,
    "unit_norm": _unit_norm,
    "sphere": _sphere,
}
