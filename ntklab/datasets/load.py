"""From the spec of a data set to its numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ntklab.datasets.bundled import bundled
from ntklab.datasets.choose import check_enough, keep_classes, split
from ntklab.datasets.readers import read
from ntklab.datasets.samples import MAX_BYTES, Samples
from ntklab.datasets.scaling import scale
from ntklab.datasets.synthetic import GENERATORS, Draw
from ntklab.datasets.targets import targets
from ntklab.errors import DataError
from ntklab.results import Data
from ntklab.results.data import Array
from ntklab.spec import Dataset, class_count, sample_shape
from ntklab.spec.dataset import File, sample_count


def load(dataset: Dataset) -> Data:
    """Load, choose, split, scale and encode; the same ``dataset`` gives the same numbers.

    Synthetic sources are made in exactly ``n_train`` + ``n_test`` samples, with independent streams for both. From
    other sources training and test samples are drawn without overlap, each class in its share (see ``choose.order``).
    ``Data.notes`` says what was done. Raises ``DataError`` (too few samples, no such class, damaged or unsuitable file)
    and ``FileError`` (the file cannot be opened).
    """
    train, test = _synthetic(dataset) if type(dataset.source) in GENERATORS else _chosen(dataset)
    train, test = _in_float64(train), _in_float64(test)
    features = scale(dataset.scaling, train, test)
    encoded = targets(dataset.targets, train, test, standardise=dataset.scaling == "standardise")
    return Data(
        X_train=features.train,
        Y_train=encoded.train,
        X_test=features.test,
        Y_test=encoded.test,
        labels_train=train.labels,
        labels_test=test.labels,
        raw_train=train.X,
        raw_test=test.X,
        class_names=train.class_names,
        feature_names=train.feature_names,
        image_shape=train.image_shape,
        title=train.title,
        notes=(*train.notes, *features.notes, *encoded.notes, *_warnings(train, features.train)),
    )


def check_count(dataset: Dataset) -> None:
    """Raise ``DataError``, without loading anything, if the source is known to have fewer samples than asked for."""
    there = sample_count(dataset.source)
    if there is not None:
        check_enough(type(dataset.source).__name__, there, dataset.n_train, dataset.n_test)


def _synthetic(dataset: Dataset) -> tuple[Samples, Samples]:
    source = dataset.source
    shape = sample_shape(dataset)
    assert shape is not None  # only files have none
    _check_size(max(dataset.n_train, dataset.n_test), shape[0], type(source).__name__)
    numbers = tuple(dict.fromkeys(dataset.classes or range(class_count(source) or 0)))
    streams = np.random.SeedSequence(dataset.seed).spawn(2)
    counts = (dataset.n_train, dataset.n_test)
    train, test = (
        GENERATORS[type(source)](source, Draw(count, numbers, np.random.default_rng(stream), test))
        for count, stream, test in zip(counts, streams, (False, True), strict=True)
    )
    return train, test


def _chosen(dataset: Dataset) -> tuple[Samples, Samples]:
    source = dataset.source
    pool = keep_classes(read(source) if isinstance(source, File) else bundled(source), dataset.classes)
    train, test = split(pool, dataset.n_train, dataset.n_test, seed=dataset.seed)
    _check_size(max(dataset.n_train, dataset.n_test), pool.X.shape[1], pool.title)
    note = f"{dataset.n_train} training and {dataset.n_test} test samples of {len(pool)}"
    note += ", each class in its share" if pool.labels is not None else ""
    return replace(train, notes=(*train.notes, note)), test


def _check_size(count: int, features: int, title: str) -> None:
    if count * features * 8 > MAX_BYTES:
        gigabytes = count * features * 8 / 2**30
        raise DataError(f"{title}: {count} samples of {features} features would take {gigabytes:.1f} GB, more than the "
                        f"{MAX_BYTES / 2**30:.0f} GB allowed; ask for fewer samples")  # fmt: skip


def _in_float64(samples: Samples) -> Samples:
    return replace(samples, X=np.ascontiguousarray(samples.X, dtype=np.float64))


def _warnings(train: Samples, X: Array) -> tuple[str, ...]:
    """What makes the kernel singular or the training set lopsided."""
    notes = []
    copies = len(X) - len({row.tobytes() for row in X + 0.0})  # + 0.0 turns −0 into 0
    if copies:
        verb = "repeats" if copies == 1 else "repeat"
        notes.append(f"warning: {copies} training samples {verb} another: the kernel is singular, use a ridge")
    if train.labels is not None:
        counts = np.bincount(train.labels, minlength=len(train.class_names))
        missing = [name for name, count in zip(train.class_names, counts, strict=True) if count == 0]
        if missing:
            listed = ", ".join(missing[:5]) + (", …" if len(missing) > 5 else "")
            notes.append(f"warning: no training sample of {listed}; ask for at least {len(counts)} training samples")
    return tuple(notes)
