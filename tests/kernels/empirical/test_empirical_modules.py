"""The empirical NTK of torch modules, and clear refusals of those without gradients of single samples."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from ntklab.errors import NtkLabError
from ntklab.kernels.empirical import empirical_ntk
from ntklab.kernels.empirical.reference import reference_ntk
from ntklab.kernels.empirical.routes import structural
from ntklab.progress import drain

FORMS = ("full", "diagonal", "mean")


def samples(n=5, *shape, seed=0):
    return np.random.default_rng(seed).standard_normal((n, *(shape or (6,))))


class Residual(nn.Module):
    """Activates in place, and adds in place to the output of a layer that was used before."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.out = nn.Linear(6, 6), nn.Linear(6, 6, bias=False), nn.Linear(6, 3)

    def forward(self, x):
        h = self.first(x)
        z = self.second(torch.tanh(h))
        h += torch.relu_(z)
        return self.out(input=h)


class Gated(nn.Module):
    """Multiplies layers, normalises without parameters, and returns more than two axes."""

    def __init__(self):
        super().__init__()
        self.gate, self.value, self.unused = nn.Linear(6, 8), nn.Linear(6, 8), nn.Linear(3, 3)
        self.norm = nn.LayerNorm(8, elementwise_affine=False)

    def forward(self, x):
        return self.norm(torch.sigmoid(self.gate(x)) * self.value(x)).reshape(-1, 2, 4)


class Tokens(nn.Module):
    """One layer at several positions, pooled."""

    def __init__(self):
        super().__init__()
        self.each, self.out = nn.Linear(3, 5), nn.Linear(5, 2)

    def forward(self, x):
        return self.out(torch.tanh(self.each(x)).mean(1))


class Scalar(nn.Module):
    """Returns (n,)."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(6, 1)

    def forward(self, x):
        return self.layer(x).squeeze(-1)


def sequential():
    return nn.Sequential(nn.Linear(6, 7), nn.ReLU(inplace=True), nn.Dropout(0.5), nn.Linear(7, 7), nn.GELU(),
                         nn.Identity(), nn.Flatten(), nn.Linear(7, 3, bias=False))  # fmt: skip


def frozen():
    model = sequential()
    model[0].requires_grad_(False)
    model[3].bias.requires_grad_(False)
    return model


def only_a_bias():
    model = sequential().requires_grad_(False)
    model[3].bias.requires_grad_(True)
    return model


def only_the_output_bias():
    model = nn.Sequential(nn.Linear(6, 3)).requires_grad_(False)
    model[0].bias.requires_grad_(True)
    return model


def normalised():
    model = nn.Sequential(nn.Linear(6, 7), nn.BatchNorm1d(7, affine=False), nn.ReLU(), nn.Linear(7, 3)).eval()
    model[1].running_mean.uniform_(-1, 1)
    model[1].running_var.uniform_(0.5, 2)
    return model


COVERED = [
    sequential, frozen, only_a_bias, only_the_output_bias, Residual, Gated, Scalar, normalised,
    lambda: nn.Linear(6, 3), lambda: nn.Sequential(nn.Unflatten(1, (2, 3)), Tokens()),
    lambda: nn.Sequential(nn.Linear(6, 4), nn.Softmax(-1)),
    lambda: nn.Sequential(sequential(), nn.Tanh(), nn.Linear(3, 2)),
]  # fmt: skip
IDS = ["sequential", "frozen", "bias", "output bias", "Residual", "Gated", "Scalar", "normalised", "Linear", "Tokens",
       "softmax", "nested"]  # fmt: skip


def made(factory):
    torch.manual_seed(0)
    return factory().double().eval()


def expected(model, x1, x2=None, outputs="full"):
    second = None if x2 is None else torch.from_numpy(x2)
    return reference_ntk(model, torch.from_numpy(x1), second, outputs=outputs).numpy()


@pytest.mark.parametrize("outputs", FORMS)
@pytest.mark.parametrize("factory", COVERED, ids=IDS)
def test_equals_the_twin(factory, outputs):
    model, x1, x2 = made(factory), samples(), samples(4, seed=1)
    if factory is COVERED[0]:  # the twin cannot run in-place activations under vmap on a leaf
        model[1].inplace = True
    for second in (None, x2):
        gram = drain(empirical_ntk(model, x1, second, outputs=outputs, dtype="float64"))
        reference = expected(model, x1, second, outputs)
        assert gram.values.shape == reference.shape
        assert np.abs(gram.values - reference).max() <= 1e-10 * np.abs(reference).max()
        assert gram.provenance.parameterisation is None
        assert any("checked against autograd" in note for note in gram.provenance.notes)


def test_modules_with_hooks_or_unknown_parts_have_no_rules_of_their_own():
    assert not structural.covers(Gated())
    assert not structural.covers(nn.Sequential(nn.Linear(6, 2), nn.Flatten(0)))
    model = sequential()
    handle = model[4].register_forward_hook(lambda *hooked: 2 * hooked[-1])
    assert not structural.covers(model)
    handle.remove()
    assert structural.covers(model)


def test_frozen_parameters_are_named():
    gram = drain(empirical_ntk(frozen().eval(), samples()))
    assert "parameters not trained and not counted: 0.weight, 0.bias, 3.bias" in gram.provenance.notes


def test_the_model_is_left_as_it_was():
    model = made(Residual)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    work = empirical_ntk(model, samples(800), dtype="float64")
    for _ in range(4):
        next(work)
    work.close()
    drain(empirical_ntk(model, samples(800)))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(p.grad is None and p.requires_grad and p.dtype == torch.float64 for p in model.parameters())
    assert not any(module._forward_hooks for module in model.modules())


def test_threads_are_left_as_they_were():
    threads = torch.get_num_threads()
    for event in empirical_ntk(made(sequential), samples(800)):
        assert torch.get_num_threads() == threads, event


class Shared(nn.Module):
    """Calls a layer twice."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(6, 6)

    def forward(self, x):
        return self.layer(torch.relu(self.layer(x)))


