"""Which layers carry the kernel, and what is left of it when some are not trained?"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from torch import nn

from ntklab.experiments.forecast import ledger_forecast
from ntklab.experiments.models import Models
from ntklab.experiments.parts import ledger_of
from ntklab.experiments.stages import data_stage, empirical_stage, ledger_stage, subject_of, unmuted_stage
from ntklab.kernels.empirical import empirical_ntk
from ntklab.progress import Event, Forecast, LayerForecast, Work, translated
from ntklab.results import Data, Gram, Ledger, Spectrum
from ntklab.spec import Architecture, Experiment


def ledger(experiment: Experiment, data: Data | None = None, *, models: Models | None = None) -> Work[Ledger]:
    """What each layer adds to the finite-width NTK on the training samples; with ``data`` given nothing is loaded.

    Yields ``Partial`` "tile", "empirical" and "ledger", then where layers are muted "unmuted" and "unmuted_spectrum".
    Raises any ``NtkLabError``. The user's own network is made by ``models``.
    """
    models = models or Models()
    subject = subject_of(experiment, models)
    yield ledger_forecast(experiment, models)
    if data is None:
        data = yield from data_stage(experiment)
    treated: list[LayerForecast] = []
    gram, _ = yield from empirical_stage(experiment, data, subject, treated=treated)
    found = yield from ledger_stage(experiment, data, gram, treated)
    yield from unmuted_stage(experiment, data, found)
    return found


def mute(experiment: Experiment, data: Data, found: Ledger) -> Work[tuple[Gram, Spectrum] | None]:
    """The kernel of training the layers that ``experiment`` does not mute, from the parts in ``found``.

    Yields ``Partial`` "unmuted" and "unmuted_spectrum"; neither, and returns None, where no layer is muted. Raises
    ``SpecError`` where all are.
    """
    return (yield from unmuted_stage(experiment, data, found))


def model_ledger(
    model: nn.Module | Architecture,
    x: ArrayLike,
    targets: ArrayLike | None = None,
    *,
    seed: int = 0,
    dtype: str = "float32",
    device: str = "cpu",
    memory: int | None = None,
) -> Work[Ledger]:
    """What each layer of ``model`` adds to its NTK on the samples ``x`` (N, …), with ``targets`` (N,) or (N, k) if any.

    A module is taken as it is, an architecture drawn with ``seed``; see ``kernels.empirical.empirical_ntk``.
    """
    layers: list[LayerForecast] = []

    def noted(event: Event) -> Event:
        layers.extend(event.layers if isinstance(event, Forecast) else ())
        return event

    work = empirical_ntk(model, x, outputs="mean", split=True, seed=seed, dtype=dtype, device=device, memory=memory)
    gram = yield from translated(work, noted)
    Y = None if targets is None else np.asarray(targets, dtype=np.float64)
    architecture = model if isinstance(model, Architecture) else None
    return (yield from ledger_of(gram, Y, layers=layers, architecture=architecture))
