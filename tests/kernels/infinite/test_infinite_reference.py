"""Every layer's rule against the slow twin, at several settings, behind and before activations, with every ending."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ntklab import spec
from ntklab.kernels.infinite import infinite_kernel
from ntklab.kernels.infinite.reference import reference_kernel
from ntklab.progress import drain

KINDS = {1: "vector", 2: "sequence", 3: "image", 4: "volume"}
RELU, ERF = {"type": "Relu"}, {"type": "Erf"}
DENSE = {"type": "Dense", "width": 6, "W_std": 1.3, "b_std": 0.4}
READOUT = {"type": "Dense", "width": 1, "W_std": 1.2}
ENDS: dict[str, list[dict[str, Any]]] = {
    "flat": [{"type": "Flatten"}, READOUT],
    "mean": [{"type": "GlobalAvgPool"}, READOUT],
    "open": [],
}
LINE, IMAGE, VOLUME = (5, 2), (3, 2, 2), (2, 2, 2, 1)


def conv(*kernel: int, name: str = "Conv", padding: str = "SAME", **fields: Any) -> dict[str, Any]:
    return {"type": name, "channels": 6, "kernel": list(kernel), "padding": padding, "W_std": 1.4, **fields}


def spread(*kernel: int, **fields: Any) -> dict[str, Any]:
    return conv(*kernel, name="ConvTranspose", **fields)


def local(*kernel: int, **fields: Any) -> dict[str, Any]:
    return conv(*kernel, name="ConvLocal", **fields)


def pool(*window: int, name: str = "AvgPool", **fields: Any) -> dict[str, Any]:
    return {"type": name, "window": list(window), **fields}


def total(*window: int, **fields: Any) -> dict[str, Any]:
    return pool(*window, name="SumPool", **fields)


def attention(mechanism: str = "SOFTMAX", **fields: Any) -> dict[str, Any]:
    sizes = {"n_chan_out": 6, "n_chan_key": 4, "n_chan_val": 3, "n_heads": 2}
    scales = {"W_key_std": 1.2, "W_value_std": 0.9, "W_query_std": 1.1, "W_out_std": 1.3}
    return {"type": "SelfAttention", "mechanism": mechanism, **sizes, **scales, **fields}


def norm(*axis: int, eps: float = 1e-12) -> dict[str, Any]:
    return {"type": "LayerNorm", "axis": list(axis), "eps": eps}


def resize(*shape: int, **fields: Any) -> dict[str, Any]:
    return {"type": "ImageResize", "shape": [-1, *shape, -1], **fields}


def index(*slices: tuple[int | None, int | None, int | None]) -> dict[str, Any]:
    whole = (None, None, None)
    return {"type": "Index", "slices": [whole, *slices, whole]}


def product(array: Any, contracted: Any = ((), ()), shared: Any = ((), ()), side: str = "rhs") -> dict[str, Any]:
    return {"type": "DotGeneral", "array": array, "dimension_numbers": [contracted, shared], "side": side}


def branch(*branches: list[dict[str, Any]], merge: str = "sum", **fields: Any) -> dict[str, Any]:
    return {"type": "Branch", "merge": merge, "branches": list(branches), **fields}


def standard(layer: dict[str, Any], *s: float) -> dict[str, Any]:
    return {**layer, "param": "standard", "s": list(s or (1.0, 1.0))}


A = np.random.default_rng(0).normal(size=(3, 2, 2)).round(3).tolist()
SUM = {"pos_emb_type": "SUM", "W_pos_emb_std": 0.7}
CONCAT = {"pos_emb_type": "CONCAT", "W_pos_emb_std": 1.2}
ALL = (None, None, None)
# Between an activation and a dense layer with another activation.
LAYERS: list[tuple[tuple[int, ...], dict[str, Any]]] = [
    (LINE, conv(3, b_std=0.3)),
    (LINE, conv(2, padding="VALID", stride=[2])),
    (LINE, conv(4, padding="CIRCULAR", stride=[3], b_std=0.0)),
    (LINE, conv(9, padding="CIRCULAR")),
    ((2, 2), conv(3, padding="CIRCULAR")),
    ((2, 1, 2), conv(5, 2, padding="CIRCULAR")),
    ((2, 1, 2), spread(3, 3, padding="CIRCULAR")),
    ((2, 1, 2), pool(5, 2, padding="CIRCULAR")),
    (IMAGE, conv(2, 3, stride=[2, 1], b_std=0.2)),
    (IMAGE, conv(3, 2, padding="CIRCULAR", stride=[1, 2])),
    (IMAGE, standard(conv(2, 2, padding="VALID", b_std=0.2), 2, 3)),
    (IMAGE, conv(1, 3, param="mup")),
    (VOLUME, conv(2, 2, 1, stride=[1, 2, 1], b_std=0.1)),
    (VOLUME, conv(1, 2, 2, padding="CIRCULAR")),
    (LINE, spread(3, b_std=0.3)),
    (LINE, spread(2, padding="VALID", stride=[2])),
    (LINE, spread(4, padding="CIRCULAR", b_std=0.2)),
    (LINE, spread(1, stride=[2], b_std=0.2)),
    ((2, 2, 2), spread(3, 2, padding="VALID", stride=[1, 2], b_std=0.1)),
    ((2, 2, 2), spread(3, 2, padding="CIRCULAR", stride=[2, 1])),
    ((2, 2, 2), standard(spread(2, 4, stride=[1, 2], b_std=0.2), 2, 1)),
    (LINE, local(3, b_std=0.3)),
    (LINE, local(2, padding="CIRCULAR", stride=[2])),
    (IMAGE, local(2, 2, padding="VALID", b_std=0.2)),
    (IMAGE, standard(local(3, 1, stride=[1, 2], b_std=0.2), 1, 2)),
    (VOLUME, local(2, 1, 2)),
    (LINE, pool(2)),
    (LINE, pool(3, padding="SAME", stride=[2])),
    (LINE, pool(3, padding="SAME", normalize_edges=True)),
    (IMAGE, pool(2, 3, padding="CIRCULAR", stride=[1, 2])),
    (IMAGE, pool(2, 3, padding="SAME", stride=[2, 2], normalize_edges=True)),
    (VOLUME, pool(2, 2, 1, padding="SAME")),
    (LINE, total(2, stride=[2])),
    (LINE, total(7, padding="CIRCULAR", stride=[2])),
    (IMAGE, total(3, 2, padding="SAME")),
    (IMAGE, total(1, 1, stride=[2, 2])),
    (VOLUME, total(1, 2, 2, stride=[2, 1, 1])),
    (LINE, {"type": "Dropout", "keep_rate": 0.7}),
    (IMAGE, {"type": "Dropout", "keep_rate": 0.9}),
    (VOLUME, {"type": "Dropout", "keep_rate": 0.5, "mode": "test"}),
    (LINE, attention(b_std=0.3)),
    (LINE, attention("IDENTITY", **SUM)),
    (LINE, attention("RELU", **SUM, val_pos_emb=True, pos_emb_decay="exp_neg_half_d", pos_emb_p_norm=1.5)),
    (LINE, attention("ABS", **CONCAT, pos_emb_decay="inv_1_plus_d2", b_std=0.2)),
    (LINE, attention("FLAT", **CONCAT, n_chan_pos_emb=3, val_pos_emb=True)),
    (IMAGE, attention(**SUM, pos_emb_decay="exp_neg_half_d", pos_emb_p_norm=3.0, val_pos_emb=True)),
    (IMAGE, attention("RELU", b_std=0.1)),
    (VOLUME, attention(**CONCAT, n_chan_pos_emb=2, pos_emb_decay="inv_1_plus_d2", pos_emb_p_norm=0.5)),
    (LINE, attention("IDENTITY", linear_scaling=False, b_std=0.3)),
    (LINE, attention("IDENTITY", linear_scaling=False, **SUM, val_pos_emb=True)),
    (IMAGE, attention("IDENTITY", linear_scaling=False, **CONCAT, pos_emb_decay="exp_neg_half_d")),
    (LINE, resize(3)),
    (LINE, resize(8, method="cubic")),
    (LINE, resize(2, method="nearest")),
    (IMAGE, resize(5, 2)),
    (IMAGE, resize(2, -1, antialias=False)),
    (IMAGE, resize(2, 6, method="nearest")),
    (IMAGE, resize(4, 2, method="cubic", antialias=False)),
    (VOLUME, resize(-1, 2, 3)),
    (LINE, index((1, 4, 2))),
    (LINE, index((None, None, -1))),
    (IMAGE, index((-2, None, None), (None, 3, 2))),
    (IMAGE, index((0, 1, None), ALL)),
    (VOLUME, index(ALL, (2, 0, -1), (1, None, None))),
    (LINE, product(-1.5)),
    (LINE, product([*A[0][1], *A[1][0], 0.5], shared=((1,), (0,)))),
    (LINE, product([[1.0, 0.5, 0.2, -1.0, 2.0], [0.0, 1.0, -0.3, 0.4, 0.1]], ((1,), (1,)), side="rhs")),
    (IMAGE, product(A, ((0, 1), (1, 2)), side="lhs")),
    (IMAGE, product(A, ((1,), (0,)))),
    (IMAGE, product(A, ((2,), (1,)), ((1,), (0,)))),
    (IMAGE, product([1.0, -2.0])),
    (VOLUME, product([[0.5, 1.0], [-1.0, 0.3], [0.2, 0.4]], ((1,), (2,)), side="lhs")),
    (IMAGE, {"type": "Aggregate", "axis": [1]}),
    (IMAGE, {"type": "Aggregate", "axis": [-2]}),
    ((2, 3, 2), {"type": "Aggregate", "axis": [2, 1]}),
    (LINE, {"type": "Aggregate"}),
    (VOLUME, {"type": "Aggregate", "axis": [3, 1]}),
    (LINE, branch([conv(2, b_std=0.1), RELU, DENSE], [DENSE])),
    (IMAGE, branch([conv(2, 2)], [attention()], [], merge="prod")),
    (IMAGE, branch([conv(2, 2), ERF], [DENSE], [local(1, 2)], merge="concat", axis=3)),
    (LINE, branch([DENSE, branch([RELU, local(3)], [])], [conv(3)])),
    (LINE, branch([DENSE], [conv(2, padding="VALID")], merge="concat", axis=1)),
    (IMAGE, branch([spread(1, 2, stride=[2, 1])], [DENSE], [local(1, 1)], merge="concat", axis=-3)),
]  # fmt: skip
# Directly behind a layer with weights.
GAUSSIAN: list[tuple[tuple[int, ...], dict[str, Any]]] = [
    (LINE, norm(-1)),
    (LINE, norm(1, 2, eps=0.5)),
    (IMAGE, norm(3, eps=0.1)),
    (IMAGE, norm(-1, 1)),
    (IMAGE, norm(2, -1, eps=1.0)),
    (IMAGE, norm(1, 2, 3)),
    (VOLUME, norm(4, 1, 3)),
    (LINE, pool(2)),
    (IMAGE, resize(2, 3)),
    (LINE, branch([], [RELU, conv(3)])),
    (IMAGE, branch([norm(-1), ERF, DENSE], [norm(1, -1)])),
    (LINE, branch([], [conv(2, padding="VALID")], merge="concat", axis=1)),
    (IMAGE, {"type": "Aggregate", "axis": [2]}),
    (LINE, product([1.0, 0.5], side="lhs")),
]
HEADS = {2: conv(2, b_std=0.2), 3: conv(2, 2, b_std=0.2), 4: conv(1, 2, 2, b_std=0.2)}


def samples(network: spec.Architecture, count: int = 2) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Random samples, and patterns for the layers of the network that aggregate."""
    random, shape = np.random.default_rng(3), network.input.shape
    given = {}
    for layer in network.layers:
        if isinstance(layer, spec.Aggregate):
            sizes = tuple(shape[(axis if axis > 0 else axis + len(shape) + 1) - 1] for axis in layer.axis)
            given["pattern1"] = random.normal(size=(count, *sizes, *sizes))
    return random.standard_normal((count, *shape)), given


