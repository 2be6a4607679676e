"""The starter experiment and its stored result, which the window shows before anything is computed."""

from __future__ import annotations

import numpy as np

from ntklab.resources import resource
from ntklab.results import Run
from ntklab.session.stored import load_run
from ntklab.spec import Experiment

EXPERIMENT = "starter/experiment.json"
RESULT = "starter/run.npz"
TOLERANCE = 1e-6


def starter_experiment() -> Experiment:
    """Two circles, 64 points, two hidden layers of 512 ReLU units."""
    return Experiment.from_json(resource(EXPERIMENT).read_bytes())


def stored_run() -> Run:
    """The starter's result as it was computed when the package was made. Raises ``FileError``."""
    return load_run(resource(RESULT))


def largest_difference(stored: Run, computed: Run) -> float:
    """Largest relative difference max|a − b| / max|b| over the kernels that both runs have; infinite without any."""
    worst = []
    for part in ("empirical", "ntk", "nngp"):
        a, b = getattr(stored, part), getattr(computed, part)
        if a is not None and b is not None and a.values.shape == b.values.shape:
            worst.append(float(np.abs(a.values - b.values).max() / np.abs(b.values).max()))
    return max(worst, default=float("inf"))
