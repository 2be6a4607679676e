"""What is the kernel of this network, at this width?"""

from __future__ import annotations

from ntklab import spec
from ntklab.experiments.forecast import empirical_forecast
from ntklab.experiments.stages import data_stage, empirical_stage, spectrum_stage
from ntklab.progress import Work
from ntklab.results import Data, Gram
from ntklab.spec import Experiment


def empirical(experiment: Experiment, data: Data | None = None) -> Work[Gram]:
    """The finite-width kernel and its spectrum; with ``data`` given nothing is loaded, so that a width can be dialled.

    Yields ``Partial`` "tile", "empirical" and "empirical_spectrum".
    """
    given = data is not None
    if data is None:
        yield empirical_forecast(experiment)
        data = yield from data_stage(experiment)
    spec.check_fit(experiment.architecture, data.features, data.outputs)
    gram = yield from empirical_stage(experiment, data, first=given)
    yield from spectrum_stage(experiment, data, gram, "empirical_spectrum")
    return gram
