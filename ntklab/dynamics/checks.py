"""The numbers that training takes, checked: every message says what was given and what to give."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ntklab.errors import SpecError

Array = NDArray[np.float64]


def check_rate(rate: float) -> float:
    """``rate``. Raises ``SpecError`` unless it is a positive number."""
    if not 0 < rate < math.inf:
        raise SpecError(f"rate: expected a positive number, got {rate!r}; give the learning rate of one step")
    return rate


def check_momentum(momentum: float) -> float:
    """``momentum``. Raises ``SpecError`` unless it is at least 0 and below 1."""
    if not 0 <= momentum < 1:
        raise SpecError(f"momentum: expected at least 0 and below 1, got {momentum!r}; give such a number")
    return momentum


def check_weight(name: str, weight: float) -> float:
    """A ridge or decay. Raises ``SpecError`` unless it is finite and at least 0."""
    if not 0 <= weight < math.inf:
        raise SpecError(f"{name}: expected a number of at least 0, got {weight!r}; give 0 or a number above it")
    return weight


def step_numbers(steps: ArrayLike, *, ascending: bool = False, whole: bool = False) -> Array:
    """``steps`` as float64, of the shape given: numbers of at least 0, infinity only where they need not ascend.

    Raises ``SpecError``, also for an array of more than one axis.
    """
    found = np.asarray(steps, dtype=np.float64)
    wanted = "numbers of at least 0"
    good = found.ndim <= 1 and bool((found >= 0).all())
    if ascending:
        wanted = "finite numbers of at least 0 that ascend"
        good = good and bool(np.isfinite(found).all() and (np.diff(np.atleast_1d(found)) >= 0).all())
    if whole:
        wanted = "whole numbers of at least 0"
        good = good and bool((found == np.floor(found)).all())
    if not good:
        raise SpecError(f"steps: expected {wanted}, got {steps!r}; give for example [0, 1, 10]")
    return found
