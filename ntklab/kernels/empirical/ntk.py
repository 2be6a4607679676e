"""The finite-width Neural Tangent Kernel Θ = J Jᵀ, tile by tile, without J (Jacot et al. 2018, arXiv:1806.07572)."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from ntklab import spec
from ntklab.errors import DeviceError, NtkLabError
from ntklab.kernels.budget import require, resolve
from ntklab.kernels.empirical.factors import Factor
from ntklab.kernels.empirical.forms import Factors, Form, form
from ntklab.kernels.empirical.graphs import rows_of
from ntklab.kernels.empirical.plan import REMEDY, Plan, costs, make_plan, seconds, upper_blocks
from ntklab.kernels.empirical.precision import SAMPLES, measured_error
from ntklab.kernels.empirical.probe import verify
from ntklab.kernels.empirical.subject import Subject, subject
from ntklab.kernels.threads import threads_for
from ntklab.kernels.tiles import Block, Span, spans
from ntklab.networks import torch_dtype
from ntklab.progress import Forecast, Partial, Progress, Work
from ntklab.results import Gram, Provenance, Tile

_PROBED = 2  # samples looked at before the work starts


def empirical_ntk(  # noqa: PLR0913 (a request, all by name)
    model_or_architecture: nn.Module | spec.Architecture,
    x1: ArrayLike | Tensor,
    x2: ArrayLike | Tensor | None = None,
    *,
    outputs: str = "full",
    seed: int = 0,
    dtype: str = "float32",
    device: str = "cpu",
    memory: int | None = None,
    pattern1: ArrayLike | Tensor | None = None,
    pattern2: ArrayLike | Tensor | None = None,
    mask_constant: float | None = None,
) -> Work[Gram]:
    """The NTK of one network between the samples ``x1`` (n1, *sample shape) and ``x2`` (n2, …); None is ``x1``.

    Θ[i, j, o, p] = Σ_θ ∂f_o(x1_i)/∂θ · ∂f_p(x2_j)/∂θ over the trained parameters. ``outputs`` "full" gives
    (n1, n2, k, k), "diagonal" (n1, n2, k) each output with itself, "mean" (n1, n2) the mean of these over outputs. An
    architecture is drawn with ``seed``; a module is taken as it is (a copy of it in ``dtype`` and on ``device`` where
    those differ), and its kernel is checked on two samples against autograd. ``memory`` in bytes bounds what the work
    adds to the process, or to the memory of a CUDA device. ``pattern1`` and ``pattern2`` (n, *axes, *axes) are the
    graphs of a network with ``Aggregate`` layers; positions whose every channel equals ``mask_constant`` are masked in
    a network that is drawn here. ``Gram.error`` is that of float32, measured where this takes little of the time.

    Yields a ``Forecast``, then for each tile ``Partial("tile", Tile)`` (mean over outputs) and ``Progress``. Raises
    ``NtkLabError`` for a module whose trained parameters are not all in dense layers used once, ``DataError`` for
    samples that do not fit, ``MemoryBudgetError`` if the result exceeds the budget.
    """
    started = time.perf_counter()
    what = form(outputs)
    if isinstance(model_or_architecture, spec.Architecture):
        _check_weights(model_or_architecture, dtype, device, memory)
    asked = subject(
        model_or_architecture, seed=seed, dtype=dtype, device=device, pairs=outputs == "full",
        mask_constant=mask_constant,
    )  # fmt: skip
    rows = asked.samples(x1, "x1")
    columns = None if x2 is None or x2 is x1 else asked.samples(x2, "x2")
    if pattern1 is not None:
        shape = tuple(np.shape(pattern1)[1:])
        asked, plain = asked.with_patterns(tuple(rows.shape[1:]), shape), (rows, columns)
        rows = rows_of(plain[0], pattern1, shape, "pattern1")
        columns = None if plain[1] is None else rows_of(plain[1], pattern2, shape, "pattern2")
    with threads_for(0):
        job, notes = _prepare(asked, what, rows, columns, memory)
    plan = job.plan
    time_needed = seconds(plan.multiply_adds, asked.dtype, asked.device)
    yield Forecast(plan.peak_bytes, time_needed, plan.count(), asked.route.name)
    store = np.empty(job.form.store(plan.blocks.n1, plan.blocks.n2), dtype=dtype)
    across = rows if columns is None else columns
    try:
        yield from _fill(job, torch.from_numpy(store), rows, across)
        error = measured_error(asked, job.form, store, rows, across) if job.measure else None
    except torch.OutOfMemoryError as failure:
        raise DeviceError(f"empirical NTK: {asked.device} ran out of memory; give a smaller memory budget") from failure
    provenance = Provenance(
        "empirical", asked.parameterisation, dtype, str(asked.device), asked.seed, outputs, asked.content,
        asked.route.name, seconds=time.perf_counter() - started, notes=notes,
    )  # fmt: skip
    return Gram(job.form.values(store), provenance, symmetric=columns is None, error=error)


def _check_weights(architecture: spec.Architecture, dtype: str, device: str, memory: int | None) -> None:
    """Refuse a network whose weights alone exceed the budget before it is drawn."""
    count = spec.parameter_count(architecture)
    require(
        count * torch_dtype(dtype).itemsize, resolve(memory, device), f"empirical NTK: a network of {count} parameters",
        "use narrower layers or float32, or raise memory",
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Job:
    """Who is asked, for what, and how the work is cut."""

    asked: Subject
    form: Form
    plan: Plan
    measure: bool = False


def _prepare(
    asked: Subject, what: type[Form], rows: Tensor, columns: Tensor | None, memory: int | None
) -> tuple[_Job, tuple[str, ...]]:
    """Look at a few samples: check the factors of a module that is not ours, and take the sizes for the plan."""
    x = rows[:_PROBED]
    factors = asked.factors(x)
    if not factors:
        raise NtkLabError("empirical NTK: no trained parameter affects the outputs; train one with requires_grad_()")
    form, notes = what(asked.outputs(x)), asked.notes
    if not asked.trusted:
        error = verify(asked.module, factors, x)
        notes = (*notes, f"factors checked against autograd on {len(x)} samples: relative error {error:.1e}")
    cost = costs(
        [factor[:1] for factor in factors], asked.route.needs(x[:1], form.k), form,
        item=asked.dtype.itemsize, inputs=rows.numel() + (0 if columns is None else columns.numel()),
    )  # fmt: skip
    n2 = None if columns is None else len(columns)
    budget = resolve(memory, asked.device)
    if asked.device.type != "cpu":
        result = len(rows) * (n2 or len(rows)) * cost.cell
        require(result, resolve(None), "the result, which is kept in the memory of the host,", REMEDY)
        budget += result  # the plan counts it, the device does not hold it
    plan = make_plan(len(rows), n2, cost, side=form.side(), budget=budget)
    return _with_error_measured(_Job(asked, form, plan), budget), notes


def _with_error_measured(job: _Job, budget: int) -> _Job:
    """``job`` with the float32 error measured at the end, if that takes a few % of the time and fits the budget."""
    plan = job.plan
    brief = plan.multiply_adds >= 400 * SAMPLES * plan.pass_adds
    peak = plan.peak_bytes + 8 * sum(parameter.numel() for parameter in job.asked.module.parameters())
    if job.asked.dtype != torch.float32 or not brief or peak > budget:
        return job
    return replace(job, plan=replace(plan, peak_bytes=peak), measure=True)


def _fill(job: _Job, store: Tensor, x1: Tensor, x2: Tensor) -> Work[None]:
    """Compute every tile into ``store``. Factors of a block of rows are kept while its blocks of columns pass by."""
    done, total = 0, job.plan.count()
    rows: list[Factor] = []
    held: Span | None = None
    for block in job.plan.blocks:
        if block.rows != held:
            rows.clear()  # before the next are computed: both together may exceed the budget
            rows = yield from _factors(job, x1[block.row_slice], Progress(done, total, "cotangents"))
            held = block.rows
        columns = rows
        if not block.diagonal:
            columns = yield from _factors(job, x2[block.column_slice], Progress(done, total, "cotangents"))
        for tile in job.plan.tiles(block):
            yield Partial("tile", _tile(job, store, rows, columns, block, tile))
            done += 1
            yield Progress(done, total, "tiles")


def _factors(job: _Job, x: Tensor, progress: Progress) -> Work[list[Factor]]:
    """Factors of a block of samples, a chunk at a time."""
    whole: list[Factor] = []
    for start, stop in spans(len(x), job.plan.chunk):
        with threads_for(job.plan.chunk_adds):
            part = job.asked.factors(x[start:stop])
        yield progress
        if stop - start == len(x):
            return part
        whole = whole or [factor.empty(len(x)) for factor in part]
        for target, source in zip(whole, part, strict=True):
            target[start:stop].copy_(source)
    return whole


def _tile(job: _Job, store: Tensor, rows: Factors, columns: Factors, block: Block, tile: Block) -> Tile:
    """Compute a tile of a block into ``store``; its mean over outputs is what watchers see."""
    form = job.form
    i, j = block.rows[0], block.columns[0]
    seen = torch.empty(tile.shape, dtype=store.dtype)
    for part in upper_blocks(*tile.rows, max(1, form.side() // 4)) if tile.diagonal else (tile,):
        with threads_for(job.plan.tile_adds):
            T = form.tile([F[part.row_slice] for F in rows], [F[part.column_slice] for F in columns])
            if part.diagonal:
                T = (T + form.mirrored(T)) / 2  # exactly symmetric, whatever order the sums were taken in
            form.place(store, T, (i + part.rows[0], j + part.columns[0]))
            if part.mirror or block.mirror:
                form.place(store, form.mirrored(T), (j + part.columns[0], i + part.rows[0]))
            _show(seen, form.matrix(T), tile, part)
    here = (i + tile.rows[0], i + tile.rows[1]), (j + tile.columns[0], j + tile.columns[1])
    whole = job.plan.blocks.n1, job.plan.blocks.n2
    return Tile("empirical", whole, *here, seen.numpy(), mirror=tile.mirror or block.mirror)


def _show(seen: Tensor, values: Tensor, tile: Block, part: Block) -> None:
    """Write a part of a tile, and its mirror image if the tile holds that too, into what watchers see."""
    i, j = part.rows[0] - tile.rows[0], part.columns[0] - tile.columns[0]
    seen[i : i + values.shape[0], j : j + values.shape[1]] = values
    if tile.diagonal and part.mirror:
        seen[j : j + values.shape[1], i : i + values.shape[0]] = values.T
