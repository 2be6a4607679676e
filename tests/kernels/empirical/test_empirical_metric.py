"""Optimiser geometry: J D Jᵀ against the naive product, and against what a step of the optimiser does to outputs."""

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize

from ntklab.errors import SpecError
from ntklab.kernels.empirical.metric import given_name, metric_of, preconditioned
from ntklab.kernels.empirical.reference import jacobian, reference_ntk


def network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 4, bias=False), nn.Tanh(), nn.Linear(4, 2)).double()


class Tied(nn.Module):
    """A weight in two layers, one of them with a bias, and a raw parameter."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.first, self.second = nn.Linear(3, 3, bias=False), nn.Linear(3, 3)
        self.second.weight = self.first.weight
        self.gain = nn.Parameter(torch.rand(3))

    def forward(self, x):
        return self.second(torch.tanh(self.first(x)) * self.gain)


class Exponential(nn.Module):
    """W = exp(V)."""

    def forward(self, V):
        return V.exp()

    def right_inverse(self, W):
        return W.abs().log()


def samples(n=6, seed=0):
    return torch.randn(n, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def flat(D, model):
    """D as one vector, in the order of the Jacobian's columns."""
    trained = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    return torch.cat([torch.as_tensor(D[name], dtype=torch.float64).expand(p.shape).flatten() for name, p in trained])


def naive(model, D, x):
    J = jacobian(model, x)
    return torch.einsum("iop,jqp->ijoq", J * flat(D, model), J)


def kernel(found, x):
    """From the parts of parameters, each scaled: what routes do with layers."""
    total = torch.zeros(())
    for name, _ in found.module.named_parameters():
        alone = {n: p.requires_grad for n, p in found.module.named_parameters()}
        if not alone[name]:
            continue
        for n, p in found.module.named_parameters():
            p.requires_grad_(n == name)
        total = total + found.scales.get(name, 1.0) * reference_ntk(found.module, x)
        for n, p in found.module.named_parameters():
            p.requires_grad_(alone[n])
    return total


def assert_close(got, expected):
    assert (got - expected).abs().max() <= 1e-10 * expected.abs().max()


def random_metric(model, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.rand(p.shape, generator=generator, dtype=torch.float64) for name, p in model.named_parameters()}


METRICS = {
    "entries": random_metric,
    "layers": lambda model: {name: 1.0 + int(name[0]) for name, _ in model.named_parameters()},
    "weights and biases": lambda model: {name: 2.0 if "bias" in name else 0.5 for name, _ in model.named_parameters()},
    "one of each": lambda model: {**random_metric(model), "0.weight": 3.0, "0.bias": 3.0, "2.weight": 0.0},
    "the same everywhere": lambda model: {n: torch.full(p.shape, 2.5) for n, p in model.named_parameters()},
}


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("name", METRICS)
def test_equals_the_naive_product(name, apart):
    model, x = network(), samples()
    D = METRICS[name](model)
    found = preconditioned(model, metric_of(model, D), apart=apart)
    assert_close(kernel(found, x), naive(model, D, x))
    assert not (apart and found.scales)
    assert {given_name(found.module, name) for name, _ in found.module.named_parameters()} == {*D}
    torch.testing.assert_close(found.module(x), model(x), rtol=0, atol=0)


def test_layers_of_one_number_are_left_alone():
    model = network()
    assert preconditioned(model, metric_of(model, METRICS["layers"](model))).module is model
    found = preconditioned(model, metric_of(model, METRICS["one of each"](model)))
    assert found.scales == {"0.weight": 3.0, "0.bias": 3.0}
    assert found.module[0].weight.data_ptr() == model[0].weight.data_ptr()
    assert not found.module[2].weight.requires_grad
    assert type(model[4]) is nn.Linear
    assert all(p.requires_grad for p in model.parameters())


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("numbers", [True, False])
def test_tied_and_raw_parameters(numbers, apart):
    model, x = Tied().double(), samples()
    D = {"first.weight": 2.0, "second.bias": 2.0, "gain": 0.25} if numbers else random_metric(model)
    found = preconditioned(model, metric_of(model, D), apart=apart)
    assert_close(kernel(found, x), naive(model, D, x))


def test_parametrised_modules_have_a_metric_on_what_is_trained():
    model, x = network(), samples()
    parametrize.register_parametrization(model[0], "weight", Exponential())
    model[2].requires_grad_(False)
    D = {n: D for n, D in random_metric(model).items() if not n.startswith("2")}
    assert "0.parametrizations.weight.original" in D
    found = preconditioned(model, metric_of(model, D))
    assert_close(kernel(found, x), naive(model, D, x))
    assert not parametrize.is_parametrized(model[0], "bias")


# -- optimisers --------------------------------------------------------------------------------------------------------


def trained(make, steps=4):
    """A network, its optimiser after some steps, and inputs with targets."""
    model, x = network(), samples()
    y = samples(6, 1)[:, :2]
    optimiser = make(model)
    for _ in range(steps):
        optimiser.zero_grad()
        (model(x) - y).square().sum().div(2).backward()
        optimiser.step()
    return model, optimiser, x, y


