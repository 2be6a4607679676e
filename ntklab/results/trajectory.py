"""What happened, and what was predicted to happen, during training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntklab.results.provenance import Provenance

Array = NDArray[np.float64]

RUNS = ("network", "linearised", "infinite")


@dataclass(frozen=True, eq=False)
class Moment:
    """One recorded step. Losses are of the loss in use; outputs (n_chosen, k) on the chosen test (else train) samples.

    ``runs`` gives the order of the first axis of ``train_loss``, ``test_loss`` (runs,) and ``outputs`` (runs, n, k).
    ``drift`` is |Θ_t − Θ_0|/|Θ_0| (Frobenius, train kernel, mean over outputs) where a snapshot was taken, else None.
    """

    step: int
    runs: tuple[str, ...]
    train_loss: Array
    test_loss: Array
    outputs: Array
    drift: float | None = None
    alignment: float | None = None


@dataclass(frozen=True, eq=False)
class Trajectory:
    """The recorded steps of training, of each run in ``runs`` ("network", "linearised", "infinite").

    ``steps`` (T,); ``train_loss`` and ``test_loss`` (R, T); ``outputs`` (R, T, n, k) on the samples ``chosen`` (their
    positions in the set named ``chosen_from``); ``drift_steps``, ``drift`` and ``alignment`` (S,) at kernel snapshots;
    ``train_outputs`` and ``test_outputs`` (R, N, k), (R, M, k) at the last step. Time in the closed forms is
    learning_rate·step. ``stopped`` says why it ended early (empty when it did not).
    """

    steps: NDArray[np.int64]
    runs: tuple[str, ...]
    train_loss: Array
    test_loss: Array
    outputs: Array
    chosen: NDArray[np.int64]
    chosen_from: str
    drift_steps: NDArray[np.int64]
    drift: Array
    alignment: Array
    train_outputs: Array
    test_outputs: Array
    learning_rate: float
    critical_rate: float
    momentum: float
    loss: str
    provenance: Provenance
    stopped: str = ""
