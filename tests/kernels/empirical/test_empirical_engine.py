"""Layers chosen and apart, groups of layers in turn, and what a run says of its numbers."""

import numpy as np
import pytest
import torch
from torch import nn

from ntklab import spec
from ntklab.errors import MemoryBudgetError, NtkLabError, SpecError
from ntklab.kernels.empirical import empirical_ntk
from ntklab.kernels.empirical.reference import reference_ntk
from ntklab.networks import build
from ntklab.progress import Forecast, drain
from ntklab.spec import Conv, Dense, Flatten
from ntklab.spec.activations import Erf, Relu

FORMS = ("full", "diagonal", "mean")
CNN = spec.Architecture(
    spec.Input("image", (6, 6, 2)),
    (Conv(12, (3, 3), padding="SAME", b_std=0.2), Erf(), Conv(9, (3, 3), b_std=None), Relu(), Flatten(), Dense(3)),
)


def samples(n, *shape, seed=0):
    return np.random.default_rng(seed).standard_normal((n, *(shape or (6, 6, 2))))


def kernel(model, x1, x2=None, **options):
    return drain(empirical_ntk(model, x1, x2, **{"dtype": "float64", **options}))


def assert_close(got, wanted, tolerance=1e-11):
    assert got.shape == wanted.shape
    assert np.abs(got - wanted).max() <= tolerance * np.abs(wanted).max()


def only(model, names):
    """The kernel of some parameters, by freezing the others."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name in names)
    return model


@pytest.mark.parametrize("outputs", FORMS)
@pytest.mark.parametrize("x2", [None, samples(4, seed=1)])
def test_parts_add_up_to_the_kernel(outputs, x2):
    gram = kernel(CNN, samples(7), x2, outputs=outputs, split=True)
    assert list(gram.parts) == ["0", "2", "5"]
    assert_close(sum(gram.parts.values()), gram.matrix, 1e-12)
    for name, part in gram.parts.items():
        assert_close(part, kernel(CNN, samples(7), x2, outputs="mean", layers=name).values)
        assert x2 is not None or np.abs(part - part.T).max() == 0


@pytest.mark.parametrize(
    ("layers", "names"),
    [
        ("0", ["0.weight", "0.bias"]),
        (["0", "5.weight"], ["0.weight", "0.bias", "5.weight"]),
        ("*.bias", ["0.bias", "5.bias"]),
        (("[25].*",), ["2.weight", "5.weight", "5.bias"]),
    ],
)
def test_layers_are_chosen_by_name_or_pattern(layers, names):
    model, x = build(CNN, dtype="float64"), samples(5)
    gram = kernel(model, x, layers=layers)
    assert [p.requires_grad for p in model.parameters()] == [True] * len(list(model.parameters()))
    assert any(name in note for note in gram.provenance.notes for name in names)
    assert_close(gram.values, reference_ntk(only(model, names), torch.as_tensor(x)).numpy(), 1e-10)


def test_layers_that_there_are_not_are_refused_with_what_there_is():
    with pytest.raises(SpecError, match=r"got 'conv\*'; there are the layers '0', '2', '5' and the parameters '0\.w"):
        kernel(CNN, samples(2), layers=["0", "conv*"])
    for bad in ([], [3]):
        with pytest.raises(SpecError, match="layers: expected names or patterns"):
            kernel(CNN, samples(2), layers=bad)


@pytest.mark.parametrize("outputs", FORMS)
@pytest.mark.parametrize("split", [False, True])
def test_layers_take_turns_where_all_their_factors_do_not_fit(outputs, split):
    deep = spec.Architecture(spec.Input("vector", (9,)), (*[Dense(400), Relu()] * 8, Dense(3)))
    x = samples(60, 9)
    needed = next(empirical_ntk(deep, x, outputs=outputs, dtype="float64", split=split)).peak_bytes
    wanted = kernel(deep, x, outputs=outputs, split=split)
    less = needed - 3_000_000
    work = empirical_ntk(deep, x, outputs=outputs, dtype="float64", memory=less, split=split)
    assert next(work).peak_bytes <= less
    gram = drain(work)
    assert_close(gram.values, wanted.values, 1e-13)
    assert gram.parts.keys() == wanted.parts.keys()
    for name, part in gram.parts.items():
        assert_close(part, wanted.parts[name], 1e-13)


def test_parts_count_in_memory():
    alone, split = (next(empirical_ntk(CNN, samples(500), outputs="mean", split=s)).peak_bytes for s in (False, True))
    assert split - alone >= 3 * 500 * 500 * 4
    with pytest.raises(MemoryBudgetError):
        kernel(CNN, samples(500), outputs="mean", split=True, memory=split // 8)


def test_the_forecast_says_how_layers_are_treated():
    forecast = next(empirical_ntk(CNN, samples(5)))
    assert isinstance(forecast, Forecast)
    assert [layer.name for layer in forecast.layers] == ["0", "2", "5"]
    assert all(layer.rule for layer in forecast.layers)
    assert sum(layer.share for layer in forecast.layers) == pytest.approx(1.0)
    assert forecast.seconds > 0


def test_numbers_that_are_not_finite_are_said():
    x = samples(6)
    x[2, 1, 1, 0] = np.nan
    x[4, 1, 1, 0] = np.inf
    gram = kernel(CNN, x, outputs="mean")
    assert not gram.health.good
    assert gram.provenance.notes[-1] == "20 numbers of the kernel are not finite: samples 2, 4"
    gram = kernel(CNN, samples(3), x, outputs="mean")
    assert gram.provenance.notes[-1] == "6 numbers of the kernel are not finite: columns 2, 4"
    assert not any("finite" in note for note in kernel(CNN, samples(3)).provenance.notes)


class Fragile(nn.Module):
    """Raises when it is called for the ``at``-th time."""

    def __init__(self, at):
        super().__init__()
        self.at, self.calls, self.inner = at, 0, nn.Linear(4, 4)

    def forward(self, x):
        self.calls += 1
        if self.calls == self.at:
            raise ValueError("the third time")
        return torch.tanh(self.inner(x))


@pytest.mark.parametrize("at", [1, 2, 3, 4, 5, 6])
def test_an_error_of_the_module_names_the_part_that_raised_it(at):
    model = nn.Sequential(nn.Linear(3, 4), Fragile(at), nn.Linear(4, 2)).double()
    with pytest.raises(NtkLabError, match=r"the module '1' \(Fragile\) raised ValueError: the third time"):
        [kernel(model, samples(3, 3)) for _ in range(6)]
