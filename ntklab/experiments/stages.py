"""What the experiments share: their stages, and results that say which experiment they come from."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ntklab import datasets, dynamics, spec, spectra
from ntklab.errors import NoRuleError, SpecError
from ntklab.experiments.models import Models
from ntklab.experiments.parts import ledger_of
from ntklab.kernels.empirical import empirical_ntk
from ntklab.kernels.infinite import infinite_kernel
from ntklab.kernels.monte_carlo import SEEDS, monte_carlo_kernel
from ntklab.networks.subject import Subject
from ntklab.progress import Event, Forecast, LayerForecast, Partial, Progress, T, Work, translated
from ntklab.results import RUNS, Absence, Data, Gram, Ledger, MonteCarlo, Network, Provenance, Run, Spectrum, Trajectory
from ntklab.spec import Experiment

Result = TypeVar("Result", Gram, Spectrum, Trajectory, MonteCarlo)

ESTIMATES = {"ntk": "monte_carlo", "nngp": "monte_carlo_nngp"}
"""Names of the Monte Carlo estimates among the results, by the kernel that they estimate."""


def subject_of(experiment: Experiment, models: Models | None) -> Subject:
    """The network of ``experiment``; without ``models`` no file of the user's may run. Raises ``NtkLabError``."""
    return (models or Models()).subject(experiment)


def without_forecast(work: Work[T]) -> Work[T]:
    """``work`` without its forecast, which is part of a larger one that was given before."""
    return translated(work, lambda event: None if isinstance(event, Forecast) else event)


def stamped(result: Result, experiment: Experiment) -> Result:
    """``result`` with the content hash of ``experiment`` as its origin."""
    return replace(result, provenance=replace(result.provenance, spec=experiment.content_hash()))


def data_stage(experiment: Experiment, *, fit: bool = True) -> Work[Data]:
    """Load the data; with ``fit`` also check that the network takes it."""
    yield Progress(0, 1, "loading data")
    data = datasets.load(experiment.dataset)
    if fit:
        check_fit(experiment, data)
    yield Partial("data", data)
    return data


def check_fit(experiment: Experiment, data: Data) -> None:
    """Raise ``SpecError`` unless the network that is described, if it is the one in use, fits the data."""
    if experiment.model is None:
        spec.check_fit(experiment.architecture, data.features, data.outputs)


def empirical_work(
    experiment: Experiment, subject: Subject, x: NDArray[np.float64], *, split: bool = False
) -> Work[Gram]:
    """The finite-width kernel on the (n, d) samples ``x``, as ``experiment.kernel`` asks; ``split`` by layer."""
    request = experiment.kernel
    return empirical_ntk(
        subject.finite, subject.samples(x), outputs=request.outputs, split=split, seed=request.seed,
        dtype=request.dtype, device=request.device, memory=request.memory,
    )  # fmt: skip


def empirical_stage(
    experiment: Experiment,
    data: Data,
    subject: Subject,
    *,
    first: bool = False,
    treated: list[LayerForecast] | None = None,
) -> Work[tuple[Gram, Network | None]]:
    """The finite-width kernel on the training samples, as ``experiment.kernel`` asks; ``first`` keeps its forecast.

    Of a module also what it is and how its layers are treated, under the key "network". Where there is a list
    ``treated``, that is put there too, and the kernel has its parts.
    """
    told = subject.origin

    def named(event: Event) -> Event | None:
        nonlocal told
        if treated is not None and isinstance(event, Forecast):
            treated.extend(event.layers)
        if not isinstance(event, Forecast) or told is None:
            return event if first or not isinstance(event, Forecast) else None
        told = replace(told, layers=event.layers, route=event.route)
        return Partial("network", told)

    work = translated(empirical_work(experiment, subject, data.X_train, split=treated is not None), named)
    gram = of_subject(subject, stamped((yield from work), experiment))
    yield Partial("empirical", whole(gram))
    return gram, told


def whole(gram: Gram) -> Gram:
    """``gram`` without its parts, which a ledger keeps."""
    return replace(gram, parts={}) if gram.parts else gram


