"""One setting of W_std and b_std for all hidden layers, as a click on the phase diagram asks for."""

import pytest

from ntklab import spec
from ntklab.errors import SpecError
from ntklab.session import edits
from ntklab.spec import activations as acts
from ntklab.spec.dataset import Spirals


def experiment(*layers):
    net = spec.Architecture(input=spec.Input("vector", (2,)), layers=layers)
    return spec.Experiment(net, spec.Dataset(source=Spirals(), n_train=8, n_test=2))


def test_every_layer_with_weights_but_the_read_out_takes_it():
    block = spec.Branch(branches=((acts.Erf(), spec.Dense(6, b_std=0.1)), ()))
    before = experiment(spec.Dense(6), block, acts.Erf(), spec.Dense(1, W_std=0.9))
    first, found, _, last = edits.set_deviations(before, 1.3, 0.2).architecture.layers
    assert (first.W_std, first.b_std) == (1.3, 0.2)
    assert (found.branches[0][1].W_std, found.branches[0][1].b_std) == (1.3, 0.2)
    assert last == before.architecture.layers[-1]


def test_no_bias_is_made_to_be_zero():
    before = experiment(spec.Dense(6), acts.Erf(), spec.Dense(6, b_std=0.1), acts.Erf(), spec.Dense(1))
    layers = edits.set_deviations(before, 1.3, 0.0).architecture.layers
    assert layers[0].b_std is None
    assert layers[2].b_std == 0.0


def test_a_read_out_alone_takes_it():
    layers = edits.set_deviations(experiment(spec.Dense(1)), 1.3, 0.2).architecture.layers
    assert (layers[0].W_std, layers[0].b_std) == (1.3, 0.2)


def test_impossible_deviations_are_refused():
    with pytest.raises(SpecError, match="W_std"):
        edits.set_deviations(experiment(spec.Dense(6), acts.Erf(), spec.Dense(1)), 0.0, 0.2)
