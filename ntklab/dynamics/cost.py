"""What training will need, by arithmetic alone."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from ntklab import spec
from ntklab.kernels import budget
from ntklab.progress import Forecast

FLOPS = 3e10  # a second, of one core in float64
DECOMPOSITION = 6  # matrices alive while a kernel is decomposed


def forecast(
    architecture: spec.Architecture,
    training: spec.Training,
    *,
    n: int,
    m: int,
    k: int,
    runs: Sequence[str],
    memory: int | None = None,
) -> Forecast:
    """For ``n`` training and ``m`` test samples of ``k`` outputs: float64 bytes of the kernels, about the seconds.

    The kernels are in the machine's memory whatever computes them. Raises ``MemoryBudgetError`` if they exceed
    ``memory`` (bytes; None takes half of what is free).
    """
    size, parameters = n * k, spec.parameter_count(architecture)
    cross = m * k if "linearised" in runs else 0
    held = (size + cross) * size + ((n + m) * n if "infinite" in runs else 0)
    passing = max(size * max(size, cross), DECOMPOSITION * n * n)  # a kernel while it is computed, or decomposed
    peak = 8 * (held + passing + 4 * parameters)
    _check(peak, memory, n=n, m=m, k=k)
    batch = min(training.batch_size or n, n)
    step = 6 * parameters * batch + 2 * size * batch * k
    recording = 2 * parameters * (n + m) + 2 * (size + cross) * size
    seconds = training.steps * (step + recording) / FLOPS
    return Forecast(peak, seconds, training.steps, route="gradient descent: " + " + ".join(runs))


def _check(peak: int, memory: int | None, *, n: int, m: int, k: int) -> None:
    allowed = budget.resolve(memory)
    fewer = max(1, int(n * sqrt(allowed / peak)))
    budget.require(
        peak, allowed, f"training: the linear model of {n} + {m} samples with {k} outputs",
        f"use at most about {fewer} training samples, or raise the memory budget",
    )  # fmt: skip
