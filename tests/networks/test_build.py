"""Networks built from specs: shapes, scales, draws, and the functions they compute."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from ntklab import spec
from ntklab.errors import DeviceError, MemoryBudgetError, SpecError
from ntklab.networks import build
from ntklab.spec.activations import Erf, Relu

GOLDEN = Path(__file__).parents[1] / "golden" / "predict"


def architecture(*layers, features=6):
    return spec.Architecture(spec.Input("vector", (features,)), layers)


def mlp(width=8, **dense):
    return architecture(spec.Dense(width, **dense), Relu(), spec.Dense(3, **dense))


def parameters(network):
    return [p.detach() for p in network.parameters()]


def test_parameters_have_the_shapes_and_number_that_the_spec_states():
    a = mlp(b_std=0.1)
    network = build(a)
    assert [tuple(p.shape) for p in network.parameters()] == [(8, 6), (8,), (3, 8), (3,)]
    assert sum(p.numel() for p in network.parameters()) == spec.parameter_count(a)
    assert not network.training
    assert build(mlp())[0].bias is None


def test_dtype_and_output_shape():
    network = build(mlp(), dtype="float64")
    y = network(torch.ones(5, 6, dtype=torch.float64))
    assert y.shape == (5, 3)
    assert y.dtype == torch.float64


@pytest.mark.parametrize(
    ("dense", "weight_std", "bias_std", "weight_scale", "bias_scale"),
    [
        ({"W_std": 1.5, "b_std": 0.3}, 1.0, 1.0, 1.5 / 10, 0.3),
        ({"W_std": 1.5, "b_std": 0.3, "param": "standard"}, 1.5 / 10, 0.3, 1.0, 1.0),
        ({"W_std": 1.5, "b_std": 0.3, "param": "standard", "s": (4.0, 2.0)}, 1.5 * 2 / 10, 0.3, 0.5, 1.0),
    ],
)
def test_moments_and_scales_of_both_parameterisations(dense, weight_std, bias_std, weight_scale, bias_scale):
    a = architecture(spec.Dense(1000, **dense), Relu(), spec.Dense(2), features=100)
    layer = build(a, dtype="float64")[0]
    W, b = parameters(layer)
    assert W.std().item() == pytest.approx(weight_std, rel=5 / math.sqrt(2 * W.numel()))
    assert abs(W.mean().item()) < 5 * weight_std / math.sqrt(W.numel())
    assert b.std().item() == pytest.approx(bias_std, rel=5 / math.sqrt(2 * b.numel()))
    assert (layer.weight_scale, layer.bias_scale) == pytest.approx((weight_scale, bias_scale))


def test_parameterisations_draw_the_same_function():
    x = torch.from_numpy(np.random.default_rng(0).standard_normal((4, 6)))
    ntk, standard = (build(mlp(W_std=1.3, b_std=0.2, param=p), dtype="float64")(x) for p in ("ntk", "standard"))
    assert torch.allclose(ntk, standard, rtol=1e-12, atol=1e-12)


def test_standard_layer_is_as_wide_as_its_scale_says():
    wide = spec.Dense(8, param="standard", s=(1.0, 3.0)), Relu(), spec.Dense(3, param="standard", s=(3.0, 1.0))
    assert build(architecture(*wide))[2].weight.shape == (3, 24)
    with pytest.raises(SpecError, match="whole number of units"):
        build(architecture(spec.Dense(3, param="standard", s=(1.0, 0.5)), spec.Dense(1)))
    with pytest.raises(SpecError, match=r"true output is \[6\]"):
        build(architecture(spec.Dense(3, param="standard", s=(1.0, 2.0))))


def test_equal_seeds_give_equal_draws_in_every_dtype_and_other_seeds_do_not():
    double, single = parameters(build(mlp(b_std=1.0), dtype="float64")), parameters(build(mlp(b_std=1.0)))
    assert all(torch.equal(d.float(), s) for d, s in zip(double, single, strict=True))
    other = parameters(build(mlp(b_std=1.0), seed=1))
    assert all(not torch.equal(s, o) for s, o in zip(single, other, strict=True))


def test_a_wider_network_contains_the_narrower_one():
    narrow, wide = (parameters(build(architecture(spec.Dense(w, b_std=1.0), Relu(), spec.Dense(w), Relu(),
                                                  spec.Dense(2)))) for w in (100, 300))  # fmt: skip
    assert len(narrow) == 4
    for small, large in zip(narrow, wide, strict=True):
        assert torch.equal(small, large[tuple(slice(size) for size in small.shape)])


def test_draws_do_not_repeat_between_blocks_layers_and_parameters():
    network = build(architecture(spec.Dense(300, b_std=1.0), spec.Dense(300, b_std=1.0), features=300))
    drawn = torch.cat([p.flatten() for p in parameters(network)]).double()
    assert drawn.unique().numel() > 0.98 * drawn.numel()  # float32 rounding merges a few
    W, V = network[0].weight.flatten(), network[1].weight.flatten()
    assert abs(torch.corrcoef(torch.stack([W, V]))[0, 1].item()) < 5 / math.sqrt(W.numel())


@pytest.mark.parametrize("name", ["empirical_axes_linearize", "gd_mse_empirical_full_noreg"])
def test_golden_outputs(name):
    case = np.load(GOLDEN / f"{name}.npz")
    a = architecture(spec.Dense(32, W_std=1.5, b_std=0.1), Erf(), spec.Dense(2, W_std=1.5, b_std=0.1))
    network = build(a, dtype="float64")
    with torch.no_grad():
        for i, parameter in enumerate(network.parameters()):
            parameter.copy_(torch.from_numpy(case[f"param_{i}"].T.reshape(parameter.shape).copy()))
        for x, y in (("x_train", "fx_train_0"), ("x_test", "fx_test_0")):
            got = network(torch.from_numpy(case[x])).numpy()
            assert np.abs(got - case[y]).max() <= 1e-7 * np.abs(case[y]).max()


def test_branches_sum_multiply_and_join():
    inner = (spec.Dense(6, W_std=1.2), Erf())
    x = torch.from_numpy(np.random.default_rng(1).standard_normal((4, 6)))
    for merge, join in (("sum", torch.add), ("prod", torch.mul), ("concat", lambda a, b: torch.cat([a, b], -1))):
        network = build(architecture(spec.Branch(((), inner), merge=merge)), dtype="float64")
        W = network[0].branches[1][0].weight
        assert torch.allclose(network(x), join(x, torch.erf(x @ W.T * 1.2 / math.sqrt(6))))
    assert build(architecture(spec.Branch(((), inner), merge="concat"), spec.Dense(2)))[1].weight.shape == (2, 12)


def test_branches_have_weights_of_their_own():
    network = build(architecture(spec.Branch(((spec.Dense(4),), (spec.Dense(4),)))))
    first, second = parameters(network)
    assert not torch.equal(first, second)


def test_images_are_flattened_and_dense_acts_on_the_last_axis():
    image = spec.Architecture(spec.Input("image", (4, 4, 3)), (spec.Dense(5), spec.Flatten(), spec.Dense(2)))
    network = build(image)
    assert network[0].weight.shape == (5, 3)
    assert network(torch.ones(7, 4, 4, 3)).shape == (7, 2)


def test_dropout_is_active_in_training_mode_alone():
    x = torch.ones(1, 2000)
    network = build(architecture(spec.Dropout(0.8), features=2000))
    assert torch.equal(network(x), x)
    kept = network.train()(x)
    assert set(kept.unique().tolist()) == {0.0, 1.25}
    assert (kept > 0).float().mean().item() == pytest.approx(0.8, abs=0.05)
    assert torch.equal(build(architecture(spec.Dropout(0.8, "test"), features=2000)).train()(x), x)


def test_what_cannot_be_built_says_so():
    with pytest.raises(SpecError, match="ExpNormalized: no finite network"):
        build(architecture(spec.Dense(4), spec.LAYER_TYPES["ExpNormalized"](), spec.Dense(1)))
    with pytest.raises(MemoryBudgetError, match="choose a smaller width"):
        build(mlp(width=10_000_000).with_outputs(10_000_000))
    with pytest.raises(SpecError, match="float16"):
        build(mlp(), dtype="float16")
    with pytest.raises(SpecError, match="seed"):
        build(mlp(), seed=-1)


@pytest.mark.parametrize("device", ["cuda:99", "tpu", "meta"])
def test_a_missing_device_says_so(device):
    with pytest.raises(DeviceError, match="device"):
        build(mlp(), device=device)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_draws_are_the_same_on_cuda():
    for there, here in zip(parameters(build(mlp(), device="cuda")), parameters(build(mlp())), strict=True):
        assert torch.equal(there.cpu(), here)
