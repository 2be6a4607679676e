"""Experiments on the user's own network: its kernels, what its limit is or why there is none, and who allowed it."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from own_models import NO_LIMIT, RESIDUAL_CNN, experiment, model_file
from torch import nn

from ntklab import experiments
from ntklab.errors import FileError, ModelError, SpecError, TrustError
from ntklab.experiments.models import Models
from ntklab.files import sha256_of
from ntklab.kernels.empirical import empirical_ntk
from ntklab.kernels.empirical.reference import reference_ntk
from ntklab.networks import build, own
from ntklab.networks.checkpoints import save_parameters
from ntklab.progress import Forecast, Partial, Progress, drain
from ntklab.results import distance
from ntklab.spec import Checkpoint, Dataset, ModelFile

SHAPE = (1, 8, 8)


def events_of(work):
    events = []
    return drain(work, events.append), events


def keys(events):
    return [event.key for event in events if isinstance(event, Partial)]


@pytest.fixture(scope="module")
def cnn(tmp_path_factory):
    return model_file(tmp_path_factory.mktemp("own"), RESIDUAL_CNN, SHAPE)


@pytest.fixture(scope="module")
def ran(cnn):
    return events_of(experiments.run(experiment(cnn), models=Models(trusted=True)))


# -- what is computed --------------------------------------------------------------------------------------------------


def test_the_finite_kernel_is_that_of_the_module(cnn, ran):
    run, _ = ran
    module = own.make(cnn, seed=5).double()
    X = torch.from_numpy(run.data.X_train.reshape(-1, *SHAPE))
    naive = reference_ntk(module, X)
    np.testing.assert_allclose(run.empirical.values, np.trace(naive, axis1=2, axis2=3) / 3, rtol=1e-10)
    assert run.empirical.provenance.spec == experiment(cnn).content_hash()
    assert any(f"make_network() of {cnn.path}, sha256 {cnn.sha256}" in note for note in run.empirical.provenance.notes)


def test_a_run_finds_all_that_can_be_found(ran):
    run, events = ran
    assert isinstance(events[0], Forecast)
    kinds = ["data", "ntk", "nngp", "network", "empirical", "empirical_spectrum", "ntk_spectrum", "phase", "trajectory"]
    assert [key for key in keys(events) if key in (*kinds, "absence")] == kinds
    assert run.absence is None
    assert run.network.parameters == 8 * 9 + 8 + 8 * 8 * 9 + 8 + 8 * 3 + 3
    assert run.network.outputs == 3
    assert run.network.name == "make_network() of own.py"


def test_the_network_is_told_with_how_its_layers_are_treated(ran):
    run, events = ran
    told = next(event.value for event in events if isinstance(event, Partial) and event.key == "network")
    assert told.route
    assert [(layer.name, layer.parameters) for layer in told.layers] == [("0", 80), ("1.conv", 584), ("4", 27)]
    assert run.network == told


def test_the_lifted_limit_is_that_of_the_module(tmp_path):
    """Standard parameterisation, channels first in the module and last in the description: a wide network is near."""
    wide = (
        RESIDUAL_CNN.replace("(1, 8,", "(1, 256,").replace("Block(8)", "Block(256)").replace("Linear(8", "Linear(256")
    )
    model = model_file(tmp_path, wide.replace("AvgPool2d(8)", "AdaptiveAvgPool2d(1)"), SHAPE)
    run = drain(experiments.kernels(experiment(model), models=Models(trusted=True)))
    assert run.ntk.provenance.parameterisation == "standard"
    assert distance(run.empirical, run.ntk) < 0.15


def test_layouts_differ_where_channels_do(tmp_path):
    """Two channels of 4 × 8: the samples of the limit must be the module's, axis by axis."""
    text = (
        "from torch import nn\n\ndef make_network():\n"
        "    return nn.Sequential(nn.Conv2d(2, 512, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(512 * 32, 3))\n"
    )
    subject = Models(trusted=True).subject(experiment(model_file(tmp_path, text, (2, 4, 8))))
    X = np.arange(128.0).reshape(2, 64)
    assert subject.limit.input.shape == (4, 8, 2)
    np.testing.assert_array_equal(subject.limit_samples(X), subject.samples(X).transpose(0, 2, 3, 1))


