"""Everything about an experiment."""

from __future__ import annotations

from dataclasses import replace

from ntklab.experiments.forecast import forecast
from ntklab.experiments.phase import phase
from ntklab.experiments.stages import data_stage, kernel_stages, training_stage, without_forecast
from ntklab.progress import Work
from ntklab.results import Run
from ntklab.spec import Experiment


def run(experiment: Experiment, *, estimates: bool = True) -> Work[Run]:
    """Data, kernels, spectra, phase, then training: the events of ``kernels``, ``phase`` and ``train``."""
    yield forecast(experiment, estimates=estimates, phase=True)
    data = yield from data_stage(experiment)
    found = yield from kernel_stages(experiment, data, estimates=estimates)
    found = replace(found, phase=(yield from without_forecast(phase(experiment, data))))
    trajectory = yield from training_stage(experiment, data)
    return replace(found, trajectory=trajectory)