class Functional(nn.Module):
    """Uses a layer's weight behind its back."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(6, 6)

    def forward(self, x):
        return self.layer(x) + x @ self.layer.weight


class Raw(nn.Module):
    """Has a parameter of its own."""

    def __init__(self):
        super().__init__()
        self.layer, self.scale = nn.Linear(6, 3), nn.Parameter(torch.ones(3))

    def forward(self, x):
        return self.layer(x) * self.scale


class Mixing(nn.Module):
    """Lets the samples of a batch affect each other."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(6, 3)

    def forward(self, x):
        z = self.layer(x)
        return z * torch.relu(z).sum(0)


class Pair(nn.Module):
    """Returns a tuple."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(6, 3)

    def forward(self, x):
        return self.layer(x), x


def tied():
    model = nn.Sequential(nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 6))
    model[2].weight = model[0].weight
    return model


def twice():
    layer = nn.Linear(6, 6)
    return nn.Sequential(layer, nn.ReLU(), layer)


ONCE_REFUSED = [
    Shared, twice, Functional, Raw, tied,
    lambda: nn.Sequential(nn.Linear(6, 4), nn.LayerNorm(4)),
    lambda: nn.Sequential(nn.Unflatten(1, (2, 3)), nn.Conv1d(2, 4, 3)),
    lambda: parametrizations.weight_norm(nn.Linear(6, 3)),
]  # fmt: skip


@pytest.mark.parametrize("outputs", FORMS)
@pytest.mark.parametrize("factory", ONCE_REFUSED)
def test_parameters_that_are_shared_or_used_elsewhere(factory, outputs):
    model, x = made(factory), samples()
    gram = drain(empirical_ntk(model, x, outputs=outputs, dtype="float64"))
    reference = expected(model, x, None, outputs)
    assert np.abs(gram.values - reference).max() <= 1e-10 * np.abs(reference).max()


REFUSED = [
    (Mixing, "mixes the samples of a batch"),
    (Pair, "must return one tensor .n, k. for n samples, got tuple"),
    (lambda: nn.ReLU(), "has no trainable parameters"),
    (lambda: nn.Linear(6, 3).requires_grad_(False), "has no trainable parameters"),
]


@pytest.mark.parametrize(("factory", "message"), REFUSED, ids=[message[:20] for _, message in REFUSED])
def test_what_has_no_gradients_of_single_samples_is_refused(factory, message):
    with pytest.raises(NtkLabError, match=message):
        drain(empirical_ntk(made(factory), samples(), dtype="float64"))


@pytest.mark.parametrize(("layer", "what"), [(nn.BatchNorm1d(7, affine=False), "statistics of the whole batch"),
                                             (nn.Dropout(0.3), "is random")])  # fmt: skip
def test_random_or_mixing_layers_in_training_mode_are_refused(layer, what):
    model = nn.Sequential(nn.Linear(6, 7), layer, nn.Linear(7, 2)).train()
    with pytest.raises(NtkLabError, match=rf"'1' .*{what}.*training mode.*call model.eval\(\)"):
        drain(empirical_ntk(model, samples()))
    drain(empirical_ntk(model.eval(), samples()))
