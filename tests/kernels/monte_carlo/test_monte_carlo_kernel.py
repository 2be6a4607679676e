"""Kernels estimated from drawn networks, against the analytic ones and against what they promise."""

import time

import numpy as np
import pytest
import torch

from ntklab import spec
from ntklab.errors import DataError, MemoryBudgetError, NtkLabError, NumericalError, SpecError
from ntklab.kernels.empirical import empirical_ntk
from ntklab.kernels.infinite import infinite_kernel
from ntklab.kernels.monte_carlo import monte_carlo_kernel
from ntklab.kernels.monte_carlo.widths import drawing
from ntklab.networks import build
from ntklab.progress import Forecast, Partial, Progress, drain
from ntklab.results import relative_distance
from ntklab.spec.activations import Erf, Exp, ExpNormalized, Monomial, Relu

x = np.random.default_rng(0).standard_normal((10, 6))


RELU = Relu()


def network(*, act=RELU, depth=2, width=64, readout=True, param="ntk", d=6, outputs=1, W_std=2**0.5):
    layers = [layer for _ in range(depth) for layer in (spec.Dense(width, W_std, 0.3, param), act)]
    last = [spec.Dense(outputs, 0.9, 0.2, param)] if readout else []
    return spec.Architecture(spec.Input("vector", (d,)), (*layers, *last))


RESIDUAL = spec.Architecture(
    spec.Input("vector", (6,)),
    (spec.Dense(64, 1.2), spec.Branch(branches=((Erf(), spec.Dense(64, 1.1, 0.1)), ())), Relu(), spec.Dense(3)),
)
CASES = {
    "relu": network(),
    "erf": network(act=Erf(), outputs=5),
    "residual": RESIDUAL,
    "without a read-out": network(readout=False),
    "standard": network(width=256, param="standard"),
    "muP": network(param="mup"),
}


@pytest.mark.parametrize("name", CASES)
def test_estimates_agree_with_the_analytic_kernels(name):
    architecture = CASES[name]
    exact = drain(infinite_kernel(network() if name == "muP" else architecture, x))
    for kind, found in drain(monte_carlo_kernel(architecture, x, seeds=24, widths=None)).items():
        z = found.z_scores(exact[kind])
        assert z.beyond <= 0.02, kind
        assert z.largest < 4.5, kind
        assert 0.3 < z.rms < 1.8, kind
        assert found.relative_error < 0.1, kind
        assert found.provenance.parameterisation == architecture.layers[0].param
        np.testing.assert_array_equal(found.mean, found.mean.T)


def test_between_two_sets_of_samples_it_is_the_block_of_all():
    both = {"widths": (32, 48, 64), "seeds": 3, "dtype": "float64"}
    whole = drain(monte_carlo_kernel(network(), x, **both))
    block = drain(monte_carlo_kernel(network(), x[:4], x[4:], **both))
    for kind in ("nngp", "ntk"):
        for part in ("means", "standard_errors", "limit", "limit_error"):
            wanted, got = getattr(whole[kind], part), getattr(block[kind], part)
            np.testing.assert_allclose(got, wanted[..., :4, 4:], rtol=1e-8, atol=1e-12)


def test_each_width_is_the_mean_over_its_networks():
    found = drain(monte_carlo_kernel(network(), x, widths=(16, 40), seeds=(3, 8, 9), dtype="float64"))
    for row, width in enumerate((16, 40)):
        wide = network().with_width(width).with_outputs(4)
        drawn = [drain(empirical_ntk(wide, x, outputs="mean", seed=seed, dtype="float64")).values for seed in (3, 8, 9)]
        np.testing.assert_allclose(found["ntk"].means[row], np.mean(drawn, axis=0), rtol=1e-9)
        error = np.std(drawn, axis=0, ddof=1) / 3**0.5
        np.testing.assert_allclose(found["ntk"].standard_errors[row], error, rtol=1e-7)
    assert found["ntk"].limit is None
    assert found["nngp"].widths.tolist() == [16, 40]


def test_the_nngp_estimate_is_the_expectation_over_the_read_out():
    wide = network(width=8, outputs=20_000)
    torch.manual_seed(0)
    f = build(wide, seed=5, dtype="float64")(torch.from_numpy(x)).detach().numpy()
    found = drain(monte_carlo_kernel(wide, x, kinds=("nngp",), widths=8, seeds=(5,), dtype="float64"))
    np.testing.assert_allclose(found["nngp"].mean, f @ f.T / f.shape[1], atol=0.05 * np.abs(f).max())
    assert set(found) == {"nngp"}


def test_the_standard_error_falls_with_networks_and_width():
    few, many = (drain(monte_carlo_kernel(network(), x, widths=64, seeds=seeds))["ntk"] for seeds in (20, 80))
    assert few.relative_error / many.relative_error == pytest.approx(2, rel=0.35)
    narrow, wide = drain(monte_carlo_kernel(network(), x, widths=(32, 512), seeds=40))["nngp"].standard_errors
    assert np.linalg.norm(narrow) / np.linalg.norm(wide) == pytest.approx(4, rel=0.4)


