"""Everything about an experiment."""

from __future__ import annotations

from dataclasses import replace

from ntklab.experiments.forecast import forecast
from ntklab.experiments.stages import data_stage, kernel_stages, training_stage
from ntklab.progress import Work
from ntklab.results import Run
from ntklab.spec import Experiment


def run(experiment: Experiment, *, estimates: bool = True) -> Work[Run]:
    """Data, kernels, spectra, then training: the events of ``kernels`` followed by those of ``train``."""
    yield forecast(experiment, estimates=estimates)
    data = yield from data_stage(experiment)
    found = yield from kernel_stages(experiment, data, estimates=estimates)
    trajectory = yield from training_stage(experiment, data)
    return replace(found, trajectory=trajectory)
