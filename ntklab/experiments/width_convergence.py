"""How fast does the finite kernel approach the infinite one?"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ntklab.errors import SpecError
from ntklab.experiments.forecast import empirical_forecast
from ntklab.experiments.stages import data_stage
from ntklab.kernels.empirical import empirical_ntk
from ntklab.kernels.infinite import infinite_kernel
from ntklab.networks.subject import described
from ntklab.progress import Event, Forecast, Partial, Progress, Work, translated
from ntklab.results import Data, Gram, Provenance, WidthConvergence, relative_distance
from ntklab.spec import Experiment

Array = NDArray[np.float64]


def width_convergence(experiment: Experiment, widths: Sequence[int], seeds: int) -> Work[WidthConvergence]:
    """|Θ_n − Θ_∞| / |Θ_∞| (Frobenius, mean over outputs, training samples) for networks of each width and seed.

    ``widths`` are those of every hidden layer. Every network is drawn with a seed of its own, counted up from
    ``experiment.kernel.seed``, so that the errors of different widths are independent. Yields
    ``Partial("convergence", WidthConvergence)`` after each width. Raises ``SpecError`` for no widths or no seeds, and
    for a network that is not drawn from its description: it has one width.
    """
    if experiment.model is not None or experiment.checkpoint is not None:
        whose = "your own network" if experiment.model is not None else "a network with parameters from a file"
        raise SpecError(f"width convergence: {whose} has the width that it has; go back to a described network")
    if not widths or seeds < 1:
        raise SpecError(f"width convergence: expected at least one width and one seed, got {list(widths)} and {seeds}")
    yield _forecast(experiment, widths, seeds)
    began = time.perf_counter()
    data = yield from data_stage(experiment)
    errors = np.zeros((len(widths), seeds))
    limit: Gram | None = None
    for row, width in enumerate(widths):
        wide = experiment.replace(architecture=experiment.architecture.with_width(width))
        if limit is None or limit.provenance.parameterisation != "ntk":  # other limits depend on the widths
            limit = (yield from translated(_limit(wide, data), _progress_alone))["ntk"]
        for column in range(seeds):
            done = row * seeds + column
            progress = Progress(done, len(widths) * seeds, "networks of growing width")
            gram = yield from translated(_network(wide, data, experiment.kernel.seed + done), _always(progress))
            errors[row, column] = relative_distance(gram.matrix, limit.values)
        result = _result(experiment, widths[: row + 1], errors[: row + 1], limit, time.perf_counter() - began)
        yield Partial("convergence", result)
    return result


def _forecast(experiment: Experiment, widths: Sequence[int], seeds: int) -> Forecast:
    each = [
        _empirical_forecast(experiment.replace(architecture=experiment.architecture.with_width(width)))
        for width in widths
    ]
    seconds = [one.seconds for one in each if one.seconds is not None]
    return Forecast(
        peak_bytes=max(one.peak_bytes for one in each),
        seconds=seeds * sum(seconds) if len(seconds) == len(each) else None,
        tiles=seeds * len(each),
        route=f"{len(widths)} widths × {seeds} seeds",
    )


def _empirical_forecast(experiment: Experiment) -> Forecast:
    return empirical_forecast(experiment, described(experiment.architecture))


def _limit(experiment: Experiment, data: Data) -> Work[dict[str, Gram]]:
    request = experiment.kernel
    return infinite_kernel(
        experiment.architecture, _samples(experiment, data), kinds=("ntk",), dtype="float64",
        device=request.device, memory=request.memory,
    )  # fmt: skip


def _samples(experiment: Experiment, data: Data) -> Array:
    return described(experiment.architecture).samples(data.X_train)


def _network(experiment: Experiment, data: Data, seed: int) -> Work[Gram]:
    request = experiment.kernel
    return empirical_ntk(
        experiment.architecture, _samples(experiment, data), outputs="mean", seed=seed,
        dtype=request.dtype, device=request.device, memory=request.memory,
    )  # fmt: skip


def _result(
    experiment: Experiment, widths: Sequence[int], errors: Array, limit: Gram, seconds: float
) -> WidthConvergence:
    slope, error = fitted_slope(np.array(widths, dtype=np.float64), np.sqrt(np.mean(errors**2, axis=1)))
    request = experiment.kernel
    return WidthConvergence(
        widths=np.array(widths, dtype=np.int64),
        errors=errors.copy(),
        slope=slope,
        slope_error=error,
        provenance=Provenance(
            kind="width convergence",
            parameterisation=limit.provenance.parameterisation,
            dtype=request.dtype,
            device=request.device,
            seed=request.seed,
            outputs="mean",
            spec=experiment.content_hash(),
            route="relative Frobenius distance on the training samples; least squares of log RMS error on log width",
            seconds=seconds,
            notes=(f"a network of its own for every error, {errors.shape[1]} a width, seeds from {request.seed}",),
        ),
    )


def fitted_slope(widths: Array, errors: Array) -> tuple[float | None, float | None]:
    """Least-squares slope of log ``errors`` on log ``widths`` (W,), and its standard error; None below three points.

    Errors of exactly 0 have no logarithm and are left out.
    """
    kept = errors > 0
    x, y = np.log(widths[kept]), np.log(errors[kept])
    spread = float(np.sum((x - x.mean()) ** 2)) if len(x) else 0.0
    if len(np.unique(x)) < 3:
        return None, None
    slope = float(np.sum((x - x.mean()) * (y - y.mean()))) / spread
    rest = y - y.mean() - slope * (x - x.mean())
    return slope, float(np.sqrt(np.sum(rest**2) / (len(x) - 2) / spread))


def _always(progress: Progress) -> Callable[[Event], Event]:
    """Tells ``progress`` whatever happens: the tiles are not those of the kernel that is shown."""
    return lambda _: progress


def _progress_alone(event: Event) -> Event | None:
    return event if isinstance(event, Progress) else None
