"""What is the kernel of this network, at this width?"""

from __future__ import annotations

from ntklab.experiments.forecast import empirical_forecast
from ntklab.experiments.models import Models
from ntklab.experiments.stages import check_fit, data_stage, empirical_stage, spectrum_stage, subject_of
from ntklab.progress import Work
from ntklab.results import Data, Gram
from ntklab.spec import Experiment


def empirical(experiment: Experiment, data: Data | None = None, *, models: Models | None = None) -> Work[Gram]:
    """The finite-width kernel and its spectrum; with ``data`` given nothing is loaded, so that a width can be dialled.

    Yields ``Partial`` "tile", "empirical" and "empirical_spectrum".
    """
    given, subject = data is not None, subject_of(experiment, models)
    if data is None:
        yield empirical_forecast(experiment, subject)
        data = yield from data_stage(experiment)
    check_fit(experiment, data)
    gram, _ = yield from empirical_stage(experiment, data, subject, first=given)
    yield from spectrum_stage(experiment, data, gram, "empirical_spectrum")
    return gram