def network(shape: tuple[int, ...], *layers: dict[str, Any]) -> spec.Architecture:
    return spec.Architecture.from_dict({"input": {"kind": KINDS[len(shape)], "shape": shape}, "layers": list(layers)})


def compare(architecture: spec.Architecture, *x: np.ndarray, **given: Any) -> None:
    found = drain(infinite_kernel(architecture, *x, **given))
    exact = reference_kernel(architecture, *x, **given)
    for kind, gram in found.items():
        assert gram.values.shape == exact[kind].shape
        assert np.abs(gram.values - exact[kind]).max() <= 1e-10 * np.abs(exact[kind]).max(), kind


def ident(case: Any) -> str:
    shape, layer = case
    return f"{KINDS[len(shape)]} {' '.join(str(part) for part in layer.values())}"[:70]


@pytest.mark.parametrize("case", LAYERS, ids=ident)
def test_layers_between_activations(case: tuple[tuple[int, ...], dict[str, Any]]) -> None:
    shape, layer = case
    behind = network(shape, HEADS[len(shape)], ERF, layer)
    more = [DENSE, RELU] if len(spec.output_shape(behind)) > 1 else [DENSE, RELU, READOUT]
    for end in ENDS.values() if len(more) == 2 else [[]]:
        whole = network(shape, HEADS[len(shape)], ERF, layer, *more, *end)
        x, given = samples(whole)
        compare(whole, x, **given)


