"""How large the tiles may be, and what the work will need."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ntklab.kernels import budget
from ntklab.kernels.infinite.inputs import Inputs
from ntklab.kernels.infinite.state import Cost
from ntklab.kernels.tiles import TilePlan, edge_for_seconds, even_edge, fitting_edge
from ntklab.progress import Forecast

REMEDY = "use fewer samples, dtype='float32' or one kind of kernel, or allow more memory"
_TRANSIENT = 4  # a table is made in float64 from parts of its own size
_FLOPS = {4: 8e10, 8: 4e10}  # of a matrix product on one thread, by bytes a number
_CUDA_SPEED = 40.0  # of a GPU against one thread, at elementwise work
_HELD = 7  # tiles a worker: S, T and a product of its own, and two results of two kinds that wait
_THREAD = 8 << 20  # bytes that a further thread takes for itself
_EDGE = {"cpu": 256, "cuda": 2048}  # fits the cache; keeps a GPU busy


@dataclass(frozen=True)
class Plan:
    """The tiles to compute, ``workers`` of them at the same time, and the forecast to show before."""

    tiles: TilePlan
    forecast: Forecast
    workers: int


def plan_of(cost: Cost, data: Inputs, kinds: int, memory: int | None) -> Plan:
    """A plan inside the budget. Raises ``MemoryBudgetError`` where results and tables alone exceed it."""
    on_cpu, size = data.X.device.type == "cpu", data.X.element_size()
    rows, columns = data.shape
    allowed = budget.resolve(memory, data.X.device)
    fixed = len(data.X) * (data.X.shape[1] * size + _TRANSIENT * cost.table)
    fixed += kinds * rows * columns * size if on_cpu else 0
    pair_bytes, pair_seconds = size * (_HELD + cost.buffers), _pair_seconds(cost, data)
    what = f"the infinite-width kernel of {rows} × {columns} samples"
    budget.require(fixed + pair_bytes, allowed, what, REMEDY)
    workers = _workers(allowed - fixed, pair_bytes) if on_cpu else 1
    fixed += _THREAD * (workers - 1)
    most = min(_EDGE[data.X.device.type], edge_for_seconds(pair_seconds), _shared(max(rows, columns), workers))
    edge = max(1, fitting_edge(allowed - fixed, workers * pair_bytes, most=most))
    edge = even_edge(max(rows, columns), edge)
    tiles = TilePlan(rows, columns, edge, symmetric=data.symmetric)
    workers = min(workers, len(tiles))
    pairs = rows * (columns + edge) / 2 if data.symmetric else rows * columns
    forecast = Forecast(
        peak_bytes=fixed + workers * pair_bytes * min(edge, rows) * min(edge, columns),
        seconds=pairs * pair_seconds / (workers if on_cpu else _CUDA_SPEED),
        tiles=len(tiles),
        route="infinite width",
    )
    return Plan(tiles, forecast, workers)


def _workers(free: int, pair_bytes: int) -> int:
    """As many as torch has threads, or one where tiles for all of them would be small."""
    workers = torch.get_num_threads()
    return workers if free >= workers * (_THREAD + 64**2 * pair_bytes) else 1


def _shared(count: int, workers: int) -> int:
    """An edge that leaves every worker something to do, but is not so small that overhead counts."""
    return count if workers == 1 else max(64, -(-count // (2 * workers)))


def _pair_seconds(cost: Cost, data: Inputs) -> float:
    """On one thread: the steps, the input kernel, and storing the results."""
    size = data.X.element_size()
    return (cost.nanoseconds + 4) * 1e-9 * size / 8 + 2 * data.X.shape[1] / _FLOPS[size]
