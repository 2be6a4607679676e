"""Kernels by Monte Carlo: mean and standard error over random networks of growing width."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ntklab import spec
from ntklab.errors import NumericalError, SpecError
from ntklab.kernels import budget
from ntklab.kernels.monte_carlo.moments import Estimates, Found
from ntklab.kernels.monte_carlo.network import Drawn, Piece, drawn
from ntklab.kernels.monte_carlo.plan import REMEDY, Plan, plan_of
from ntklab.kernels.monte_carlo.request import KINDS, Request, request_of
from ntklab.kernels.monte_carlo.samples import samples_of
from ntklab.kernels.threads import beating
from ntklab.progress import Partial, Progress, Work, translated
from ntklab.results import MonteCarlo, Provenance

SEEDS = 32
"""Networks drawn at each width where no number is asked for."""


def monte_carlo_kernel(  # noqa: PLR0913 (as for ``infinite_kernel``)
    architecture: spec.Architecture,
    x1: Any,
    x2: Any | None = None,
    *,
    kinds: Sequence[str] = KINDS,
    widths: int | Sequence[int] | None = None,
    seeds: int | Sequence[int] = SEEDS,
    dtype: str = "float32",
    device: str | torch.device = "cpu",
    memory: int | None = None,
    pattern1: Any | None = None,
    pattern2: Any | None = None,
    mask_constant: float | None = None,
) -> Work[dict[str, MonteCarlo]]:
    """Kernels of ``architecture`` between x1 (n1, *shape) and x2 (n2, *shape) estimated from finite networks.

    For every layer that a finite network can have, also where no closed form exists. At each of the hidden ``widths``
    (None: 128, 256, 512; those written in the architecture where the kernel depends on them, as in standard
    parameterisation) a network is drawn with each of the ``seeds`` (a number: 0, 1, …). Each gives

    - for "nngp" W_std²·a·a'/m + b_std² over the m features a that its read-out sees (the mean over outputs f·f' of a
      network without a dense read-out): the expectation over the read-out's weights, so less noise than f·f';
    - for "ntk" its NTK, the mean over a few outputs drawn independently.

    Both are unbiased for networks of that width, and off by O(1/width) from the limit. The result has mean and
    standard error at each width and, from three widths on, their extrapolation a + b/width to infinite width with its
    own standard error: see ``MonteCarlo``. Kernels of muP networks are those of √n·f, as for ``infinite_kernel``.
    Dropout in training mode draws masks for each sample. ``memory`` in bytes bounds what the work adds to the process,
    or to the memory of a CUDA device. ``pattern1``, ``pattern2`` and ``mask_constant`` as for ``infinite_kernel``.

    Yields a ``Forecast``; then after each round but the last ``Partial("monte_carlo", MonteCarlo)`` of each kind,
    where the budget has room for it, and ``Progress`` in between. Raises ``SpecError``, ``DataError``, ``DeviceError``,
    ``MemoryBudgetError``, ``NumericalError``, and ``NtkLabError`` for layers that no finite network has.
    """
    started = time.perf_counter()
    if not isinstance(architecture, spec.Architecture):
        raise SpecError(
            f"architecture: expected an Architecture, got {type(architecture).__name__}; networks are drawn from a "
            "description (Architecture.from_dict reads plain tables)"
        )
    samples = samples_of(architecture, (x1, x2), (pattern1, pattern2), mask_constant=mask_constant)
    request = request_of(
        architecture, samples, kinds=kinds, widths=widths, seeds=seeds, dtype=dtype, device=device,
        mask_constant=mask_constant,
    )  # fmt: skip
    plan = plan_of(request, memory)
    yield plan.forecast
    with budget.allocation(REMEDY):
        estimates = {kind: Estimates(*request.shape, len(request.widths), request.weights) for kind in request.kinds}
        job = _Job(request, plan, estimates, started)
        yield from _draw_all(job)
    return (yield from job.results(request.total, final=True))


@dataclass(frozen=True, eq=False)
class _Job:
    """Who is asked, how the work is cut, and what was found so far."""

    request: Request
    plan: Plan
    estimates: dict[str, Estimates]
    started: float

    def results(self, done: int, *, final: bool = False) -> Work[dict[str, MonteCarlo]]:
        """The estimates after ``done`` networks, whole rounds."""
        found = {}
        for kind, estimates in self.estimates.items():
            state = yield from translated(estimates.found(final=final), lambda _: self.progress(done))
            found[kind] = self._result(kind, state, done // len(self.request.widths))
        return found

    def progress(self, done: int) -> Progress:
        """How far it is after ``done`` networks."""
        widths = self.request.widths
        width = widths[done % len(widths)]
        return Progress(done, self.request.total, "networks" if not width else f"networks, width {width}")

    def _result(self, kind: str, found: Found, networks: int) -> MonteCarlo:
        request = self.request
        return MonteCarlo(
            kind=kind, widths=np.array(request.widths, dtype=np.int64), means=found.means, standard_errors=found.errors,
            networks=networks, limit=found.limit, limit_error=found.limit_error, symmetric=request.symmetric,
            provenance=self._origin(kind),
        )  # fmt: skip

    def _origin(self, kind: str) -> Provenance:
        request = self.request
        return Provenance(
            kind=f"monte carlo {kind}",
            parameterisation=request.parameterisation,
            dtype=request.dtype,
            device=str(request.device),
            seed=request.seeds[0],
            outputs="mean",
            spec=request.architecture.content_hash(),
            route=f"Monte Carlo: {self.plan.forecast.route}",
            seconds=time.perf_counter() - self.started,
            notes=tuple(_notes(request)),
        )


def _notes(request: Request) -> Iterator[str]:
    yield "standard errors over seeds, which all widths share; finite width biases the mean by O(1/width)"
    if request.weights is not None:
        yield "limit: intercept of the least-squares line a + b/width weighted by width, fitted for each seed"
    if any(isinstance(layer, spec.SelfAttention) and layer.pos_emb_type != "NONE" for layer in request.layers):
        yield "positional embeddings are drawn, with as many channels as there are; the limit takes their covariance"
    if request.samples.numbered:
        yield "dropout: each sample has masks of its own, the same wherever it meets itself"


def _draw_all(job: _Job) -> Work[None]:
    """A round for each seed: a network of each width, and what they extrapolate to."""
    request = job.request
    tasks = [(width, seed) for seed in request.seeds for width in range(len(request.widths))]
    networks = beating(tasks, drawn(request), 1)
    done = 0
    with closing(networks):
        for item in networks:
            if item is not None:
                (width, _), network = item
                count = done // len(request.widths) + 1
                for _ in _take_in(job, network, width, count):
                    yield job.progress(done)
                done += 1
            yield job.progress(done)
            if item is not None and done % len(request.widths) == 0:
                yield from _end_round(job, done)


def _take_in(job: _Job, network: Drawn, width: int, count: int) -> Iterator[None]:
    """The kernels of one network into the estimates."""
    for _ in network.see(job.plan.chunk):
        yield
    if "nngp" in job.estimates:
        yield from _tiles(job.estimates["nngp"], network.nngp(job.plan.tiles), width, count)
    if "ntk" in job.estimates:
        yield from _tiles(job.estimates["ntk"], network.ntk(job.plan.memory), width, count)


def _tiles(estimates: Estimates, pieces: Iterator[Piece], width: int, count: int) -> Iterator[None]:
    for piece in pieces:
        if isinstance(piece, tuple):
            if not np.isfinite(piece[1]).all():
                raise NumericalError(
                    "Monte Carlo: the kernel of a network is not finite; make W_std smaller, scale the inputs down, or "
                    "use dtype='float64'"
                )
            estimates.add(width, *piece, count)
        yield


def _end_round(job: _Job, done: int) -> Work[None]:
    count = done // len(job.request.widths)
    for estimates in job.estimates.values():
        for _ in estimates.end_round(count):
            yield job.progress(done)
    if job.plan.streams and done < job.request.total:
        found = yield from job.results(done)
        for value in found.values():
            yield Partial("monte_carlo", value)
