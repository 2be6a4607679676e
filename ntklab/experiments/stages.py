"""What the experiments share: their stages, and results that say which experiment they come from."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ntklab import datasets, dynamics, spec, spectra
from ntklab.kernels.empirical import empirical_ntk
from ntklab.kernels.infinite import infinite_kernel
from ntklab.kernels.monte_carlo import SEEDS, monte_carlo_kernel
from ntklab.progress import Event, Forecast, Partial, Progress, T, Work, translated
from ntklab.results import Data, Gram, MonteCarlo, Run, Spectrum, Trajectory
from ntklab.spec import Experiment

Result = TypeVar("Result", Gram, Spectrum, Trajectory, MonteCarlo)

ESTIMATES = {"ntk": "monte_carlo", "nngp": "monte_carlo_nngp"}
"""Names of the Monte Carlo estimates among the results, by the kernel that they estimate."""


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
        spec.check_fit(experiment.architecture, data.features, data.outputs)
    yield Partial("data", data)
    return data


def empirical_stage(experiment: Experiment, data: Data, *, first: bool = False) -> Work[Gram]:
    """The finite-width kernel on the training samples, as ``experiment.kernel`` asks; ``first`` keeps its forecast."""
    request = experiment.kernel
    work = empirical_ntk(
        experiment.architecture, samples(experiment, data), outputs=request.outputs, seed=request.seed,
        dtype=request.dtype, device=request.device, memory=request.memory,
    )  # fmt: skip
    gram = stamped((yield from work if first else without_forecast(work)), experiment)
    yield Partial("empirical", gram)
    return gram


def infinite_stage(experiment: Experiment, data: Data) -> Work[tuple[Gram, Gram]]:
    """The analytic NTK and NNGP kernels on the training samples."""
    request = experiment.kernel
    work = infinite_kernel(
        experiment.architecture, samples(experiment, data), kinds=("nngp", "ntk"),
        dtype=request.dtype, device=request.device, memory=request.memory,
    )  # fmt: skip
    found = yield from without_forecast(work)
    ntk, nngp = (stamped(found[kind], experiment) for kind in ("ntk", "nngp"))
    yield Partial("ntk", ntk)
    yield Partial("nngp", nngp)
    return ntk, nngp


def monte_carlo_work(experiment: Experiment, x: NDArray[np.float64]) -> Work[dict[str, MonteCarlo]]:
    """Estimates of both kernels on ``x`` as ``experiment.kernel`` asks, from 32 networks a width where it does not."""
    request = experiment.kernel
    seeds = range(request.seed, request.seed + (request.monte_carlo or SEEDS))
    return monte_carlo_kernel(
        experiment.architecture, x, kinds=tuple(ESTIMATES), widths=request.monte_carlo_widths, seeds=seeds,
        dtype=request.dtype, device=request.device, memory=request.memory,
    )  # fmt: skip


def monte_carlo_stage(experiment: Experiment, data: Data) -> Work[tuple[MonteCarlo, MonteCarlo]]:
    """Estimates of the NTK and the NNGP kernel on the training samples; as they converge under the key "estimate"."""

    def named(event: Event) -> Event | None:
        if isinstance(event, Partial):
            return Partial("estimate", stamped(event.value, experiment))
        return None if isinstance(event, Forecast) else event

    found = yield from translated(monte_carlo_work(experiment, samples(experiment, data)), named)
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


def training_stage(experiment: Experiment, data: Data) -> Work[Trajectory]:
    """Training of the network drawn with the kernel's seed, where the kernel is computed, in float64."""
    request = experiment.kernel
    work = dynamics.train(
        experiment.architecture, data, experiment.training,
        seed=request.seed, device=request.device, memory=request.memory,
    )  # fmt: skip
    trajectory = stamped((yield from translated(work, lambda event: _stamped_event(event, experiment))), experiment)
    yield Partial("trajectory", trajectory)
    return trajectory


def kernel_stages(experiment: Experiment, data: Data, *, estimates: bool) -> Work[Run]:
    """Both kernels, then both spectra, then with ``estimates`` those by Monte Carlo if they are asked for."""
    ntk, nngp = yield from infinite_stage(experiment, data)
    empirical = yield from empirical_stage(experiment, data)
    empirical_spectrum = yield from spectrum_stage(experiment, data, empirical, "empirical_spectrum")
    ntk_spectrum = yield from spectrum_stage(experiment, data, ntk, "ntk_spectrum")
    found = Run(
        experiment=experiment.content_hash(),
        data=data,
        empirical=empirical,
        ntk=ntk,
        nngp=nngp,
        empirical_spectrum=empirical_spectrum,
        ntk_spectrum=ntk_spectrum,
    )
    if experiment.kernel.monte_carlo is None or not estimates:
        return found
    estimate, estimate_nngp = yield from monte_carlo_stage(experiment, data)
    return replace(found, monte_carlo=estimate, monte_carlo_nngp=estimate_nngp)


def samples(experiment: Experiment, data: Data) -> NDArray[np.float64]:
    """The training samples in the shape that the architecture takes."""
    return data.X_train.reshape(len(data.X_train), *experiment.architecture.input.shape)


def _stamped_event(event: Event, experiment: Experiment) -> Event | None:
    """Trajectories on the way are stamped too; the forecast was given before."""
    if isinstance(event, Partial) and isinstance(event.value, Trajectory):
        return Partial(event.key, stamped(event.value, experiment))
    return None if isinstance(event, Forecast) else event


def mean_over_outputs(gram: Gram) -> Gram:
    """``gram`` itself if it is (N, N), else its mean over outputs: the kernel whose limit is the analytic one."""
    if gram.values.ndim == 2:
        return gram
    notes = (*gram.provenance.notes, "mean over outputs")
    return replace(gram, values=gram.matrix, provenance=replace(gram.provenance, outputs="mean", notes=notes))
