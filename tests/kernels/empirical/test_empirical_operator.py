"""Products with the kernel, without the kernel, against J Jᵀ in float64, for modules of every kind."""

import numpy as np
import pytest
import torch
from torch import nn

from ntklab import spectra
from ntklab.errors import MemoryBudgetError, NtkLabError, NumericalError, SpecError
from ntklab.kernels.empirical import operator as operators
from ntklab.kernels.empirical.linear_maps import Jacobian
from ntklab.kernels.empirical.operator import NtkOperator
from ntklab.progress import Forecast, Progress, drain


class Square(torch.autograd.Function):
    """x², without a forward derivative."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return 2 * x * gradient


class Wrong(Square):
    """Its backward pass is not linear in the cotangent, so no derivative of anything."""

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return 2 * x * gradient.abs()


class Squares(nn.Module):
    def __init__(self, function=Square):
        super().__init__()
        self.function, self.a, self.b = function, nn.Linear(3, 4), nn.Linear(4, 2)

    def forward(self, x):
        return self.b(self.function.apply(self.a(x)))


class Recurrent(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.layer, self.out = kind(3, 4, batch_first=True), nn.Linear(4, 2)

    def forward(self, x):
        return self.out(self.layer(x)[0][:, -1])


class Branching(nn.Module):
    """What it computes depends on the numbers; a parameter is unused, another not trained."""

    def __init__(self):
        super().__init__()
        self.a, self.unused, self.out = nn.Linear(3, 3), nn.Linear(2, 2), nn.Linear(3, 2)
        self.out.bias.requires_grad_(False)

    def forward(self, x):
        h = self.a(x)
        h = torch.relu_(h) if h.detach().sum() > 0 else torch.tanh(h)
        return self.out(h)


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(3, 3), nn.Linear(3, 3)
        self.b.weight = self.a.weight

    def forward(self, x):
        return self.b(torch.tanh(self.a(x)))


def attention():
    layer = nn.TransformerEncoderLayer(4, 2, 6, batch_first=True, dropout=0.0)
    return nn.Sequential(layer, nn.Flatten(), nn.Linear(12, 2))


MODULES = {
    "dense": (lambda: nn.Sequential(nn.Linear(3, 5), nn.ReLU(inplace=True), nn.Linear(5, 2)), (3,)),
    "convolution": (
        lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 2)),
        (1, 6, 6),
    ),
    "attention": (attention, (3, 4)),
    "LSTM": (lambda: Recurrent(nn.LSTM), (4, 3)),
    "GRU": (lambda: Recurrent(nn.GRU), (4, 3)),
    "no forward derivative": (Squares, (3,)),
    "branching": (Branching, (3,)),
    "tied": (Tied, (3,)),
    "tokens": (lambda: nn.Sequential(nn.Embedding(6, 3), nn.Flatten(), nn.Linear(6, 2)), None),
}


def case(name, n=5):
    torch.manual_seed(0)
    make, shape = MODULES[name]
    module = make().double().eval()
    x = torch.randint(0, 6, (n, 2)) if shape is None else torch.randn(n, *shape, dtype=torch.float64)
    return module, x


def matrix(module, x):
    """J Jᵀ (n·k, n·k) from one backward pass a sample and output."""
    trained = [p for p in module.parameters() if p.requires_grad]
    rows = []
    for sample in x:
        for value in module(sample.unsqueeze(0)).flatten():
            found = torch.autograd.grad(value, trained, retain_graph=True, allow_unused=True)
            rows.append(torch.cat([(torch.zeros_like(p) if g is None else g).flatten()
                                   for p, g in zip(trained, found, strict=True)]))  # fmt: skip
    J = torch.stack(rows)
    return (J @ J.T).numpy()


def assert_close(got, expected, tolerance=1e-10):
    assert got.shape == expected.shape
    assert np.abs(got - expected).max() <= tolerance * np.abs(expected).max()


@pytest.mark.parametrize("name", MODULES)
def test_products_equal_those_of_the_matrix(name):
    module, x = case(name)
    operator, theta = NtkOperator(module, x), matrix(module, x)
    V = np.random.default_rng(0).standard_normal((len(theta), 3))
    assert operator.shape == theta.shape
    assert_close(operator.matmat(V), theta @ V)
    assert_close(operator @ V[:, 1], theta @ V[:, 1])
    assert all(p.grad is None for p in module.parameters())


@pytest.mark.parametrize("step", [10**9, 300])
@pytest.mark.parametrize("name", MODULES)
def test_the_diagonal_is_exact(name, step, monkeypatch):
    monkeypatch.setattr(operators, "_STEP", step)
    module, x = case(name)
    operator = NtkOperator(module, x)
    events = []
    assert_close(drain(operator.diagonal(), events.append), np.diag(matrix(module, x)))
    assert events[0].tiles == len(events) - 1


def test_the_diagonal_of_shared_weights_in_every_order():
    torch.manual_seed(0)
    for channels, length in ((2, 9), (6, 4), (1, 3)):
        module = nn.Sequential(nn.Conv1d(channels, 5, 3, padding=1), nn.Tanh(), nn.Flatten(), nn.Linear(5 * length, 2))
        x = torch.randn(4, channels, length, dtype=torch.float64)
        operator = NtkOperator(module.double(), x)
        assert_close(drain(operator.diagonal()), np.diag(matrix(module, x)))


def test_the_double_backward_pass_is_taken_where_it_must_be():
    assert not Jacobian(*case("no forward derivative")).forward
    for name in ("dense", "convolution", "attention", "LSTM"):
        assert Jacobian(*case(name)).forward


@pytest.mark.parametrize("step", [1, 200, 10**9])
@pytest.mark.parametrize("columns", [1, 3, 40])
def test_chunks_do_not_matter(monkeypatch, step, columns):
    monkeypatch.setattr(operators, "_STEP", step)
    module, x = case("dense", n=7)
    operator, theta = NtkOperator(module, x), matrix(module, x)
    V = np.random.default_rng(0).standard_normal((len(theta), columns))
    assert_close(operator.matmat(V), theta @ V)
    events = list(operator.product(V))
    assert isinstance(events[0], Forecast)
    assert [event.done for event in events[1:]] == list(range(1, events[0].tiles + 1))
    assert {event.total for event in events[1:]} == {events[0].tiles}


def test_float32_and_samples_that_are_overwritten():
    torch.manual_seed(0)
    module = nn.Sequential(nn.ReLU(inplace=True), nn.Linear(3, 2))
    x = torch.randn(5, 3)
    before = x.clone()
    operator = NtkOperator(module, x)
    assert operator.dtype == np.float32
    assert_close(operator.matmat(np.eye(10)), matrix(module.double(), x.double()), 1e-5)
    assert torch.equal(x, before)


def test_top_eigenpairs_without_the_matrix():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(4, 30), nn.Tanh(), nn.Linear(30, 3)).double()
    x = torch.randn(40, 4, dtype=torch.float64)
    found = drain(spectra.top_eigenpairs(NtkOperator(module, x), 12))
    values, vectors = spectra.eigen(matrix(module, x))
    assert np.abs(found.eigenvalues - values[:12]).max() <= 1e-10 * values[0]
    assert np.abs(found.eigenvectors[:, 0] - vectors[:, 0]).max() <= 1e-8
    assert (found.residuals <= 1e-9 * values[0]).all()
    assert found.products < 120


def test_the_trace_has_an_honest_error():
    module, x = case("convolution", n=8)
    operator, exact = NtkOperator(module, x), np.trace(matrix(module, x))
    z = [float(drain(operator.trace(16, seed=seed)).z_scores(np.array(exact))) for seed in range(60)]
    assert abs(np.mean(z)) < 4 / np.sqrt(60)
    assert 0.6 < np.std(z) < 1.4
    assert isinstance(next(iter(operator.trace(4))), Forecast)
    assert Progress(1, 1, "Jᵀv") in list(operator.trace(4))
    with pytest.raises(SpecError, match="at least 2"):
        drain(operator.trace(1))


@pytest.mark.parametrize(("module", "error", "words"), [
    (nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3)), NtkLabError, r"model\.eval\(\)"),
    (nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5)), NtkLabError, r"model\.eval\(\)"),
    (nn.Linear(3, 2).requires_grad_(False), NtkLabError, "trains no parameter"),
    (Squares(Wrong), NumericalError, "forward and backward derivatives of the module disagree"),
])  # fmt: skip
def test_modules_that_are_refused(module, error, words):
    torch.manual_seed(0)
    with pytest.raises(error, match=words):
        NtkOperator(module.double(), torch.randn(5, 3, dtype=torch.float64))


def test_vectors_of_another_length_and_too_little_memory():
    operator = NtkOperator(*case("dense"))
    with pytest.raises(SpecError, match="vectors of 10 numbers"):
        operator @ np.ones(9)
    with pytest.raises(MemoryBudgetError, match="a product"):
        NtkOperator(*case("dense"), memory=1000)
    assert operator.plan.together == 16
    assert operator.forecast(3).peak_bytes > operator.forecast().peak_bytes > 14 * 2**20
