"""Prints what a kernel on disk costs on this machine: writing, going on, opening, one tile, one picture.

Run with ``python tests/benchmarks/bench_store.py [samples [edge]]``; nothing is asserted. Writes into the current
folder's disk, and removes what it wrote.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from ntklab import figures
from ntklab.figures.zoom import StoredPyramid
from ntklab.results import Provenance
from ntklab.store import TileStore, open_kernel

T = TypeVar("T")


def timed(name: str, act: Callable[[], T]) -> tuple[T, float]:
    """Print how long ``act`` takes; its result and the seconds."""
    start = time.perf_counter()
    found = act()
    seconds = time.perf_counter() - start
    print(f"  {name:<48} {1e3 * seconds:9.1f} ms")
    return found, seconds


def open_store(folder: Path, n: int, edge: int) -> TileStore:
    return TileStore.create_or_resume(
        folder, shape=(n, n), edge=edge, dtype="float32", outputs="mean", symmetric=True, fingerprint={"n": n},
        about=Provenance("empirical", dtype="float32"),
    )  # fmt: skip


def fill(folder: Path, n: int, edge: int) -> None:
    tile = np.random.default_rng(0).random((edge, edge), dtype=np.float32)
    tile += tile.T
    with open_store(folder, n, edge) as store:
        for cell in store.todo():
            store.write(cell, tile[: cell.rows[1] - cell.rows[0], : cell.columns[1] - cell.columns[0]])
        store.finish(Provenance("empirical", dtype="float32"))


def resume(folder: Path, n: int, edge: int) -> None:
    with open_store(folder, n, edge) as store:
        assert not store.todo()


def main() -> None:
    """All figures of one size."""
    n, edge = (int(word) for word in (*sys.argv[1:], "20000", "1024")[:2])
    folder = Path(tempfile.mkdtemp(prefix="bench-store-", dir=Path.cwd())) / "K"
    try:
        _, seconds = timed(f"write {n}² float32 in tiles of {edge}", lambda: fill(folder, n, edge))
        size = sum(path.stat().st_size for path in folder.rglob("*"))
        print(f"  {'on disk':<48} {size / 1e6:9.0f} MB, {size / 1e6 / seconds:.0f} MB/s")
        timed("the same without waiting for the disk", lambda: unflushed(folder, n, edge))
        timed("go on: check every tile", lambda: resume(folder, n, edge))
        gram, _ = timed("open", lambda: open_kernel(folder))
        timed("a cold entry (one tile)", lambda: gram.values[n // 2, n // 3])
        timed("its neighbour", lambda: gram.values[n // 2 + 1, n // 3])
        timed("a row", lambda: gram.values[n // 2])
        figure, _ = timed("figure of the overview", lambda: figures.stored(gram))
        pyramid = StoredPyramid(figure.values)
        timed("a piece of 512² entries", lambda: (pyramid.part(0, (0, 600), (0, 600)), pyramid.load()))
        timed("health", lambda: open_kernel(folder).health)
    finally:
        shutil.rmtree(folder.parent)


def unflushed(folder: Path, n: int, edge: int) -> None:
    other, fsync = folder.with_name("L"), os.fsync
    os.fsync = lambda *_: None
    try:
        fill(other, n, edge)
    finally:
        os.fsync = fsync
        shutil.rmtree(other)


if __name__ == "__main__":
    main()
