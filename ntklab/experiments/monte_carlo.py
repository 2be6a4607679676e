"""What are the kernels of random networks, with error bars, and do the analytic kernels agree?"""

from __future__ import annotations

from ntklab.errors import NtkLabError
from ntklab.experiments.forecast import monte_carlo_forecast
from ntklab.experiments.stages import data_stage, infinite_stage, monte_carlo_stage
from ntklab.progress import Progress, Work
from ntklab.results import Data, Gram, Run
from ntklab.spec import Experiment


def monte_carlo(experiment: Experiment, data: Data | None = None, *, analytic: bool = True) -> Work[Run]:
    """Estimates of both kernels on the training samples, beside the analytic ones if there are any.

    As many networks at each width as ``experiment.kernel.monte_carlo`` says, or 32. With ``data`` given nothing is
    loaded. Without ``analytic``, or where the architecture has no analytic kernels, there are the estimates alone.
    Yields ``Partial`` "data", "ntk", "nngp", with each round of networks "estimate" for either kernel, and at the end
    "monte_carlo" and "monte_carlo_nngp". Raises any ``NtkLabError``.
    """
    yield monte_carlo_forecast(experiment)
    if data is None:
        data = yield from data_stage(experiment)
    ntk, nngp = (yield from _analytic(experiment, data)) if analytic else (None, None)
    estimate, estimate_nngp = yield from monte_carlo_stage(experiment, data)
    return Run(
        experiment.content_hash(), data, ntk=ntk, nngp=nngp, monte_carlo=estimate, monte_carlo_nngp=estimate_nngp
    )


def _analytic(experiment: Experiment, data: Data) -> Work[tuple[Gram | None, Gram | None]]:
    """The analytic NTK and NNGP kernel; None where they cannot be had."""
    try:
        return (yield from infinite_stage(experiment, data))
    except NtkLabError as error:
        yield Progress(0, 1, f"no analytic kernel: {error}")
        return None, None
