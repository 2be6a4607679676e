"""Networks without an infinite-width rule are refused: the message names the layer, where it stands, and a way out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ntklab import spec
from ntklab.errors import DataError, NtkLabError, SpecError
from ntklab.kernels.infinite import infinite_kernel, rules
from ntklab.progress import drain

RELU, ERF, GAP, FLAT = ({"type": name} for name in ("Relu", "Erf", "GlobalAvgPool", "Flatten"))
DENSE, READOUT = {"type": "Dense", "width": 6}, {"type": "Dense", "width": 1}
NORM = {"type": "LayerNorm"}
DROPOUT = {"type": "Dropout"}
SPREAD = {"type": "ConvTranspose", "channels": 6, "kernel": [2]}
GRAPH = {"type": "Aggregate"}


def branch(*branches: list[dict[str, Any]], merge: str = "sum", **fields: Any) -> dict[str, Any]:
    return {"type": "Branch", "merge": merge, "branches": list(branches), **fields}


def attention(mechanism: str) -> dict[str, Any]:
    sizes = dict.fromkeys(("n_chan_out", "n_chan_key", "n_chan_val", "n_heads"), 6)
    return {"type": "SelfAttention", **sizes, "linear_scaling": False, "mechanism": mechanism}


def kernel(*layers: dict[str, Any], shape: tuple[int, ...] = (5, 2), **given: Any) -> np.ndarray:
    body = {"input": {"kind": "vector" if len(shape) == 1 else "sequence", "shape": shape}, "layers": list(layers)}
    x = np.random.default_rng(0).standard_normal((3, *shape))
    return drain(infinite_kernel(spec.Architecture.from_dict(body), x, **given))["ntk"].values


GAUSSIAN = "not Gaussian.*put a layer with weights before it"
ENDS = " do not end in Gaussian units.*end them with a layer with weights"
REFUSED = {
    "activation of the input": ([RELU, GAP, READOUT], r"layer 1 \(Relu\).*" + GAUSSIAN),
    "two activations": ([DENSE, RELU, ERF, GAP, READOUT], r"layer 3 \(Erf\).*" + GAUSSIAN),
    "dropout before one": ([DENSE, DROPOUT, RELU, GAP], r"layer 3 \(Relu\).*" + GAUSSIAN),
    "flattened": ([DENSE, FLAT, RELU], r"layer 3 \(Relu\).*" + GAUSSIAN),
    "joined channels": ([DENSE, branch([DENSE], [], merge="concat"), RELU], r"layer 3 \(Relu\).*" + GAUSSIAN),
    "product": ([DENSE, branch([DENSE], [], merge="prod"), NORM], r"layer 3 \(LayerNorm\).*" + GAUSSIAN),
    "norm of the input": ([NORM, GAP, READOUT], r"layer 1 \(LayerNorm\).*" + GAUSSIAN),
    "norm of activations": ([DENSE, RELU, NORM, GAP, READOUT], r"layer 3 \(LayerNorm\).*" + GAUSSIAN),
    "softmax over a root": ([DENSE, attention("SOFTMAX"), GAP], r"layer 2 \(SelfAttention\).*SOFTMAX.*linear_scaling"),
    "relu over a root": ([DENSE, branch([attention("RELU")], [])], r"branch 1, layer 1 \(SelfAttention\).*IDENTITY"),
    "sum of activations": ([DENSE, branch([DENSE, RELU], [DENSE]), GAP], r"layer 2 \(Branch\): branches \[1\]" + ENDS),
    "sum with the input": ([branch([DENSE], [DENSE, ERF]), GAP], r"layer 1 \(Branch\): branches \[2\]" + ENDS),
    "the same twice": ([DENSE, branch([], [GAP, DENSE], [], merge="concat", axis=1)], "branches to concat"),
    "dependent": ([DENSE, branch([], [RELU], merge="prod"), GAP], r"layer 2 \(Branch\): branches \[1, 2\].*put"),
    "positions of activations": (
        [DENSE, branch([DENSE, RELU], [DENSE], merge="concat", axis=1), GAP],
        r"layer 2 \(Branch\): branches \[1\]" + ENDS,
    ),
    "inside a branch": (
        [DENSE, branch([DENSE, branch([RELU, RELU, DENSE], [])], []), GAP],
        r"layer 2 \(Branch\), branch 1, layer 2 \(Branch\), branch 1, layer 2 \(Relu\)",
    ),
    "pooled twice": ([DENSE, GAP, GAP, READOUT], r"layer 3 \(GlobalAvgPool\): expected spatial axes"),
    "graph": ([DENSE, GRAPH, GAP], r"pattern1: layer 2 \(Aggregate\).*\(n, 5, 5\)"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_place_and_remedy(name: str) -> None:
    layers, message = REFUSED[name]
    with pytest.raises(NtkLabError, match=message):
        kernel(*layers)


ALLOWED = [
    [DENSE, branch([DENSE, RELU], [ERF], merge="concat"), GAP, READOUT],
    [DENSE, branch([DENSE, RELU], [DENSE], merge="concat", axis=1), FLAT, READOUT],
    [DENSE, branch([DENSE], [DENSE, DENSE], merge="concat", axis=1), RELU, GAP, READOUT],
    [DENSE, branch([DENSE, RELU], [], merge="prod"), GAP, READOUT],
    [DENSE, attention("FLAT"), RELU, GAP, READOUT],
    [DENSE, branch([FLAT, DENSE], [GAP, DENSE], merge="concat", axis=1), READOUT],
    [DENSE, {"type": "Dropout", "mode": "test"}, RELU, GAP, READOUT],
]


@pytest.mark.parametrize("layers", ALLOWED)
def test_what_looks_alike_is_allowed(layers: list[dict[str, Any]]) -> None:
    assert np.linalg.eigvalsh(kernel(*layers)).min() > 0


def test_a_layer_without_a_rule_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(rules.RULES, spec.LAYER_TYPES["Erf"])
    with pytest.raises(NtkLabError, match=r"branch 1, layer 2 \(Erf\): there is no infinite-width rule.*replace it"):
        kernel(DENSE, branch([DENSE, ERF, DENSE], []), GAP)


SPREADS = [
    ([DENSE, SPREAD, GAP], r"^layer 2 \(ConvTranspose\)"),
    ([DENSE, branch([SPREAD], [SPREAD]), GAP], r"branch 1, layer 1 \(ConvTranspose\)"),
]


@pytest.mark.parametrize(("layers", "place"), SPREADS)
def test_masks_do_not_go_through_transposed_convolutions(layers: list[dict[str, Any]], place: str) -> None:
    with pytest.raises(NtkLabError, match=place + ".*leave out mask_constant"):
        kernel(*layers, mask_constant=0.0)


PATTERNS = [
    ({"pattern1": np.ones((3, 4, 4))}, r"layer 2 \(Aggregate\) needs patterns of shape \[5, 5\].*got \[4, 4\]"),
    ({"pattern1": np.ones((2, 5, 5))}, r"pattern1: expected .* one matrix for each sample, got \(2, 5, 5\)"),
    ({"pattern1": np.full((3, 5, 5), np.nan)}, "pattern1: expected finite numbers"),
    ({"pattern2": np.ones((3, 5, 5))}, "pattern1: expected a matrix for each of 3 samples, got none"),
]


@pytest.mark.parametrize(("given", "message"), PATTERNS)
def test_patterns_go_with_samples_and_positions(given: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        kernel(DENSE, GRAPH, GAP, **given)


def test_patterns_of_both_sides_agree() -> None:
    x, one = np.ones((2, 5, 2)), np.ones((2, 5, 5))
    body = {"input": {"kind": "sequence", "shape": [5, 2]}, "layers": [DENSE, GRAPH, GAP]}
    network = spec.Architecture.from_dict(body)
    with pytest.raises(DataError, match="pattern2: expected a matrix for each of 2 samples"):
        drain(infinite_kernel(network, x, x, pattern1=one))
    with pytest.raises(DataError, match=r"pattern2: expected matrices of shape \[5, 5\].*got \[4, 4\]"):
        drain(infinite_kernel(network, x, x, pattern1=one, pattern2=one[:, 1:, 1:]))


def test_masks_may_be_nan_but_samples_may_not() -> None:
    x = np.random.default_rng(1).standard_normal((3, 5, 2))
    network = spec.Architecture.from_dict(
        {"input": {"kind": "sequence", "shape": [5, 2]}, "layers": [DENSE, RELU, GAP, READOUT]}
    )
    x[1, 3:] = 4.0
    marked = drain(infinite_kernel(network, x, mask_constant=4.0))["ntk"].values
    x[1, 3:] = np.nan
    np.testing.assert_array_equal(drain(infinite_kernel(network, x, mask_constant=np.nan))["ntk"].values, marked)
    x[2, 0, 0] = np.nan
    with pytest.raises(DataError, match="x1: row 2 has NaN"):
        drain(infinite_kernel(network, x, mask_constant=np.nan))
    with pytest.raises(SpecError, match="architecture"):
        drain(infinite_kernel("network", x))
