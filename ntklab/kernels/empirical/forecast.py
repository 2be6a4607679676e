"""How long a planned kernel takes, measured on the machine it will run on, and how its layers are treated."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import torch

from ntklab.kernels.empirical.costs import Costs
from ntklab.kernels.empirical.plan import Plan
from ntklab.kernels.empirical.products import inner
from ntklab.kernels.empirical.routes.route import Layer
from ntklab.progress import Forecast, LayerForecast

_WORTH_TIMING = 2e9  # multiply-adds from which measuring the machine's speed is worth its time
_EFFICIENCY = 0.7  # of that speed that the products reach
_RATE = 20e9  # multiply-adds a second where it is not measured


def forecast(
    plan: Plan, cost: Costs, layers: Sequence[Layer], route: str, *, one: float, like: torch.Tensor, tiles: int,
) -> Forecast:  # fmt: skip
    """What the plan needs. A sample of a pass took ``one`` seconds; ``like`` has the dtype and the device."""
    rate = _RATE
    if plan.multiply_adds >= _WORTH_TIMING:
        rate = _EFFICIENCY * _rate(like.dtype, like.device)
    passing = max(0.0, min(one, 10 * cost.pass_adds / rate) - cost.pass_adds / rate)
    seconds = plan.multiply_adds / rate + plan.passes * passing
    return Forecast(plan.peak_bytes, seconds, tiles, route, treated(cost, layers))


def treated(cost: Costs, layers: Sequence[Layer]) -> tuple[LayerForecast, ...]:
    """The layers with the share that each has of the multiply-adds between pairs of samples."""
    adds = {layer.name: layer.adds for layer in cost.layers}
    return tuple(
        LayerForecast(layer.name, layer.rule, layer.why, adds.get(layer.name, 0) / cost.pair_adds) for layer in layers
    )


def _rate(dtype: torch.dtype, device: torch.device) -> float:
    """Multiply-adds a second of a small product."""
    X = torch.ones(128, 2048, dtype=dtype, device=device)
    best = math.inf
    for _ in range(2):
        start = time.perf_counter()
        float(inner(X, X)[0, 0])  # reading a number waits for the device
        best = min(best, time.perf_counter() - start)
    return len(X) * X.numel() / best
