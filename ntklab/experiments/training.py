"""How does training go, and was it foreseen?"""

from __future__ import annotations

from ntklab.experiments.forecast import training_forecast
from ntklab.experiments.stages import data_stage, training_stage
from ntklab.progress import Work
from ntklab.results import Trajectory
from ntklab.spec import Experiment


def train(experiment: Experiment) -> Work[Trajectory]:
    """Train the network, its linearisation and its limit (see ``dynamics.train``), in float64.

    Yields ``Partial`` "data", then "moment" at each recorded step and at times "training", the trajectory up to now,
    and "trajectory" at the end.
    """
    yield training_forecast(experiment)
    data = yield from data_stage(experiment)
    return (yield from training_stage(experiment, data))