def ledger_stage(experiment: Experiment, data: Data, gram: Gram, treated: list[LayerForecast]) -> Work[Ledger]:
    """The ledger of a kernel that has its parts."""
    described = experiment.architecture if experiment.model is None else None
    found = yield from ledger_of(gram, data.Y_train, layers=treated, architecture=described)
    yield Partial("ledger", found)
    return found


def unmuted_stage(experiment: Experiment, data: Data, found: Ledger) -> Work[tuple[Gram, Spectrum] | None]:
    """The kernel of training the layers that ``experiment`` does not mute, and its spectrum; None where none is muted.

    Raises ``SpecError`` where all are.
    """
    rows = found.unmuted(experiment.kernel.muted)
    if len(rows) == len(found.names):
        return None
    if not rows:
        raise SpecError(f"muted: expected at least one layer to train, got all {len(found.names)} muted; unmute one")
    muted = ", ".join(found.label(row) for row in range(len(found.names)) if row not in rows)
    origin = replace(found.provenance, notes=(*found.provenance.notes, f"muted, not trained: {muted}"))
    gram = stamped(Gram(found.total(rows).astype(found.parts.dtype), origin), experiment)
    yield Partial("unmuted", gram)
    spectrum = yield from spectrum_stage(experiment, data, gram, "unmuted_spectrum")
    return gram, spectrum


def of_subject(subject: Subject, result: Result) -> Result:
    """``result`` with what is to be said of a module that is not just drawn."""
    if subject.described:
        return result
    origin: Provenance = result.provenance
    said = replace(
        origin, parameterisation=subject.parameterisation or origin.parameterisation,
        seed=subject.seed if origin.seed is None else origin.seed, notes=(*origin.notes, *subject.notes),
    )  # fmt: skip
    return replace(result, provenance=said)


def infinite_work(experiment: Experiment, subject: Subject, x: NDArray[np.float64]) -> Work[dict[str, Gram]]:
    """The analytic kernels on the (n, d) samples ``x``. Raises ``NoRuleError``, ``SpecError`` where there are none."""
    request = experiment.kernel
    return infinite_kernel(
        subject.described_limit(), subject.limit_samples(x), kinds=("nngp", "ntk"),
        dtype=request.dtype, device=request.device, memory=request.memory,
    )  # fmt: skip


def infinite_stage(experiment: Experiment, data: Data, subject: Subject) -> Work[tuple[Gram, Gram] | Absence]:
    """The analytic NTK and NNGP kernels on the training samples, or why there are none."""
    absence = subject.absence()
    if absence is None:
        try:
            found = yield from without_forecast(infinite_work(experiment, subject, data.X_train))
        except NoRuleError as fault:
            absence = subject.absence(f"no infinite-width kernel: {fault}")
    if absence is not None:
        yield Partial("absence", absence)
        return absence
    ntk, nngp = (stamped(found[kind], experiment) for kind in ("ntk", "nngp"))
    yield Partial("ntk", ntk)
    yield Partial("nngp", nngp)
    return ntk, nngp


def monte_carlo_work(experiment: Experiment, subject: Subject, x: NDArray[np.float64]) -> Work[dict[str, MonteCarlo]]:
    """Estimates of both kernels on ``x`` as ``experiment.kernel`` asks, from 32 networks a width where it does not."""
    request = experiment.kernel
    seeds = range(request.seed, request.seed + (request.monte_carlo or SEEDS))
    return monte_carlo_kernel(
        subject.described_limit(), subject.limit_samples(x), kinds=tuple(ESTIMATES), widths=request.monte_carlo_widths,
        seeds=seeds, dtype=request.dtype, device=request.device, memory=request.memory,
    )  # fmt: skip


def monte_carlo_stage(experiment: Experiment, data: Data, subject: Subject) -> Work[tuple[MonteCarlo, MonteCarlo]]:
    """Estimates of the NTK and the NNGP kernel on the training samples; as they converge under the key "estimate"."""

    def named(event: Event) -> Event | None:
        if isinstance(event, Partial):
            return Partial("estimate", stamped(event.value, experiment))
        return None if isinstance(event, Forecast) else event

    found = yield from translated(monte_carlo_work(experiment, subject, data.X_train), named)
    ntk, nngp = (stamped(found[kind], experiment) for kind in ESTIMATES)
    for value in (ntk, nngp):
        yield Partial(ESTIMATES[value.kind], value)
    return ntk, nngp


