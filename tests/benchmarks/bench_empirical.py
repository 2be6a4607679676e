"""The empirical NTK: time, memory against its forecast, share of the matrix-product peak, other libraries, the dial.

Run with ``python tests/benchmarks/bench_empirical.py [name …] [--peers PYTHON …] [--rounds N]``; names choose networks
("cnn", "mlp (own)") or sections ("table", "peers", "dial"). Nothing is asserted. The peak is that of ``inner`` on large
float32 matrices, measured between the rounds of each case, so that the share means something on a busy machine too.
Operations of dense networks are those that are needed: a symmetric kernel counts once, and no cotangents below the
first layer. Those of other networks are counted in a run: what the products and convolutions in it did.
Peers run in Pythons of their own (see ``empirical_peers``), by default in this one. On a busy machine set BENCH_CPU=1.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from empirical_cases import CASES, Case, dense
from empirical_clock import BY_CPU, seconds
from empirical_peers import compared
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from ntklab.errors import NtkLabError
from ntklab.kernels.empirical import empirical_ntk
from ntklab.kernels.empirical.products import inner
from ntklab.networks import build
from ntklab.progress import Forecast, drain

DIAL = (16, 32, 64, 128, 256, 512, 1024, 2048)
MIB = 2**20
SHARES = (0.7, 0.8, 0.9)  # of the memory that is taken without a budget: the tightest that the work accepts
COMPARED = (
    Case("mlp", 128), Case("mlp", 512), Case("mlp", 512, "mean"), Case("wide-1", 256),
    Case("cnn", 32), Case("cnn", 32, "mean"), Case("transformer", 32), Case("transformer", 32, "mean"),
)  # fmt: skip


@dataclass(frozen=True)
class Prepared:
    """A case whose module and samples are made."""

    case: Case
    model: nn.Module
    x: torch.Tensor

    @classmethod
    def of(cls, case: Case) -> Prepared:
        return cls(case, case.module(), case.samples())

    def kernel(self, memory: int | None = None) -> Any:
        return drain(self.work(memory))

    def work(self, memory: int | None = None) -> Any:
        return empirical_ntk(self.model, self.x, outputs=self.case.outputs, memory=memory)

    def forecast(self, memory: int | None = None) -> Forecast:
        """Of the work, which is not done."""
        work = self.work(memory)
        event = next(work)
        work.close()
        assert isinstance(event, Forecast)
        return event


def clock(act: Callable[[], object], rounds: int = 5) -> float:
    """Median seconds, after one call to warm up."""
    act()
    return statistics.median(seconds(act) for _ in range(rounds))


def peak_rate(rounds: int = 1) -> float:
    """GFLOP/s of a large float32 product, now."""
    X = torch.randn(3072, 3072)
    return 2 * 3072**3 / min(seconds(lambda: inner(X, X)) for _ in range(rounds)) / 1e9


def operations(prepared: Prepared) -> float:
    """Floating-point operations: what a dense network needs, what any other did."""
    layers = [
        module for module in prepared.model.modules() if isinstance(getattr(module, "weight", None), nn.Parameter)
    ]
    if prepared.x.ndim > 2:
        return counted(prepared)
    sizes = [prepared.x.shape[1], *(len(layer.weight) for layer in layers)]  # type: ignore[arg-type]
    n, k, weights = len(prepared.x), sizes[-1], [a * b for a, b in pairwise(sizes)]
    full = prepared.case.outputs == "full"
    rows, length = (n * k, sum(sizes[1:-1])) if full else (n, k * sum(sizes[1:-1]))
    pairs = rows * (rows + 1) / 2 * length + n * (n + 1) / 2 * sum(sizes[:-1])
    return 2 * (n * (sum(weights) + k * sum(weights[1:-1])) + pairs)


def counted(prepared: Prepared) -> float:
    """Operations of all products and convolutions in a run."""

    def linear(x: Any, w: Any, *_: Any, **__: Any) -> int:
        return 2 * x[:-1].numel() * x[-1] * w[0]

    with FlopCounterMode(display=False, custom_mapping={torch.ops.mkldnn._linear_pointwise: linear}) as counter:
        prepared.kernel()
    return float(counter.get_total_flops())


def longest_step(prepared: Prepared) -> float:
    """Seconds between two events, at worst: how long a cancellation may wait."""
    worst, last = 0.0, time.perf_counter()
    for _ in prepared.work():
        now = time.perf_counter()
        worst, last = max(worst, now - last), now
    return worst


def tight(prepared: Prepared) -> int:
    """A budget that makes the work take smaller pieces."""
    free = prepared.forecast().peak_bytes
    for share in SHARES:
        try:
            prepared.forecast(int(share * free))
        except NtkLabError:
            continue
        return int(share * free)
    return free


def grown(index: int, budget: int | None) -> str:
    """How many MiB a case adds to a fresh process, and how many are forecast."""
    command = [sys.executable, __file__, "--memory", str(index), str(budget or 0)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return f"{'failed':>6s} {'':>8s}"
    growth, forecast = (int(word) / MIB for word in done.stdout.split())
    return f"{growth:6.0f} {forecast:8.0f}"


def peak_memory() -> int:
    """The most bytes this process has held (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def measure_memory(index: int, budget: int | None) -> None:
    """In a fresh process: print the growth of its peak and the forecast."""
    case = CASES[index]
    prepared = Prepared.of(case)
    Prepared.of(case.of(2)).kernel()  # loads libraries
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from what is held now
    before = peak_memory()
    work = prepared.work(budget)
    forecast = next(work)
    drain(work)
    print(peak_memory() - before, forecast.peak_bytes)


def table(names: list[str], rounds: int) -> None:
    head = f"{'network':18s} {'N':>5s} {'outputs':7s} {'s':>8s} {'GFLOP/s':>8s} {'of peak':>7s} {'step ms':>7s}"
    print(f"{head} {'MiB':>6s} {'forecast':>8s} {'budget':>6s} {'MiB':>6s} {'forecast':>8s}  route")
    for index, case in enumerate(CASES):
        if not names or any(name in case.name for name in names):
            print(f"{case.name:18s} {case.n:5d} {case.outputs:7s} ", end="", flush=True)
            try:
                print(row(index, rounds), flush=True)
            except NtkLabError as error:
                print(str(error)[:100], flush=True)


def row(index: int, rounds: int) -> str:
    prepared = Prepared.of(CASES[index])
    prepared.kernel()
    spent, peaks = [], [peak_rate()]
    for _ in range(rounds):
        spent.append(seconds(prepared.kernel))
        peaks.append(peak_rate())
    rate, budget = operations(prepared) / min(spent) / 1e9, tight(prepared)
    step, route = longest_step(prepared), drain(prepared.work()).provenance.route
    return (
        f"{min(spent):8.4f} {rate:8.0f} {rate / max(peaks):7.0%} {1e3 * step:7.0f} "
        f"{grown(index, None)} {budget / MIB:6.0f} {grown(index, budget)}  {route}"
    )


def width_dial() -> None:
    """A frame: from a spec to the kernel on 64 samples of 64 numbers, two hidden layers, mean over 10 outputs."""
    print(f"{'width':>6s} {'ms':>8s} {'frames/s':>9s} {'of it drawing weights, ms':>26s}")
    x = torch.randn(64, 64)
    for width in DIAL:
        network = dense(64, width, width, 10)
        spent = clock(lambda: drain(empirical_ntk(network, x, outputs="mean")), 9)  # noqa: B023 (called at once)
        drawn = clock(lambda: build(network), 9)  # noqa: B023
        print(f"{width:6d} {1e3 * spent:8.2f} {1 / spent:9.0f} {1e3 * drawn:26.2f}", flush=True)


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("names", nargs="*")
    asked.add_argument("--peers", nargs="*", default=[], metavar="PYTHON")
    asked.add_argument("--rounds", type=int, default=5)
    asked.add_argument("--memory", nargs=2, type=int, help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.memory:
        measure_memory(given.memory[0], given.memory[1] or None)
        return
    sections = {"table", "peers", "dial"}.intersection(given.names) or {"table", "peers", "dial"}
    names = [name for name in given.names if name not in sections]
    if BY_CPU:
        torch.set_num_threads(1)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, peak {peak_rate(3):.0f} GFLOP/s in float32")
    if "table" in sections:
        table(names, given.rounds)
    if "peers" in sections:
        cases = [case for case in COMPARED if not names or any(name in case.name for name in names)]
        pythons = [sys.executable, *given.peers]
        compared(cases, lambda case: Prepared.of(case).kernel, pythons, given.rounds)
    if "dial" in sections:
        width_dial()


if __name__ == "__main__":
    main()
