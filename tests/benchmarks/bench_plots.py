"""Prints what plots cost on this machine, in ms: first paint, pan, change of levels, streaming.

Run with ``python tests/benchmarks/bench_plots.py [size …]``; nothing is asserted.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtWidgets import QApplication

from ntklab.figures.model import Axis, Curves, Heatmap, Norm, Plane, Points, Role, Series
from ntklab.gui import theme
from ntklab.gui.plots import PlotView
from ntklab.gui.plots.heatmap import HeatmapContent
from ntklab.gui.plots.page import Span

ROUNDS = 30


def timed(name: str, act: Callable[[int], object], rounds: int = ROUNDS) -> None:
    """Print the median and the worst of ``act(k)`` with the repaint it causes, and the median processor time."""
    wall, busy = [], []
    for k in range(rounds):
        start, start_busy = time.perf_counter(), time.thread_time()
        act(k)
        APP.processEvents()
        wall.append(1e3 * (time.perf_counter() - start))
        busy.append(1e3 * (time.thread_time() - start_busy))
    middle = rounds // 2
    print(f"  {name:<40} median {sorted(wall)[middle]:7.2f}   worst {max(wall):7.2f}   cpu {sorted(busy)[middle]:7.2f}")


def heatmap(n: int) -> Heatmap:
    """A smooth kernel with noise, (n, n) float32."""
    t = np.linspace(0, 6, n, dtype=np.float32)
    values = np.cos(t[:, None] - t[None]) + 0.1 * np.random.default_rng(0).random((n, n), dtype=np.float32)
    return Heatmap("NTK", values, Norm("linear", -1.0, 1.1), "Θ")


def large(n: int) -> None:
    """One big matrix: what a user feels."""
    print(f"heat map {n}²")
    figure = heatmap(n)
    view = PlotView()
    view.resize(900, 900)
    view.show()
    APP.processEvents()
    timed("first paint", lambda _: view.show_figure(figure), 1)
    gaps, start = [], time.perf_counter()
    content = view.canvas.content
    assert isinstance(content, HeatmapContent)
    while content.loading:
        before = time.perf_counter()
        APP.processEvents()
        gaps.append(1e3 * (time.perf_counter() - before))
    total = 1e3 * (time.perf_counter() - start)
    print(f"  {'pyramid, in the background':<40} total  {total:8.2f}   gap   {max(gaps, default=0):7.2f}")
    q = n // 4
    view.canvas.show_span(Span(0, q, 0, q))
    timed("pan, a quarter in view", lambda k: view.canvas.show_span(Span(k * 3, q + k * 3, k * 2, q + k * 2)))
    view.canvas.fit()
    timed("zoom", lambda _: view.canvas.zoom(0.93), 20)
    view.canvas.fit()
    timed(
        "change of levels",
        lambda k: content.matrix.set_colours(Norm("linear", -1, 1 + k / 10), content.look.table("sequential")),
    )
    timed("change of theme", lambda k: theme.apply(APP, "dark" if k % 2 else "light"), 6)
    timed("read-out", lambda k: view.canvas.read_at(200.0 + k, 300.0))
    two = figure.values, figure.values.copy()
    timed("new values of the same matrix", lambda k: view.update_heatmap_values(two[k % 2]), 6)
    view.close()


def losses(points: int, start: int) -> Curves:
    """Six noisy losses on a log axis, of which the first ``start`` steps are there."""
    t = np.arange(1.0, start + 1)
    noise = 0.01 * np.random.default_rng(0).random(start)
    roles: tuple[Role, ...] = ("network", "linearised", "infinite")
    series = [Series(f"run {r}", t, np.exp(-t / points * (r + 1)) + noise, roles[r % 3]) for r in range(6)]
    return Curves("Loss", Axis("step"), Axis("loss", scale="log"), tuple(series))


def spectrum(seed: int) -> Curves:
    """A line and 64 dots."""
    k = np.arange(1.0, 65.0)
    noisy = k**-2 * np.random.default_rng(seed).uniform(0.8, 1.2, 64)
    series = Series("analytic", k, k**-2, "analytic"), Series("empirical", k, noisy, "empirical", "dots")
    return Curves("Spectrum", Axis("mode k", scale="log"), Axis("λ", scale="log", limits=(1e-4, 10.0)), series)


def function(points: int, step: int) -> Plane:
    """Two classes of points, coloured by values that change at every step."""
    roles: tuple[Role, ...] = ("class0", "class1")
    clouds = []
    for seed, role in enumerate(roles):
        x, y = np.random.default_rng(seed).normal(size=(2, points // 2))
        clouds.append(Points(role, x, y, role, values=np.sin(3 * x + 0.1 * step)))
    norm = Norm("symmetric", -1.0, 1.0)
    return Plane("Function", Axis("x1"), Axis("x2"), tuple(clouds), norm=norm, value_label="f(x)")


def streaming() -> None:
    """What repeats many times a second."""
    print("streaming")
    view = PlotView()
    view.resize(560, 360)
    view.show()
    small = [heatmap(64) for _ in range(ROUNDS)]
    timed("heat map 64², new figure", lambda k: view.show_figure(small[k]))
    spectra = [spectrum(seed) for seed in range(ROUNDS)]
    timed("spectrum of 64 modes, new figure", lambda k: view.show_figure(spectra[k]))
    for points in (128, 1024, 4096):
        planes = [function(points, k) for k in range(ROUNDS)]
        timed(f"{points} points coloured by value", lambda k, planes=planes: view.show_figure(planes[k]))
    for points in (1_000, 10_000, 100_000):
        grown = [losses(points, points - ROUNDS + k) for k in range(ROUNDS)]
        timed(f"6 losses of {points} steps, growing", lambda k, grown=grown: view.show_figure(grown[k]))
    timed("hover over them", lambda k: view.canvas.read_at(100.0 + 3 * k, 150.0))
    view.close()


if __name__ == "__main__":
    APP = QApplication(sys.argv[:1])
    theme.apply(APP, "light")
    start = time.perf_counter()
    views = [PlotView() for _ in range(4)]
    print(f"four empty views {1e3 * (time.perf_counter() - start):.1f} ms")
    streaming()
    for size in map(int, sys.argv[1:] or ("4096", "8192")):
        large(size)
