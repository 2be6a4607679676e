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

MIB, GIB = 2**20, 2**30
FEATURES = 784


@dataclass(frozen=True)
class Case:
    """``architecture`` on ``n`` samples of its input's shape; ``theirs`` are the seconds of neural-tangents."""

    name: str
    architecture: spec.Architecture
    n: int
    dtype: str = "float64"
    kinds: tuple[str, ...] = ("ntk",)
    budget: int | None = None
    theirs: float | None = None

    @property
    def samples(self) -> np.ndarray[Any, Any]:
        shape = (self.n, *self.architecture.input.shape)
        return np.random.default_rng(0).standard_normal(shape).astype(self.dtype)


def dense(activation: Activation, depth: int, n: int, **more: Any) -> Case:
    """Dense layers with ``activation`` between them, on 784 numbers."""
    hidden = [layer for _ in range(depth) for layer in (spec.Dense(512, 2**0.5, 0.1), activation)]
    function = getattr(activation, "fn", type(activation).__name__)
    network = spec.Architecture(spec.Input("vector", (FEATURES,)), (*hidden, spec.Dense(1, 1.0, 0.1)))
    return Case(f"{function} ×{depth}", network, n, **more)


def convolutional(end: spec.Layer, shape: tuple[int, int, int], n: int, **more: Any) -> Case:
    """Three 3 × 3 convolutions with ReLU, then ``end``."""
    layer = spec.Conv(64, (3, 3), padding="SAME", W_std=2**0.5, b_std=0.1)
    hidden = [part for _ in range(3) for part in (layer, Relu())]
    network = spec.Architecture(spec.Input("image", shape), (*hidden, end, spec.Dense(1, 1.0, 0.1)))
    return Case(f"CNN {shape[0]}² {type(end).__name__}", network, n, **more)


def transformer(n: int, **more: Any) -> Case:
    """The preset on 16 tokens of 64 numbers."""
    preset = next(preset for preset in spec.PRESETS if preset.title == "Transformer encoder")
    return Case("transformer", preset.make(spec.Input("sequence", (16, 64)), 1), n, **more)


TANH = Numerical(fn="tanh")
FLAT, POOLED = spec.Flatten(), spec.GlobalAvgPool()
CASES = (
    dense(Relu(), 3, 500, theirs=0.031),
    dense(Relu(), 3, 1000, theirs=0.091),
    dense(Relu(), 3, 2000, theirs=0.22),
    dense(Relu(), 3, 4000, theirs=0.76),
    dense(Relu(), 3, 4000, dtype="float32"),
    dense(Relu(), 3, 4000, kinds=("nngp", "ntk")),
    dense(Relu(), 3, 4000, kinds=("nngp", "ntk"), budget=300 * MIB),
    dense(Relu(), 10, 1000, theirs=0.19),
    dense(Erf(), 3, 1000),
    dense(Gelu(), 3, 1000),
    dense(TANH, 3, 1000, theirs=5.1),
    dense(TANH, 3, 1000, dtype="float32"),
    dense(Numerical(fn="softplus"), 3, 1000),
    convolutional(FLAT, (28, 28, 1), 10, theirs=0.005),
    convolutional(FLAT, (28, 28, 1), 50, theirs=0.097),
    convolutional(FLAT, (28, 28, 1), 200, theirs=1.6),
    convolutional(POOLED, (28, 28, 1), 10, theirs=18.8),
    convolutional(POOLED, (28, 28, 1), 10, dtype="float32"),
    convolutional(POOLED, (32, 32, 3), 10, theirs=33.0),
    convolutional(POOLED, (28, 28, 1), 50, budget=4 * GIB),
    transformer(100),
    transformer(100, dtype="float32"),
)


def clock(act: Callable[[], object], rounds: int = 3) -> float:
    """Median seconds, after one call to warm up; of what takes longer than ten seconds that call."""
    start = time.perf_counter()
    act()
    first = time.perf_counter() - start
    if first > 10:
        return first
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
    drain(infinite_kernel(case.architecture, case.samples[:2], dtype=case.dtype))  # loads libraries
    x = case.samples
    before, forecast = peak_memory(), 0
    events = work(case, x)
    first = next(events)
    forecast = first.peak_bytes if isinstance(first, Forecast) else 0
    drain(events)
    print(peak_memory() - before, forecast)


def main() -> None:
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    head = f"{'network':22s} {'N':>5s} {'dtype':8s} {'kinds':9s} {'s':>8s} {'of X Xᵀ':>8s} {'neural-tangents':>16s}"
    print(f"{head} {'step ms':>8s} {'MiB':>6s} {'forecast':>8s}")
    for index, case in enumerate(CASES):
        x = case.samples
        X = torch.from_numpy(x.reshape(case.n, -1))
        product = clock(lambda: X @ X.T)  # noqa: B023 (called at once)
        spent = clock(lambda: drain(work(case, x)))  # noqa: B023
        growth, forecast = grown(index)
        theirs = "" if case.theirs is None else f"{case.theirs / spent:.1f} times"
        print(
            f"{case.name:22s} {case.n:5d} {case.dtype:8s} {'+'.join(case.kinds):9s} {spent:8.4f} "
            f"{spent / product:8.2f} {theirs:>16s} {1e3 * longest_step(case):8.0f} {growth / MIB:6.0f} "
            f"{forecast / MIB:8.0f}",
            flush=True,
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["memory"]:
        measure_memory(int(sys.argv[2]))
    else:
        main()