@pytest.mark.parametrize("case", GAUSSIAN, ids=ident)
def test_layers_of_gaussian_units(case: tuple[tuple[int, ...], dict[str, Any]]) -> None:
    shape, layer = case
    for end in ENDS.values():
        whole = network(shape, HEADS[len(shape)], layer, RELU, *end)
        x, given = samples(whole)
        compare(whole, x, **given)


MASKED: list[tuple[tuple[int, ...], list[dict[str, Any]]]] = [
    (LINE, [conv(3, b_std=0.2), ERF, DENSE]),
    (LINE, [conv(2, padding="CIRCULAR", stride=[2], b_std=0.2), ERF, conv(2, b_std=0.1)]),
    (LINE, [conv(2, padding="VALID", b_std=0.2), norm(1, -1), ERF, DENSE]),
    (LINE, [DENSE, norm(-1), ERF, local(3, b_std=0.1)]),
    (LINE, [DENSE, ERF, attention(**SUM, val_pos_emb=True, b_std=0.2)]),
    (LINE, [DENSE, ERF, attention("RELU", **CONCAT, pos_emb_decay="exp_neg_half_d")]),
    (LINE, [DENSE, ERF, attention("FLAT", b_std=0.2)]),
    (LINE, [DENSE, ERF, attention("IDENTITY", linear_scaling=False, **SUM, val_pos_emb=True)]),
    (LINE, [DENSE, pool(3, padding="SAME", stride=[2], normalize_edges=True), DENSE]),
    (LINE, [DENSE, total(2, stride=[2]), branch([ERF, DENSE], [])]),
    (LINE, [DENSE, resize(3), ERF, DENSE]),
    (LINE, [DENSE, resize(4, method="nearest"), DENSE]),
    (LINE, [DENSE, index((None, None, -2)), ERF, DENSE]),
    (LINE, [DENSE, product([[1.0, 0.0, 0.2, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0, 0.1]], ((1,), (1,))), DENSE]),
    (LINE, [DENSE, branch([conv(2, padding="VALID", b_std=0.3)], [DENSE], merge="concat", axis=1), ERF, DENSE]),
    (LINE, [branch([DENSE], [conv(2), ERF], merge="concat"), {"type": "Dropout"}, DENSE]),
    (IMAGE, [conv(2, 2, stride=[2, 1], b_std=0.2), ERF, DENSE]),
    (IMAGE, [DENSE, norm(1, -1, eps=0.1), ERF, pool(1, 2, padding="SAME"), DENSE]),
    (IMAGE, [DENSE, ERF, attention(), branch([DENSE], [ERF, conv(2, 1)], merge="prod"), DENSE]),
]


