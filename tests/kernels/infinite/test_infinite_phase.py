"""Mean field theory of plain stacks, against closed forms, published values, plain iteration and golden kernels."""

from math import asin, inf, isnan, pi, sqrt

import numpy as np
import pytest
import torch
from golden.cases import CASES

from ntklab import spec
from ntklab.errors import NtkLabError, SpecError
from ntklab.kernels.infinite import infinite_kernel
from ntklab.kernels.infinite import phase as theory
from ntklab.progress import drain
from ntklab.spec import activations as acts

TANH = acts.Numerical(fn="tanh")
EVERY = [
    acts.Relu(), acts.LeakyRelu(), acts.ABRelu(0.3, 1.2), acts.Abs(), acts.Erf(), acts.Gelu(), acts.Sin(), acts.Cos(),
    acts.Rbf(), acts.Gaussian(), acts.Exp(), acts.Gabor(), acts.Sign(), acts.Sigmoid_like(),
    acts.Polynomial((0.0, 1.0, 0.2)), acts.Monomial(2), acts.RectifiedMonomial(2), acts.Hermite(2),
    acts.ExpNormalized(), *(acts.Numerical(fn=fn) for fn in ("tanh", "sigmoid", "swish", "softplus", "mish")),
]  # fmt: skip


def name(activation):
    return getattr(activation, "fn", type(activation).__name__)


def tensor(*values):
    return torch.tensor(values, dtype=torch.float64)


def fixed(activation, W_std, b_std, start=1.0):
    """(q*, χ₁) of one setting."""
    maps, weight = theory.maps_of(activation), tensor(W_std**2)
    q = theory.fixed_variance(maps, weight, tensor(b_std**2), start)
    return float(q), float(theory.susceptibility(maps, weight, q))


def correlated(activation, W_std, b_std):
    """(q*, c*, slope) of one setting."""
    maps, of = theory.maps_of(activation), {"weight": W_std**2, "bias": b_std**2}
    q = fixed(activation, W_std, b_std)[0]
    c = theory.fixed_correlation(maps, q=q, **of)
    return q, c, theory.correlation_slope(maps, q=q, c=c, **of)


# -- the variance ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("W_std", "b_std"), [(1.5, 0.1), (0.7, 0.4), (3.0, 0.0), (0.8, 0.0)])
def test_erf_is_its_closed_form(W_std, b_std):
    q, chi = fixed(acts.Erf(), W_std, b_std)
    assert q == pytest.approx(W_std**2 * 2 / pi * asin(2 * q / (1 + 2 * q)) + b_std**2, rel=1e-10)
    assert chi == pytest.approx(4 * W_std**2 / (pi * sqrt(1 + 4 * q)), rel=1e-10)
    assert (q == 0) == (W_std == 0.8)  # below the critical √(π/4) without bias


@pytest.mark.parametrize("b_std", [0.0, 0.3])
@pytest.mark.parametrize("W_std", [1.0, sqrt(2), 1.7])
def test_relu_is_its_closed_form(W_std, b_std):
    q, chi = fixed(acts.Relu(), W_std, b_std, start=0.5)
    assert chi == pytest.approx(W_std**2 / 2, rel=1e-14)
    ends = {1.0: b_std**2 / (1 - W_std**2 / 2), 1.7: inf}
    kept = inf if b_std else W_std**2 * 0.5  # at the critical point every variance stays, and a bias adds up
    assert q == pytest.approx(ends.get(W_std, kept), rel=1e-12)


@pytest.mark.parametrize("activation", EVERY, ids=name)
def test_the_variance_ends_where_plain_iteration_ends(activation):
    maps = theory.maps_of(activation)
    weight = tensor(0.1, 0.6, 1.1, 2.5).square().repeat(3)
    bias = tensor(0.0, 0.2, 0.9).square().repeat_interleave(4)
    q = theory.fixed_variance(maps, weight, bias, 1.0)
    here = weight + bias
    for _ in range(200):
        value, _ = maps.moments(here.clamp(1e-200, 1e200))
        here = weight * value + bias
    settles = (q > 0) & (q < inf)
    assert bool(((here - q).abs() <= 1e-6 * q)[settles].all())
    assert bool((here[torch.isinf(q)] > 1e3).all())
    assert bool((here[q == 0] < 1e-3).all())


# -- the critical line -------------------------------------------------------------------------------------------------


