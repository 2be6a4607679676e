"""Which samples each step sees, and which steps are recorded."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

DENSE = 100  # every step up to here is recorded; from there on steps lie about 1/DENSE apart relative to the step
SNAPSHOTS = 12


def batches(samples: int, size: int | None, seed: int) -> Iterator[NDArray[np.intp] | None]:
    """Batches for ever: None (all samples) if ``size`` is None or at least ``samples``.

    Otherwise without replacement: each epoch is a permutation drawn from ``numpy.random.default_rng(seed)``, cut into
    pieces of ``size``; the last piece of an epoch may be smaller and its loss is the mean over its own samples.
    """
    if size is None or size >= samples:
        while True:
            yield None
    generator = np.random.default_rng(seed)
    while True:
        order = generator.permutation(samples)
        for start in range(0, samples, size):
            yield order[start : start + size]


def recorded(steps: int) -> NDArray[np.int64]:
    """Steps to keep, from 0 to ``steps``: all of the first 100, then about 1% apart (1,023 of them for a million)."""
    kept = [0]
    while kept[-1] < steps:
        kept.append(min(steps, kept[-1] + max(1, kept[-1] // DENSE)))
    return np.array(kept, dtype=np.int64)


def snapshots(steps: int, every: int | None = None) -> NDArray[np.int64]:
    """Steps at which the kernel is measured, 0 and the last included: ``every`` so many, or about twelve, geometric."""
    if every is not None:
        return np.unique(np.append(np.arange(0, steps, every), steps)).astype(np.int64)
    spaced = np.geomspace(1, steps, SNAPSHOTS - 1).round()
    return np.unique(np.concatenate([[0], spaced])).astype(np.int64)
