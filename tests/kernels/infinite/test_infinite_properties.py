"""What must hold of the kernels of any network: random architectures, with positions and without."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from ntklab import spec
from ntklab.errors import SpecError
from ntklab.kernels.infinite import infinite_kernel
from ntklab.progress import drain

KINDS = {1: "vector", 2: "sequence", 3: "image", 4: "volume"}
SHAPES = [(3,), (5,), (4, 2), (5, 3), (3, 4, 2), (4, 4, 1), (2, 3, 2, 1)]
PADDINGS = ["SAME", "VALID", "CIRCULAR"]
ACTIVATIONS: list[dict[str, Any]] = [
    {"type": "Relu"}, {"type": "Erf"}, {"type": "Gelu"}, {"type": "Sin"}, {"type": "LeakyRelu", "alpha": 0.2},
    {"type": "Abs"}, {"type": "Gaussian", "a": 1.0, "b": -0.5}, {"type": "Numerical", "fn": "tanh"},
]  # fmt: skip
HOMOGENEOUS = [layer for layer in ACTIVATIONS if layer["type"] in ("Relu", "LeakyRelu", "Abs")]
PROFILE = settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@st.composite
def weights(draw: st.DrawFn, axes: int, biases: bool) -> dict[str, Any]:
    """A layer with weights, at every position or over windows."""
    scales = {"W_std": draw(st.floats(0.7, 1.6)), "b_std": draw(st.sampled_from([None, 0.3])) if biases else None}
    kind = draw(
        st.sampled_from(["Dense", "Conv", "ConvLocal", "ConvTranspose", "SelfAttention"] if axes else ["Dense"])
    )
    if kind == "Dense":
        return {"type": kind, "width": 8, "param": draw(st.sampled_from(["ntk", "standard"])), **scales}
    if kind == "SelfAttention":
        sizes = dict.fromkeys(("n_chan_out", "n_chan_key", "n_chan_val", "n_heads"), 8)
        embeddings = draw(st.sampled_from(["NONE", "SUM", "CONCAT"]))
        return {"type": kind, **sizes, "pos_emb_type": embeddings, "b_std": scales["b_std"]}
    sizes = {name: [draw(st.integers(1, 2 + (name == "kernel"))) for _ in range(axes)] for name in ("kernel", "stride")}
    return {"type": kind, "channels": 8, **sizes, "padding": draw(st.sampled_from(PADDINGS)), **scales}


@st.composite
def block(draw: st.DrawFn, axes: int, biases: bool, acts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Weights, perhaps a norm or a residual branch, an activation, perhaps a pool."""
    layers = [draw(weights(axes, biases).filter(lambda layer: biases or layer["type"] != "SelfAttention"))]
    act, extra = draw(st.sampled_from(acts)), draw(st.integers(0, 4))
    if extra == 1 and biases:
        layers.append({"type": "LayerNorm", "axis": [-1], "eps": 0.01})
    if extra == 2:
        inner = {"type": "Dense", "width": 8, "W_std": 1.1, "b_std": 0.2 if biases else None}
        layers.append({"type": "Branch", "merge": "sum", "branches": [[act, inner], []]})
    layers.append(act)
    if extra == 3 and axes:
        window = [draw(st.integers(1, 2)) for _ in range(axes)]
        kind, padding = draw(st.sampled_from(["AvgPool", "SumPool"])), draw(st.sampled_from(PADDINGS))
        layers.append({"type": kind, "window": window, "padding": padding})
    return layers


@st.composite
def networks(draw: st.DrawFn, *, biases: bool = True, acts: list[dict[str, Any]] = ACTIVATIONS) -> spec.Architecture:
    """One or two blocks, the end of positions, a read-out; windows that do not fit are drawn again."""
    shape = draw(st.sampled_from(SHAPES))
    axes = len(shape) - 1
    layers = [layer for _ in range(draw(st.integers(1, 2))) for layer in draw(block(axes, biases, acts))]
    if axes:
        layers.append({"type": draw(st.sampled_from(["Flatten", "GlobalAvgPool", "GlobalSumPool"]))})
    layers.append({"type": "Dense", "width": 1, "W_std": 1.2, "b_std": 0.1 if biases else None})
    try:
        return spec.Architecture.from_dict({"input": {"kind": KINDS[len(shape)], "shape": shape}, "layers": layers})
    except SpecError:
        reject()


