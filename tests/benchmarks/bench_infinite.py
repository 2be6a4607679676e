"""The infinite-width kernel: time against one matrix product of the same inputs, and memory against its forecast.

Run with ``python tests/benchmarks/bench_infinite.py``; nothing is asserted. A ratio is to the product X Xᵀ of the same
inputs in the same precision, timed just before. "neural-tangents" are the seconds of that library on a comparable
machine (two cores), written down once.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ntklab import spec
from ntklab.kernels.infinite import infinite_kernel
from ntklab.progress import Forecast, drain
from ntklab.spec.activations import Activation, Erf, Gelu, Numerical, Relu

MIB = 2**20
FEATURES = 784


@dataclass(frozen=True)
class Case:
    """Dense layers with ``activation`` between them, on ``n`` samples of 784 numbers."""

    activation: Activation
    depth: int
    n: int
    dtype: str = "float64"
    kinds: tuple[str, ...] = ("ntk",)
    budget: int | None = None
    theirs: float | None = None

    @property
    def architecture(self) -> spec.Architecture:
        hidden = [layer for _ in range(self.depth) for layer in (spec.Dense(512, 2**0.5, 0.1), self.activation)]
        return spec.Architecture(spec.Input("vector", (FEATURES,)), (*hidden, spec.Dense(1, 1.0, 0.1)))

    @property
    def samples(self) -> np.ndarray[Any, Any]:
        return np.random.default_rng(0).standard_normal((self.n, FEATURES)).astype(self.dtype)

    @property
    def name(self) -> str:
        function = getattr(self.activation, "fn", type(self.activation).__name__)
        return f"{function} ×{self.depth}"


TANH = Numerical(fn="tanh")
CASES = (
    Case(Relu(), 3, 500, theirs=0.031),
    Case(Relu(), 3, 1000, theirs=0.091),
    Case(Relu(), 3, 2000, theirs=0.22),
    Case(Relu(), 3, 4000, theirs=0.76),
    Case(Relu(), 3, 4000, "float32"),
    Case(Relu(), 3, 4000, kinds=("nngp", "ntk")),
    Case(Relu(), 3, 4000, kinds=("nngp", "ntk"), budget=300 * MIB),
    Case(Relu(), 10, 1000, theirs=0.19),
    Case(Erf(), 3, 1000),
    Case(Gelu(), 3, 1000),
    Case(TANH, 3, 1000, theirs=5.1),
    Case(TANH, 3, 1000, "float32"),
    Case(Numerical(fn="softplus"), 3, 1000),
)


def clock(act: Callable[[], object], rounds: int = 3) -> float:
    """Median seconds, after one call to warm up."""
    act()
    spent = []
    for _ in range(rounds):
        start = time.perf_counter()
        act()
        spent.append(time.perf_counter() - start)
    return statistics.median(spent)


def work(case: Case, x: np.ndarray[Any, Any]) -> Any:
    return infinite_kernel(case.architecture, x, kinds=case.kinds, dtype=case.dtype, memory=case.budget)


def longest_step(case: Case) -> float:
    """Seconds between two events, at worst: how long a cancellation may wait."""
    worst, last = 0.0, time.perf_counter()
    for _ in work(case, case.samples):
        now = time.perf_counter()
        worst, last = max(worst, now - last), now
    return worst


def grown(index: int) -> tuple[int, int]:
    """Bytes that the case adds to a fresh process, and the bytes forecast."""
    done = subprocess.run([sys.executable, __file__, "memory", str(index)], capture_output=True, text=True, check=True)
    growth, forecast = done.stdout.split()
    return int(growth), int(forecast)


def peak_memory() -> int:
    """The most bytes this process has held (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def measure_memory(index: int) -> None:
    """In a fresh process: print the growth of its peak and the forecast."""
    case = CASES[index]
    drain(infinite_kernel(case.architecture, case.samples[:40], dtype=case.dtype))  # loads libraries
    x = case.samples
    before, forecast = peak_memory(), 0
    events = work(case, x)
    first = next(events)
    forecast = first.peak_bytes if isinstance(first, Forecast) else 0
    drain(events)
    print(peak_memory() - before, forecast)


def main() -> None:
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    head = f"{'network':12s} {'N':>5s} {'dtype':8s} {'kinds':9s} {'s':>8s} {'of X Xᵀ':>8s} {'neural-tangents':>16s}"
    print(f"{head} {'step ms':>8s} {'MiB':>6s} {'forecast':>8s}")
    for index, case in enumerate(CASES):
        x = case.samples
        X = torch.from_numpy(x)
        product = clock(lambda: X @ X.T)  # noqa: B023 (called at once)
        spent = clock(lambda: drain(work(case, x)))  # noqa: B023
        growth, forecast = grown(index)
        theirs = "" if case.theirs is None else f"{case.theirs / spent:.1f} times"
        print(
            f"{case.name:12s} {case.n:5d} {case.dtype:8s} {'+'.join(case.kinds):9s} {spent:8.4f} "
            f"{spent / product:8.2f} {theirs:>16s} {1e3 * longest_step(case):8.0f} {growth / MIB:6.0f} "
            f"{forecast / MIB:8.0f}",
            flush=True,
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["memory"]:
        measure_memory(int(sys.argv[2]))
    else:
        main()
