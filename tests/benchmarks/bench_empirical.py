"""The empirical NTK: time, share of the matrix-product peak, memory against its forecast, and the width dial.

Run with ``python tests/benchmarks/bench_empirical.py``; nothing is asserted. The peak is that of ``inner`` on large
float32 matrices, measured just before each case, so that the share means something on a busy machine too. Operations
are those that are needed: a symmetric kernel counts once, and no cotangents below the first layer.
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
from ntklab.kernels.empirical import empirical_ntk
from ntklab.kernels.empirical.products import inner
from ntklab.kernels.empirical.reference import reference_ntk
from ntklab.networks import build
from ntklab.progress import drain
from ntklab.results import Gram
from ntklab.spec.activations import Relu

DIAL = (16, 32, 64, 128, 256, 512, 1024, 2048)
MIB = 2**20


@dataclass(frozen=True)
class Case:
    """A dense network given by its sizes from input to output, on ``n`` samples, within ``budget`` bytes."""

    name: str
    sizes: tuple[int, ...]
    n: int
    outputs: str
    budget: int | None = None

    @property
    def architecture(self) -> spec.Architecture:
        hidden = [layer for width in self.sizes[1:-1] for layer in (spec.Dense(width, 1.5, 0.1), Relu())]
        return spec.Architecture(spec.Input("vector", self.sizes[:1]), (*hidden, spec.Dense(self.sizes[-1], 1.5, 0.1)))

    @property
    def samples(self) -> np.ndarray[Any, Any]:
        return np.random.default_rng(0).standard_normal((self.n, self.sizes[0]))

    @property
    def operations(self) -> float:
        """Floating-point operations that the kernel needs."""
        k, weights = self.sizes[-1], [a * b for a, b in zip(self.sizes, self.sizes[1:], strict=False)]
        passes = self.n * (sum(weights) + k * sum(weights[1:-1]))
        rows = self.n * k if self.outputs == "full" else self.n
        length = sum(self.sizes[1:-1]) * (1 if self.outputs == "full" else k)
        pairs = rows * (rows + 1) / 2 * length + self.n * (self.n + 1) / 2 * sum(self.sizes[:-1])
        return 2 * (passes + pairs)


MLP, WIDE = (784, 512, 512, 10), (784, 2048, 2048, 2048, 10)
CASES = (
    Case("784-512-512-10", MLP, 128, "full"),
    Case("784-512-512-10", MLP, 512, "full"),
    Case("784-512-512-10", MLP, 512, "diagonal"),
    Case("784-512-512-10", MLP, 512, "mean"),
    Case("784-512-512-10", MLP, 1024, "full"),
    Case("784-512-512-10", MLP, 1024, "full", 480 * MIB),
    Case("784-512-512-10", MLP, 4096, "mean"),
    Case("784-512-512-10", MLP, 4096, "mean", 150 * MIB),
    Case("784-2048×3-10", WIDE, 256, "full"),
    Case("784-2048×3-10", WIDE, 256, "full", 140 * MIB),
    Case("784-2048×3-1", (*WIDE[:-1], 1), 256, "full"),
)


def clock(act: Callable[[], object], rounds: int = 5) -> float:
    """Median seconds, after one call to warm up."""
    act()
    spent = []
    for _ in range(rounds):
        start = time.perf_counter()
        act()
        spent.append(time.perf_counter() - start)
    return statistics.median(spent)


def peak_rate() -> float:
    """GFLOP/s of a large float32 product, now."""
    X = torch.randn(3072, 3072)
    return 2 * 3072**3 / clock(lambda: inner(X, X), 3) / 1e9


def kernel(case: Case, model: torch.nn.Module | spec.Architecture) -> Gram:
    return drain(empirical_ntk(model, case.samples, outputs=case.outputs, memory=case.budget))


def longest_step(case: Case, model: torch.nn.Module) -> float:
    """Seconds between two events, at worst: how long a cancellation may wait."""
    worst, last = 0.0, time.perf_counter()
    for _ in empirical_ntk(model, case.samples, outputs=case.outputs, memory=case.budget):
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
    architecture, x = case.architecture, case.samples
    drain(empirical_ntk(Case("", (8, 300, 300, 4), 200, "full").architecture, np.ones((200, 8))))  # loads libraries
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from what is held now
    before = peak_memory()
    work = empirical_ntk(architecture, x, outputs=case.outputs, memory=case.budget)
    forecast = next(work)
    drain(work)
    print(peak_memory() - before, forecast.peak_bytes)  # type: ignore[union-attr]


def table() -> None:
    head = f"{'network':16s} {'N':>5s} {'outputs':8s} {'budget':>7s} {'s':>8s} {'GFLOP/s':>8s} {'of peak':>8s}"
    print(f"{head} {'step ms':>8s} {'MiB':>7s} {'forecast':>8s}")
    for index, case in enumerate(CASES):
        model = build(case.architecture)
        peak, spent = peak_rate(), clock(lambda: kernel(case, model), 3)  # noqa: B023 (called at once)
        rate, (growth, forecast) = case.operations / spent / 1e9, grown(index)
        budget = "" if case.budget is None else f"{case.budget / MIB:.0f}"
        print(
            f"{case.name:16s} {case.n:5d} {case.outputs:8s} {budget:>7s} {spent:8.4f} {rate:8.0f} {rate / peak:8.0%} "
            f"{1e3 * longest_step(case, model):8.0f} {growth / MIB:7.0f} {forecast / MIB:8.0f}"
        )


def against_the_tutorial() -> None:
    """vmap(jacrev) and J Jᵀ, the route of PyTorch's own tutorial, where its memory allows."""
    for name, sizes in (("784-512-512-10", MLP), ("64-2048-2048-1", (64, 2048, 2048, 1))):
        case = Case(name, sizes, 64, "full")
        model, x = build(case.architecture), torch.from_numpy(case.samples).float()
        ours, naive = clock(lambda: kernel(case, model)), clock(lambda: reference_ntk(model, x), 2)  # noqa: B023
        print(f"{name} N=64: {1e3 * ours:.1f} ms, torch.func {1e3 * naive:.0f} ms, {naive / ours:.0f} times")


def width_dial() -> None:
    """A frame: from a spec to the kernel on 64 samples of 64 numbers, two hidden layers, mean over 10 outputs."""
    print(f"{'width':>6s} {'ms':>8s} {'frames/s':>9s} {'of it drawing weights, ms':>26s}")
    for width in DIAL:
        case = Case("", (64, width, width, 10), 64, "mean")
        spent, drawn = clock(lambda: kernel(case, case.architecture), 9), clock(lambda: build(case.architecture), 9)  # noqa: B023
        print(f"{width:6d} {1e3 * spent:8.2f} {1 / spent:9.0f} {1e3 * drawn:26.2f}")


def main() -> None:
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, peak {peak_rate():.0f} GFLOP/s in float32")
    table()
    against_the_tutorial()
    width_dial()


if __name__ == "__main__":
    if sys.argv[1:2] == ["memory"]:
        measure_memory(int(sys.argv[2]))
    else:
        main()