def test_a_seed_draws_another_network_and_leaves_the_random_numbers_alone(cnn):
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    first, again, other = (own.make(cnn, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(first[0].weight, again[0].weight)
    assert not torch.equal(first[0].weight, other[0].weight)
    assert not first.training


def test_without_a_rule_everything_else_is_there(tmp_path):
    asked = experiment(model_file(tmp_path, NO_LIMIT))
    run, events = events_of(experiments.run(asked, models=Models(trusted=True)))
    assert (run.ntk, run.nngp, run.ntk_spectrum, run.phase) == (None, None, None, None)
    assert "sort()" in run.absence.reason
    assert "phase" in run.absence.parts
    assert run.empirical_spectrum.eigenvalues.shape == (12,)
    assert run.trajectory.runs == ("network", "linearised")
    assert "absence" in keys(events)
    for refused in (experiments.monte_carlo, experiments.phase):
        with pytest.raises(SpecError, match=r"no infinite-width kernel.*sort"):
            drain(refused(asked, models=Models(trusted=True)))


def test_training_is_that_of_torch(cnn, ran):
    """The module's own steps, by torch's optimiser."""
    run, _ = ran
    module, rate = own.make(cnn, seed=5).double(), run.trajectory.learning_rate
    X, Y = torch.from_numpy(run.data.X_train.reshape(-1, *SHAPE)), torch.from_numpy(run.data.Y_train)
    optimiser = torch.optim.SGD(module.parameters(), lr=rate)
    losses = []
    for _ in range(5):
        loss = ((module(X) - Y) ** 2).sum() / (2 * len(X))
        losses.append(loss.item())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    np.testing.assert_allclose(run.trajectory.train_loss[0], losses, rtol=1e-9)
    again = own.make(cnn, seed=5)
    subject = Models(trusted=True).subject(experiment(cnn))
    drain(experiments.train(experiment(cnn), models=Models(trusted=True)))
    assert torch.equal(subject.finite[0].weight, again[0].weight)  # a copy is trained


def test_outputs_that_are_not_the_data_s_have_kernels_but_no_training(cnn):
    plain = experiment()
    ten = plain.replace(dataset=Dataset(n_train=8, n_test=4), architecture=plain.architecture.with_outputs(10))
    asked, models = ten.replace(model=cnn), Models(trusted=True)
    run = drain(experiments.run(asked, models=models))
    assert run.trajectory is None
    assert run.empirical_spectrum is not None
    with pytest.raises(SpecError, match="expected a network of 10 outputs, as the data has 10 targets, got 3"):
        drain(experiments.train(asked, models=models))


def test_a_shape_that_the_data_does_not_fill_is_named(cnn):
    asked = experiment(cnn.replace(input=(1, 8, 9)))
    with pytest.raises(SpecError, match=r"expected a shape of 64 numbers.*got \[1, 8, 9\]"):
        drain(experiments.kernels(asked, models=Models(trusted=True)))


# -- parameters from a file --------------------------------------------------------------------------------------------


def saved(module, path):
    save_parameters(module, path)
    return Checkpoint(str(path), sha256_of(path))


def test_parameters_of_a_file_are_those_of_the_kernel(cnn, tmp_path):
    other = own.make(cnn, seed=99)
    checkpoint = saved(other, tmp_path / "trained.safetensors")
    run = drain(experiments.kernels(experiment(cnn, checkpoint=checkpoint), models=Models(trusted=True)))
    X = run.data.X_train.reshape(-1, *SHAPE)
    expected = drain(empirical_ntk(other, X, outputs="mean", dtype="float64"))
    np.testing.assert_allclose(run.empirical.values, expected.values, rtol=1e-12)
    assert run.network.parameters_from == "trained.safetensors"
    assert any(f"parameters from {checkpoint.path}, sha256" in note for note in run.empirical.provenance.notes)


def test_a_described_network_takes_parameters_too(tmp_path):
    plain = experiment()
    checkpoint = saved(build(plain.architecture, seed=7), tmp_path / "seven.safetensors")
    run = drain(experiments.run(plain.replace(checkpoint=checkpoint)))
    seven = plain.replace(kernel=plain.kernel.replace(seed=7, dtype="float64"))
    expected = drain(experiments.run(seven))
    np.testing.assert_allclose(run.empirical.values, expected.empirical.values, rtol=1e-6)
    np.testing.assert_allclose(run.trajectory.train_loss, expected.trajectory.train_loss, rtol=1e-5)
    np.testing.assert_array_equal(run.ntk.values, expected.ntk.values)
    assert run.empirical.provenance.parameterisation == "ntk"
    assert run.trajectory.runs == expected.trajectory.runs
    with pytest.raises(SpecError, match="has the width that it has"):
        drain(experiments.width_convergence(plain.replace(checkpoint=checkpoint), (8, 16), 1))


def test_parameters_that_do_not_fit_or_changed_are_refused(cnn, tmp_path):
    path = tmp_path / "other.safetensors"
    checkpoint = saved(nn.Linear(64, 3), path)
    models = Models(trusted=True)
    with pytest.raises(SpecError, match="parameters: "):
        drain(experiments.kernels(experiment(cnn, checkpoint=checkpoint), models=models))
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(FileError, match="has changed: its sha256 is"):
        drain(experiments.kernels(experiment(cnn, checkpoint=checkpoint), models=models))
    with pytest.raises(FileError, match="cannot read"):
        drain(experiments.kernels(experiment(checkpoint=Checkpoint("gone.pt", checkpoint.sha256))))


# -- trust -------------------------------------------------------------------------------------------------------------

SIDE_EFFECT = "from pathlib import Path\nPath(__file__).with_name('ran').touch()\n" + NO_LIMIT


@pytest.mark.parametrize(
    "ask",
    [experiments.run, experiments.kernels, experiments.empirical, experiments.train, experiments.monte_carlo,
     experiments.phase],
)  # fmt: skip
def test_nothing_runs_without_consent(tmp_path, ask):
    model = model_file(tmp_path, SIDE_EFFECT)
    with pytest.raises(TrustError, match=rf"nobody has allowed to run \(sha256 {model.sha256}\)"):
        drain(ask(experiment(model)))
    with pytest.raises(TrustError):
        experiments.forecast(experiment(model))
    asked = []
    with pytest.raises(TrustError):
        drain(ask(experiment(model), models=Models(lambda one: bool(asked.append(one)))))
    assert asked == [model]
    assert not (tmp_path / "ran").exists()


def test_a_file_that_changed_does_not_run(tmp_path):
    model = model_file(tmp_path, NO_LIMIT)
    models = Models(trusted=True)
    drain(experiments.kernels(experiment(model), models=models))
    model_file(tmp_path, SIDE_EFFECT)
    with pytest.raises(TrustError, match="has changed: its sha256 is"):
        drain(experiments.kernels(experiment(model), models=models))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def make_network():\n    return 1 / 0\n", "in line 2, make_network: return 1 / 0: ZeroDivisionError"),
        ("import sys\nsys.exit(3)\n", "in line 2, <module>: sys.exit(3): SystemExit: 3"),
        ("def make_network(:\n", "in line 1: SyntaxError"),
        ("import another_file_of_mine\n", "No module named 'another_file_of_mine'"),
        ("def make():\n    pass\n", "has no function 'make_network'; it has make"),
        ("def make_network():\n    return 3\n", "returned int, expected a torch.nn.Module"),
        (NO_LIMIT.replace("nn.Linear(64", "nn.Linear(65"), "mat1 and mat2 shapes cannot be multiplied"),
        (NO_LIMIT.replace("return self.last(", "return ("), None),
        (NO_LIMIT.replace("return self.last(", "return {}, ("), "gave tuple, expected a tensor"),
    ],
)
def test_errors_in_the_file_name_its_line(tmp_path, text, said):
    model = model_file(tmp_path, text)
    before = set(sys.modules)
    if said is None:
        drain(experiments.kernels(experiment(model), models=Models(trusted=True)))
        return
    with pytest.raises(ModelError) as fault:
        drain(experiments.kernels(experiment(model), models=Models(trusted=True)))
    assert said in str(fault.value)
    assert "\n" not in str(fault.value)
    assert {name for name in set(sys.modules) - before if not name.startswith("_ntklab_model_")} <= {
        name for name in sys.modules if "torch" in name or "sympy" in name
    }


