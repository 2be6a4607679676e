"""Outputs of a network along its training, in function space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FunctionPath:
    """Outputs after ``steps`` (T,) of training: ``train`` (T, N, k) and ``test`` (T, M, k), under ``loss`` at ``rate``.

    A single number of steps leaves out the axis T. With ``momentum`` the velocities are df/ds at s = step·√rate, the
    time in which the heavy ball is a differential equation: df/dstep = √rate·velocity. ``train_loss`` (T,) is NaN for
    a loss of your own. ``evaluations`` counts how often the gradient was taken, 0 where the path is a closed form.
    """

    steps: Array
    train: Array
    test: Array
    train_loss: Array
    loss: str
    rate: float
    momentum: float | None = None
    train_velocity: Array | None = None
    test_velocity: Array | None = None
    evaluations: int = 0
    notes: tuple[str, ...] = ()
