"""What will it cost?"""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ntklab import datasets, dynamics
from ntklab.errors import NoRuleError
from ntklab.experiments.models import Models
from ntklab.experiments.stages import empirical_work, infinite_work, monte_carlo_work, parted, subject_of
from ntklab.kernels import budget
from ntklab.kernels.infinite.phase import dominant
from ntklab.kernels.threads import threads
from ntklab.networks.subject import Subject
from ntklab.progress import Forecast, T, Work
from ntklab.results import RUNS, Absence
from ntklab.spec import Experiment, activations, output_shape

SPECTRUM_COPIES = 6  # matrices alive inside an eigendecomposition
SPECTRUM_SECONDS = 2e-10  # times N³
PHASE_BYTES = 60_000_000
PHASE_SECONDS = {True: 4.0, False: 0.4}  # with integrals, and in closed form
_INTEGRALS = (activations.Numerical, activations.Elementwise, activations.Elu, activations.Selu)


def forecast(
    experiment: Experiment,
    *,
    estimates: bool = True,
    split: bool = False,
    phase: bool = False,
    models: Models | None = None,
) -> Forecast:
    """Peak bytes, rough seconds and the routes of ``run``: by arithmetic, without loading the data.

    With ``phase`` that of a run outside of a window, which leaves the phase out until somebody looks at it; with
    ``split`` the kernel is split by layer, as the experiment may also ask.

    Counts the kernels that are kept beside the stage that needs most. Takes some ms; a very wide network is drawn once,
    as its kernel's plan is made by trying it on two samples. Raises ``DataError`` where the source has not that many
    samples, ``MemoryBudgetError`` where a stage does not fit its budget, ``SpecError``, ``DeviceError``, and where the
    network is the user's own what ``Models.subject`` raises.
    """
    data, subject = _data(experiment), subject_of(experiment, models)
    training = _training(experiment, subject)  # arithmetic alone, so before a network is drawn
    stages = [data, _kernels(experiment, subject, estimates=estimates, split=split), training]
    stages += [phase_forecast(experiment, models)] if phase and subject.limit is not None else []
    return _joined(stages, kept=_kept_bytes(experiment, subject))


def kernels_forecast(
    experiment: Experiment, subject: Subject, *, estimates: bool = True, split: bool = False
) -> Forecast:
    """Of ``kernels``; with ``split`` with the ledger of the layers, which the experiment may also ask for."""
    return _joined([_data(experiment), _kernels(experiment, subject, estimates=estimates, split=split)])


def empirical_forecast(experiment: Experiment, subject: Subject, *, split: bool = False) -> Forecast:
    """Of the finite-width kernel alone; ``split`` by layer."""
    found = _first(empirical_work(experiment, subject, _stand_in(experiment, subject), split=split))
    return replace(found, budget=budget.resolve(experiment.kernel.memory, experiment.kernel.device))


def monte_carlo_forecast(experiment: Experiment, models: Models | None = None) -> Forecast:
    """Of the Monte Carlo estimates alone; draws the widest network and times it on two samples."""
    subject = subject_of(experiment, models)
    return _first(monte_carlo_work(experiment, subject, _stand_in(experiment, subject)))


def ledger_forecast(experiment: Experiment, models: Models | None = None) -> Forecast:
    """Of ``ledger``: the kernel in parts, and the eigenvalues of each.

    Raises ``MemoryBudgetError`` where the parts do not fit.
    """
    kernel = empirical_forecast(experiment, subject_of(experiment, models), split=True)
    return _joined([_data(experiment), kernel, _parts(experiment, kernel)], kept=_parts_bytes(experiment, kernel))


def phase_forecast(experiment: Experiment, models: Models | None = None) -> Forecast:
    """Of ``phase``."""
    activation = dominant(subject_of(experiment, models).described_limit()).activation
    seconds = PHASE_SECONDS[isinstance(activation, _INTEGRALS)]
    return Forecast(data_bytes(experiment) + PHASE_BYTES, seconds, route="phase")


def training_forecast(experiment: Experiment, subject: Subject) -> Forecast:
    """Of ``train``."""
    return _joined([_data(experiment), _training(experiment, subject)])


def trained_runs(experiment: Experiment, subject: Subject) -> tuple[str, ...]:
    """What can be trained side by side: all, or all but the limit of a network that has none."""
    absent = isinstance(_infinite(experiment, subject), Absence)
    return tuple(name for name in RUNS if name != "infinite" or not absent)


def data_bytes(experiment: Experiment) -> int:
    """Of the samples, scaled and as they were, in float64."""
    dataset, architecture = experiment.dataset, experiment.architecture
    numbers = 2 * int(np.prod(architecture.input.shape)) + int(np.prod(output_shape(architecture)))
    return 8 * (dataset.n_train + dataset.n_test) * numbers


def _data(experiment: Experiment) -> Forecast:
    datasets.check_count(experiment.dataset)
    return Forecast(data_bytes(experiment), 0.0, route="data")


