"""Which samples: the classes asked for, and a reproducible split in which every class is represented."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ntklab.datasets.samples import Samples
from ntklab.errors import DataError
from ntklab.results.data import Labels


def keep_classes(pool: Samples, classes: tuple[int, ...] | None) -> Samples:
    """The samples of ``classes`` alone, relabelled in the order given. Raises ``DataError`` for a class not there."""
    if classes is None:
        return pool
    wanted = tuple(dict.fromkeys(classes))
    if pool.labels is None:
        raise DataError(f"{pool.title}: the target has no classes, got classes {list(wanted)}; leave classes empty")
    strange = [number for number in wanted if number not in pool.class_numbers]
    if strange:
        known = ", ".join(map(str, pool.class_numbers[:20])) + (", …" if len(pool.class_numbers) > 20 else "")
        raise DataError(f"{pool.title}: there is no class {strange}; choose among {known}")
    positions = [pool.class_numbers.index(number) for number in wanted]
    relabel = np.full(len(pool.class_numbers), -1, dtype=np.int64)
    relabel[positions] = np.arange(len(wanted))
    labels = relabel[pool.labels]
    kept = replace(
        pool, labels=labels, class_numbers=wanted, class_names=tuple(pool.class_names[place] for place in positions)
    )
    return kept.take(np.flatnonzero(labels >= 0))


def split(pool: Samples, n_train: int, n_test: int, *, seed: int) -> tuple[Samples, Samples]:
    """``n_train`` and ``n_test`` different samples of ``pool``, fixed by ``seed``; see ``order``.

    Training samples are the first of the order and test samples the last, so that more training samples contain the
    fewer and leave the test samples as they are. Raises ``DataError`` if there are not enough.
    """
    check_enough(pool.title, len(pool), n_train, n_test)
    places = order(pool.labels, len(pool), np.random.default_rng(seed))
    return pool.take(places[:n_train]), pool.take(places[len(pool) - n_test :])


def check_enough(title: str, there: int, n_train: int, n_test: int) -> None:
    """Raise ``DataError`` if ``n_train`` and ``n_test`` samples are more than are ``there``."""
    if n_train + n_test > there:
        raise DataError(
            f"{title}: {there} samples are available, got a request for {n_train} + {n_test} "
            f"(training + test); ask for at most {there} together"
        )


def order(labels: Labels | None, n: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """A random permutation of n samples whose every stretch has the classes in nearly their overall proportions.

    It starts and ends with one sample of each class (as far as there are two), so that a small training or test set
    misses none. Without labels it is a plain permutation.
    """
    shuffled = rng.permutation(n)
    if labels is None:
        return shuffled
    shuffled = shuffled[np.argsort(labels[shuffled], kind="stable")]  # classes in blocks, each in random order
    sizes = np.bincount(labels)
    sizes = sizes[sizes > 0]
    rank = np.concatenate([np.arange(size) for size in sizes])
    size = np.repeat(sizes, sizes)
    position = (rank + 0.5) / size
    position[rank == 0] = 0.0
    position[(rank == size - 1) & (size > 1)] = 1.0
    return shuffled[np.lexsort((rng.random(n), position))]
