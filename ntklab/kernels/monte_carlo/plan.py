"""How the work is cut to fit its memory, and what it will cost, seen on one network and two samples."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from math import prod

from ntklab import spec
from ntklab.kernels import budget
from ntklab.kernels.budget import WORKSPACE
from ntklab.kernels.monte_carlo.network import Drawn, drawn
from ntklab.kernels.monte_carlo.request import Request
from ntklab.kernels.threads import threads_for
from ntklab.kernels.tiles import TilePlan, even_edge, fitting_edge
from ntklab.networks import torch_dtype
from ntklab.progress import Forecast, T

REMEDY = "use fewer samples, fewer or smaller widths or a single kind, or raise memory"
AHEAD = 3
"""Networks held at a time: one in use, and those drawn ahead."""

_FEW = 2  # samples that show what a network costs
_TRIES = 3  # the fastest counts: others were interrupted, or load what is loaded once
_MOMENT = 0.5  # seconds
_CHUNK_OPERATIONS = 4e9  # in one pass of a chunk of samples: below 0.1 s
_TILE_BYTES = 32  # a pair of a tile: the products, and what Welford's update needs
_UPDATE = 2e-8  # seconds to take a pair into the moments


@dataclass(frozen=True)
class Plan:
    """``tiles`` of the NNGP kernel, ``chunk`` samples a pass, ``memory`` bytes for the NTK of a network,
    with the work space of the process, which the NTK's own plan counts.

    ``streams``: there is room to hand out the state after each round.
    """

    tiles: TilePlan
    chunk: int
    memory: int
    streams: bool
    forecast: Forecast


def plan_of(request: Request, memory: int | None) -> Plan:
    """A plan inside the budget. Draws a network of each width. Raises ``MemoryBudgetError`` and what drawing raises."""
    allowed = budget.resolve(memory, request.device)
    estimates, snapshot = _estimate_bytes(request)
    on_host = request.device.type == "cpu"
    if not on_host:
        budget.require(estimates + snapshot, budget.resolve(None), "the estimates, which the host keeps,", REMEDY)
    fixed = _network_bytes(request) + (estimates if on_host else 0)
    chunk = _chunk(request, (allowed - fixed) // 4)
    fixed += chunk * _pass_bytes(request)
    n1, n2 = request.shape
    what = f"the Monte Carlo estimate of {n1} × {n2} samples"
    budget.require(fixed + 2 * _TILE_BYTES, allowed, what, REMEDY)
    streams = not on_host or fixed + snapshot <= 0.8 * allowed
    fixed += snapshot if streams and on_host else 0
    edge = even_edge(max(n1, n2), max(1, fitting_edge((allowed - fixed) // 2, _TILE_BYTES, most=512)))
    plan = Plan(
        TilePlan(n1, n2, edge, symmetric=request.symmetric), chunk, allowed - fixed + WORKSPACE, streams,
        Forecast(fixed + _TILE_BYTES * edge * edge, tiles=request.total, route=_route(request)),
    )  # fmt: skip
    return replace(plan, forecast=_forecast(request, plan, fixed))


def _estimate_bytes(request: Request) -> tuple[int, int]:
    """Of the moments; and of two copies to hand out, as the reader may hold one while the next is made."""
    n1, n2 = request.shape
    arrays, limit = 2 * len(request.widths), request.weights is not None
    pair = 8 * len(request.kinds) * n1 * n2
    return pair * (arrays + 3 * limit), 2 * pair * (arrays + 2 * limit)


def _network_bytes(request: Request) -> int:
    """Of the networks, the samples and their features."""
    widest = request.networks[-1]
    n1, n2 = request.shape
    samples = n1 + (0 if request.symmetric else n2)
    features = spec.layer_shapes(widest)[-1].before
    held = AHEAD * spec.parameter_count(widest) + samples * (prod(widest.input.shape) + 2 * prod(features))
    return WORKSPACE + _item(request) * held


def _pass_bytes(request: Request) -> int:
    """Of a sample on its way through the network, where a layer and the next are alive, and branches."""
    return 4 * _item(request) * max(prod(shape.after) for shape in spec.layer_shapes(request.networks[-1]))


def _chunk(request: Request, free: int) -> int:
    """Samples in one pass: what fits, and what takes no longer than a moment."""
    shapes = spec.layer_shapes(request.networks[-1])
    operations = sum(shape.parameters * prod(shape.after[:-1]) for shape in shapes)
    fitting = min(free // max(_pass_bytes(request), 1), int(_CHUNK_OPERATIONS / max(operations, 1)))
    return max(1, min(fitting, max(request.shape)))


def _item(request: Request) -> int:
    return torch_dtype(request.dtype).itemsize


def _route(request: Request) -> str:
    at = "widths as written" if request.widths == (0,) else f"widths {', '.join(map(str, request.widths))}"
    return f"{len(request.seeds)} networks each at {at}"


def _forecast(request: Request, plan: Plan, fixed: int) -> Forecast:
    """Peak and seconds: a network of each width is drawn, and timed on two samples."""
    n1, n2 = request.shape
    updates = _UPDATE * n1 * n2 * len(request.kinds) * (1 + (request.weights is not None))
    seconds, peak = 0.0, plan.forecast.peak_bytes
    for width in range(len(request.widths)):
        draw, network = _timed(lambda width=width: drawn(request)((width, request.seeds[0])))  # type: ignore[misc]
        ntk = _ntk_forecast(network, plan) if "ntk" in request.kinds else Forecast(0, 0.0)
        peak = max(peak, fixed - WORKSPACE + ntk.peak_bytes)
        few = replace(network, request=replace(request, samples=request.samples.first(_FEW)))
        seconds += draw + 1.2 * (ntk.seconds or 0.0) + _overhead(few, plan) + updates
    return replace(plan.forecast, peak_bytes=peak, seconds=len(request.seeds) * seconds)


def _overhead(network: Drawn, plan: Plan) -> float:
    """Seconds of all that is done with a network of few samples; again where a moment is all it takes."""
    best = _timed(lambda: _run_through(network, plan))[0]
    for _ in range(_TRIES - 1 if best < _MOMENT else 0):
        best = min(best, _timed(lambda: _run_through(network, plan))[0])
    return best


def _run_through(network: Drawn, plan: Plan) -> None:
    """Everything that is done with a network, on a few samples."""
    n1, n2 = network.request.shape
    network.sides.clear()
    for _ in network.see(plan.chunk):
        pass
    for _ in network.nngp(TilePlan(n1, n2, max(n1, n2), symmetric=network.request.symmetric)):
        pass
    if "ntk" in network.request.kinds:
        for _ in network.ntk(plan.memory):
            pass


def _ntk_forecast(network: Drawn, plan: Plan) -> Forecast:
    with closing(network.ntk(plan.memory)) as pieces, threads_for(0):
        first = next(pieces)
    assert isinstance(first, Forecast), "the NTK begins with its forecast"
    return first


def _timed(act: Callable[[], T]) -> tuple[float, T]:
    began = time.perf_counter()
    result = act()
    return time.perf_counter() - began, result
