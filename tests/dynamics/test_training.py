"""Training the three runs together, on real data."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from ntklab import datasets, dynamics, networks, spec
from ntklab.dynamics import schedule
from ntklab.dynamics.network import NetworkDescent
from ntklab.errors import DataError, MemoryBudgetError, SpecError
from ntklab.kernels.threads import threads
from ntklab.progress import Forecast, Partial, Progress, drain
from ntklab.results import Moment, Trajectory
from ntklab.spec import Training

DIGITS = spec.Dataset(n_train=20, n_test=8, classes=(3, 8), seed=1)
THREE = spec.Dataset(n_train=12, n_test=6, classes=(0, 1, 2), seed=1)


def architecture(outputs=1, width=64, activation="Erf", layers=1, **dense):
    hidden = [{"type": "Dense", "width": width, "W_std": 1.4, "b_std": 0.1, **dense}, {"type": activation}] * layers
    return spec.Architecture.from_dict(
        {
            "input": {"kind": "vector", "shape": [64]},
            "layers": [*hidden, {"type": "Dense", "width": outputs, "W_std": 1.0, "b_std": 0.1, **dense}],
        }
    )


@pytest.fixture(scope="module")
def digits():
    return datasets.load(DIGITS)


@pytest.fixture(scope="module")
def three():
    return datasets.load(THREE)


def run(data, training, *, events=None, **options):
    net = options.pop("net", None) or architecture(data.outputs)
    return drain(dynamics.train(net, data, training, **options), None if events is None else events.append)


def moments(events):
    return [e.value for e in events if isinstance(e, Partial) and e.key == "moment"]


# -- what comes out ----------------------------------------------------------------------------------------------------


def test_a_trajectory_says_everything(three):
    events = []
    found = run(three, Training(steps=150), events=events, seed=3)
    T = len(found.steps)
    assert found.runs == ("network", "linearised", "infinite")
    assert found.steps.tolist() == sorted({*schedule.recorded(150).tolist(), *schedule.snapshots(150).tolist()})
    assert found.train_loss.shape == found.test_loss.shape == (3, T)
    assert found.outputs.shape == (3, T, len(found.chosen), 3)
    assert found.chosen_from == "test"
    assert found.train_outputs.shape == (3, 12, 3)
    assert found.test_outputs.shape == (3, 6, 3)
    np.testing.assert_array_equal(found.outputs[:, -1], found.test_outputs[:, found.chosen])
    assert found.learning_rate == pytest.approx(0.5 * found.critical_rate)
    assert found.stopped == ""
    origin = found.provenance
    assert (origin.kind, origin.parameterisation, origin.seed, origin.dtype) == ("training", "ntk", 3, "float64")
    assert origin.seconds > 0
    assert any("starts from this network's outputs" in note for note in origin.notes)
    assert isinstance(events[0], Forecast)


def test_all_runs_start_from_the_network(three):
    found = run(three, Training(steps=5))
    with torch.no_grad():
        module = networks.build(architecture(3), dtype="float64")
        start = module(torch.from_numpy(three.X_test)).numpy()
    for run_outputs in found.outputs[:, 0]:
        np.testing.assert_allclose(run_outputs, start[found.chosen], rtol=1e-12, atol=1e-14)
    assert np.ptp(found.train_loss[:, 0]) <= 1e-12 * found.train_loss[0, 0]


@pytest.mark.parametrize(("momentum", "loss", "batch"), [
    (0.0, "half_mse", None), (0.9, "half_mse", None), (0.9, "torch_mse", 5), (0.0, "torch_mse", None),
])  # fmt: skip
def test_the_network_is_trained_as_torch_trains_it(three, momentum, loss, batch):
    training = Training(steps=30, learning_rate=0.05, momentum=momentum, loss=loss, batch_size=batch, seed=4)
    found = run(three, training, runs=("network",), seed=2)
    module = networks.build(architecture(3), seed=2, dtype="float64")
    X, Y = torch.from_numpy(three.X_train), torch.from_numpy(three.Y_train)
    optimiser = torch.optim.SGD(module.parameters(), lr=0.05, momentum=momentum)
    order = schedule.batches(len(X), batch, 4)
    for _ in range(30):
        index = next(order)
        x, y = (X, Y) if index is None else (X[index], Y[index])
        optimiser.zero_grad()
        error = torch.nn.functional.mse_loss(module(x), y)
        (error if loss == "torch_mse" else error * y.shape[1] / 2).backward()
        optimiser.step()
    with torch.no_grad():
        expected = module(torch.from_numpy(three.X_test)).numpy()
    np.testing.assert_allclose(found.test_outputs[0], expected, rtol=1e-9, atol=1e-11)


def test_large_batches_are_differentiated_in_pieces(three):
    module = networks.build(architecture(3), dtype="float64")
    X, Y, X_test = (torch.from_numpy(a) for a in (three.X_train, three.Y_train, three.X_test))
    whole = NetworkDescent(module, X, Y, X_test, rate=0.1, loss="half_mse", momentum=0.9)
    module = networks.build(architecture(3), dtype="float64")
    cut = NetworkDescent(module, X, Y, X_test, rate=0.1, loss="half_mse", momentum=0.9)
    cut._piece = 5
    for _ in range(4):
        drain(whole.step())
        assert len(list(cut.step())) == 3  # can be paused after each piece
    for a, b in zip(drain(whole.outputs()), drain(cut.outputs()), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("batch", [None, 6])
def test_a_linear_network_is_its_own_linearisation(three, batch):
    """One dense layer: network, linearisation and (for full batches) the closed form of its own limit are one."""
    net = spec.Architecture.from_dict({
        "input": {"kind": "vector", "shape": [64]}, "layers": [{"type": "Dense", "width": 3, "b_std": 0.3}],
    })  # fmt: skip
    found = run(three, Training(steps=200, momentum=0.5, batch_size=batch), net=net)
    for name in ("train_outputs", "test_outputs", "outputs"):
        values = getattr(found, name)
        np.testing.assert_allclose(values[0], values[1], rtol=1e-9, atol=1e-11)
        if batch is None:
            np.testing.assert_allclose(values[1], values[2], rtol=1e-9, atol=1e-11)
    assert np.abs(found.drift).max() <= 1e-12


def test_wide_networks_stay_near_their_linearisation(digits):
    gaps = []
    for width in (32, 512):
        found = run(digits, Training(steps=100), net=architecture(1, width))
        gaps.append(np.abs(found.outputs[0] - found.outputs[1]).max())
        assert 0 < found.drift[-1] < 1
    assert gaps[1] < 0.3 * gaps[0]  # about 1/width for erf


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize(("share", "diverges"), [(1.05, True), (0.95, False)])
def test_the_critical_rate_is_where_the_linear_model_diverges(three, momentum, share, diverges):
    training = Training(steps=600, critical_share=share, momentum=momentum)
    found = run(three, training, net=architecture(3, 256), runs=("network", "linearised"))
    linear = found.train_loss[1]
    assert (linear[-1] > 1e3 * linear[0]) == diverges
    assert diverges or linear[-1] < linear[0]
    network = found.train_loss[0]
    assert found.stopped == ""  # the network itself catapults and then converges
    assert network[-1] < network[0]
    assert any("the linear model diverges" in note for note in found.provenance.notes) == diverges


@pytest.mark.parametrize("loss", ["half_mse", "torch_mse"])
def test_the_loss_is_the_one_asked_for(three, loss):
    found = run(three, Training(steps=3, loss=loss))
    residual = found.train_outputs[0] - three.Y_train
    expected = np.mean(residual**2) if loss == "torch_mse" else np.sum(residual**2) / (2 * len(residual))
    assert found.train_loss[0, -1] == pytest.approx(expected, rel=1e-12)


# -- drift -------------------------------------------------------------------------------------------------------------


def test_drift_and_alignment_are_those_of_the_kernel(three):
    from ntklab.kernels.empirical import empirical_ntk
    from ntklab.spectra import centred_target_alignment

    training = Training(steps=20, learning_rate=0.1, kernel_every=20)
    found = run(three, training)
    module = networks.build(architecture(3), dtype="float64")
    before = drain(empirical_ntk(module, three.X_train, outputs="mean", dtype="float64")).values
    tensors = [torch.from_numpy(a) for a in (three.X_train, three.Y_train, three.X_test)]
    descent = NetworkDescent(module, *tensors, rate=0.1, loss="half_mse", momentum=0.0)
    for _ in range(20):
        drain(descent.step())
    after = drain(empirical_ntk(module, three.X_train, outputs="mean", dtype="float64")).values
    assert found.drift_steps.tolist() == [0, 20]
    assert found.drift[0] == 0
    assert found.drift[1] == pytest.approx(np.linalg.norm(after - before) / np.linalg.norm(before), rel=1e-9)
    assert found.alignment[1] == pytest.approx(centred_target_alignment(after, three.Y_train), rel=1e-9)


def test_about_twelve_snapshots_without_being_asked(digits):
    found = run(digits, Training(steps=400))
    assert 10 <= len(found.drift_steps) <= 13
    assert set(found.drift_steps) <= set(found.steps)


# -- choices -----------------------------------------------------------------------------------------------------------


def test_chosen_samples_and_runs(three):
    found = run(three, Training(steps=4), runs=("infinite", "network"), chosen=[5, 0])
    assert found.runs == ("network", "infinite")
    assert found.chosen.tolist() == [5, 0]
    np.testing.assert_array_equal(found.outputs[:, -1], found.test_outputs[:, [5, 0]])


def test_without_a_network_there_is_no_drift(three):
    found = run(three, Training(steps=4), runs=("linearised",))
    assert found.drift.size == 0
    assert found.steps[-1] == 4


def test_without_test_samples(three):
    data = replace(three, X_test=three.X_test[:0], Y_test=three.Y_test[:0], labels_test=None)
    found = run(data, Training(steps=4))
    assert found.chosen_from == "train"
    assert np.isnan(found.test_loss).all()
    assert found.test_outputs.shape == (3, 0, 3)


def test_minibatches_are_explained(three):
    found = run(three, Training(steps=10, batch_size=4, seed=7))
    assert any("minibatches of 4" in note and "seed 7" in note for note in found.provenance.notes)
    assert found.train_loss[0, -1] < found.train_loss[0, 0]


@pytest.mark.parametrize("param", ["ntk", "standard"])
def test_parameterisations(three, param):
    found = run(three, Training(steps=60), net=architecture(3, 256, param=param))
    assert found.provenance.parameterisation == param
    assert (found.train_loss[:, -1] < found.train_loss[:, 0]).all()
    assert np.abs(found.outputs[0] - found.outputs[1]).max() < 0.1 * np.abs(found.outputs[0]).max()


def test_float32_agrees_with_float64(three):
    exact = run(three, Training(steps=40, learning_rate=0.1))
    found = run(three, Training(steps=40, learning_rate=0.1), dtype="float32")
    assert found.provenance.dtype == "float32"
    np.testing.assert_allclose(found.test_outputs, exact.test_outputs, atol=1e-4)


def test_equal_requests_give_equal_trajectories(three):
    training = Training(steps=120, batch_size=5, momentum=0.5)
    first, second = run(three, training, seed=1), run(three, training, seed=1)
    for name in ("steps", "train_loss", "test_loss", "outputs", "drift", "alignment", "train_outputs"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    assert first.provenance == second.provenance
    other = run(three, training, seed=2)
    assert not np.array_equal(first.train_loss, other.train_loss)


# -- going wrong -------------------------------------------------------------------------------------------------------


def test_a_network_that_diverges_stops_early(three):
    found = run(three, Training(steps=2000, learning_rate=1e4), net=architecture(3, activation="Relu", layers=2))
    assert "diverged" in found.stopped
    assert "choose a learning rate below" in found.stopped
    assert found.steps[-1] < 2000
    assert found.train_loss.shape[1] == len(found.steps)


@pytest.mark.parametrize("rate", [1e3, 1e9, 1e15])
def test_no_kernel_is_measured_of_a_network_that_has_diverged(three, rate):
    training = Training(steps=50, learning_rate=rate, kernel_every=1)
    found = run(three, training, net=architecture(3, activation="Relu", layers=2))
    assert "diverged" in found.stopped
    assert found.drift_steps.tolist() == found.steps[:-1].tolist()
    assert np.isfinite(found.drift).all()


def test_a_linear_model_may_overflow_alone(three):
    training = Training(steps=2000, critical_share=1.5)
    found = run(three, training, net=architecture(3, 256), runs=("linearised", "infinite"))
    assert found.steps[-1] == 2000
    assert np.isinf(found.train_loss[0, -1])


@pytest.mark.parametrize(("options", "error", "words"), [
    ({"runs": ("network", "guess")}, SpecError, "guess"),
    ({"runs": ()}, SpecError, "none"),
    ({"chosen": [6]}, SpecError, "from 0 to 5"),
    ({"net": architecture(2)}, SpecError, "3 targets"),
    ({"memory": 1000}, MemoryBudgetError, "narrower layers"),
    ({"dtype": "float16"}, SpecError, "float16"),
])  # fmt: skip
def test_what_cannot_be_is_refused(three, options, error, words):
    with pytest.raises(error, match=words):
        run(three, Training(steps=2), **options)


def test_no_training_samples(three):
    with pytest.raises(DataError, match="no training samples"):
        run(replace(three, X_train=three.X_train[:0], Y_train=three.Y_train[:0]), Training(steps=2))


# -- as long work ------------------------------------------------------------------------------------------------------


def test_moments_stream_in_order(three):
    events = []
    found = run(three, Training(steps=300), events=events)
    streamed = moments(events)
    assert all(isinstance(moment, Moment) for moment in streamed)
    steps = [moment.step for moment in streamed]
    assert steps == sorted(set(steps))
    assert set(found.steps) <= set(steps)
    assert streamed[-1].step == 300
    by_step = {moment.step: moment for moment in streamed}
    for i, step in enumerate(found.steps):
        np.testing.assert_array_equal(by_step[step].train_loss, found.train_loss[:, i])


def test_slow_steps_still_stream(three, monkeypatch):
    """Moments come between the recorded steps when those are far apart in time, and stay out of the trajectory."""
    monkeypatch.setattr(dynamics.training, "MOMENT_SECONDS", 0.0)
    monkeypatch.setattr(dynamics.training, "TRAJECTORY_SECONDS", 0.0)
    events = []
    found = run(three, Training(steps=300), events=events)
    assert len(moments(events)) > len(found.steps)
    growing = [e.value for e in events if isinstance(e, Partial) and e.key == "training"]
    assert growing
    for part in growing:
        assert isinstance(part, Trajectory)
        assert part.train_loss.shape == (3, len(part.steps))
        assert (np.diff(part.steps) > 0).all()
    assert found.steps.tolist() == run(three, Training(steps=300)).steps.tolist()


def test_no_tiles_of_other_kernels_leak(three):
    events = []
    run(three, Training(steps=50), events=events)
    assert {e.key for e in events if isinstance(e, Partial)} <= {"moment", "training"}
    assert sum(isinstance(e, Forecast) for e in events) == 1
    assert any(isinstance(e, Progress) and e.text != "training" for e in events)


def test_closing_at_every_event_ends_cleanly(three):
    before = torch.get_num_threads()
    total = sum(1 for _ in dynamics.train(architecture(3), three, Training(steps=12)))
    for stop in range(1, total, max(1, total // 40)):
        work = dynamics.train(architecture(3), three, Training(steps=12))
        for _ in range(stop):
            next(work, None)  # how many events there are depends on the time taken
        work.close()
        assert work.gi_frame is None
    assert torch.get_num_threads() == before
    assert np.geterr()["over"] == "warn"


def test_threads_are_given_back():
    before = torch.get_num_threads()
    with threads(single=True):
        assert torch.get_num_threads() == 1
    with threads(single=False):
        assert torch.get_num_threads() == before
    assert torch.get_num_threads() == before


def test_the_graph_compiler_is_never_loaded(three):
    """torch._dynamo takes a second to import; nothing here needs it."""
    code = (
        "import sys\n"
        "from ntklab import datasets, dynamics, spec\n"
        "from ntklab.progress import drain\n"
        "data = datasets.load(spec.Dataset(n_train=4, n_test=2, classes=(0, 1)))\n"
        f"net = spec.Architecture.from_dict({architecture(1, 4).to_dict()!r})\n"
        "drain(dynamics.train(net, data, spec.Training(steps=3)))\n"
        "print('torch._dynamo' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_in_mup_the_limit_moves_at_the_speed_of_the_network() -> None:
    """Analytic kernels of muP are those of √n·f: taken for those of f they would be n times too fast, and diverge."""
    found = drain(dynamics.train(architecture(3, 256, param="mup"), datasets.load(THREE), Training(steps=40)))
    start, end = found.train_loss[:, 0], found.train_loss[:, -1]
    assert (end < start).all()
    assert end[2] == pytest.approx(end[1], rel=0.2)  # linearised and infinite; the network itself learns features
