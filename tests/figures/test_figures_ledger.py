"""Figures of the ledger: what they draw for few layers and for many, and what their files hold."""

import hashlib
from itertools import pairwise

import fake_results as fake
import numpy as np
import pytest

from ntklab import export, figures
from ntklab.experiments.parts import ledger_of
from ntklab.export.numbers import key_numbers
from ntklab.export.tables import tables
from ntklab.figures.model import Maps, Norm
from ntklab.figures.order import sample_order
from ntklab.progress import LayerForecast, drain
from ntklab.results import Gram, Run
from ntklab.session.stored import load_run, save_run


def ledger(data, count, *, seed=0):
    random = np.random.default_rng(seed)
    names = tuple(f"block{row // 5}.{row % 5}" for row in range(count))
    factors = random.normal(size=(count, len(data.X_train), 9)) * (1.0 + np.arange(count))[:, None, None]
    parts = {name: F @ F.T for name, F in zip(names, factors, strict=True)}
    gram = Gram(sum(parts.values()), fake.ntk_origin("empirical", seed=7), parts=parts)
    layers = [LayerForecast(name, "rule", parameters=10 * (row + 1)) for row, name in enumerate(names)]
    return drain(ledger_of(gram, data.Y_train, layers=layers))


@pytest.fixture(scope="module")
def data():
    return fake.two_circles()


@pytest.fixture(scope="module")
def few(data):
    return ledger(data, 3)


@pytest.fixture(scope="module")
def many(data):
    return ledger(data, 60)


def test_bars_add_up_to_all(few, many):
    for found in (few, many):
        bars = figures.layer_shares(found)
        assert bars.names == ("parameters", "trace", "target alignment")
        np.testing.assert_allclose(sum(part.values for part in bars.parts), 100.0)
    assert [part.key for part in figures.layer_shares(few).parts] == ["1", "2", "3"]
    grouped = figures.layer_shares(many)
    assert len(grouped.parts) <= 10
    assert grouped.parts[-1].key.endswith("–60")
    assert "60 layers in" in grouped.caption


def test_spectra_of_the_parts_lie_below_that_of_the_sum(few):
    drawn = {series.name: series for series in figures.layer_spectra(few, mode=2).series}
    whole = drawn["all layers"].y
    np.testing.assert_array_equal(whole[np.isfinite(whole)], few.whole[np.isfinite(whole)])
    for row in range(3):
        part = drawn[few.label(row)].y
        assert (part[np.isfinite(part)] <= whole[np.isfinite(part)] * (1 + 1e-12)).all()
    assert np.isnan(drawn[few.label(0)].y).sum() == 7  # of rank 9 of 16
    assert figures.layer_spectra(few, mode=2).rules[0].label == "mode 3"


def test_modes_are_stacked_to_one(few, many):
    for found in (few, many):
        series = figures.layer_modes(found).series
        np.testing.assert_allclose(series[-1].high, 1.0)
        np.testing.assert_allclose(series[0].low, 0.0, atol=1e-12)
        for below, above in pairwise(series):
            np.testing.assert_allclose(below.high, above.low, atol=1e-12)


def test_maps_show_every_layer_in_the_order_of_the_samples(few, many, data):
    maps = figures.layer_maps(few, data)
    at = sample_order(data).positions
    wanted = few.parts[1][np.ix_(at, at)] / np.trace(few.parts[1]) * 16
    np.testing.assert_allclose(maps.values[1], wanted)
    assert maps.picks == few.names
    assert maps.names[0].startswith("1 block0.0 · ")
    assert len(figures.layer_maps(many, data).values) == 60


def test_large_maps_are_means_of_blocks():
    large = fake.two_circles(200)
    found = ledger(large, 2)
    maps = figures.layer_maps(found, large)
    assert maps.values.shape[1] <= 96
    np.testing.assert_allclose(np.diagonal(found.parts[0]).mean() * maps.values[0].mean(), found.parts[0].mean(),
                               rtol=0.05)  # fmt: skip


def test_maps_are_arranged_for_the_room():
    maps = Maps("m", np.zeros((6, 2, 2)), tuple("abcdef"), Norm("linear", 0, 1), "v")
    assert maps.columns(1.5) == 3
    assert maps.columns(6.0) == 6
    assert maps.columns(0.2) == 1


def test_the_map_of_a_layer(few, data):
    drawn = figures.layer_map(few, data, layer="block0.2")
    assert drawn.title == "Empirical · layer 3, block0.2"
    assert drawn.value_label == "Θ₃(i, j)"
    assert "30 parameters" in drawn.caption
    assert figures.layer_map(few, data, layer="elsewhere").title.startswith("Empirical · layer 1")


def drawings(found, data):
    return {
        "shares": figures.layer_shares(found),
        "spectra": figures.layer_spectra(found),
        "modes": figures.layer_modes(found),
        "maps": figures.layer_maps(found, data),
    }


@pytest.mark.parametrize("form", ["png", "svg", "pdf"])
def test_files_of_few_and_many_layers(few, many, data, form):
    for found in (few, many):
        for figure in drawings(found, data).values():
            assert len(export.figure_bytes(figure, form, dpi=80)) > 2000


def test_files_name_what_they_show_and_are_the_same_each_time(few, data):
    for name, figure in drawings(few, data).items():
        picture = export.figure_bytes(figure, "svg")
        text = picture.decode()
        assert figure.title in text
        assert "block0.1" in text, name
        again = export.figure_bytes(figure, "svg")
        assert hashlib.sha256(again).digest() == hashlib.sha256(picture).digest()
    assert "target alignment" in export.figure_bytes(drawings(few, data)["shares"], "svg").decode()


def test_tables_numbers_and_stored_runs_hold_the_ledger(few, data, tmp_path):
    run = Run("5pec", data, ledger=few, unmuted=Gram(few.total((0, 2)), few.provenance))
    found = tables(run)
    assert [row[1] for row in found["ledger"].rows] == list(few.names)
    assert sum(row[5] for row in found["ledger"].rows) == pytest.approx(1.0)
    assert found["ledger_eigenvalues"].rows.shape == (16, 5)
    np.testing.assert_array_equal(found["ledger_layer_2"].rows, few.parts[1])
    np.testing.assert_array_equal(found["unmuted"].rows, few.total((0, 2)))
    said = {number.name: number.value for number in key_numbers(run)}
    assert said["layer with most of the trace"].startswith("3 block0.2, ")
    stored = load_run(save_run(tmp_path / "run.npz", run)).ledger
    assert stored.titles == few.titles
    np.testing.assert_array_equal(stored.parts, few.parts)
