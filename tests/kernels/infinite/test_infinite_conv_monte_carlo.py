"""Rules of windows that slide: kernels against the mean over finite networks, at settings that no golden case has.

With 24 networks of 192 channels a standard error is 1 to 3% of a diagonal entry: a rule that is wrong by a tenth fails.
The bias of finite width, about depth/width, is below one standard error. Gradients are torch's, nothing is shared.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ntklab import spec
from ntklab.kernels.infinite import infinite_kernel
from ntklab.networks import build
from ntklab.progress import drain

CHANNELS, DRAWS = 192, 24
RELU = {"type": "Relu"}
GAP = {"type": "GlobalAvgPool"}
READOUT = {"type": "Dense", "width": 1, "W_std": 1.3, "b_std": 0.2}


def conv(kind: str = "Conv", **fields) -> dict:
    given = {"channels": CHANNELS, "kernel": [3, 3], "padding": "SAME", "W_std": 1.4, "b_std": 0.2}
    return {"type": kind, **given, **fields}


def pool(kind: str, window: list[int], **fields) -> dict:
    return {"type": kind, "window": window, **fields}


CONVOLUTIONS = {
    "same": conv(kernel=[3, 2], stride=[2, 1]),
    "valid": conv(kernel=[2, 3], padding="VALID"),
    "circular": conv(kernel=[3, 3], stride=[1, 2], padding="CIRCULAR"),
    "even": conv(kernel=[4, 2], stride=[1, 2]),
    "standard": conv(kernel=[2, 2], param="standard"),
    "transpose, same": conv("ConvTranspose", stride=[2, 2]),
    "transpose, valid": conv("ConvTranspose", kernel=[2, 3], stride=[2, 1], padding="VALID"),
    "transpose, circular": conv("ConvTranspose", kernel=[3, 2], stride=[1, 2], padding="CIRCULAR"),
    "local, same": conv("ConvLocal", channels=64),
    "local, valid": conv("ConvLocal", channels=96, kernel=[2, 2], stride=[2, 1], padding="VALID"),
    "local, circular": conv("ConvLocal", channels=64, kernel=[2, 3], padding="CIRCULAR"),
}
POOLS = {
    "mean, valid": pool("AvgPool", [2, 2], stride=[2, 2]),
    "mean, edges": pool("AvgPool", [3, 3], stride=[2, 1], padding="SAME", normalize_edges=True),
    "mean, circular": pool("AvgPool", [2, 3], stride=[1, 2], padding="CIRCULAR"),
    "sum, valid": pool("SumPool", [2, 1], stride=[1, 1]),
    "sum, same": pool("SumPool", [3, 2], stride=[2, 2], padding="SAME"),
    "sum, circular": pool("SumPool", [2, 2], stride=[2, 1], padding="CIRCULAR"),
}
FIRST = conv(kernel=[2, 2], W_std=1.2)
NETWORKS = {
    **{name: [FIRST, RELU, layer, RELU, GAP, READOUT] for name, layer in CONVOLUTIONS.items()},
    **{
        f"{name}, flat": [layer, RELU, {"type": "Flatten"}, READOUT]
        for name, layer in CONVOLUTIONS.items()
        if "circular" in name
    },
    **{name: [FIRST, RELU, layer, conv(kernel=[2, 2]), RELU, GAP, READOUT] for name, layer in POOLS.items()},
    "sum of all": [FIRST, RELU, {"type": "GlobalSumPool"}, {**READOUT, "W_std": 0.3}],
}


def tangents(network: torch.nn.Module, x: torch.Tensor) -> np.ndarray:
    """(n, n) products of the gradients of the output."""
    rows = []
    for output in network(x)[:, 0]:
        found = torch.autograd.grad(output, list(network.parameters()), retain_graph=True)
        rows.append(torch.cat([part.flatten() for part in found]))
    J = torch.stack(rows).double().numpy()
    return J @ J.T


@pytest.mark.parametrize("name", NETWORKS)
def test_the_tangent_kernel_is_the_mean_over_networks(name: str) -> None:
    network = spec.Architecture.from_dict({"input": {"kind": "image", "shape": [4, 5, 2]}, "layers": NETWORKS[name]})
    x = np.random.default_rng(5).standard_normal((3, 4, 5, 2))
    exact = drain(infinite_kernel(network, x))["ntk"].values
    draws = np.array([tangents(build(network, seed=seed), torch.from_numpy(x).float()) for seed in range(DRAWS)])
    error = draws.std(axis=0, ddof=1) / np.sqrt(DRAWS)
    assert (np.abs(draws.mean(axis=0) - exact) < 3 * error).all()
    assert (error < 0.05 * exact.diagonal().max()).all()
