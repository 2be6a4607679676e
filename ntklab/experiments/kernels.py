"""What are the kernels, and what functions do they like?"""

from __future__ import annotations

from ntklab.experiments.forecast import kernels_forecast
from ntklab.experiments.stages import data_stage, kernel_stages
from ntklab.progress import Work
from ntklab.results import Run
from ntklab.spec import Experiment


def kernels(experiment: Experiment, *, estimates: bool = True) -> Work[Run]:
    """Data, the finite and the infinite-width kernels on the training samples, and the spectra of both NTKs.

    Yields ``Partial`` "data", "tile", "ntk", "nngp", "empirical", "empirical_spectrum" and "ntk_spectrum". Spectra are
    of (N, N) kernels: a finite one that keeps several outputs is averaged over them first, as the analytic one is the
    same for each. With ``estimates``, those by Monte Carlo follow if the experiment asks for them (see
    ``monte_carlo``). Raises any ``NtkLabError``.
    """
    yield kernels_forecast(experiment, estimates=estimates)
    data = yield from data_stage(experiment)
    return (yield from kernel_stages(experiment, data, estimates=estimates))
