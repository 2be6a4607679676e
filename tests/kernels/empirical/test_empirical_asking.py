"""Heads, parameters and metrics through ``empirical_ntk``: every route, form and set of samples, against J D Jᵀ."""

import numpy as np
import pytest
import torch
from torch import nn

from ntklab import spec
from ntklab.errors import SpecError
from ntklab.kernels.empirical import empirical_ntk, ntk_operator, ntk_sketch
from ntklab.kernels.empirical.heads import Loss, headed, with_targets
from ntklab.kernels.empirical.metric import metric_of, preconditioned
from ntklab.kernels.empirical.reference import reference_ntk
from ntklab.networks import build, save_parameters
from ntklab.progress import Forecast, drain
from ntklab.spec import Dense
from ntklab.spec.activations import Erf, Relu

FORMS = ("full", "diagonal", "mean")


class Raw(nn.Module):
    """Uses a parameter outside of layers, so that no layer has a rule for all of it."""

    def __init__(self):
        super().__init__()
        self.first, self.gain, self.out = nn.Linear(3, 5), nn.Parameter(torch.rand(5)), nn.Linear(5, 4)

    def forward(self, x):
        return self.out(torch.tanh(self.first(x)) * self.gain)


class Branching(nn.Module):
    """Cannot be traced."""

    def __init__(self):
        super().__init__()
        self.first, self.out = nn.Linear(3, 5), nn.Linear(5, 4)

    def forward(self, x):
        h = self.first(x)
        return self.out(torch.relu(h) if float(h.detach().abs().sum()) > 0 else h)


def dense():
    return nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 5), nn.Tanh(), nn.Linear(5, 4))


def convolution():
    return nn.Sequential(nn.Unflatten(1, (1, 3)), nn.Conv1d(1, 3, 2), nn.Tanh(), nn.Flatten(), nn.Linear(6, 4))


MODULES = {"dense": dense, "raw": Raw, "convolution": convolution, "branching": Branching}
ARCHITECTURE = spec.Architecture(spec.Input("vector", (3,)), (Dense(6, b_std=0.2), Erf(), Dense(5), Relu(), Dense(4)))


def module(name="dense", seed=0):
    torch.manual_seed(seed)
    return MODULES[name]().double()


def samples(n=5, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal((n, 3)))


def kernel(model, x1, x2=None, **options):
    return drain(empirical_ntk(model, x1, x2, **{"dtype": "float64", **options}))


def assert_close(got, expected, tolerance=1e-10):
    expected = np.asarray(expected)
    assert got.shape == expected.shape
    assert np.abs(got - expected).max() <= tolerance * np.abs(expected).max()


HEADS = {"chosen": [3, 1], "sum": "sum", "softmax": "softmax", "log_softmax": "log_softmax", "module": nn.Tanh()}


@pytest.mark.parametrize("outputs", FORMS)
@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("name", MODULES)
def test_heads(name, head, outputs):
    model, x, z = module(name), samples(), samples(3, 1)
    twin, note = headed(model, HEADS[head], x)
    square, wide = (kernel(model, x, other, head=HEADS[head], outputs=outputs) for other in (None, z))
    if name != "branching":
        assert_close(square.values, reference_ntk(twin, x, outputs=outputs))
        assert_close(wide.values, reference_ntk(twin, x, z, outputs=outputs))
    assert_close(square.values[:, :3], kernel(model, x, x[:3], head=HEADS[head], outputs=outputs).values)
    assert note in square.provenance.notes


@pytest.mark.parametrize("head", HEADS)
def test_heads_of_an_architecture(head):
    x, net = samples(), build(ARCHITECTURE, seed=3, dtype="float64")
    twin, _ = headed(net, HEADS[head], x)
    found = kernel(ARCHITECTURE, x, head=HEADS[head], seed=3)
    assert_close(found.values, reference_ntk(twin, x))
    assert "one backward pass for all outputs" in found.provenance.route


@pytest.mark.parametrize("outputs", FORMS)
@pytest.mark.parametrize("kind", ["half_mse", "cross_entropy"])
@pytest.mark.parametrize("name", ["dense", "raw", "architecture"])
def test_losses(name, kind, outputs):
    model = ARCHITECTURE if name == "architecture" else module(name)
    x, z, rng = samples(), samples(3, 1), np.random.default_rng(0)
    loss = Loss(kind, rng.dirichlet(np.ones(4), 5), rng.dirichlet(np.ones(4), 3))
    net = build(model, dtype="float64") if name == "architecture" else model
    twin, rows, columns = with_targets(net, loss, x, z)
    assert_close(kernel(model, x, head=loss, outputs=outputs).values, reference_ntk(twin, rows, outputs=outputs))
    wide = kernel(model, x, z, head=loss, outputs=outputs)
    assert_close(wide.values, reference_ntk(twin, rows, columns, outputs=outputs))
    assert f"the kernel of the {kind} loss of each sample" in wide.provenance.notes


def random_metric(model):
    torch.manual_seed(4)
    return {name: torch.rand_like(p) for name, p in model.named_parameters()}


def layer_metric(model):
    return {name: 1.0 + len(name.split(".")[0]) for name, _ in model.named_parameters()}


def mixed_metric(model):
    names = [name for name, _ in model.named_parameters()]
    return {**random_metric(model), names[0]: 2.0, names[1]: 2.0 if name_of(names[0]) == name_of(names[1]) else 0.0}


def name_of(parameter):
    return parameter.rpartition(".")[0]


def twin_of(model, D, *more):
    return preconditioned(model, metric_of(model, D), apart=True).module