def spectrum_stage(experiment: Experiment, data: Data, gram: Gram, key: str) -> Work[Spectrum]:
    """The spectrum of ``gram`` as an (N, N) kernel, mean over outputs, so that finite and infinite width compare."""
    training = experiment.training
    work = spectra.spectrum(mean_over_outputs(gram), data.Y_train, loss=training.loss, momentum=training.momentum)
    found = yield from without_forecast(work)
    yield Partial(key, found)
    return found


def training_stage(
    experiment: Experiment, data: Data, subject: Subject, runs: tuple[str, ...] = RUNS
) -> Work[Trajectory]:
    """Training of the network of the kernel's seed, where the kernel is computed, in float64."""
    request = experiment.kernel
    work = dynamics.train(
        subject, data, experiment.training, seed=request.seed, device=request.device, memory=request.memory, runs=runs
    )

    def named(event: Event) -> Event | None:
        """Trajectories on the way are stamped too; the forecast was given before."""
        if isinstance(event, Partial) and isinstance(event.value, Trajectory):
            return Partial(event.key, of_subject(subject, stamped(event.value, experiment)))
        return None if isinstance(event, Forecast) else event

    trajectory = of_subject(subject, stamped((yield from translated(work, named)), experiment))
    yield Partial("trajectory", trajectory)
    return trajectory


def kernel_stages(
    experiment: Experiment, data: Data, subject: Subject, *, estimates: bool, split: bool = False
) -> Work[Run]:
    """Both kernels, then both spectra, then with ``estimates`` those by Monte Carlo if they are asked for.

    Where the experiment asks for it, or with ``split``, also the ledger of the layers.
    """
    infinite = yield from infinite_stage(experiment, data, subject)
    treated: list[LayerForecast] | None = [] if split or parted(experiment) else None
    gram, network = yield from empirical_stage(experiment, data, subject, treated=treated)
    found = Run(experiment.content_hash(), data, empirical=whole(gram), network=network)
    spectrum = yield from spectrum_stage(experiment, data, gram, "empirical_spectrum")
    found = replace(found, empirical_spectrum=spectrum)
    if isinstance(infinite, Absence):
        found = replace(found, absence=infinite)
    else:
        ntk, nngp = infinite
        spectrum = yield from spectrum_stage(experiment, data, ntk, "ntk_spectrum")
        found = replace(found, ntk=ntk, nngp=nngp, ntk_spectrum=spectrum)
    if treated is not None:
        found = yield from _with_ledger(found, experiment, gram, treated)
    if experiment.kernel.monte_carlo is None or not estimates or subject.limit is None:
        return found
    estimate, estimate_nngp = yield from monte_carlo_stage(experiment, data, subject)
    return replace(found, monte_carlo=estimate, monte_carlo_nngp=estimate_nngp)


def parted(experiment: Experiment) -> bool:
    """Whether ``experiment`` asks for what each layer adds, or for the kernel without some."""
    return experiment.kernel.split or bool(experiment.kernel.muted)


def _with_ledger(found: Run, experiment: Experiment, gram: Gram, treated: list[LayerForecast]) -> Work[Run]:
    ledger = yield from ledger_stage(experiment, found.data, gram, treated)
    rest = yield from unmuted_stage(experiment, found.data, ledger)
    unmuted, spectrum = rest or (None, None)
    return replace(found, ledger=ledger, unmuted=unmuted, unmuted_spectrum=spectrum)


def mean_over_outputs(gram: Gram) -> Gram:
    """``gram`` itself if it is (N, N), else its mean over outputs: the kernel whose limit is the analytic one."""
    if gram.values.ndim == 2:
        return gram
    notes = (*gram.provenance.notes, "mean over outputs")
    return replace(gram, values=gram.matrix, provenance=replace(gram.provenance, outputs="mean", notes=notes))
