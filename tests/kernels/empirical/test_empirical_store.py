"""Empirical kernels that go to disk tile by tile: larger than memory, cancelled and resumed."""

from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from ntklab import spec
from ntklab.errors import FileError, MemoryBudgetError, NtkLabError, SpecError
from ntklab.kernels.empirical import empirical_ntk, preparation, storing
from ntklab.kernels.empirical.plan import make_plan
from ntklab.progress import Forecast, Partial, drain
from ntklab.spec import Dense
from ntklab.spec.activations import Erf, Relu
from ntklab.store import TileStore, chunks, open_kernel

FORMS = ("full", "diagonal", "mean")
MLP = spec.Architecture(spec.Input("vector", (5,)), (Dense(8, b_std=0.2), Relu(), Dense(7), Erf(), Dense(3)))


@pytest.fixture(autouse=True)
def _small_tiles(monkeypatch):
    monkeypatch.setattr(storing, "_WIDEST", 8)
    monkeypatch.setattr(storing, "_NARROWEST", 4)


def samples(n, *shape, seed=0):
    return np.random.default_rng(seed).standard_normal((n, *(shape or (5,)))) * 0.7


def work(model, x1, x2=None, **options):
    return empirical_ntk(model, x1, x2, **{"dtype": "float64", **options})


def assert_close(got, wanted, tolerance=1e-12):
    assert got.shape == wanted.shape
    assert np.abs(np.asarray(got) - wanted).max() <= tolerance * np.abs(wanted).max()


@pytest.mark.parametrize("outputs", FORMS)
@pytest.mark.parametrize("x2", [None, samples(11, seed=1)])
def test_a_stored_kernel_is_the_one_in_memory(tmp_path, outputs, x2):
    x1, events = samples(21), []
    gram = drain(work(MLP, x1, x2, outputs=outputs, store=tmp_path / "k"), events.append)
    wanted = drain(work(MLP, x1, x2, outputs=outputs))
    assert_close(gram.values, wanted.values)
    assert_close(gram.matrix, wanted.matrix)
    assert gram.health.good
    assert gram.symmetric == (x2 is None)
    assert len([event for event in events if isinstance(event, Partial)]) == events[0].tiles
    assert_close(open_kernel(tmp_path / "k").values, wanted.values)
    again = []
    assert_close(drain(work(MLP, x1, x2, outputs=outputs, store=tmp_path / "k"), again.append).values, wanted.values)
    assert again[0].tiles == 0
    assert again[0].seconds == 0
    assert not any(isinstance(event, Partial) for event in again)


def test_can_be_cancelled_at_any_tile_and_goes_on_there(tmp_path, monkeypatch):
    x, wanted = samples(21), drain(work(MLP, samples(21))).values
    written, write = [], TileStore.write

    def noted(self, cell, values):
        written.append(cell.place)
        write(self, cell, values)

    monkeypatch.setattr(TileStore, "write", noted)
    rounds = 0
    while len(written) < 6:
        rounds += 1
        with closing(work(MLP, x, store=tmp_path / "k")) as going:
            assert isinstance(next(going), Forecast)
            next((event for event in going if isinstance(event, Partial)), None)
    assert rounds > 3
    assert_close(drain(work(MLP, x, store=tmp_path / "k")).values, wanted)
    assert len(written) == len(set(written)) == 6


@pytest.mark.parametrize(("model", "outputs", "n"), [(MLP, "full", 120), (MLP, "diagonal", 160), (MLP, "mean", 300)])
def test_ten_times_the_budget(tmp_path, model, outputs, n, monkeypatch):
    """Without the work space and the picture, of which the budget of a small test would be nothing else."""
    monkeypatch.setattr("ntklab.kernels.empirical.costs.WORKSPACE", 0)
    monkeypatch.setattr(storing, "_OVERVIEW", 0)
    x = samples(n, *model.input.shape)
    wanted = drain(work(model, x, outputs=outputs)).values
    memory = wanted.nbytes // 10
    going = work(model, x, outputs=outputs, store=tmp_path / "k", memory=memory)
    assert next(going).peak_bytes <= memory
    assert_close(drain(going).values, wanted)
    with pytest.raises(MemoryBudgetError):
        next(work(model, x, outputs=outputs, memory=memory))


