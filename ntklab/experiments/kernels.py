"""What are the kernels, and what functions do they like?"""

from __future__ import annotations

from ntklab.experiments.forecast import kernels_forecast
from ntklab.experiments.models import Models
from ntklab.experiments.stages import data_stage, kernel_stages, subject_of
from ntklab.progress import Work
from ntklab.results import Run
from ntklab.spec import Experiment


def kernels(
    experiment: Experiment, *, estimates: bool = True, split: bool = False, models: Models | None = None
) -> Work[Run]:
    """Data, the finite and the infinite-width kernels on the training samples, and the spectra of both NTKs.

    Yields ``Partial`` "data", "tile", "ntk", "nngp", "empirical", "empirical_spectrum" and "ntk_spectrum". Spectra are
    of (N, N) kernels: a finite one that keeps several outputs is averaged over them first, as the analytic one is the
    same for each. With ``estimates``, those by Monte Carlo follow if the experiment asks for them (see
    ``monte_carlo``). A network without a closed form has no "ntk" and "nngp" but "absence", which says why; the user's
    own network is told as "network", and made by ``models``. Where the experiment asks for it, or with ``split``, the
    ledger of the layers follows (see ``ledger``). Raises any ``NtkLabError``.
    """
    subject = subject_of(experiment, models)
    yield kernels_forecast(experiment, subject, estimates=estimates, split=split)
    data = yield from data_stage(experiment)
    return (yield from kernel_stages(experiment, data, subject, estimates=estimates, split=split))
