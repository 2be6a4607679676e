"""Everything about an experiment."""

from __future__ import annotations

from dataclasses import replace

from ntklab.experiments.forecast import forecast, trained_runs
from ntklab.experiments.models import Models
from ntklab.experiments.phase import phase
from ntklab.experiments.stages import data_stage, kernel_stages, subject_of, training_stage, without_forecast
from ntklab.progress import Work
from ntklab.results import Run
from ntklab.spec import Experiment


def run(experiment: Experiment, *, estimates: bool = True, models: Models | None = None) -> Work[Run]:
    """Data, kernels, spectra, phase, then training: the events of ``kernels``, ``phase`` and ``train``.

    What cannot be had of this network is left out, and the kernels that remain are computed: without a closed form
    there are no analytic ones ("absence" says why), and a network whose outputs are not those of the data is not
    trained.
    """
    models = models or Models()
    subject = subject_of(experiment, models)
    yield forecast(experiment, estimates=estimates, phase=True, models=models)
    data = yield from data_stage(experiment)
    found = yield from kernel_stages(experiment, data, subject, estimates=estimates)
    if subject.limit is not None:
        found = replace(found, phase=(yield from without_forecast(phase(experiment, data, models=models))))
    if not subject.fits(data.outputs):
        return found
    trajectory = yield from training_stage(experiment, data, subject, trained_runs(experiment, subject))
    return replace(found, trajectory=trajectory)