@pytest.mark.parametrize("groups", [1, 3])
@pytest.mark.parametrize(("rows", "columns"), [(3, 5), (8, 8), (16, 8), (21, 21)])
def test_tiles_of_the_store_do_not_depend_on_how_the_work_is_cut(tmp_path, rows, columns, groups, monkeypatch):
    def cut(*args, **options):
        plan = make_plan(*args, **options)
        names = [name for group in plan.groups for name in group]
        taken = tuple(tuple(names[i::groups]) for i in range(groups))
        return replace(plan, blocks=replace(plan.blocks, rows=rows, columns=columns), groups=taken, tile=3, chunk=4)

    x = samples(21)
    wanted = drain(work(MLP, x)).values
    monkeypatch.setattr(preparation, "make_plan", cut)
    assert_close(drain(work(MLP, x, store=tmp_path / "k")).values, wanted)


def test_another_request_is_refused(tmp_path):
    drain(work(MLP, samples(9), store=tmp_path / "k"))
    for changed in ({"seed": 1}, {"layers": "0"}, {"outputs": "mean"}, {"dtype": "float32"}):
        with pytest.raises(FileError):
            drain(work(MLP, samples(9), store=tmp_path / "k", **changed))
    with pytest.raises(FileError):
        drain(work(MLP, samples(9, seed=3), store=tmp_path / "k"))
    model = nn.Sequential(nn.Linear(5, 2)).double()
    drain(work(model, samples(9), store=tmp_path / "m"))
    with torch.no_grad():
        model[0].bias += 1
        model[0].weight *= 2
    with pytest.raises(FileError):
        drain(work(model, samples(9), store=tmp_path / "m"))
    with pytest.raises(SpecError, match="split"):
        drain(work(MLP, samples(9), store=tmp_path / "s", split=True))


def in_blocks(*args, **options):
    plan = make_plan(*args, **options)
    return replace(plan, blocks=replace(plan.blocks, rows=8, columns=8))


class Fragile(nn.Module):
    """Raises where samples are large, once the network was looked at."""

    def forward(self, x):
        if bool((x.abs() > 50).any()):
            raise RuntimeError("too large")
        return torch.tanh(x)


def test_what_is_finished_stays_when_the_module_raises(tmp_path, monkeypatch):
    model = nn.Sequential(nn.Linear(5, 4), Fragile(), nn.Linear(4, 2)).double()
    x = samples(21)
    x[18] = 1e4
    monkeypatch.setattr(preparation, "make_plan", in_blocks)
    with pytest.raises(NtkLabError, match=r"'1' \(Fragile\) raised RuntimeError: too large"):
        drain(work(model, x, store=tmp_path / "k"))
    gram = open_kernel(tmp_path / "k")
    assert np.isfinite(np.asarray(gram.values[:8, :16])).all()
    assert any("tiles are computed" in note for note in gram.provenance.notes)


def test_a_full_disk_is_said_and_what_is_finished_stays(tmp_path, monkeypatch):
    write, count = chunks.write, []

    def full(path, *args, **options):
        if "kernel" in str(path):
            count.append(path)
            if len(count) == 3:
                raise FileError(f"{path}: there is no space left")
        return write(path, *args, **options)

    monkeypatch.setattr(chunks, "write", full)
    with pytest.raises(FileError):
        drain(work(MLP, samples(21), outputs="mean", store=tmp_path / "k"))
    assert open_kernel(tmp_path / "k").values.missing == 4
    gram = drain(work(MLP, samples(21), outputs="mean", store=tmp_path / "k"))
    assert_close(gram.values, drain(work(MLP, samples(21), outputs="mean")).values)
