"""How long a planned kernel takes, measured on the machine it will run on, and how its layers are treated."""

from __future__ import annotations

import math
import time

import torch

from ntklab.kernels.empirical.costs import Costs
from ntklab.kernels.empirical.engine import Job
from ntklab.kernels.empirical.products import inner
from ntklab.progress import Forecast, LayerForecast

_WORTH_TIMING = 2e9  # multiply-adds from which measuring the machine's speed is worth its time
_EFFICIENCY = 0.7  # of that speed that the products reach
_TRIES = 6  # the fastest counts: others were interrupted
_RATE = 20e9  # multiply-adds a second where it is not measured


def forecast(job: Job, cost: Costs, *, one: float, tiles: int, left: float) -> Forecast:
    """What a job needs. A sample of a pass took ``one`` seconds; ``left`` is the share that is not in a store yet."""
    plan, route = job.plan, job.asked.route
    rate = _RATE
    if plan.multiply_adds >= _WORTH_TIMING:
        rate = _EFFICIENCY * _measured_rate(job.asked.dtype, job.asked.device)
    passing = max(0.0, min(one, 10 * cost.pass_adds / rate) - cost.pass_adds / rate)
    seconds = left * (plan.multiply_adds / rate + plan.passes * passing)
    return Forecast(plan.peak_bytes, seconds, tiles, route.name, treated(job, cost))


def treated(job: Job, cost: Costs) -> tuple[LayerForecast, ...]:
    """The layers with the share that each has of the multiply-adds between pairs of samples."""
    adds = {layer.name: layer.adds for layer in cost.layers}
    sizes = {name: parameter.numel() for name, parameter in job.asked.module.named_parameters()}
    return tuple(
        LayerForecast(
            layer.name, layer.rule, layer.why, adds.get(layer.name, 0) / cost.pair_adds,
            parameters=sum(sizes.get(name, 0) for name in layer.parameters),
        )
        for layer in job.asked.route.layers
    )  # fmt: skip


def _measured_rate(dtype: torch.dtype, device: torch.device) -> float:
    """Multiply-adds a second of a small product."""
    X = torch.ones(128, 2048, dtype=dtype, device=device)
    best = math.inf
    for _ in range(_TRIES):
        start = time.perf_counter()
        float(inner(X, X)[0, 0])  # reading a number waits for the device
        best = min(best, time.perf_counter() - start)
    return len(X) * X.numel() / best