def test_the_extrapolation_removes_the_bias_of_narrow_networks():
    square = network(act=Monomial(degree=2), W_std=0.8)  # its fourth moments are far from those of wide layers
    exact = drain(infinite_kernel(square, x))["nngp"].values
    found = drain(monte_carlo_kernel(square, x, kinds=("nngp",), widths=(16, 32, 64), seeds=600))["nngp"]
    narrow, middle, wide, limit = (relative_distance(K, exact) for K in (*found.means, found.limit))
    assert narrow > 1.5 * middle > 1.5 * 1.5 * wide
    assert limit < 0.6 * wide


def test_equal_seeds_give_equal_estimates_in_any_order_of_tiles():
    small = {"widths": 32, "seeds": 2, "dtype": "float64"}
    a = drain(monte_carlo_kernel(network(), x, **small))["ntk"].mean
    np.testing.assert_array_equal(a, drain(monte_carlo_kernel(network(), x, **small))["ntk"].mean)


def test_events_begin_with_a_forecast_and_show_each_round():
    work = monte_carlo_kernel(network(), x, seeds=4, widths=(16, 32, 64))
    events = []
    found = drain(work, events.append)
    assert isinstance(events[0], Forecast)
    assert events[0].tiles == 12
    assert events[0].seconds > 0
    states = [event.value for event in events if isinstance(event, Partial)]
    assert [(s.kind, s.networks) for s in states] == [(kind, n) for n in (1, 2, 3) for kind in ("nngp", "ntk")]
    assert np.isnan(states[0].standard_error).all()
    assert (states[-1].mean != found["ntk"].mean).any()  # a copy that later networks leave alone
    done = [event.done for event in events if isinstance(event, Progress)]
    assert done == sorted(done)
    assert done[-1] == 12


def test_closing_ends_the_work_and_its_threads(recwarn):
    work = monte_carlo_kernel(network(width=1024, depth=4), x, seeds=1000, widths=1024)
    next(work)
    next(work)
    began = time.perf_counter()
    work.close()
    assert time.perf_counter() - began < 5  # that of the networks begun, not of the thousand
    assert not recwarn.list


def test_a_budget_is_kept_or_refused():
    many = np.random.default_rng(0).standard_normal((200, 6))
    request = {"widths": (16, 32, 64), "seeds": 2}
    whole = drain(monte_carlo_kernel(network(), many, **request))["ntk"]
    work = monte_carlo_kernel(network(), many, memory=32 * 2**20, **request)
    assert next(work).peak_bytes <= 32 * 2**20
    np.testing.assert_allclose(drain(work)["ntk"].mean, whole.mean, rtol=1e-4)
    with pytest.raises(MemoryBudgetError, match=r"200 × 200 samples needs at least .* use fewer samples"):
        next(monte_carlo_kernel(network(), many, memory=2 * 2**20, **request))


def test_dropout_draws_masks_that_a_sample_keeps():
    layers = (spec.Dense(64, 1.4), RELU, spec.Dropout(keep_rate=0.5), spec.Dense(64, 1.4), RELU, spec.Dense(1))
    architecture = spec.Architecture(spec.Input("vector", (6,)), layers)
    exact = drain(infinite_kernel(architecture, x))
    found = drain(monte_carlo_kernel(architecture, x, seeds=40))
    for kind in ("nngp", "ntk"):
        assert found[kind].z_scores(exact[kind]).rms < 2, kind
    without = drain(infinite_kernel(architecture.replace(layers=(*layers[:2], *layers[3:])), x))
    assert found["nngp"].z_scores(without["nngp"]).largest > 4  # dropout is seen, on the diagonal above all
    again = drain(monte_carlo_kernel(architecture, x, widths=16, seeds=2, dtype="float64"))["ntk"]
    tiled = drain(monte_carlo_kernel(architecture, x, x[:5], widths=16, seeds=2, dtype="float64"))["ntk"]
    assert (again.mean[:, :5] != tiled.mean).any()  # other masks on the other side


def test_a_layer_without_a_rule_at_infinite_width_has_an_estimate():
    layers = (spec.Branch(branches=((Relu(),), ())), spec.Dense(64), Relu(), spec.Dense(1))  # activation of the input
    architecture = spec.Architecture(spec.Input("vector", (6,)), layers)
    with pytest.raises(NtkLabError):
        drain(infinite_kernel(architecture, x))
    found = drain(monte_carlo_kernel(architecture, x, seeds=4))["ntk"]
    assert np.isfinite(found.limit).all()


def concatenated(*widths, identity=False):
    branches = [(spec.Dense(width, 1.2), act) for width, act in zip(widths, (RELU, Erf(), Relu()), strict=False)]
    layers = (spec.Branch(branches=(*branches, *([()] if identity else [])), merge="concat"), spec.Dense(2))
    return spec.Architecture(spec.Input("vector", (6,)), layers)


