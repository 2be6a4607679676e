"""What does another width do to the kernel, its spectrum, and its distance from the limit?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ntklab import spec
from ntklab.experiments.stages import empirical_stage, spectrum_stage
from ntklab.experiments.width_convergence import fitted_slope
from ntklab.networks.subject import described
from ntklab.progress import Partial, Work
from ntklab.results import Data, Gram, WidthConvergence, distance
from ntklab.spec import Experiment


def width_dial(
    experiment: Experiment, data: Data, ntk: Gram | None, width: int, so_far: WidthConvergence | None = None
) -> Work[Gram]:
    """The finite kernel with hidden layers ``width`` wide on data that is loaded, beside its limit ``ntk``.

    Yields ``Partial`` "empirical", "empirical_spectrum" and "convergence": the widths dialled so far with this seed,
    or the sweep ``so_far`` unchanged where it has several seeds; no convergence without a limit. The network is the one
    described, drawn. Raises any ``NtkLabError``.
    """
    dialled = experiment.replace(architecture=experiment.architecture.with_width(width))
    spec.check_fit(dialled.architecture, data.features, data.outputs)
    gram, _ = yield from empirical_stage(dialled, data, described(dialled.architecture), first=True)
    yield from spectrum_stage(dialled, data, gram, "empirical_spectrum")
    if ntk is None:
        return gram
    yield Partial("convergence", _with_point(so_far, width, distance(gram, ntk), gram))
    return gram


def _with_point(so_far: WidthConvergence | None, width: int, error: float, gram: Gram) -> WidthConvergence:
    if so_far is None or so_far.provenance.seed != gram.provenance.seed:
        origin = replace(gram.provenance, kind="width convergence", notes=("nested draws of one seed",))
        so_far = WidthConvergence(np.zeros(0, dtype=np.int64), np.zeros((0, 1)), None, None, origin)
    if so_far.errors.shape[1] > 1:
        return so_far
    points = dict(zip(so_far.widths.tolist(), so_far.errors[:, 0].tolist(), strict=True)) | {width: error}
    widths = np.array(sorted(points), dtype=np.int64)
    errors = np.array([points[w] for w in widths.tolist()])
    slope, slope_error = fitted_slope(widths.astype(np.float64), errors)
    return replace(so_far, widths=widths, errors=errors[:, None], slope=slope, slope_error=slope_error)