def test_selu_keeps_variance_one_and_is_slightly_chaotic():
    q, chi = fixed(acts.Selu(), 1.0, 0.0, start=0.7)
    assert q == pytest.approx(1, rel=1e-10)  # Klambauer et al. 2017, arXiv:1706.02515
    assert chi == pytest.approx(1.0716, abs=1e-4)


def test_critical_points_are_those_of_the_literature():
    at = {
        "tanh without bias (Schoenholz 2017)": (TANH, 0.0, 1.0),
        "tanh, b² = 0.05 (Schoenholz 2017)": (TANH, sqrt(0.05), sqrt(1.76)),
        "tanh, b² = 2.01e-5 (Xiao 2018)": (TANH, sqrt(2.01e-5), sqrt(1.05)),
        "erf without bias": (acts.Erf(), 0.0, sqrt(pi / 4)),
        "ReLU (He 2015)": (acts.Relu(), 0.0, sqrt(2)),
        "linear": (theory.dominant(dense_stack(None)).activation, 0.0, 1.0),
    }
    for words, (activation, b_std, W_std) in at.items():
        found = theory.critical_weight(activation, b_std, 1.0, 3.0)
        assert found == pytest.approx(W_std, rel=3e-4), words


@pytest.mark.parametrize(
    "activation", [TANH, acts.Erf(), acts.Gelu(), acts.Sin(), acts.Gaussian(), acts.Relu()], ids=name
)
def test_chi_is_one_along_the_critical_line_and_crosses_it(activation):
    ends = theory.ranges(activation, 1.0, 0.2, 1.0)
    W_std, b_std = theory.critical_line(activation, *ends, 1.0)
    assert len(W_std) > 10
    good = np.isfinite(W_std)
    maps = theory.maps_of(activation)
    for share, sign in ((1.0, 0), (0.97, -1), (1.03, 1)):
        weight, bias = (torch.from_numpy(part[good]).square() for part in (share * W_std, b_std))
        chi = theory.susceptibility(maps, weight, theory.fixed_variance(maps, weight, bias, 1.0)).numpy()
        if sign:
            assert (np.sign(chi - 1) == sign).all()
        else:
            np.testing.assert_allclose(chi, 1, rtol=1e-4)


def test_the_diagram_is_the_single_settings_and_read_only():
    W_std, b_std = (0.5, 1.3, 2.2), (0.1, 0.7)
    found = theory.susceptibilities(TANH, W_std, b_std, 1.0)
    assert found.shape == (2, 3)
    assert found[1, 2] == pytest.approx(fixed(TANH, 2.2, 0.7)[1], rel=1e-9)
    with pytest.raises(ValueError, match="read-only"):
        found[0, 0] = 1.0