def test_concatenated_channels_keep_their_shares():
    architecture = concatenated(24, 8)
    found = drain(monte_carlo_kernel(architecture, x, widths=(25, 50, 100), seeds=60))
    assert found["ntk"].widths.tolist() == [24, 51, 99]
    exact = drain(infinite_kernel(architecture, x))
    assert found["nngp"].z_scores(exact["nngp"]).rms < 2
    assert found["ntk"].z_scores(exact["ntk"]).rms < 2
    uniform = drain(infinite_kernel(concatenated(8, 8), x))
    assert found["nngp"].z_scores(uniform["nngp"]).rms > 3


def test_shares_of_the_input_leave_the_widths_as_they_are_written():
    architecture = concatenated(256, 128, identity=True)
    found = drain(monte_carlo_kernel(architecture, x, seeds=16))["nngp"]
    assert found.widths.tolist() == [0]
    assert found.z_scores(drain(infinite_kernel(architecture, x))["nngp"]).rms < 2
    with pytest.raises(SpecError, match="share of the input"):
        drain(monte_carlo_kernel(architecture, x, widths=64))


def test_attention_is_widened_as_a_whole():
    attention = spec.SelfAttention(n_chan_out=16, n_chan_key=8, n_chan_val=16, n_heads=2, linear_scaling=False)
    layers = (spec.Dense(16), attention, spec.Flatten(), spec.Dense(1))
    wide = drawing(spec.Architecture(spec.Input("sequence", (3, 5)), layers), (32, 64)).networks[1].layers
    assert (wide[1].n_chan_out, wide[1].n_chan_key, wide[1].n_chan_val, wide[1].n_heads) == (64, 32, 64, 8)
    joined = attention.replace(pos_emb_type="CONCAT", n_chan_pos_emb=4)
    wide = drawing(spec.Architecture(spec.Input("sequence", (3, 5)), (layers[0], joined, *layers[2:])), 64).networks[0]
    assert (wide.layers[0].width, wide.layers[1].n_chan_pos_emb) == (64, 16)


def test_patterns_and_masks_reach_the_networks():
    layers = (spec.Dense(64, 1.3), RELU, spec.Aggregate(), spec.GlobalAvgPool(), spec.Dense(1))
    graph = spec.Architecture(spec.Input("sequence", (5, 3)), layers)
    rng = np.random.default_rng(2)
    tokens, A = rng.standard_normal((6, 5, 3)), rng.integers(0, 2, (6, 5, 5)).astype(float)
    for extra in ({"pattern1": A}, {"pattern1": A, "mask_constant": 9.0}):
        tokens[:, 3:] = extra.get("mask_constant", tokens[:, 3:])
        exact = drain(infinite_kernel(graph, tokens, **extra))
        found = drain(monte_carlo_kernel(graph, tokens, seeds=24, widths=(64, 128, 256), **extra))
        for kind in ("nngp", "ntk"):
            assert found[kind].z_scores(exact[kind]).rms < 2, (kind, extra.keys())
    with pytest.raises(DataError, match="pattern1: an Aggregate layer needs a matrix"):
        drain(monte_carlo_kernel(graph, tokens))
    with pytest.raises(DataError, match="each of the 6 samples, got 2"):
        drain(monte_carlo_kernel(graph, tokens, pattern1=A[:2]))


REFUSED = {
    "widths in standard": (network(param="standard"), {"widths": (64, 128)}, SpecError, "leave widths out"),
    "equal widths": (network(), {"widths": (64, 64)}, SpecError, "distinct whole numbers"),
    "width 0": (network(), {"widths": 0}, SpecError, "at least 1, got"),
    "no seeds": (network(), {"seeds": 0}, SpecError, "at least 1, or distinct seeds"),
    "equal seeds": (network(), {"seeds": (1, 1)}, SpecError, "distinct seeds"),
    "kind": (network(), {"kinds": ("rbf",)}, SpecError, "kinds: expected some of"),
    "samples": (network(d=5), {}, DataError, r"x1: expected shape \(n, 5\)"),
    "no network": (network(act=ExpNormalized()), {}, SpecError, "no finite network has this layer"),
    "too large": (network(act=Exp(b=40.0)), {"widths": 16}, NumericalError, "not finite; make W_std smaller"),
    "not an architecture": (torch.nn.Linear(6, 1), {}, SpecError, "expected an Architecture, got Linear"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_say_what_to_do(name):
    architecture, options, error, words = REFUSED[name]
    with pytest.raises(error, match=words):
        drain(monte_carlo_kernel(architecture, x, **{"seeds": 2, **options}))


def test_samples_that_are_no_numbers_are_named():
    with pytest.raises(DataError, match="x2: row 1 has NaN"):
        drain(monte_carlo_kernel(network(), x, np.where(np.arange(10)[:, None] == 1, np.nan, x)))
