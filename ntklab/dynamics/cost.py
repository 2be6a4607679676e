"""What training will need, by arithmetic alone."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from ntklab.dynamics import schedule
from ntklab.kernels import budget
from ntklab.progress import Forecast
from ntklab.spec import Training

FLOPS = 3e10  # a second, of one core in float64
NUMBERS = 1e9  # of a kernel that are read in a second
WEIGHTS = 4  # copies of the parameters alive in a step
DECOMPOSITION = 6  # matrices alive while a kernel is decomposed


def forecast(
    network: tuple[int, int],
    training: Training,
    *,
    n: int,
    m: int,
    k: int,
    runs: Sequence[str],
    memory: int | None = None,
) -> Forecast:
    """For ``n`` training and ``m`` test samples of ``k`` outputs: float64 bytes of the kernels, seconds of one core.

    ``network`` is the number of its parameters, and of units behind layers that have some (``Subject.size``).
    The kernels are in the machine's memory whatever computes them. Raises ``MemoryBudgetError`` if they exceed
    ``memory`` (bytes; None takes half of what is free).
    """
    size, parameters = n * k, network[0]
    cross = m * k if "linearised" in runs else 0
    held = (size + cross) * size + ((n + m) * n if "infinite" in runs else 0)
    passing = max(size * max(size, cross), DECOMPOSITION * n * n)  # a kernel while it is computed, or decomposed
    peak = 8 * (held + passing + WEIGHTS * parameters)
    _check(peak, memory, n=n, m=m, k=k, parameters=parameters)
    seconds = _kernels(network, n, m if cross else 0, k) + _steps(training, n, size, cross, parameters)
    return Forecast(peak, seconds, training.steps, route="gradient descent: " + " + ".join(runs))


def _kernels(network: tuple[int, int], n: int, m: int, k: int) -> float:
    """Seconds for the finite kernels at the start, and the dozen of train kernels on the way."""
    parameters, units = network
    passes = 2 * (1 + k) * parameters
    first = (n * n + 2 * n * m) * k * k * units + (2 * n + m) * passes
    snapshot = n * n * k * units + n * passes
    return (first + schedule.SNAPSHOTS * snapshot) / FLOPS


def _steps(training: Training, n: int, size: int, cross: int, parameters: int) -> float:
    """Seconds for the steps of network and linear model, and for recording them."""
    share = min(training.batch_size or n, n) / n
    step = share * (6 * parameters * n / FLOPS + size * size / NUMBERS)
    moment = 2 * parameters * n / FLOPS + cross * size / NUMBERS
    return training.steps * step + len(schedule.recorded(training.steps)) * moment


def _check(peak: int, memory: int | None, *, n: int, m: int, k: int, parameters: int) -> None:
    allowed, weights = budget.resolve(memory), WEIGHTS * 8 * parameters
    fewer = int(n * sqrt(max(0, allowed - weights) / max(1, peak - weights)))
    if fewer:
        what = f"the linear model of {n} + {m} samples with {k} outputs"
        advice = f"use at most about {fewer} training samples"
    else:
        what, advice = f"a network of {parameters} parameters", "use narrower layers"
    budget.require(peak, allowed, f"training: {what}", f"{advice}, or raise the memory budget")
