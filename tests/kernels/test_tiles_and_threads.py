"""Tile plans, assembly of kernels from tiles, budgets and threads over tiles."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch

from ntklab.errors import DeviceError, MemoryBudgetError, SpecError
from ntklab.kernels import budget
from ntklab.kernels.threads import each, threads_for
from ntklab.kernels.tiles import Assembly, TilePlan, edge_for_seconds, even_edge, fitting_edge


@pytest.mark.parametrize(
    ("n1", "n2", "edge", "symmetric"),
    [(7, 7, 3, True), (6, 6, 3, True), (5, 5, 9, True), (7, 4, 3, False), (1, 1, 1, True)],
)
def test_tiles_cover_every_pair_once(n1: int, n2: int, edge: int, symmetric: bool) -> None:
    plan, seen = TilePlan(n1, n2, edge, symmetric), np.zeros((n1, n2), dtype=int)
    for block in plan:
        seen[block.row_slice, block.column_slice] += 1
        if block.mirror:
            seen[block.column_slice, block.row_slice] += 1
        assert max(block.shape) <= edge
        assert block.diagonal == (symmetric and block.rows == block.columns)
    np.testing.assert_array_equal(seen, 1)
    assert len(list(plan)) == len(plan)


@pytest.mark.parametrize("outputs", [(), (3,), (3, 3)])
def test_assembly_mirrors_samples_and_outputs(outputs: tuple[int, ...]) -> None:
    J = np.random.default_rng(0).standard_normal((8, *(outputs[:1] or (1,)), 5))
    full = np.einsum("iap,jbp->ijab", J, J)
    kernel = {0: full[:, :, 0, 0], 1: np.einsum("ijaa->ija", full), 2: full}[len(outputs)]
    assembly = Assembly("empirical", TilePlan(8, 8, 3, symmetric=True), "float64", outputs)
    for block in assembly.plan:
        tile = assembly.put(block, kernel[block.row_slice, block.column_slice])
        mean = np.einsum("ijaa->ij", full) / full.shape[-1]
        np.testing.assert_allclose(tile.values, mean[block.row_slice, block.column_slice], rtol=1e-12)
    np.testing.assert_array_equal(assembly.values, kernel)


def test_diagonal_tiles_become_exactly_symmetric() -> None:
    assembly = Assembly("ntk", TilePlan(2, 2, 2, symmetric=True), "float64")
    (block,) = assembly.plan
    assembly.put(block, np.array([[1.0, 2.0], [2.0 + 1e-15, 3.0]]))
    np.testing.assert_array_equal(assembly.values, [[1.0, 2.0], [2.0, 3.0]])


def test_edges() -> None:
    assert fitting_edge(8 * 100**2, 8, most=1000) == 100
    assert fitting_edge(8 * 100**2, 8, most=50) == 50
    assert fitting_edge(7, 8) == 0
    assert fitting_edge(-5, 8) == 0
    edge = fitting_edge(10_000, 8, bytes_per_sample=100, most=1000)
    assert 8 * edge**2 + 200 * edge <= 10_000 < 8 * (edge + 1) ** 2 + 200 * (edge + 1)
    assert even_edge(1000, 256) == 250
    assert even_edge(3, 256) == 3
    assert edge_for_seconds(1e-6, limit=0.01) == 100


def test_budgets(monkeypatch: pytest.MonkeyPatch) -> None:
    assert budget.resolve(123) == 123
    assert budget.resolve(None) == pytest.approx(budget.default_budget(), rel=0.5)
    with pytest.raises(SpecError, match="got 0"):
        budget.resolve(0)
    budget.require(10, 10, "it", "do less")
    with pytest.raises(MemoryBudgetError, match=r"it needs at least 2 KiB, the memory budget is 1 KiB; do less"):
        budget.require(2048, 1024, "it", "do less")
    assert [budget.readable(size) for size in (0, 1000, 1536, 3 * 2**30)] == ["0 B", "1000 B", "1.5 KiB", "3 GiB"]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [(MemoryError(), MemoryBudgetError), (torch.OutOfMemoryError("CUDA out of memory.\nmore"), DeviceError)],
)
def test_failed_allocations_say_what_to_do(fault: Exception, kind: type[Exception]) -> None:
    with pytest.raises(kind, match=r"memory.*; do less"), budget.allocation("do less"):
        raise fault


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_budget_of_a_missing_device() -> None:
    with pytest.raises(DeviceError, match="cpu"):
        budget.default_budget("cuda")


@pytest.mark.parametrize("workers", [1, 3])
def test_each_keeps_the_order(workers: int) -> None:
    assert list(each(range(20), lambda task: task**2, workers)) == [(task, task**2) for task in range(20)]


@pytest.mark.parametrize("workers", [1, 3])
def test_each_passes_errors_on_and_stops(workers: int) -> None:
    done: list[int] = []

    def act(task: int) -> int:
        done.append(task)
        return 1 // (3 - task)

    with pytest.raises(ZeroDivisionError):
        list(each(range(1000), act, workers))
    assert len(done) < 20
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("tiles")]


def test_closing_each_leaves_no_thread_and_no_setting() -> None:
    before, done = torch.get_num_threads(), []
    results = each(range(1000), done.append, 2)
    next(results)
    assert torch.get_num_threads() == before
    results.close()
    assert len(done) <= 6
    assert torch.get_num_threads() == before
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("tiles")]


def test_threads_for_restores_the_setting() -> None:
    before = torch.get_num_threads()
    with threads_for(0):
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before
