"""``import ntklab``: the functions a person calls, and what they hand on."""

import sys
import types

import numpy as np
import pytest
import torch

import ntklab
from ntklab import datasets, experiments, own_arrays
from ntklab.errors import DataError, SpecError, TrustError
from ntklab.spec import Dataset, Experiment, Training


@pytest.fixture(scope="module")
def net():
    layers = [{"type": "Dense", "width": 16}, {"type": "Erf"}, {"type": "Dense", "width": 2}]
    return ntklab.Architecture.from_dict({"input": {"kind": "vector", "shape": [3]}, "layers": layers})


@pytest.fixture(scope="module")
def X():
    return np.random.default_rng(0).standard_normal((7, 3))


def test_every_name_is_there():
    assert sorted(ntklab.__all__) == ntklab.__all__
    for name in ntklab.__all__:
        assert getattr(ntklab, name) is not None
    assert set(ntklab.__all__) <= set(dir(ntklab))
    assert ntklab.Experiment is Experiment
    assert ntklab.spectra.critical_rate is not None
    with pytest.raises(AttributeError, match="no attribute 'kernal'"):
        ntklab.kernal  # noqa: B018
    namespace = {}
    exec("from ntklab import *", namespace)
    assert set(ntklab.__all__) <= set(namespace)


@pytest.mark.parametrize("kind", ["ntk", "nngp"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_infinite_kernel(net, X, kind, dtype):
    gram = ntklab.infinite_kernel(net, X, kind=kind, dtype=dtype)
    assert gram.values.shape == (7, 7)
    assert gram.values.dtype == dtype
    assert gram.provenance.kind == kind
    assert gram.symmetric
    across = ntklab.infinite_kernel(net, X, X[:4], kind=kind, dtype=dtype)
    assert not across.symmetric
    np.testing.assert_allclose(across.values, gram.values[:, :4], rtol=1e-5)


def test_an_unknown_kind_of_kernel(net, X):
    with pytest.raises(SpecError, match="'ntk' or 'nngp'"):
        ntklab.infinite_kernel(net, X, kind="ntkk")


@pytest.mark.parametrize(("outputs", "shape"), [("full", (7, 7, 2, 2)), ("diagonal", (7, 7, 2)), ("mean", (7, 7))])
def test_empirical_ntk(net, X, outputs, shape):
    gram = ntklab.empirical_ntk(net, X, outputs=outputs, seed=3)
    assert gram.values.shape == shape
    assert gram.values.dtype == "float32"
    assert gram.provenance.seed == 3
    assert gram.provenance.outputs == outputs
    assert ntklab.empirical_ntk(net, X).values.ndim == 4


def test_empirical_ntk_of_a_module(X):
    module = torch.nn.Linear(3, 1).double()
    gram = ntklab.empirical_ntk(module, X, X[:2], dtype="float64")
    np.testing.assert_allclose(gram.matrix, X @ X[:2].T + 1, rtol=1e-12)


def test_spectrum_of_a_gram_and_of_an_array(net, X):
    gram, y = ntklab.infinite_kernel(net, X), np.arange(7.0)
    found = ntklab.spectrum(gram, y, momentum=0.5)
    np.testing.assert_allclose(found.eigenvalues, np.linalg.eigvalsh(gram.values)[::-1], rtol=1e-9)
    assert found.target_power.sum() == pytest.approx(1)
    same = ntklab.spectrum(gram.values, y, momentum=0.5)
    np.testing.assert_array_equal(same.eigenvalues, found.eigenvalues)
    assert same.largest_rate == found.largest_rate
    assert ntklab.spectrum(np.diag([3, 1, 2])).eigenvalues.tolist() == [3, 2, 1]
    assert ntklab.spectrum(ntklab.empirical_ntk(net, X).values).eigenvalues.shape == (14,)


def test_train(net):
    data = datasets.load(Dataset(source=ntklab.spec.SOURCE_TYPES["Sphere"](dimension=3), n_train=6, n_test=3))
    events = []
    found = ntklab.train(net.with_outputs(1), data, Training(steps=4), seed=1, listen=events.append)
    assert found.steps.tolist() == [0, 1, 2, 3, 4]
    assert sum(isinstance(e, ntklab.Partial) and e.key == "moment" for e in events) == 5
    assert ntklab.train(net.with_outputs(1), data).steps[-1] == Training().steps


@pytest.fixture(scope="module")
def small(net):
    dataset = Dataset(source=ntklab.spec.SOURCE_TYPES["Sphere"](dimension=3), n_train=6, n_test=3)
    return Experiment(net.with_outputs(1), dataset, training=Training(steps=3))


def test_run_ends_with_the_run(small):
    events = list(ntklab.run(small))
    assert isinstance(events[0], ntklab.Forecast)
    assert events[-1].key == "run"
    run = events[-1].value
    assert isinstance(run, ntklab.Run)
    drained = ntklab.drain(ntklab.run(small))
    np.testing.assert_array_equal(drained.trajectory.train_loss, run.trajectory.train_loss)
    work = ntklab.run(small)
    next(work)
    work.close()  # leaving the loop


# -- the window --------------------------------------------------------------------------------------------------------


@pytest.fixture
def window(monkeypatch):
    """What ``show`` hands to the window."""
    shown = []
    fake = types.ModuleType("ntklab.gui.main")
    fake.show = lambda experiment, *, objects: shown.append((experiment, objects))
    monkeypatch.setitem(sys.modules, "ntklab.gui.main", fake)
    return shown


def test_show_nothing_and_an_experiment(window, small):
    ntklab.show()
    ntklab.show(small)
    assert window == [(None, {}), (small, {})]


def test_show_an_architecture(window, net):
    ntklab.show(net)
    ((experiment, _),) = window
    assert experiment.architecture.input.shape == (64,)
    assert experiment.dataset == Dataset()


@pytest.mark.parametrize("targets", ["classes", "one_hot", "numbers", "column"])
def test_own_arrays(net, tmp_path, targets):
    rng = np.random.default_rng(1)
    X, classes, numbers = rng.standard_normal((40, 5)), np.arange(40) % 4, rng.standard_normal(40)
    y = {"classes": classes, "one_hot": np.eye(4)[classes], "numbers": numbers, "column": numbers[:, None]}[targets]
    experiment, _ = own_arrays.experiment_of(net, X, y, folder=tmp_path)
    data = ntklab.drain(experiments.load(experiment))
    assert len(data.X_train) == 32
    assert len(data.X_test) == 8
    assert data.features == 5
    assert data.outputs == (4 if targets in ("classes", "one_hot") else 1)
    assert (experiment, {}) == own_arrays.experiment_of(net, X, y, folder=tmp_path)
    assert len(list(tmp_path.iterdir())) == 1


def test_show_a_module(window, tmp_path, monkeypatch):
    """As it is now, on tensors as it takes them: no scaling, its own shape; later changes are not seen."""
    monkeypatch.setattr(own_arrays.platformdirs, "user_data_path", lambda *_, **__: tmp_path)
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(6, 4), torch.nn.Dropout(), torch.nn.Linear(4, 2))
    X, y = torch.randn(20, 2, 3), torch.arange(20) % 2
    ntklab.show(module, X, y)
    ((experiment, objects),) = window
    assert experiment.model.name == "torch.nn.modules.container:Sequential"
    assert experiment.model.input == (2, 3)
    assert experiment.dataset.scaling == "none"
    with torch.no_grad():
        module[1].weight.zero_()
    snapshot = objects[experiment.model.sha256]
    assert snapshot[1].weight.abs().sum() > 0
    assert not snapshot.training
    assert module.training
    data = ntklab.load(experiment.dataset)
    assert set(data.X_train[:, 0]) <= set(X[:, 0, 0].double().numpy())
    run = ntklab.drain(ntklab.run(experiment, model=snapshot))
    expected = ntklab.empirical_ntk(snapshot, data.X_train.reshape(-1, 2, 3), outputs="mean")
    np.testing.assert_array_equal(run.empirical.values, expected.values)
    with pytest.raises(TrustError, match="the one given has other parameters"):
        ntklab.drain(ntklab.run(experiment, model=module))


def test_a_file_is_run_where_it_is_trusted(small, tmp_path):
    path = tmp_path / "net.py"
    path.write_text("from torch import nn\n\n\ndef make():\n    return nn.Linear(3, 1)\n")
    model = ntklab.model_file(path, "make")
    asked = small.replace(model=model)
    with pytest.raises(TrustError, match=r"trust=True in Python"):
        ntklab.drain(ntklab.run(asked))
    run = ntklab.drain(ntklab.run(asked, trust=lambda one: one == model))
    assert run.network.parameters == 4
    torch.save(torch.nn.Linear(3, 1).state_dict(), tmp_path / "net.pt")
    loaded = asked.replace(checkpoint=ntklab.checkpoint_file(tmp_path / "net.pt"))
    assert ntklab.drain(ntklab.run(loaded, trust=True)).network.parameters_from == "net.pt"


@pytest.mark.parametrize(("shown", "X", "y", "error", "words"), [
    (torch.nn.Linear(2, 1), None, None, DataError, "give X and y"),
    (torch.zeros(3), None, None, SpecError, "got Tensor"),
    ("net", np.zeros((3, 2)), None, DataError, "both"),
    ("net", np.zeros((3, 2)), np.zeros(2), DataError, "one row each"),
    ("net", np.zeros(3), np.zeros(3), DataError, r"\(n, d\)"),
    ("net", np.zeros((3, 2)), np.array([[0.1, 0.2], [0.3, 0.4], [0.1, 0.9]]), DataError, "one-hot"),
    (None, np.zeros((3, 2)), np.zeros(3), SpecError, "Architecture"),
])  # fmt: skip
def test_what_cannot_be_shown(net, window, shown, X, y, error, words):
    with pytest.raises(error, match=words):
        ntklab.show(net if shown == "net" else shown, X, y)
    assert window == []


def test_operators_and_their_eigenpairs(net, X):
    operator = ntklab.ntk_operator(net, X, seed=1)
    K = ntklab.empirical_ntk(net, X, seed=1, dtype="float64").operator
    np.testing.assert_allclose(operator.matvec(np.ones(14)), K.sum(axis=1), rtol=1e-10)
    events = []
    found = ntklab.top_eigenpairs(operator, 3, listen=events.append)
    assert isinstance(found, ntklab.Eigenpairs)
    np.testing.assert_allclose(found.eigenvalues, np.linalg.eigvalsh(K)[:-4:-1], rtol=1e-10)
    assert isinstance(events[0], ntklab.Forecast)
    loss = ntklab.Loss("half_mse", np.ones((7, 2)))
    assert ntklab.ntk_operator(net, X, head=loss).shape == (7, 7)


def test_other_questions_to_a_finite_network(net, X, tmp_path):
    module = torch.nn.Linear(3, 2)
    assert ntklab.empirical_ntk(module, X, head="sum", outputs="mean").values.shape == (7, 7)
    path = ntklab.save_parameters(module, tmp_path / "net.safetensors")
    optimiser = torch.optim.SGD(module.parameters(), lr=0.1, momentum=0.5)
    options = {"parameters": path, "metric": optimiser, "outputs": "mean", "dtype": "float64"}
    exact = ntklab.empirical_ntk(torch.nn.Linear(3, 2), X, **{**options, "metric": {"weight": 2.0, "bias": 2.0}})
    np.testing.assert_allclose(exact.values, 2 * (X @ X.T + 1), rtol=1e-6)
    np.testing.assert_allclose(ntklab.empirical_ntk(module, X, **options).values, exact.values, rtol=1e-10)
    sketch = ntklab.ntk_sketch(net, X, draws=4, seed=1)
    assert isinstance(sketch, ntklab.Estimate)
    assert sketch.mean.shape == sketch.standard_error.shape == (7, 7)
