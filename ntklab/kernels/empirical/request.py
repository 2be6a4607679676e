"""A request for an empirical kernel, from its samples to the finished ``Gram``."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from ntklab import spec
from ntklab.errors import NtkLabError
from ntklab.kernels.budget import allocation, require, resolve
from ntklab.kernels.empirical.asking import Asking
from ntklab.kernels.empirical.costs import Costs, costs
from ntklab.kernels.empirical.engine import Job, Run
from ntklab.kernels.empirical.forecast import forecast
from ntklab.kernels.empirical.foreign import naming
from ntklab.kernels.empirical.forms import Form, form
from ntklab.kernels.empirical.graphs import rows_of
from ntklab.kernels.empirical.plan import REMEDY, Plan, make_plan
from ntklab.kernels.empirical.precision import SAMPLES, measured_error
from ntklab.kernels.empirical.subject import PROBED, Subject, subject
from ntklab.kernels.empirical.targets import Parts, Whole
from ntklab.kernels.threads import threads_for
from ntklab.networks import torch_dtype
from ntklab.progress import Work
from ntklab.results import Gram, Provenance

_LONG = 1e9  # multiply-adds beside which copying a network takes no time
Samples = ArrayLike | Tensor


@dataclass(frozen=True, eq=False)
class Request:
    """What ``empirical_ntk`` is asked for; see there."""

    model: nn.Module | spec.Architecture
    x1: Samples
    x2: Samples | None
    outputs: str
    split: bool
    seed: int
    dtype: str
    device: str
    memory: int | None
    patterns: tuple[Samples | None, Samples | None]
    mask_constant: float | None
    asking: Asking

    def work(self) -> Work[Gram]:
        """Forecast, tiles, and at last the kernel."""
        started = time.perf_counter()
        what = form(self.outputs)
        with allocation(REMEDY), threads_for(0):
            asked, rows, columns = self._subject()
            with naming(asked.module):
                ready = _ready(self, asked, what, rows, columns)
        job, blocks = ready.job, ready.job.plan.blocks
        with allocation(REMEDY):
            target = Whole(job.form, blocks.n1, blocks.n2, self.dtype)
            names = [layer.name for layer in ready.cost.layers] if self.split else []
            parts = Parts(names, blocks.n1, blocks.n2, self.dtype) if self.split else None
        run = Run(job, target, parts)
        yield forecast(
            job.plan, ready.cost, job.asked.route.layers, job.asked.route.name, one=ready.one, like=job.x1[:0],
            tiles=run.total,
        )  # fmt: skip
        yield from run.work()
        error = None
        if ready.measure:
            error = run.spared(lambda: measured_error(job.asked, job.form, target.store, job.x1, job.x2))
        provenance = Provenance(
            "empirical", asked.parameterisation, self.dtype, str(asked.device), asked.seed, self.outputs, asked.content,
            job.asked.route.name, seconds=time.perf_counter() - started, notes=(*ready.notes, *run.remarks()),
        )  # fmt: skip
        arrays = {} if parts is None else parts.arrays
        return Gram(target.values, provenance, symmetric=blocks.symmetric, error=error, parts=arrays)

    def _subject(self) -> tuple[Subject, Tensor, Tensor | None]:
        """Who is asked, and the samples, None for columns that are the rows."""
        if isinstance(self.model, spec.Architecture):
            self._check_weights(self.model)
        asked = subject(
            self.model, seed=self.seed, dtype=self.dtype, device=self.device, pairs=self.outputs == "full",
            mask_constant=self.mask_constant,
        )  # fmt: skip
        asked = self.asking.inside(asked, self.model)
        rows = asked.samples(self.x1, "x1")
        columns = None if self.x2 is None or self.x2 is self.x1 else asked.samples(self.x2, "x2")
        pattern1, pattern2 = self.patterns
        if pattern1 is None:
            return self.asking.behind(asked, rows, columns)
        shape = tuple(np.shape(pattern1)[1:])
        asked = asked.with_patterns(tuple(rows.shape[1:]), shape)
        across = None if columns is None else rows_of(columns, pattern2, shape, "pattern2")
        return self.asking.behind(asked, rows_of(rows, pattern1, shape, "pattern1"), across)

    def _check_weights(self, architecture: spec.Architecture) -> None:
        """Refuse a network whose weights alone exceed the budget before it is drawn."""
        count = spec.parameter_count(architecture)
        require(
            count * torch_dtype(self.dtype).itemsize, resolve(self.memory, self.device),
            f"empirical NTK: a network of {count} parameters", "use narrower layers or float32, or raise memory",
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Ready:
    """A job, what it costs, and the seconds of ``one`` more sample in a pass; ``measure`` the error at its end."""

    job: Job
    cost: Costs
    one: float
    notes: tuple[str, ...]
    measure: bool = False


def _ready(request: Request, asked: Subject, what: type[Form], rows: Tensor, columns: Tensor | None) -> _Ready:
    """Look at a few samples: check the factors of a module that is not ours, and take the sizes for the plan."""
    asked = asked.ready(rows)
    x = rows[:PROBED]
    start = time.perf_counter()
    factors = asked.factors(x)
    one = (time.perf_counter() - start) / len(x)
    if not factors:
        raise NtkLabError("empirical NTK: no trained parameter affects the outputs; train one with requires_grad_()")
    layout, notes = what(asked.outputs(x)), asked.notes
    held = _own_bytes(request, asked, (rows, columns))
    cost = costs(
        [factor[:1] for factor in factors], asked.route.needs(x[:1], layout.k), layout, item=asked.dtype.itemsize,
        fixed=held, order=[layer.name for layer in asked.route.layers], parts=request.split,
    )  # fmt: skip
    n1, n2 = len(rows), None if columns is None else len(columns)
    budget = resolve(request.memory, asked.device)
    if asked.device.type != "cpu":
        result = n1 * (n2 or n1) * cost.pair_bytes
        require(result, resolve(None), "the result, which is kept in the memory of the host,", REMEDY)
        budget += result  # the plan counts it, the device does not hold it
    plan = make_plan(n1, n2, cost, side=layout.side(), budget=budget)
    job = Job(asked, layout, plan, rows, rows if columns is None else columns)
    return _with_error_measured(_Ready(job, cost, one, notes), budget)


def _own_bytes(request: Request, asked: Subject, samples: Sequence[Tensor | None]) -> int:
    """Of the network and of samples that were made or copied here."""
    given = (request.x1, request.x2)
    made = [x for x, source in zip(samples, given, strict=True) if x is not None and not _shares(x, source)]
    size = sum(x.nbytes for x in made)
    if asked.module is not request.model:
        size += sum(tensor.nbytes for tensor in (*asked.module.parameters(), *asked.module.buffers()))
    return size


def _shares(x: Tensor, source: Samples | None) -> bool:
    """Whether ``x`` holds the numbers of what was given, without a copy."""
    if isinstance(source, Tensor):
        return x.data_ptr() == source.data_ptr()
    return isinstance(source, np.ndarray) and x.device.type == "cpu" and np.may_share_memory(x.numpy(), source)


def _with_error_measured(ready: _Ready, budget: int) -> _Ready:
    """``ready`` with the float32 error measured at the end, if that takes a few % of the time and fits the budget."""
    plan, asked, cost = ready.job.plan, ready.job.asked, ready.cost
    brief = plan.multiply_adds >= _LONG + 400 * SAMPLES * plan.pass_adds
    if asked.dtype != torch.float32 or not brief:
        return ready
    peak = _peak_of_error(plan, cost)
    if peak > budget:
        return ready
    job = replace(ready.job, plan=replace(plan, peak_bytes=max(plan.peak_bytes, peak)))
    return replace(ready, job=job, measure=True)


def _peak_of_error(plan: Plan, cost: Costs) -> int:
    """Bytes at the end: the result, the network in float64, and a few samples on their way through it."""
    result = plan.blocks.n1 * plan.blocks.n2 * cost.pair_bytes
    return cost.fixed + result + 2 * (cost.item * cost.weights + SAMPLES * (cost.passing + 3 * cost.kept))