def test_loading_shadows_no_module(tmp_path):
    """A file called torch.py with a class that needs its own module by name."""
    text = "from __future__ import annotations\nfrom dataclasses import dataclass\n" + NO_LIMIT.replace(
        "def make_network", "@dataclass\nclass Config:\n    width: int = 3\n\n\ndef make_network"
    )
    model = model_file(tmp_path, text, name="torch.py")
    module = own.make(model)
    assert sys.modules["torch"] is torch
    assert type(module).__module__.startswith("_ntklab_model_")


# -- modules that a program holds --------------------------------------------------------------------------------------


class Scaled(nn.Linear):
    """A class of the tests."""


def test_a_module_of_the_program_is_known_by_its_contents():
    torch.manual_seed(0)
    module = Scaled(64, 3)
    named = own.model_object(module)
    assert named.name.endswith(":Scaled")
    models = Models(objects={named.sha256: module})
    run = drain(experiments.kernels(experiment(named), models=models))
    expected = drain(empirical_ntk(module, run.data.X_train, outputs="mean", dtype="float64"))
    np.testing.assert_array_equal(run.empirical.values, expected.values)
    with torch.no_grad():
        module.weight += 1
    assert own.fingerprint(module) != named.sha256
    with pytest.raises(TrustError, match="was handed over by a program, and no file holds it"):
        drain(experiments.kernels(experiment(named)))


