"""The phase of whole networks: what stands for them, what it is compared with, and what their own layers say."""

from math import inf, isnan, sqrt

import numpy as np
import pytest

from ntklab import experiments, spec
from ntklab.progress import Forecast, Partial, Progress, drain
from ntklab.results import Phase
from ntklab.spec import activations as acts
from ntklab.spec.dataset import Spirals


def network(activation, *, depth=3, width=50, W_std=1.5, b_std=0.1, features=6):
    hidden = depth * (spec.Dense(width, W_std=W_std, b_std=b_std), activation)
    return spec.Architecture(input=spec.Input("vector", (features,)), layers=(*hidden, spec.Dense(1)))


def phase_of(architecture, X=None):
    return drain(experiments.phase_of(architecture, X))


def words(found):
    return {regime.name: regime.word for regime in found.regimes}


@pytest.mark.parametrize(
    ("activation", "W_std", "b_std", "word"),
    [
        (acts.Numerical(fn="tanh"), 1.6, 0.1, "chaotic"),
        (acts.Numerical(fn="tanh"), 0.9, 0.1, "ordered"),
        (acts.Erf(), 0.5, 0.0, "ordered"),
        (acts.Relu(), sqrt(2), 0.0, "critical"),
        (acts.Relu(), 1.0, 0.3, "ordered"),
        (acts.Gelu(), 2.0, 0.0, "unbounded"),
        (acts.Sign(), 1.0, 0.2, "chaotic"),
    ],
)
def test_the_word_for_a_network(activation, W_std, b_std, word):
    found = phase_of(network(activation, W_std=W_std, b_std=b_std))
    assert found.here.word == word
    assert (found.here.W_std, found.here.b_std) == (W_std, b_std)


def test_a_network_stands_between_an_ordered_a_critical_and_a_chaotic_one():
    found = phase_of(network(acts.Erf(), W_std=1.1))
    assert words(found) == {"here": "chaotic", "ordered": "ordered", "critical": "critical", "chaotic": "chaotic"}
    assert (found.b_std == 0.1).all()
    assert found.regime(2).chi1 == pytest.approx(1, abs=1e-6)
    assert found.regime(1).gradient_depth < found.regime(2).gradient_depth
    assert found.map_to[:, -1] == pytest.approx(1)
    ends = [np.interp(c, found.map_from, row) for c, row in zip(found.correlation, found.map_to, strict=True)]
    np.testing.assert_allclose(ends, found.correlation, atol=1e-4)
    np.testing.assert_allclose(found.variance_profile[:, -1], found.variance, rtol=1e-2)


def test_where_the_variance_jumps_nothing_is_critical():
    found = phase_of(network(acts.Gelu(), W_std=1.2, b_std=0.0))
    assert set(words(found).values()) == {"ordered", "unbounded"}
    assert found.diverging_line.shape[1] > 10
    assert found.here.variance == 0
    assert isnan(found.here.correlation)


def test_profiles_start_where_the_samples_are():
    X = np.random.default_rng(1).normal(size=(9, 6)) * 3
    found = phase_of(network(acts.Relu(), W_std=1.3, b_std=0.2), X)
    assert found.input_variance == pytest.approx((X**2).mean())
    assert found.variance_profile[0, 0] == pytest.approx(1.3**2 * (X**2).mean() + 0.04)
    units = X / np.linalg.norm(X, axis=1, keepdims=True)
    cosines = (units @ units.T)[~np.eye(9, dtype=bool)]
    assert found.input_correlation == pytest.approx(cosines.mean())
    assert found.layers == ("layer 1 (Dense)", "layer 3 (Dense)", "layer 5 (Dense)", "layer 7 (Dense)")
    np.testing.assert_allclose(found.layer_variance[:3], found.variance_profile[0, :3], rtol=1e-12)  # q is linear in q


def test_finite_width_is_told_of_plain_stacks_only():
    found = phase_of(network(acts.Relu(), depth=4, width=80, W_std=sqrt(2), b_std=0.0))
    assert found.depth_to_width == pytest.approx(4 / 80)
    assert found.spread == pytest.approx(sqrt(5 * 4 / 80), rel=1e-3)
    block = spec.Branch(branches=((acts.Relu(), spec.Dense(20)), ()))
    layers = (spec.Dense(20), block, spec.LayerNorm(axis=(-1,)), acts.Relu(), spec.Dense(1))
    other = phase_of(spec.Architecture(input=spec.Input("vector", (4,)), layers=layers))
    assert other.depth_to_width is None
    assert other.spread is None
    assert other.beside == ("branches", "layer norm")


def test_a_network_without_activations_and_one_without_rules_have_a_phase():
    linear = phase_of(spec.Architecture(input=spec.Input("vector", (4,)), layers=(spec.Dense(3, W_std=0.7),)))
    assert (linear.activation, linear.total) == ("linear", 0)
    assert linear.here.chi1 == pytest.approx(0.49)
    layers = (acts.Relu(), spec.Dense(8), acts.Relu(), spec.Dense(1))
    bare = phase_of(spec.Architecture(input=spec.Input("vector", (4,)), layers=layers))
    assert bare.layers == ()
    assert "layer 1 (Relu)" in bare.provenance.notes[0]
    assert bare.here.word == "ordered"


def test_events_of_an_experiment():
    experiment = spec.Experiment(network(acts.Erf(), features=2), spec.Dataset(source=Spirals(), n_train=8, n_test=2))
    events = []
    found = drain(experiments.phase(experiment), events.append)
    assert isinstance(found, Phase)
    assert events[0] == experiments.phase_forecast(experiment)
    assert sum(isinstance(event, Forecast) for event in events) == 1
    assert any(isinstance(event, Progress) for event in events)
    assert [event.key for event in events if isinstance(event, Partial)] == ["data", "phase"]
    assert events[-1].value is found
    assert found.provenance.spec == experiment.content_hash()
    (data,) = (event.value for event in events if isinstance(event, Partial) and event.key == "data")
    again = []
    assert drain(experiments.phase(experiment, data), again.append).here == found.here
    assert [event.key for event in again if isinstance(event, Partial)] == ["phase"]


def test_depths_of_e_folds():
    found = phase_of(network(acts.Relu(), W_std=1.0, b_std=0.0)).here
    assert found.gradient_depth == pytest.approx(1 / np.log(2))
    assert found.correlation_depth == inf  # a power of depth, at any W_std
