"""Which data is this?"""

from __future__ import annotations

from ntklab.experiments.forecast import data_bytes
from ntklab.experiments.stages import data_stage
from ntklab.progress import Forecast, Work
from ntklab.results import Data
from ntklab.spec import Experiment


def load(experiment: Experiment) -> Work[Data]:
    """The data of ``experiment``, whether its network fits it or not. Raises ``DataError``, ``FileError``."""
    yield Forecast(data_bytes(experiment), route="data")
    return (yield from data_stage(experiment, fit=False))