@pytest.mark.parametrize("outputs", FORMS)
@pytest.mark.parametrize("metric", [random_metric, layer_metric, mixed_metric])
@pytest.mark.parametrize("name", ["dense", "raw", "convolution"])
def test_metrics(name, metric, outputs):
    model, x, z = module(name), samples(), samples(3, 1)
    D = metric(model)
    twin = twin_of(model, D)
    assert_close(kernel(model, x, metric=D, outputs=outputs).values, reference_ntk(twin, x, outputs=outputs))
    assert_close(kernel(model, x, z, metric=D, outputs=outputs).values, reference_ntk(twin, x, z, outputs=outputs))


def test_a_metric_of_numbers_takes_the_way_of_the_layers():
    model, x = module(), samples()
    plain, found = kernel(model, x), kernel(model, x, metric=layer_metric(model))
    assert found.provenance.route == plain.provenance.route
    assert "the kernel J D Jᵀ of a given metric D" in found.provenance.notes


def test_the_split_of_a_metric_and_a_head_has_the_names_of_the_layers():
    model, x = module("raw"), samples()
    D = random_metric(model)
    found = kernel(model, x, metric=D, head="softmax", split=True, outputs="mean")
    assert set(found.parts) == {"first", "out", ""}
    assert_close(sum(found.parts.values()), found.matrix)
    twin, _ = headed(twin_of(model, D), "softmax", x)
    assert_close(found.matrix, reference_ntk(twin, x, outputs="mean"))
    part = kernel(model, x, metric=D, head="softmax", layers="first", outputs="mean")
    assert_close(part.matrix, found.parts["first"])


def test_the_optimiser_of_the_module_in_another_precision():
    model, x = module().float(), samples()
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(3):
        optimiser.zero_grad()
        model(x.float()).square().sum().backward()
        optimiser.step()
    found = kernel(model, x, metric=optimiser, outputs="mean")
    twin = twin_of(model.double(), metric_of(model, optimiser).D)
    assert_close(found.matrix, reference_ntk(twin, x, outputs="mean"))
    assert any("Adam at a learning rate of 0.001" in note for note in found.provenance.notes)
    assert all(p.requires_grad for p in model.parameters())


@pytest.mark.parametrize("model", [ARCHITECTURE, module()], ids=["architecture", "module"])
def test_parameters_of_a_checkpoint(model, tmp_path):
    x = samples()
    other = build(model, seed=9, dtype="float64") if isinstance(model, spec.Architecture) else module(seed=9)
    path = save_parameters(other, tmp_path / "other.safetensors")
    expected = reference_ntk(other, x)
    for source in (path, str(path), other.state_dict(), dict(other.named_parameters())):
        found = kernel(model, x, parameters=source)
        assert_close(found.values, expected)
        assert any("SHA-256" in note for note in found.provenance.notes)
        assert found.provenance.seed is None
    with pytest.raises(SpecError, match="missing"):
        kernel(model, x, parameters={"0.weight": torch.ones(5, 3)})


# -- the same questions without a kernel -------------------------------------------------------------------------------


def test_operators_are_asked_the_same_questions(tmp_path):
    model, other, x = module("raw"), module("raw", seed=9), samples()
    D = random_metric(model)
    parameters = dict(other.named_parameters())
    options = {"head": "softmax", "metric": D, "parameters": parameters, "layers": ["first", "gain"]}
    operator = ntk_operator(model, x, **options)
    assert_close(operator.matmat(np.eye(20)), kernel(model, x, **options).operator)
    notes = operator.provenance.notes
    assert notes == kernel(model, x, **options).provenance.notes[: len(notes)]
    loss = Loss("half_mse", np.ones((5, 4)))
    found = ntk_operator(ARCHITECTURE, x, head=loss).matmat(np.eye(5))
    assert_close(found, kernel(ARCHITECTURE, x, head=loss).operator)


@pytest.mark.parametrize("by", ["outputs", "parameters"])
@pytest.mark.parametrize("across", [False, True])
def test_sketches_have_honest_errors(by, across):
    model, x, z = module(), samples(4), samples(3, 1)
    D = layer_metric(model)
    exact = kernel(model, x, z if across else None, metric=D, outputs="mean").matrix
    scores, errors = [], []
    for seed in range(30):
        work = ntk_sketch(model, x, z if across else None, draws=24, by=by, seed=seed, metric=D, dtype="float64")
        events = []
        found = drain(work, events.append)
        assert isinstance(events[0], Forecast)
        assert not any(isinstance(event, Forecast) for event in events[1:])
        scores.append(found.z_scores(exact))
        errors.append(found.mean - exact)
    z_scores = np.array(scores)
    assert abs(z_scores.mean()) < 0.35
    assert 0.75 < np.sqrt(np.mean(z_scores**2)) < 1.3
    assert np.mean(np.abs(z_scores) > 2) < 0.12
    assert found.draws == 24
    assert np.abs(np.mean(errors, axis=0)).max() < 0.2 * np.abs(exact).max()
    assert f"random projections of the {by}" in found.provenance.route


def test_sketches_of_one_output_by_outputs_are_exact():
    model, x = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)).double(), samples()
    found = drain(ntk_sketch(model, x, draws=3, dtype="float64"))
    assert_close(found.mean, kernel(model, x, outputs="mean").matrix)
    assert found.standard_error.max() < 1e-14
    again = drain(ntk_sketch(model, x, draws=40, by="parameters"))
    np.testing.assert_array_equal(again.mean, drain(ntk_sketch(model, x, draws=40, by="parameters")).mean)
    assert_close(again.mean, again.mean.T)


@pytest.mark.parametrize(("options", "words"), [
    ({"draws": 1}, "at least 2"),
    ({"by": "rows"}, "'outputs' or 'parameters', got 'rows'"),
])  # fmt: skip
def test_sketches_that_are_refused(options, words):
    with pytest.raises(SpecError, match=words):
        drain(ntk_sketch(module(), samples(), **options))
