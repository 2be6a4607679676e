"""How large the tiles may be, and what the work will need."""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt

import torch

from ntklab.kernels import budget
from ntklab.kernels.infinite.form import Form
from ntklab.kernels.infinite.inputs import Inputs
from ntklab.kernels.infinite.state import Cost
from ntklab.kernels.tiles import Span, TilePlan, edge_for_seconds, even_edge, fitting_edge, spans
from ntklab.progress import Forecast

REMEDY = "use fewer samples, smaller inputs, dtype='float32' or one kind of kernel, or allow more memory"
_TRANSIENT = 4  # a table is made in float64 from parts of its own size
_FLOPS = {4: 8e10, 8: 4e10}  # of a matrix product on one thread, by bytes a number
_CUDA_SPEED = 40.0  # of a GPU against one thread, at elementwise work
_HEAP = 8 << 20  # bytes that the process takes and cannot fill
_THREAD = 8 << 20  # bytes that a further thread takes for itself
_CACHED = {"cpu": 1 << 16, "cuda": 1 << 22}  # numbers of a tile: fits the cache; keeps a GPU busy
_CHUNK = 1 << 18  # numbers of a chunk of samples alone


@dataclass(frozen=True)
class Plan:
    """The tiles to compute, ``workers`` of them at the same time, and the forecast to show before.

    ``chunks`` are the samples (start, stop) to take alone at the same time, before any tile.
    """

    tiles: TilePlan
    chunks: tuple[Span, ...]
    forecast: Forecast
    workers: int


def plan_of(
    cost: Cost, data: Inputs, forms: tuple[Form, Form], kinds: int, *, memory: int | None, swept: bool = False
) -> Plan:
    """A plan inside the budget; ``forms`` are those of the input and of the output.

    ``swept`` networks are taken offset by offset: a pair takes long, but stops between them.

    Raises ``MemoryBudgetError`` where the results and a single pair of samples exceed it.
    """
    on_cpu, size = data.X.device.type == "cpu", data.X.element_size()
    rows, columns = data.shape
    allowed = budget.resolve(memory, data.X.device)
    fixed = _HEAP + data.bytes + data.samples * _TRANSIENT * cost.table
    fixed += kinds * rows * columns * size * forms[1].entries if on_cpu else 0
    pair_bytes = int(size * (cost.held + 2 * kinds * forms[1].entries + (0 if swept else forms[0].entries)))
    alone_bytes = pair_bytes * 8 // size
    what = f"the infinite-width kernel of {rows} × {columns} samples"
    budget.require(fixed + max(pair_bytes, alone_bytes), allowed, what, REMEDY)
    seconds = _pair_seconds(cost, data)
    workers = _workers(allowed - fixed, pair_bytes) if on_cpu else 1
    fixed += _THREAD * (workers - 1)
    most = min(_most(cost, kinds, data, swept=swept), _shared(max(rows, columns), workers, swept=swept))
    if not swept:
        most = min(most, edge_for_seconds(seconds))
    edge = max(1, fitting_edge(allowed - fixed, workers * pair_bytes, most=max(1, most)))
    tiles = TilePlan(rows, columns, even_edge(max(rows, columns), edge), symmetric=data.symmetric)
    workers = min(workers, len(tiles))
    chunks = _chunks(cost, data.samples, allowed - fixed, alone_bytes)
    pairs = rows * (columns + edge) / 2 if data.symmetric else rows * columns
    tile_bytes = workers * pair_bytes * min(tiles.edge, rows) * min(tiles.edge, columns)
    forecast = Forecast(
        peak_bytes=fixed + max(tile_bytes, alone_bytes * (chunks[0][1] - chunks[0][0])),
        seconds=(pairs / (workers if on_cpu else _CUDA_SPEED) + data.samples) * seconds,
        tiles=len(tiles),
        route="infinite width",
    )
    return Plan(tiles, chunks, forecast, workers)


def _most(cost: Cost, kinds: int, data: Inputs, *, swept: bool) -> int:
    """The edge of a tile of good size: what an operation works on stays in the cache."""
    kind = data.X.device.type
    numbers = max(1.0, cost.span if swept else cost.held / (8 * kinds))
    cached = _CACHED[kind] * (3 * 8 // data.X.element_size() if swept else 1)
    return max(1, isqrt(int(cached / numbers)))


def _chunks(cost: Cost, samples: int, free: int, alone_bytes: int) -> tuple[Span, ...]:
    most = max(1, int(_CHUNK / max(1.0, cost.held / 4)))
    return spans(samples, max(1, min(samples, most, free // max(1, alone_bytes))))


def _workers(free: int, pair_bytes: int) -> int:
    """As many as torch has threads, or one where tiles for all of them would be small."""
    workers = torch.get_num_threads()
    return workers if free >= workers * (_THREAD + min(64**2 * pair_bytes, 1 << 26)) else 1


def _shared(count: int, workers: int, *, swept: bool) -> int:
    """An edge that leaves every worker something to do, but is not so small that overhead counts."""
    return count if workers == 1 else max(1 if swept else 64, -(-count // (2 * workers)))


def _pair_seconds(cost: Cost, data: Inputs) -> float:
    """On one thread: the steps, the input kernel, and storing the results."""
    size = data.X.element_size()
    return (cost.nanoseconds + 4) * 1e-9 * size / 8 + 2 * data.X[..., 0, :].numel() / _FLOPS[size]
