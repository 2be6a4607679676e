"""Expansions of torch modules in their parameters."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import functional_call

from ntklab.dynamics import LinearModel, gradient_descent, linearize, taylor_expand
from ntklab.errors import NtkLabError, SpecError
from ntklab.kernels.empirical import empirical_ntk
from ntklab.progress import drain


def network(seed=0, outputs=2):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, 12), nn.Tanh(), nn.Linear(12, outputs)).double()


def samples(n, seed=1):
    return torch.randn(n, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def moved(module, share, seed=2):
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += share * torch.randn_like(parameter)


@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_the_error_has_the_next_order(order):
    x, gaps = samples(5), []
    for share in (0.1, 0.05):
        module = network()
        expansion = taylor_expand(module, order)
        torch.testing.assert_close(expansion(x), module(x), rtol=1e-12, atol=1e-12)
        moved(module, share)
        expansion.network.load_state_dict(module.state_dict())
        gaps.append((expansion(x) - module(x)).abs().max().item())
    assert gaps[0] / gaps[1] == pytest.approx(2 ** (order + 1), rel=0.25)


def test_training_the_linearised_module_is_descent_with_its_kernel():
    module, x, x_test = network(), samples(6), samples(4, seed=5)
    Y = torch.from_numpy(np.random.default_rng(3).standard_normal((6, 2)))
    theta = drain(empirical_ntk(module, x, dtype="float64"))
    cross = drain(empirical_ntk(module, x_test, x, dtype="float64"))
    start, start_test = module(x).detach(), module(x_test).detach()
    model = LinearModel.of(theta, Y, kernel_test=cross, start=start, start_test=start_test)
    expected = gradient_descent(model, rate=0.02, loss="torch_mse", momentum=0.8).at(30)
    linear = linearize(module)
    optimiser = torch.optim.SGD(linear.parameters(), lr=0.02, momentum=0.8)
    for _ in range(30):
        optimiser.zero_grad()
        nn.functional.mse_loss(linear(x), Y).backward()
        optimiser.step()
    np.testing.assert_allclose(linear(x).detach(), expected.train, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(linear(x_test).detach(), expected.test, rtol=1e-9, atol=1e-12)
    assert not np.allclose(expected.train, start)


def test_a_quadratic_module_is_its_own_second_expansion():
    class Quadratic(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.tensor([1.0, -2.0, 0.5]))

        def forward(self, x):
            return (x @ self.w) ** 2 + self.w[0] * self.w[1]

    module = Quadratic().double()
    exact, rough = taylor_expand(module, 2), linearize(module)
    change = {"network.w": torch.tensor([0.3, 4.0, -1.0], dtype=torch.float64)}
    x = samples(4)
    expected = functional_call(module, {"w": change["network.w"]}, (x,))
    torch.testing.assert_close(functional_call(exact, change, (x,)), expected)
    assert (functional_call(rough, change, (x,)) - expected).abs().max() > 0.1


def test_frozen_parameters_stay_and_the_module_is_left_alone():
    module = network()
    module[0].requires_grad_(False)
    expansion = linearize(module)
    assert {name for name, p in expansion.named_parameters() if p.requires_grad} == {
        "network.2.weight", "network.2.bias"
    }  # fmt: skip
    moved(expansion.network[2], 1.0)
    torch.testing.assert_close(expansion(samples(3)), expansion.network(samples(3)))  # linear in its read-out
    torch.testing.assert_close(module(samples(3)), network()(samples(3)))


def test_expansions_are_of_evaluation_mode():
    module = nn.Sequential(nn.Linear(3, 5), nn.Dropout(0.9), nn.Linear(5, 1)).double().train()
    x = samples(4)
    torch.testing.assert_close(linearize(module)(x), module.eval()(x))


def test_in_float32_and_with_state():
    module = network().float()
    expansion = taylor_expand(module, 2)
    again = taylor_expand(network(seed=9).float(), 2)
    moved(expansion.network, 0.1)
    again.load_state_dict(expansion.state_dict())
    x = samples(3).float()
    assert expansion(x).dtype == torch.float32
    torch.testing.assert_close(again(x), expansion(x))
    assert "order=2" in repr(expansion)


def test_what_cannot_be_expanded_is_refused():
    with pytest.raises(SpecError, match="order"):
        taylor_expand(network(), -1)
    with pytest.raises(SpecError, match=r"torch\.nn\.Module"):
        linearize(torch.sin)

    class Opaque(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.ones(3))

        def forward(self, x):
            return Hidden.apply(x * self.w)

    class Hidden(torch.autograd.Function):
        generate_vmap_rule = False

        @staticmethod
        def forward(x):
            return x * 2

        @staticmethod
        def setup_context(ctx, inputs, output):
            pass

        @staticmethod
        def backward(_, gradient):
            return gradient * 2

    with pytest.raises(NtkLabError, match="forwards"):
        linearize(Opaque())(torch.ones(2, 3))