def test_progress_goes_on_while_a_network_is_made(cnn):
    """Work begins with a forecast, whoever made the network."""
    for work in (experiments.kernels, experiments.train, experiments.empirical):
        found = work(experiment(cnn), models=Models(trusted=True))
        first = next(found)
        assert isinstance(first, Forecast | Progress)
        found.close()


def test_an_experiment_asks_its_models_once(cnn, monkeypatch):
    made = []
    whole = own.make
    monkeypatch.setattr(own, "make", lambda model, **options: made.append(model) or whole(model, **options))
    models = Models(trusted=True)
    first = models.subject(experiment(cnn))
    assert models.subject(experiment(cnn, training=experiment().training.replace(steps=9))) is first
    assert made == [cnn]
    assert models.subject(experiment(ModelFile(cnn.path, cnn.function, cnn.sha256, (1, 8, 8)))) is first


FROZEN = """
from torch import nn


class Squeezed(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(64, 8), nn.Linear(8, 1)
        self.first.requires_grad_(False)

    def forward(self, x):
        return self.last(self.first(x).relu()).squeeze(-1)


def make_network():
    return Squeezed()
"""


def test_frozen_parameters_stay_and_outputs_without_an_axis_are_one(tmp_path):
    plain = experiment()
    two = plain.replace(
        dataset=plain.dataset.replace(classes=(0, 1)), architecture=plain.architecture.with_outputs(1)
    ).replace(model=model_file(tmp_path, FROZEN))  # fmt: skip
    run = drain(experiments.run(two, models=Models(trusted=True)))
    assert (run.network.outputs, run.network.trained, run.network.parameters) == (1, 9, 529)
    features = torch.relu(own.make(two.model, seed=5).double().first(torch.from_numpy(run.data.X_train)))
    np.testing.assert_allclose(run.empirical.values, (features @ features.T + 1).detach().numpy(), rtol=1e-10)
    losses = run.trajectory.train_loss
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-9)  # linear in what is trained
    assert losses[0, -1] < losses[0, 0]