def groups(model):
    return [{"params": model[0].parameters()}, {"params": [*model[2].parameters(), *model[4].parameters()], "lr": 3e-3}]


ONE_STEP = {
    "SGD": lambda m: torch.optim.SGD(groups(m), lr=1e-3),
    "SGD with weight decay of 0": lambda m: torch.optim.SGD(m.parameters(), lr=1e-3, weight_decay=0.0),
    "RMSprop": lambda m: torch.optim.RMSprop(groups(m), lr=1e-3, eps=1e-4),
    "centred RMSprop": lambda m: torch.optim.RMSprop(m.parameters(), lr=1e-3, centered=True),
    "Adam": lambda m: torch.optim.Adam(groups(m), lr=1e-3, betas=(0.0, 0.9)),
    "AMSGrad": lambda m: torch.optim.Adam(m.parameters(), lr=1e-3, betas=(0.0, 0.9), amsgrad=True),
    "AdamW": lambda m: torch.optim.AdamW(m.parameters(), lr=1e-3, betas=(0.0, 0.9), weight_decay=0.0, eps=1e-2),
}


@pytest.mark.parametrize("name", ONE_STEP)
def test_a_step_moves_the_linearised_outputs_by_the_kernel(name):
    model, optimiser, x, y = trained(ONE_STEP[name])
    J = jacobian(model, x)
    slope = (model(x) - y).detach()
    before = [p.detach().clone() for p in model.parameters()]
    optimiser.zero_grad()
    (model(x) - y).square().sum().div(2).backward()
    optimiser.step()
    moved = torch.cat([(p.detach() - q).flatten() for p, q in zip(model.parameters(), before, strict=True)])
    D = metric_of(model, optimiser).D  # with the second moments that this step used
    theta = torch.einsum("iop,jqp->ijoq", J * flat(D, model), J)
    assert_close(torch.einsum("ijoq,jq->io", theta, slope) * -1e-3, torch.einsum("iop,p->io", J, moved))


STEADY = {
    "momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.8),
    "nesterov": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.8, nesterov=True),
    "dampening": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.8, dampening=0.5),
    "RMSprop with momentum": lambda p: torch.optim.RMSprop(p, lr=0.1, momentum=0.8, alpha=0.9),
    "Adam": lambda p: torch.optim.Adam(p, lr=0.1, betas=(0.8, 0.9)),
}


@pytest.mark.parametrize("name", STEADY)
def test_momentum_counts_as_it_does_in_the_long_run(name):
    model = nn.Linear(3, 1, bias=False).double()
    optimiser = STEADY[name](model.parameters())
    gradient = torch.tensor([[0.5, -1.0, 2.0]], dtype=torch.float64)
    for _ in range(300):
        before = model.weight.detach().clone()
        model.weight.grad = gradient.clone()
        optimiser.step()
    D = metric_of(model, optimiser).D["weight"]
    assert_close(model.weight.detach() - before, -0.1 * D * gradient)


def test_parameters_outside_the_optimiser_do_not_count():
    model, x = network(), samples()
    optimiser = torch.optim.SGD(model[4].parameters(), lr=0.5, momentum=0.5)
    metric = metric_of(model, optimiser)
    found = preconditioned(model, metric)
    assert "not counted: 0.weight, 0.bias, 2.weight" in metric.note
    assert "SGD at a learning rate of 0.5" in found.note
    assert_close(kernel(found, x), naive(model, metric.D, x))
    assert found.scales == {"4.weight": 2.0, "4.bias": 2.0}


@pytest.mark.parametrize(("given", "words"), [
    (lambda m: {**random_metric(m), "4.wait": 1.0}, "unknown '4.wait'"),
    (lambda _: {"0.weight": 1.0}, "missing '0.bias'"),
    (lambda m: {**random_metric(m), "0.bias": -1.0}, "'0.bias' must have finite numbers of at least 0, got -1"),
    (lambda m: {**random_metric(m), "0.bias": float("nan")}, "'0.bias' must have finite"),
    (lambda m: {**random_metric(m), "0.bias": torch.ones(4)}, r"'0.bias' has shape \[5\], got \[4\]"),
    (lambda _: 3.0, "a mapping from names to numbers or an optimiser, got float"),
    (lambda m: torch.optim.Adagrad(m.parameters()), "SGD, RMSprop, Adam, AdamW, got Adagrad"),
    (lambda _: torch.optim.SGD(network().parameters(), lr=0.1), "holds no parameter of this module"),
    (lambda m: torch.optim.SGD(m.parameters(), lr=0.0), "rate of the first group must be above 0"),
    (lambda m: torch.optim.Adam(m.parameters()), "no moments of '0.weight' yet; take a step"),
    (lambda m: torch.optim.RMSprop(m.parameters()), "no moments of '0.weight' yet; take a step"),
])  # fmt: skip
def test_metrics_that_are_refused(given, words):
    model = network()
    with pytest.raises(SpecError, match=words):
        metric_of(model, given(model))