@pytest.mark.parametrize(("shape", "layers"), MASKED)
def test_masks(shape: tuple[int, ...], layers: list[dict[str, Any]]) -> None:
    """Ends that are masked, one in the middle, a sample without any and one with nothing else."""
    x, _ = samples(network(shape, *layers), 4)
    x[0, -2:], x[1, 1], x[3] = 2.0, 2.0, 2.0
    x[2, 0, ..., 0] = 2.0  # one channel alone masks nothing
    for end in ENDS.values():
        compare(network(shape, *layers, *end), x, mask_constant=2.0)


ACROSS: list[tuple[tuple[int, ...], list[dict[str, Any]]]] = [
    ((4,), [DENSE, RELU, {"type": "Dropout"}, DENSE, ERF, READOUT]),
    (LINE, [standard(DENSE, 1, 2), RELU, standard(conv(2), 2, 1), ERF, {"type": "Flatten"}, standard(READOUT)]),
    (LINE, [conv(2), ERF, {"type": "Dropout"}, attention(), RELU, {"type": "GlobalSumPool"}, READOUT]),
    (LINE, [DENSE, {"type": "Aggregate"}, RELU, {"type": "Flatten"}, {"type": "Flatten"}, READOUT]),
    (IMAGE, [conv(2, 2, padding="VALID"), RELU, pool(2, 1), local(1, 1), ERF, {"type": "GlobalAvgPool"}, DENSE]),
    (IMAGE, [local(2, 2), RELU, DENSE, {"type": "Dropout", "keep_rate": 0.6}, spread(1, 2), norm(-1), ERF]),
    (VOLUME, [{"type": "Flatten"}, DENSE, RELU, READOUT]),
]  # fmt: skip


@pytest.mark.parametrize(("shape", "layers"), ACROSS)
def test_samples_with_others(shape: tuple[int, ...], layers: list[dict[str, Any]]) -> None:
    """x1 with x2: nothing is a sample with itself, not even a copy."""
    whole = network(shape, *layers)
    x, given = samples(whole, 3)
    x[2] = x[0]
    patterns = {} if not given else {"pattern1": given["pattern1"][:2], "pattern2": given["pattern1"][2:]}
    compare(whole, x[:2], x[2:], **patterns)


@pytest.mark.parametrize("kind", sorted({layer.__name__ for layer in spec.LAYER_TYPES.values()}))
def test_every_layer_is_compared(kind: str) -> None:
    """Three settings of each layer with weights or positions; activations have tests of their own."""
    if issubclass(spec.LAYER_TYPES[kind], spec.Activation):
        return
    counted = [layer for _, layer in LAYERS + GAUSSIAN] + [part for _, parts in ACROSS + MASKED for part in parts]
    ends = {"Flatten", "GlobalAvgPool", "GlobalSumPool", "Dense"}
    assert sum(layer["type"] == kind for layer in counted) >= (1 if kind in ends else 3)
