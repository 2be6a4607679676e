"""What are the kernels of random networks, with error bars, and do the analytic kernels agree?"""

from __future__ import annotations

from typing import Any

from ntklab.errors import NtkLabError
from ntklab.experiments.forecast import monte_carlo_forecast
from ntklab.experiments.models import Models
from ntklab.experiments.stages import data_stage, infinite_stage, monte_carlo_stage, subject_of
from ntklab.networks.subject import Subject
from ntklab.progress import Progress, Work
from ntklab.results import Absence, Data, Run
from ntklab.spec import Experiment


def monte_carlo(
    experiment: Experiment, data: Data | None = None, *, analytic: bool = True, models: Models | None = None
) -> Work[Run]:
    """Estimates of both kernels on the training samples, beside the analytic ones if there are any.

    As many networks at each width as ``experiment.kernel.monte_carlo`` says, or 32. With ``data`` given nothing is
    loaded. Without ``analytic``, or where the architecture has no analytic kernels, there are the estimates alone. Of
    the user's own network, made by ``models``, the networks of its description are drawn.
    Yields ``Partial`` "data", "ntk", "nngp", with each round of networks "estimate" for either kernel, and at the end
    "monte_carlo" and "monte_carlo_nngp". Raises any ``NtkLabError``.
    """
    subject = subject_of(experiment, models)
    yield monte_carlo_forecast(experiment, models)
    if data is None:
        data = yield from data_stage(experiment)
    found: dict[str, Any] = (yield from _analytic(experiment, data, subject)) if analytic else {}
    estimate, estimate_nngp = yield from monte_carlo_stage(experiment, data, subject)
    return Run(experiment.content_hash(), data, **found, monte_carlo=estimate, monte_carlo_nngp=estimate_nngp)


def _analytic(experiment: Experiment, data: Data, subject: Subject) -> Work[dict[str, Any]]:
    """The analytic NTK and NNGP kernel; nothing where they cannot be had."""
    try:
        found = yield from infinite_stage(experiment, data, subject)
    except NtkLabError as error:
        yield Progress(0, 1, f"no analytic kernel: {error}")
        return {}
    return {"absence": found} if isinstance(found, Absence) else {"ntk": found[0], "nngp": found[1]}
