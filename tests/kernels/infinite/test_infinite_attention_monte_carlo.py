"""Attention, layer norm, maps between positions, graphs and masks: kernels against the mean over finite networks.

At settings that no golden case has. With 20 networks a standard error is 2 to 12% of a diagonal entry; the bias of
finite width and of finitely many heads is below it. Gradients are torch's, nothing is shared.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from ntklab import spec
from ntklab.kernels.infinite import infinite_kernel
from ntklab.networks import build
from ntklab.progress import drain

WIDTH, DRAWS = 128, 20
RELU, GAP, FLAT = {"type": "Relu"}, {"type": "GlobalAvgPool"}, {"type": "Flatten"}
DENSE = {"type": "Dense", "width": WIDTH, "W_std": 1.3, "b_std": 0.3}
READOUT = {"type": "Dense", "width": 1, "W_std": 1.3, "b_std": 0.2}
CONV = {"type": "Conv", "channels": WIDTH, "kernel": [2, 2], "padding": "SAME", "W_std": 1.4, "b_std": 0.2}


def attention(mechanism: str = "SOFTMAX", **fields: Any) -> dict[str, Any]:
    sizes = {"n_chan_out": WIDTH, "n_chan_key": 96, "n_chan_val": 16, "n_heads": 24}
    scales = {"W_key_std": 1.1, "W_value_std": 1.2, "W_query_std": 0.9, "W_out_std": 1.1, "b_std": 0.2}
    return {"type": "SelfAttention", "mechanism": mechanism, **sizes, **scales, **fields}


def norm(*axis: int, eps: float = 0.1) -> dict[str, Any]:
    return {"type": "LayerNorm", "axis": list(axis), "eps": eps}


DECAY = {"pos_emb_type": "SUM", "pos_emb_decay": "inv_1_plus_d2", "pos_emb_p_norm": 1.0, "W_pos_emb_std": 0.8}
CONCAT = {"pos_emb_type": "CONCAT", "n_chan_pos_emb": WIDTH, "W_pos_emb_std": 0.9}
MATRIX = [[1.0, -0.5], [0.3, 0.8], [0.0, 0.4], [-0.6, 1.0]]
CONTRACT = {"type": "DotGeneral", "array": MATRIX, "dimension_numbers": [[[1], [0]], [[], []]]}
SHARED = {"type": "DotGeneral", "array": [1.0, -2.0, 0.5, 1.5], "dimension_numbers": [[[], []], [[1], [0]]]}
CUBIC = {"type": "ImageResize", "shape": [-1, 5, 3, -1], "method": "cubic"}
SEQUENCES = {
    "softmax, falling embeddings": [DENSE, RELU, attention(**DECAY), RELU, GAP, READOUT],
    "relu, embeddings for values": [DENSE, RELU, attention("RELU", **CONCAT, val_pos_emb=True), GAP, READOUT],
    "abs": [DENSE, RELU, attention("ABS", W_query_std=0.7), RELU, FLAT, READOUT],
    "flat": [DENSE, RELU, attention("FLAT", b_std=None), RELU, GAP, READOUT],
    "root, identity": [DENSE, RELU, attention("IDENTITY", linear_scaling=False, **DECAY), RELU, GAP, READOUT],
    "norm of channels": [DENSE, norm(-1, eps=0.5), RELU, DENSE, RELU, GAP, READOUT],
    "norm of tokens too": [DENSE, norm(1, 2), RELU, DENSE, norm(-1), RELU, FLAT, READOUT],
    "slice": [DENSE, RELU, {"type": "Index", "slices": [[None] * 3, [None, None, -2], [None] * 3]}, GAP, READOUT],
    "graph": [DENSE, RELU, {"type": "Aggregate"}, DENSE, RELU, GAP, READOUT],
    "mask": [DENSE, RELU, attention(), RELU, GAP, READOUT],
    "masked norm": [DENSE, norm(1, 2), RELU, DENSE, RELU, GAP, READOUT],
}
IMAGES = {
    "norm of rows": [CONV, norm(2, 3), RELU, CONV, RELU, GAP, READOUT],
    "norm of all": [CONV, norm(1, 2, -1, eps=0.01), RELU, FLAT, READOUT],
    "smaller": [CONV, RELU, {"type": "ImageResize", "shape": [-1, 2, 3, -1]}, CONV, RELU, GAP, READOUT],
    "cubic": [CONV, RELU, CUBIC, CONV, RELU, GAP, READOUT],
    "contracted": [CONV, RELU, CONTRACT, CONV, RELU, GAP, READOUT],
    "shared": [CONV, RELU, SHARED, CONV, RELU, GAP, READOUT],
    "image attention": [CONV, RELU, attention(pos_emb_type="SUM", pos_emb_decay="exp_neg_half_d"), RELU, GAP, READOUT],
}
CASES = [("sequence", (4, 3), name, layers) for name, layers in SEQUENCES.items()]
CASES += [("image", (4, 3, 2), name, layers) for name, layers in IMAGES.items()]


def tangents(network: torch.nn.Module, x: torch.Tensor, **given: Any) -> np.ndarray:
    """(n, n) products of the gradients of the output."""
    rows = []
    for output in network(x, **given)[:, 0]:
        found = torch.autograd.grad(output, list(network.parameters()), retain_graph=True, materialize_grads=True)
        rows.append(torch.cat([part.flatten() for part in found]))
    J = torch.stack(rows).double().numpy()
    return J @ J.T


@pytest.mark.parametrize(("kind", "shape", "name", "layers"), CASES, ids=[case[2] for case in CASES])
def test_the_tangent_kernel_is_the_mean_over_networks(kind: str, shape: tuple, name: str, layers: list) -> None:
    random = np.random.default_rng(7)
    network = spec.Architecture.from_dict({"input": {"kind": kind, "shape": shape}, "layers": layers})
    x = random.standard_normal((3, *shape))
    seen: dict[str, Any] = {}
    masked: dict[str, Any] = {}
    if "mask" in name:
        x[0, 2:], x[1, 3:] = 9.0, 9.0
        masked = {"mask_constant": 9.0}
    if name == "graph":
        seen = {"pattern": random.integers(0, 2, (3, 4, 4)).astype(float)}
    patterns = {f"{key}1": value for key, value in seen.items()}
    exact = drain(infinite_kernel(network, x, **masked, **patterns))["ntk"].values
    given = {key: torch.from_numpy(value).float() for key, value in seen.items()}
    draws = np.array(
        [tangents(build(network, seed=seed, **masked), torch.from_numpy(x).float(), **given) for seed in range(DRAWS)]
    )
    error = draws.std(axis=0, ddof=1) / np.sqrt(DRAWS)
    assert (np.abs(draws.mean(axis=0) - exact) < 3 * error).all()
    assert (error < 0.13 * exact.diagonal().max()).all()
