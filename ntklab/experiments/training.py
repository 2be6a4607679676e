"""How does training go, and was it foreseen?"""

from __future__ import annotations

from ntklab.experiments.forecast import trained_runs, training_forecast
from ntklab.experiments.models import Models
from ntklab.experiments.stages import data_stage, subject_of, training_stage
from ntklab.progress import Work
from ntklab.results import Trajectory
from ntklab.spec import Experiment


def train(experiment: Experiment, *, models: Models | None = None) -> Work[Trajectory]:
    """Train the network, its linearisation and its limit (see ``dynamics.train``), in float64.

    Yields ``Partial`` "data", then "moment" at each recorded step and at times "training", the trajectory up to now,
    and "trajectory" at the end. Without a closed form there is no limit beside the two. The user's own network is made
    by ``models``, and a copy of it is trained.
    """
    subject = subject_of(experiment, models)
    yield training_forecast(experiment, subject)
    data = yield from data_stage(experiment)
    return (yield from training_stage(experiment, data, subject, trained_runs(experiment, subject)))
