"""What the experiments share: their stages, and results that say which experiment they come from."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ntklab import datasets, dynamics, spec, spectra
from ntklab.kernels.empirical import empirical_ntk
from ntklab.kernels.infinite import infinite_kernel
from ntklab.progress import Event, Forecast, Partial, Progress, T, Work, translated
from ntklab.results import Data, Gram, Run, Spectrum, Trajectory
from ntklab.spec import Experiment

Result = TypeVar("Result", Gram, Spectrum, Trajectory)


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


def kernel_stages(experiment: Experiment, data: Data) -> Work[Run]:
    """Both kernels, then both spectra."""
    ntk, nngp = yield from infinite_stage(experiment, data)
    empirical = yield from empirical_stage(experiment, data)
    return Run(
        experiment=experiment.content_hash(),
        data=data,
        empirical=empirical,
        ntk=ntk,
        nngp=nngp,
        empirical_spectrum=(yield from spectrum_stage(experiment, data, empirical, "empirical_spectrum")),
        ntk_spectrum=(yield from spectrum_stage(experiment, data, ntk, "ntk_spectrum")),
    )


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
