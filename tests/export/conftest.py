"""Results made by hand come from the tests of figures."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "figures"))


@pytest.fixture
def experiment():
    """A small experiment on ten classes."""
    from ntklab.spec import Architecture, Dataset, Dense, Experiment, Input
    from ntklab.spec.activations import Relu

    layers = (Dense(16, W_std=1.5, b_std=0.1), Relu(), Dense(10))
    return Experiment(Architecture(Input("vector", (64,)), layers, name="64–16–10"), Dataset(n_train=12, n_test=6),
                      name='digits, "small"')  # fmt: skip
