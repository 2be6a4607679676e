"""Functions of the outputs: kernels of heads are H Θ Hᵀ with the heads' own Jacobians, whatever the head."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import jacrev, vmap

from ntklab.errors import DataError, SpecError
from ntklab.kernels.empirical.heads import Loss, headed, with_targets
from ntklab.kernels.empirical.reference import reference_ntk


def network(k=4):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, k)).double()


def samples(n=5, seed=0, *, width=3):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal((n, width)))


def mixed():
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(4, 3), nn.Sigmoid())


HEADS = {
    "chosen": ([2, 0], lambda f: f[[2, 0]]),
    "one": (np.array([3]), lambda f: f[[3]]),
    "sum": ("sum", lambda f: f.sum()[None]),
    "softmax": ("softmax", lambda f: torch.softmax(f, 0)),
    "log_softmax": ("log_softmax", lambda f: torch.log_softmax(f, 0)),
    "module": (mixed(), mixed().double()),
}


def through(h, f, theta, g=None):
    """H_i Θ[i, j] H_jᵀ."""
    H = vmap(jacrev(h))(f)
    G = H if g is None else vmap(jacrev(h))(g)
    return torch.einsum("iao,ijop,jbp->ijab", H, theta, G)


@pytest.mark.parametrize("name", HEADS)
def test_heads_act_on_both_sides(name):
    head, h = HEADS[name]
    net, x, z = network(), samples(), samples(3, 1)
    module, note = headed(net, head, x)
    expected = through(h, net(x).detach(), reference_ntk(net, x, z), net(z).detach())
    torch.testing.assert_close(reference_ntk(module, x, z), expected, rtol=1e-12, atol=1e-12)
    assert note.startswith("the kernel of ")


def losses():
    rng = np.random.default_rng(2)
    classes, probabilities = rng.integers(0, 4, 5), rng.dirichlet(np.ones(4), 5)
    return {
        "half_mse": ("half_mse", probabilities),
        "classes": ("cross_entropy", classes),
        "probabilities": ("cross_entropy", torch.from_numpy(probabilities)),
    }


@pytest.mark.parametrize("name", losses())
def test_losses_see_the_target_of_their_sample(name):
    kind, targets = losses()[name]
    net, x = network(), samples()
    module, rows, columns = with_targets(net, Loss(kind, targets), x, None)
    assert columns is None
    f = net(x).detach()
    if kind == "half_mse":
        slopes = f - torch.as_tensor(targets)
    else:
        y = torch.eye(4)[targets] if np.ndim(targets) == 1 else targets
        slopes = torch.softmax(f, 1) - y
    expected = torch.einsum("io,ijop,jp->ij", slopes, reference_ntk(net, x), slopes)
    torch.testing.assert_close(reference_ntk(module, rows)[..., 0, 0], expected, rtol=1e-12, atol=1e-12)


def test_losses_of_two_sets_of_samples_and_of_tokens():
    torch.manual_seed(1)
    net = nn.Sequential(nn.Embedding(9, 4), nn.Flatten(), nn.Linear(8, 1)).double()
    x, z = torch.tensor([[1, 2], [3, 8], [0, 0]]), torch.tensor([[4, 2], [8, 8]])
    loss = Loss("half_mse", [1.0, 2.0, 3.0], np.array([[0.5], [0.25]]))
    module, rows, columns = with_targets(net, loss, x, z)
    got = reference_ntk(module, rows, columns)[..., 0, 0]
    r = (net(x)[:, 0] - torch.tensor([1.0, 2.0, 3.0])).detach()
    s = (net(z)[:, 0] - torch.tensor([0.5, 0.25])).detach()
    torch.testing.assert_close(got, r[:, None] * reference_ntk(net, x, z)[..., 0, 0] * s, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("head", "words"), [
    ("relu", "'sum', 'softmax', 'log_softmax'"),
    ([4], "outputs 0 to 3"),
    ([-1], "outputs 0 to 3"),
    ([], "list of integers"),
    ([0.5], "list of integers"),
])  # fmt: skip
def test_heads_that_do_not_fit(head, words):
    with pytest.raises(SpecError, match=words):
        headed(network(), head, samples())


@pytest.mark.parametrize(("loss", "words"), [
    (Loss("cross_entropy", [0, 1, 4, 0, 1]), "classes from 0 to 3, got 0 to 4"),
    (Loss("half_mse", [0, 1, 4, 0, 1]), "a row of 4 numbers for each of 5 samples"),
    (Loss("half_mse", np.ones((4, 4))), "a row of 4 numbers"),
])  # fmt: skip
def test_targets_that_do_not_fit(loss, words):
    with pytest.raises(DataError, match=words):
        with_targets(network(), loss, samples(), None)


def test_other_losses_and_missing_targets():
    with pytest.raises(SpecError, match="half_mse or cross_entropy"):
        Loss("hinge", [1])
    with pytest.raises(DataError, match="targets2"):
        with_targets(network(), Loss("half_mse", np.ones((5, 4))), samples(), samples(2))
    big = torch.tensor([[2**24 + 1]])
    net = nn.Sequential(nn.Embedding(2**24 + 2, 1), nn.Flatten())
    with pytest.raises(DataError, match="float64"):
        with_targets(net, Loss("half_mse", [1.0]), big, None)


def test_the_parameters_of_a_head_are_not_touched():
    head = mixed()
    module, _ = headed(network(), head, samples())
    assert all(p.requires_grad and p.dtype == torch.float32 for p in head.parameters())
    assert next(name for name, p in module.named_parameters() if p.requires_grad) == "network.0.weight"
