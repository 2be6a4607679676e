"""A look at a few samples before the work starts: what it costs, and how it is cut."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from ntklab.errors import MemoryBudgetError, NtkLabError
from ntklab.kernels.budget import require, resolve
from ntklab.kernels.empirical.costs import Costs, costs
from ntklab.kernels.empirical.engine import Job
from ntklab.kernels.empirical.forms import Form
from ntklab.kernels.empirical.plan import REMEDY, Plan, make_plan
from ntklab.kernels.empirical.precision import SAMPLES
from ntklab.kernels.empirical.subject import Subject

_LONG = 1e9  # multiply-adds beside which copying a network takes no time
Samples = ArrayLike | Tensor


@dataclass(frozen=True)
class Terms:
    """What the plan keeps to: ``memory`` bytes, None for a share of what is free; whether ``parts`` are kept too.

    ``edges`` are sides of the tiles of a store to try, best first, of which ``copies`` are held at a time, with
    ``beside`` bytes of its own; without edges the kernel is held.
    """

    memory: int | None
    parts: bool = False
    edges: tuple[int, ...] = ()
    copies: int = 1
    beside: int = 0


@dataclass(frozen=True, eq=False)
class Ready:
    """A job, what it costs, and the seconds of ``one`` sample in a pass; ``measure`` the error at its end.

    ``edge`` is the side of the tiles of the store, where there is one.
    """

    job: Job
    cost: Costs
    one: float
    edge: int | None = None
    measure: bool = False


def prepared(
    asked: Subject, what: type[Form], rows: Tensor, columns: Tensor | None, terms: Terms, *, held: int
) -> Ready:  # fmt: skip
    """Choose the way to the factors, check it, and plan. ``held`` bytes were taken for the network and the samples."""
    asked = asked.ready(rows)
    x = rows[:1]
    start = time.perf_counter()
    factors = asked.factors(x)
    one = time.perf_counter() - start
    if not factors:
        raise NtkLabError("empirical NTK: no trained parameter affects the outputs; train one with requires_grad_()")
    layout = what(asked.outputs(x))
    cost = costs(
        factors, asked.route.needs(x, layout.k), layout, item=asked.dtype.itemsize, fixed=held + terms.beside,
        order=[layer.name for layer in asked.route.layers], parts=terms.parts,
    )  # fmt: skip
    budget = resolve(terms.memory, asked.device)
    n1, n2 = len(rows), None if columns is None else len(columns)
    if asked.device.type != "cpu":
        result = _on_host(n1, n2 or n1, cost, terms)
        require(result, resolve(None), "the result, which is kept in the memory of the host,", REMEDY)
        budget += result  # the plan counts it, the device does not hold it
    plan, edge = _plan(n1, n2, cost, layout, terms, budget)
    job = Job(asked, layout, plan, rows, rows if columns is None else columns)
    return _with_error_measured(Ready(job, cost, one, edge), budget)


def _on_host(n1: int, n2: int, cost: Costs, terms: Terms) -> int:
    pairs = terms.copies * terms.edges[-1] ** 2 if terms.edges else n1 * n2
    return pairs * cost.pair_bytes


def _plan(
    n1: int, n2: int | None, cost: Costs, layout: Form, terms: Terms, budget: int
) -> tuple[Plan, int | None]:  # fmt: skip
    """The plan, for a store with the largest tiles that fit."""
    if not terms.edges:
        return make_plan(n1, n2, cost, side=layout.side(), budget=budget), None
    for edge in terms.edges[:-1]:
        try:
            return make_plan(n1, n2, cost, side=layout.side(), budget=budget, edge=edge, copies=terms.copies), edge
        except MemoryBudgetError:
            continue
    edge = terms.edges[-1]
    return make_plan(n1, n2, cost, side=layout.side(), budget=budget, edge=edge, copies=terms.copies), edge


def own_bytes(module: nn.Module, given: object, samples: Sequence[tuple[Tensor | None, Samples | None]]) -> int:
    """Of the network and of the samples that were made or copied from what was ``given``."""
    size = sum(x.nbytes for x, source in samples if x is not None and not _shares(x, source))
    theirs = {tensor.data_ptr() for tensor in _tensors(given)} if isinstance(given, nn.Module) else set()
    return size + sum(tensor.nbytes for tensor in _tensors(module) if tensor.data_ptr() not in theirs)


def _tensors(module: nn.Module) -> list[Tensor]:
    return [*module.parameters(), *module.buffers()]


def _shares(x: Tensor, source: Samples | None) -> bool:
    """Whether ``x`` holds the numbers of what was given, without a copy."""
    if isinstance(source, Tensor):
        return x.data_ptr() == source.data_ptr()
    return isinstance(source, np.ndarray) and x.device.type == "cpu" and np.may_share_memory(x.numpy(), source)


def _with_error_measured(ready: Ready, budget: int) -> Ready:
    """``ready`` with the float32 error measured at the end, if that takes a few % of the time and fits the budget."""
    plan, asked = ready.job.plan, ready.job.asked
    brief = plan.multiply_adds >= _LONG + 400 * SAMPLES * plan.pass_adds
    if asked.dtype != torch.float32 or not brief:
        return ready
    peak = _peak_of_error(ready)
    if peak > budget:
        return ready
    job = replace(ready.job, plan=replace(plan, peak_bytes=max(plan.peak_bytes, peak)))
    return replace(ready, job=job, measure=True)


def _peak_of_error(ready: Ready) -> int:
    """Bytes at the end: the result, the network in float64, and a few samples on their way through it."""
    blocks, cost = ready.job.plan.blocks, ready.cost
    result = 0 if ready.edge else blocks.n1 * blocks.n2 * cost.pair_bytes
    return cost.fixed + result + 2 * (cost.item * cost.weights + SAMPLES * (cost.passing + 3 * cost.kept))
