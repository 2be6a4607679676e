"""Whole experiments on real digits: what comes, in which order, where it says it comes from, and cancellation."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from ntklab import experiments, spec
from ntklab.errors import MemoryBudgetError, SpecError
from ntklab.experiments.width_convergence import fitted_slope
from ntklab.kernels.empirical import empirical_ntk
from ntklab.kernels.infinite import infinite_kernel
from ntklab.progress import Forecast, Partial, Progress, drain
from ntklab.results import (
    Data,
    Gram,
    Moment,
    Phase,
    Run,
    Spectrum,
    Tile,
    Trajectory,
    WidthConvergence,
    relative_distance,
)
from ntklab.spec import Dataset, Experiment, KernelRequest, Training
from ntklab.spec.dataset import Spirals


def network(outputs, width=32, features=64, **dense):
    layers = [
        {"type": "Dense", "width": width, "W_std": 1.4, "b_std": 0.1, **dense}, {"type": "Relu"},
        {"type": "Dense", "width": outputs, "W_std": 1.0, **dense},
    ]  # fmt: skip
    return spec.Architecture.from_dict({"input": {"kind": "vector", "shape": [features]}, "layers": layers})


def experiment(outputs="mean", width=32, **changes):
    whole = Experiment(
        network(3, width),
        Dataset(n_train=18, n_test=9, classes=(0, 1, 2), seed=2),
        KernelRequest(outputs=outputs, dtype="float64", seed=5),
        Training(steps=12),
    )
    return whole.replace(**changes)


def events_of(work):
    events = []
    return drain(work, events.append), events


def keys(events):
    return [event.key for event in events if isinstance(event, Partial)]


def values(events, key):
    return [event.value for event in events if isinstance(event, Partial) and event.key == key]


FINISHED = ["data", "ntk", "nngp", "empirical", "empirical_spectrum", "ntk_spectrum", "phase", "trajectory"]
KINDS = {
    "data": Data, "ntk": Gram, "nngp": Gram, "empirical": Gram, "empirical_spectrum": Spectrum,
    "ntk_spectrum": Spectrum, "phase": Phase, "trajectory": Trajectory, "tile": Tile, "moment": Moment,
    "training": Trajectory,
}  # fmt: skip


@pytest.fixture(scope="module")
def ran():
    return events_of(experiments.run(experiment()))


def test_a_run_finds_everything(ran):
    run, events = ran
    assert isinstance(run, Run)
    assert run.experiment == experiment().content_hash()
    assert [key for key in keys(events) if key in FINISHED] == FINISHED
    for event in events:
        if isinstance(event, Partial):
            assert isinstance(event.value, KINDS[event.key])
    for key in FINISHED:
        assert values(events, key) == [getattr(run, key)]


def test_one_forecast_comes_first(ran):
    _, events = ran
    assert [i for i, event in enumerate(events) if isinstance(event, Forecast)] == [0]
    again = experiments.forecast(experiment(), phase=True)
    assert events[0] == replace(again, budget=events[0].budget)  # a share of what is free at that moment
    assert any(isinstance(event, Progress) for event in events)


def test_tiles_make_up_the_kernels(ran):
    run, events = ran
    for kernel in ("empirical", "ntk", "nngp"):
        whole = np.full((18, 18), np.nan)
        for tile in values(events, "tile"):
            if tile.kernel == kernel:
                rows, columns = slice(*tile.rows), slice(*tile.columns)
                whole[rows, columns] = tile.values
                if tile.mirror:
                    whole[columns, rows] = tile.values.T
        np.testing.assert_allclose(whole, getattr(run, kernel).matrix, rtol=1e-12)


def test_kernels_are_those_of_the_rooms_below(ran):
    run, _ = ran
    X = run.data.X_train
    finite = drain(empirical_ntk(network(3), X, outputs="mean", seed=5, dtype="float64"))
    infinite = drain(infinite_kernel(network(3), X))
    np.testing.assert_array_equal(run.empirical.values, finite.values)
    np.testing.assert_array_equal(run.ntk.values, infinite["ntk"].values)
    np.testing.assert_array_equal(run.nngp.values, infinite["nngp"].values)


def test_every_result_says_where_it_comes_from(ran):
    run, _ = ran
    for name in FINISHED[1:]:
        origin = getattr(run, name).provenance
        assert origin.spec == experiment().content_hash(), name
        assert origin.parameterisation == "ntk", name
        assert origin.dtype == "float64", name
        assert origin.kind, name
        assert dict(origin.versions)["torch"] == torch.__version__
    assert run.empirical.provenance.seed == run.trajectory.provenance.seed == 5
    assert run.ntk.provenance.seed is None


def test_equal_experiments_give_equal_results(ran):
    run, _ = ran
    again = drain(experiments.run(experiment()))
    np.testing.assert_array_equal(run.empirical.values, again.empirical.values)
    np.testing.assert_array_equal(run.ntk_spectrum.eigenvalues, again.ntk_spectrum.eigenvalues)
    np.testing.assert_array_equal(run.trajectory.train_loss, again.trajectory.train_loss)
    np.testing.assert_array_equal(run.trajectory.test_outputs, again.trajectory.test_outputs)


@pytest.mark.parametrize("outputs", ["full", "diagonal", "mean"])
def test_spectra_compare_whatever_is_kept(outputs):
    run = drain(experiments.kernels(experiment(outputs)))
    assert run.trajectory is None
    assert run.empirical.values.ndim == {"full": 4, "diagonal": 3, "mean": 2}[outputs]
    assert run.empirical_spectrum.eigenvalues.shape == run.ntk_spectrum.eigenvalues.shape == (18,)
    np.testing.assert_allclose(
        run.empirical_spectrum.eigenvalues, np.linalg.eigvalsh(run.empirical.matrix)[::-1], rtol=1e-9, atol=1e-12
    )
    assert ("mean over outputs" in run.empirical_spectrum.provenance.notes) == (outputs != "mean")


def test_finite_and_infinite_width_are_on_the_same_footing():
    """Wide enough, the averaged finite kernel is the analytic one, for either parameterisation."""
    for param in ("ntk", "standard"):
        wide = experiment(architecture=network(3, 8192, param=param))
        run = drain(experiments.kernels(wide))
        assert relative_distance(run.empirical.matrix, run.ntk.values) < 0.03


def test_the_loss_and_momentum_reach_the_spectrum():
    training = Training(steps=3, loss="torch_mse", momentum=0.5)
    run = drain(experiments.run(experiment(training=training)))
    found = run.ntk_spectrum
    assert (found.loss, found.momentum) == ("torch_mse", 0.5)
    assert found.largest_rate == pytest.approx(1.5 * 18 * 3 / found.eigenvalues[0])
    assert run.trajectory.momentum == 0.5


def test_training_alone(ran):
    run, _ = ran
    trajectory, events = events_of(experiments.train(experiment()))
    assert isinstance(events[0], Forecast)
    assert set(keys(events)) <= {"data", "moment", "training", "trajectory"}
    np.testing.assert_array_equal(trajectory.train_loss, run.trajectory.train_loss)


def test_a_dialled_width_loads_nothing(ran, monkeypatch):
    run, _ = ran
    monkeypatch.setattr("ntklab.datasets.load", lambda _: pytest.fail("loaded the data again"))
    gram, events = events_of(experiments.empirical(experiment(width=64), run.data))
    assert [isinstance(event, Forecast) for event in events].count(True) == 1
    assert isinstance(events[0], Forecast)
    assert keys(events)[-2:] == ["empirical", "empirical_spectrum"]
    expected = drain(empirical_ntk(network(3, 64), run.data.X_train, outputs="mean", seed=5, dtype="float64"))
    np.testing.assert_array_equal(gram.values, expected.values)


def test_the_empirical_kernel_with_its_data(ran):
    run, _ = ran
    gram, events = events_of(experiments.empirical(experiment()))
    assert keys(events)[0] == "data"
    np.testing.assert_array_equal(gram.values, run.empirical.values)


def test_load_does_not_ask_whether_the_network_fits(tmp_path):
    path = tmp_path / "mine.npz"
    np.savez(path, X=np.random.default_rng(0).standard_normal((30, 5)), y=np.arange(30) % 3)
    mine = experiment(dataset=Dataset(source=spec.SOURCE_TYPES["File"](str(path)), n_train=20, n_test=10))
    data, events = events_of(experiments.load(mine))
    assert (data.features, data.outputs) == (5, 3)
    assert keys(events) == ["data"]
    for work in (experiments.kernels(mine), experiments.train(mine), experiments.run(mine)):
        with pytest.raises(SpecError, match="5 features"):
            drain(work)


# -- width -------------------------------------------------------------------------------------------------------------


def test_convergence_with_width():
    result, events = events_of(experiments.width_convergence(experiment(), (32, 128, 512), 4))
    growing = values(events, "convergence")
    assert [len(part.widths) for part in growing] == [1, 2, 3]
    assert isinstance(result, WidthConvergence)
    assert result.errors.shape == (3, 4)
    assert len(np.unique(result.errors)) == 12  # every network has a seed of its own
    assert (np.diff(result.errors.mean(axis=1)) < 0).all()
    assert -0.9 < result.slope < -0.2
    assert result.slope_error > 0
    assert growing[1].slope is None
    assert "tile" not in keys(events)
    gram = drain(empirical_ntk(network(3, 128), values(events, "data")[0].X_train, outputs="mean", seed=5 + 4,
                               dtype="float64"))  # fmt: skip
    limit = drain(infinite_kernel(network(3), values(events, "data")[0].X_train))["ntk"]
    assert result.errors[1, 0] == pytest.approx(relative_distance(gram.values, limit.values), rel=1e-12)


def test_the_limit_of_standard_parameterisation_grows_with_the_width():
    standard = experiment(architecture=network(3, param="standard"))
    result = drain(experiments.width_convergence(standard, (64, 512), 3))
    assert (result.errors < 0.5).all()
    assert result.errors[1].mean() < result.errors[0].mean()


def test_a_fitted_slope_and_its_error():
    widths = np.array([10.0, 100.0, 1000.0, 10_000.0])
    errors = 3 * widths**-0.5 * np.exp([0.1, -0.1, -0.1, 0.1])
    slope, error = fitted_slope(widths, errors)
    coefficients, covariance = np.polyfit(np.log(widths), np.log(errors), 1, cov="unscaled")
    rest = np.log(errors) - np.polyval(coefficients, np.log(widths))
    assert slope == pytest.approx(coefficients[0])
    assert error == pytest.approx(np.sqrt(covariance[0, 0] * np.sum(rest**2) / 2))
    assert fitted_slope(widths[:2], errors[:2]) == (None, None)
    assert fitted_slope(widths, np.zeros(4)) == (None, None)


@pytest.mark.parametrize(("widths", "seeds"), [((), 3), ((8,), 0)])
def test_no_widths_or_seeds(widths, seeds):
    with pytest.raises(SpecError, match="at least one"):
        drain(experiments.width_convergence(experiment(), widths, seeds))


# -- cost --------------------------------------------------------------------------------------------------------------


def test_forecasts_grow_with_what_is_asked():
    small, large = (
        experiments.forecast(
            experiment(
                architecture=network(3, 32, features=2), dataset=Dataset(Spirals(arms=3), n_train=n, n_test=n // 2)
            )
        )
        for n in (18, 1800)
    )
    assert large.peak_bytes > 10 * small.peak_bytes
    assert large.seconds > small.seconds
    assert "gradient descent" in small.route
    assert "infinite width" in small.route


def test_what_does_not_fit_is_said_before_anything_is_made():
    many = Dataset(Spirals(arms=3), n_train=2_000_000_000, n_test=2)
    huge = experiment(architecture=network(3, 32, features=2), dataset=many)
    with pytest.raises(MemoryBudgetError, match="at most about"):
        experiments.forecast(huge)
    for question in (experiments.run, experiments.kernels, experiments.train):
        with pytest.raises(MemoryBudgetError):
            next(question(huge))


def test_a_small_budget_is_kept():
    tight = experiment(kernel=KernelRequest(memory=2000))
    with pytest.raises(MemoryBudgetError, match="budget"):
        experiments.forecast(tight)


def test_a_forecast_loads_nothing(monkeypatch):
    monkeypatch.setattr("ntklab.datasets.load", lambda _: pytest.fail("loaded the data"))
    assert experiments.forecast(experiment()).tiles > 12


# -- cancelling --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("question", [
    experiments.run, experiments.kernels, experiments.train, experiments.empirical, experiments.load,
    lambda e: experiments.width_convergence(e, (8, 16), 2),
], ids=["run", "kernels", "train", "empirical", "load", "width_convergence"])  # fmt: skip
def test_closing_at_any_event_ends_the_work(question):
    before = torch.get_num_threads(), np.geterr()
    total = sum(1 for _ in question(experiment()))
    for stop in range(0, total + 1, 1 + total // 50):
        work = question(experiment())
        for _ in range(stop):
            next(work, None)  # how many events there are depends on the time taken
        work.close()
        assert work.gi_frame is None
    assert (torch.get_num_threads(), np.geterr()) == before


def test_warm_up_can_be_repeated():
    before = torch.get_num_threads()
    try:
        experiments.warm_up()
        experiments.warm_up()
        assert torch.get_num_threads() >= 1
    finally:
        torch.set_num_threads(before)