def samples(network: spec.Architecture, count: int = 4, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, *network.input.shape))


def kernels(network: spec.Architecture, *x: np.ndarray, **more: Any) -> dict[str, np.ndarray]:
    return {kind: gram.values for kind, gram in drain(infinite_kernel(network, *x, **more)).items()}


def assert_close(found: np.ndarray, expected: np.ndarray) -> None:
    """Positions that are collinear up to rounding carry the root of it behind a kink: 1e-8."""
    assert np.abs(found - expected).max() <= 2e-8 * np.abs(expected).max()
    assert np.median(np.abs(found - expected)) <= 1e-10 * np.abs(expected).max()


@PROFILE
@given(networks())
def test_symmetric_and_positive_semi_definite(network: spec.Architecture) -> None:
    for K in kernels(network, samples(network, 6)).values():
        np.testing.assert_array_equal(K, K.T)
        assert np.linalg.eigvalsh(K)[0] >= -1e-8 * np.abs(K).max()


@PROFILE
@given(networks(), st.permutations(range(5)))
def test_samples_may_come_in_any_order(network: spec.Architecture, order: list[int]) -> None:
    x = samples(network, 5)
    whole, permuted = kernels(network, x), kernels(network, x[order])
    for kind, K in whole.items():
        assert_close(permuted[kind], K[np.ix_(order, order)])


@PROFILE
@given(networks())
def test_the_kernel_of_two_sets_is_a_block_of_that_of_both(network: spec.Architecture) -> None:
    x = samples(network, 5)
    whole, cross = kernels(network, x), kernels(network, x[:2], x[2:])
    for kind, K in whole.items():
        assert_close(cross[kind], K[:2, 2:])


@PROFILE
@given(networks(biases=False, acts=HOMOGENEOUS), st.sampled_from([1e-6, 0.3, 1e6]))
def test_networks_of_rectifiers_without_biases_are_homogeneous(network: spec.Architecture, scale: float) -> None:
    x = samples(network)
    once, scaled = kernels(network, x), kernels(network, scale * x)
    for kind, K in once.items():
        assert_close(scaled[kind] / scale**2, K)


@PROFILE
@given(networks())
def test_a_sample_with_itself_is_the_limit_of_a_close_one(network: spec.Architecture) -> None:
    x = samples(network, 2)
    alone, close = kernels(network, x), kernels(network, x, x + 1e-9)
    for kind, K in alone.items():
        np.testing.assert_allclose(close[kind].diagonal(), K.diagonal(), rtol=2e-6)


@PROFILE
@given(networks())
def test_single_precision_says_how_far_off_it_is(network: spec.Architecture) -> None:
    x = samples(network, 5).astype(np.float32)
    double = kernels(network, x)
    for kind, gram in drain(infinite_kernel(network, x, dtype="float32")).items():
        assert gram.error is not None
        true = np.abs(gram.values - double[kind]).max() / np.abs(double[kind]).max()
        assert true <= 4 * gram.error + 2e-7


def relu_recursion(x: np.ndarray, weight: float, bias: float, depth: int) -> tuple[np.ndarray, np.ndarray]:
    """q_l and Θ_l(x, x) of ReLU layers: half the variance remains, and half of every slope."""
    q, t = np.square(x).mean(axis=1), 0.0
    for layer in range(depth + 1):
        q = weight**2 * q + bias**2
        t = weight**2 * t + q
        if layer < depth:
            q, t = q / 2, t / 2
    return q, t


@pytest.mark.parametrize("depth", [1, 10, 100])
@pytest.mark.parametrize("norm", [1e-6, 1.0, 1e6])
def test_diagonals_follow_their_recursion(depth: int, norm: float) -> None:
    layers = [spec.Dense(8, 2**0.5, 0.1), spec.LAYER_TYPES["Relu"]()]
    network = spec.Architecture(spec.Input("vector", (6,)), (*(layers * depth), spec.Dense(1, 2**0.5, 0.1)))
    x = norm * np.random.default_rng(1).standard_normal((4, 6))
    q, t = relu_recursion(x, 2**0.5, 0.1, depth)
    found = kernels(network, x)
    np.testing.assert_allclose(found["nngp"].diagonal(), q, rtol=1e-12)
    np.testing.assert_allclose(found["ntk"].diagonal(), t, rtol=1e-12)