def _kernels(experiment: Experiment, subject: Subject, *, estimates: bool, split: bool = False) -> Forecast:
    """The stages of ``kernels`` one after the other, with what they leave behind."""
    n, kept = experiment.dataset.n_train, _kept_bytes(experiment, subject)
    budget.require(
        kept, budget.resolve(experiment.kernel.memory), f"keeping the kernels of {n} samples",
        "use fewer samples, outputs='mean' or dtype='float32', or raise the memory budget",
    )  # fmt: skip
    spectrum = Forecast(8 * SPECTRUM_COPIES * n * n, 2 * SPECTRUM_SECONDS * n**3, 2, "eigenvalues")
    infinite = _infinite(experiment, subject)
    split = split or parted(experiment)
    empirical = empirical_forecast(experiment, subject, split=split)
    stages = [empirical, spectrum]
    if split:
        stages.append(_parts(experiment, empirical))
        kept += _parts_bytes(experiment, empirical)
    if isinstance(infinite, Forecast):
        stages.insert(0, infinite)
    if experiment.kernel.monte_carlo is not None and estimates and subject.limit is not None:
        stages.append(_first(monte_carlo_work(experiment, subject, _stand_in(experiment, subject))))
    return _joined(stages, kept=kept)


def _parts(experiment: Experiment, kernel: Forecast) -> Forecast:
    """Eigenvalues of the parts of a kernel and of their sum, in copies of all parts."""
    n, count = experiment.dataset.n_train, len(kernel.layers)
    return Forecast(8 * SPECTRUM_COPIES * n * n, (1 + count / 3) * SPECTRUM_SECONDS * n**3, count, "eigenvalues")


def _parts_bytes(experiment: Experiment, kernel: Forecast) -> int:
    """Of a ledger, and of the parts that it is made of. Raises ``MemoryBudgetError``."""
    n, count, request = experiment.dataset.n_train, len(kernel.layers), experiment.kernel
    needed = 2 * count * n * n * (4 if request.dtype == "float32" else 8)
    budget.require(
        needed, budget.resolve(request.memory), f"keeping what each of {count} layers adds for {n} samples",
        "use fewer samples or dtype='float32', or raise the memory budget",
    )  # fmt: skip
    return needed


def _infinite(experiment: Experiment, subject: Subject) -> Forecast | Absence:
    """Of the analytic kernels, or why there are none."""
    absence = subject.absence()
    if absence is not None:
        return absence
    try:
        return _first(infinite_work(experiment, subject, _stand_in(experiment, subject)))
    except NoRuleError as fault:
        return Absence((), str(fault))


def _training(experiment: Experiment, subject: Subject) -> Forecast:
    dataset, k = experiment.dataset, int(np.prod(output_shape(experiment.architecture)))
    runs = RUNS if subject.limit is not None else tuple(name for name in RUNS if name != "infinite")
    return dynamics.forecast(
        subject.size(), experiment.training, n=dataset.n_train, m=dataset.n_test, k=k, runs=runs,
        memory=experiment.kernel.memory,
    )  # fmt: skip


def _kept_bytes(experiment: Experiment, subject: Subject) -> int:
    """Of the results of ``kernels``: three kernels and two sets of eigenvectors."""
    n = experiment.dataset.n_train
    k = int(np.prod(output_shape(experiment.architecture))) if subject.origin is None else subject.origin.outputs
    each = {"full": k * k, "diagonal": k, "mean": 1}[experiment.kernel.outputs]
    size = 4 if experiment.kernel.dtype == "float32" else 8
    return n * n * (size * (each + 2) + 2 * 8)


def _joined(stages: list[Forecast], *, kept: int = 0) -> Forecast:
    """Stages one after the other: the peak of the largest beside what is ``kept``, the sum of seconds and pieces."""
    seconds = [stage.seconds for stage in stages]
    return Forecast(
        peak_bytes=kept + max(stage.peak_bytes for stage in stages),
        seconds=None if None in seconds else sum(s for s in seconds if s is not None),
        tiles=sum(stage.tiles for stage in stages),
        route="; ".join(stage.route for stage in stages if stage.route and stage.route != "data"),
        layers=next((stage.layers for stage in stages if stage.layers), ()),
        budget=min((stage.budget for stage in stages if stage.budget is not None), default=None),
    )


def _first(work: Work[T]) -> Forecast:
    """The forecast of ``work``, which is then given up: at most a network was drawn and tried on two samples."""
    with closing(work), threads(single=True):
        event = next(work)
    if not isinstance(event, Forecast):
        raise TypeError(f"work must begin with its forecast, began with {event!r}")
    return event


def _stand_in(experiment: Experiment, subject: Subject) -> NDArray[np.float64]:
    """As many training samples (n, d) as are asked for, all on the sphere of radius √d."""
    return np.ones((experiment.dataset.n_train, int(np.prod(subject.shape))))