@pytest.mark.parametrize("activation", [acts.Gelu(), acts.Exp(), acts.Monomial(2), acts.Relu()], ids=name)
def test_the_variance_diverges_right_of_its_line_only(activation):
    ends = theory.ranges(activation, 0.1, 0.1, 1.0)
    W_std, b_std = theory.diverging_line(activation, *ends, 1.0)
    for W, b in list(zip(W_std, b_std, strict=True))[:: len(W_std) // 4]:
        assert fixed(activation, 1.001 * W, b)[0] == inf
        assert fixed(activation, 0.99 * W, b)[0] < inf
    assert theory.diverging_line(acts.Erf(), 3.0, 2.0, 1.0)[0].size == 0


# -- the correlation ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", [*EVERY[:9], EVERY[11], TANH], ids=name)
@pytest.mark.parametrize(("W_std", "b_std"), [(0.6, 0.3), (1.2, 0.4), (2.2, 0.2)])
def test_the_correlation_ends_where_plain_iteration_ends(activation, W_std, b_std):
    maps = theory.maps_of(activation)
    q, c, slope = correlated(activation, W_std, b_std)
    here = tensor(0.3)
    for _ in range(400):
        here = maps.correlation_map(here, weight=W_std**2, bias=b_std**2, q=q)
    near_one = c == 1 and abs(slope - 1) < 1e-4  # approached like 1/l²
    assert float(here) == pytest.approx(c, abs=2e-3 if near_one else 1e-6)


def test_inputs_part_only_where_chi_exceeds_one():
    assert correlated(TANH, 1.5, 0.0)[1] == pytest.approx(0, abs=1e-9)
    assert correlated(acts.Erf(), 2.5, 0.3)[1] < 0.3
    assert correlated(acts.Erf(), 0.8, 0.3)[1:] == (1.0, pytest.approx(fixed(acts.Erf(), 0.8, 0.3)[1], rel=1e-9))
    assert correlated(acts.Sign(), 1.0, 0.5)[1] < 1  # its map is infinitely steep at 1, though no gradient passes


def test_without_bias_the_map_of_relu_is_the_arc_cosine_kernel_at_any_scale():
    maps, c = theory.maps_of(acts.Relu()), torch.linspace(0, 1, 21, dtype=torch.float64)
    angle = torch.acos(c)
    expected = (angle.sin() + (pi - angle) * c) / pi
    for W_std, q in ((0.5, 0.0), (sqrt(2), 3.0), (3.0, inf)):
        found = maps.correlation_map(c, weight=W_std**2, bias=0.0, q=q)
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
    assert correlated(acts.Relu(), 0.5, 0.0)[1:] == (1.0, pytest.approx(1.0, abs=1e-12))


def test_a_vanishing_smooth_network_keeps_every_correlation():
    q, c, slope = correlated(TANH, 0.8, 0.0)
    assert q == 0
    assert isnan(c)
    assert slope == 1


def test_the_slope_is_the_derivative_of_the_map():
    maps, of = theory.maps_of(acts.Erf()), {"weight": 2.0**2, "bias": 0.2**2}
    q, c, slope = correlated(acts.Erf(), 2.0, 0.2)
    _, pair = maps.correlate(tensor(c), q)
    assert slope == pytest.approx(float(of["weight"] * pair), rel=1e-6)


# -- against depth -----------------------------------------------------------------------------------------------------


def dense_stack(activation, *, depth=4, width=32, W_std=1.3, b_std=0.2, features=5):
    hidden = (spec.Dense(width, W_std=W_std, b_std=b_std), *(() if activation is None else (activation,)))
    layers = (*(depth * hidden), spec.Dense(1, W_std=W_std, b_std=b_std))
    return spec.Architecture(input=spec.Input("vector", (features,)), layers=layers)


def on_the_sphere(n=2, features=5, seed=0):
    X = np.random.default_rng(seed).normal(size=(n, features))
    return X * (sqrt(features) / np.linalg.norm(X, axis=1, keepdims=True))


@pytest.mark.parametrize("activation", [acts.Relu(), acts.Erf(), acts.Gelu(), TANH], ids=name)
def test_a_profile_is_the_kernels_of_the_stacks_that_end_in_each_layer(activation):
    X = on_the_sphere()
    cosine = float(X[0] @ X[1]) / 5
    found = drain(theory.profile(activation, W_std=1.3, b_std=0.2, variance=1.0, correlation=cosine, depth=5))
    kernels = drain(infinite_kernel(dense_stack(activation), X))
    K, T = kernels["nngp"].values, kernels["ntk"].values
    assert found.variance[-1] == pytest.approx(K[0, 0], rel=1e-12)
    assert found.tangent[-1] == pytest.approx(T[0, 0], rel=1e-12)
    assert found.correlation[-1] == pytest.approx(K[0, 1] / K[0, 0], rel=1e-11)
    along = drain(theory.walk(dense_stack(activation), X))
    for part in ("variance", "tangent", "correlation"):
        np.testing.assert_allclose(getattr(along, part), getattr(found, part), rtol=1e-10)


@pytest.mark.parametrize("case", ["fcn_relu_d5", "fcn_erf_d5", "fcn_num_tanh_d3", "fcn_mixed_acts", "res_mlp_relu_3"])
def test_the_walk_ends_at_the_golden_diagonals(case):
    arrays = CASES[case].arrays()
    found = drain(theory.walk(CASES[case].architecture(), arrays["x1"]))
    K, T = arrays["nngp_11"], arrays["ntk_11"]
    assert len(arrays["x1"]) <= 16  # all of them were taken
    assert found.variance[-1] == pytest.approx(np.diagonal(K).mean(), rel=1e-11)
    assert found.tangent[-1] == pytest.approx(np.diagonal(T).mean(), rel=1e-11)
    deviations = np.sqrt(np.diagonal(K))
    cosines = (K / np.outer(deviations, deviations))[~np.eye(len(K), dtype=bool)]
    assert found.correlation[-1] == pytest.approx(cosines.mean(), rel=1e-9, abs=1e-12)


def test_the_walk_goes_through_positions():
    layers = (spec.Conv(8, (3, 3), W_std=1.4), acts.Gelu(), spec.GlobalAvgPool(), spec.Dense(2))
    net = spec.Architecture(input=spec.Input("image", (4, 4, 3)), layers=layers)
    X = np.random.default_rng(0).normal(size=(5, 4, 4, 3))
    found, K = drain(theory.walk(net, X)), drain(infinite_kernel(net, X, kinds=("nngp",)))["nngp"].values
    assert found.names == ("layer 1 (Conv)", "layer 4 (Dense)")
    assert found.variance[-1] == pytest.approx(np.diagonal(K).mean(), rel=1e-12)
    deviations = np.sqrt(np.diagonal(K))
    cosines = (K / np.outer(deviations, deviations))[~np.eye(5, dtype=bool)]
    assert found.correlation[-1] == pytest.approx(cosines.mean(), rel=1e-12)


def test_the_walk_names_a_layer_that_has_no_rule():
    net = spec.Architecture(input=spec.Input("vector", (3,)), layers=(acts.Relu(), spec.Dense(1)))
    with pytest.raises(NtkLabError, match=r"layer 1 \(Relu\)"):
        drain(theory.walk(net, np.ones((2, 3))))


def test_an_overflow_ends_a_profile():
    found = drain(theory.profile(acts.Exp(), W_std=1.5, b_std=0.0, variance=1.0, correlation=0.1, depth=9))
    assert np.isfinite(found.variance[:2]).all()
    assert np.isnan(found.variance[-1])


# -- finite width ------------------------------------------------------------------------------------------------------


def test_the_spread_of_relu_is_five_depth_over_width():
    net = dense_stack(acts.Relu(), depth=3, width=100, W_std=1.1, b_std=0.0)
    found = theory.spread(theory.hidden_layers(net), 1.21)
    assert found.depth_to_width == pytest.approx(0.03)
    assert found.relative**2 == pytest.approx(5 * 0.03, rel=1e-3)


@pytest.mark.parametrize(
    ("activation", "function"), [(TANH, np.tanh), (acts.Relu(), lambda x: np.maximum(x, 0))], ids=["tanh", "ReLU"]
)
def test_the_spread_is_that_of_drawn_networks(activation, function):
    depth, width, W_std, b_std, networks = 3, 200, 1.4, 0.3, 3000
    random, q = np.random.default_rng(0), np.full(networks, W_std**2 + b_std**2)
    for _ in range(depth):  # given the layer below, units are independent and Gaussian: no matrices need be drawn
        z = np.sqrt(q)[:, None] * random.normal(size=(networks, width))
        q = W_std**2 * (function(z) ** 2).mean(axis=1) + b_std**2
    net = dense_stack(activation, depth=depth, width=width, W_std=W_std, b_std=b_std)
    found = theory.spread(theory.hidden_layers(net), W_std**2 + b_std**2)
    assert found.relative == pytest.approx(q.std() / q.mean(), rel=0.06)


def test_only_plain_stacks_have_a_spread():
    assert len(theory.hidden_layers(dense_stack(acts.Erf(), depth=2))) == 2
    assert theory.hidden_layers(dense_stack(None, depth=1)) is None
    assert theory.hidden_layers(dense_stack(acts.ExpNormalized())) is None


# -- which stack stands for a network ----------------------------------------------------------------------------------


def test_the_most_frequent_activation_with_the_weights_before_it_stands_for_a_network():
    block = spec.Branch(branches=((acts.Erf(), spec.Dense(8, W_std=1.2), acts.Relu(), spec.Dense(8, W_std=1.2)), ()))
    layers = (spec.Dense(8, W_std=0.7, b_std=0.1), block, block, acts.Erf(), spec.Dense(1))
    net = spec.Architecture(input=spec.Input("vector", (3,)), layers=layers)
    found = theory.dominant(net)
    assert (found.activation, found.W_std, found.b_std) == (acts.Relu(), 1.2, 0.0)  # the first of two as frequent
    assert (found.pairs, found.total) == (2, 5)
    assert found.beside == ("branches",)
    assert theory.dominant(dense_stack(None, W_std=1.7)).linear


def test_maps_are_of_activations_alone():
    with pytest.raises(SpecError, match="choose one with"):
        theory.maps_of(spec.Flatten())
