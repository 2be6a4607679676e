"""Infinite-width kernels against the mean over finite networks, within three standard errors."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ntklab import spec
from ntklab.kernels.empirical import empirical_ntk
from ntklab.kernels.infinite import infinite_kernel
from ntklab.networks import build
from ntklab.progress import drain

WIDTH, OUTPUTS, DRAWS = 512, 4, 24  # the bias of finite width, about depth/WIDTH, is below a standard error


def dense(width: int = WIDTH, W_std: float = 1.3, b_std: float | None = 0.3, **fields) -> dict:
    return {"type": "Dense", "width": width, "W_std": W_std, "b_std": b_std, **fields}


def act(name: str, **fields) -> dict:
    return {"type": name, **fields}


def branch(*branches: list, merge: str = "sum") -> dict:
    return {"type": "Branch", "merge": merge, "branches": list(branches)}


STANDARD = {"param": "standard"}
TANH = act("Numerical", fn="tanh")
NETWORKS = {
    "relu": [dense(), act("Relu"), dense(), act("Relu"), dense(OUTPUTS)],
    "erf": [dense(), act("Erf", a=1.2, b=0.8, c=0.3), dense(), act("Erf"), dense(OUTPUTS, b_std=None)],
    "gelu, residual": [dense(), branch([act("Gelu"), dense()], []), act("Gelu"), dense(OUTPUTS)],
    "mixed": [dense(), TANH, dense(), act("Sin", b=0.9, c=0.4), dense(), act("LeakyRelu", alpha=0.2), dense(OUTPUTS)],
    "standard": [dense(**STANDARD), act("Relu"), dense(**STANDARD), TANH, dense(OUTPUTS, **STANDARD)],
    "standard, scaled widths": [
        dense(256, s=[1, 2], **STANDARD), act("Abs"), dense(128, s=[2, 4], **STANDARD), act("Relu"),
        dense(OUTPUTS, s=[4, 1], **STANDARD),
    ],
    "concat": [
        branch([dense(128), act("Relu")], [dense(384), act("Erf")], merge="concat"), dense(), act("Relu"),
        dense(OUTPUTS),
    ],
    "product": [branch([dense(), act("Relu")], [dense(), act("Erf")], merge="prod"), dense(OUTPUTS)],
    "polynomial": [
        dense(W_std=0.8), act("Polynomial", coef=[0.3, 1.0, -0.2]), dense(), act("RectifiedMonomial", degree=2),
        dense(OUTPUTS),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_within_three_standard_errors(name: str) -> None:
    architecture = spec.Architecture.from_dict(
        {"input": {"kind": "vector", "shape": [6]}, "layers": NETWORKS[name]},
    )
    x = np.random.default_rng(11).standard_normal((4, 6))
    exact = drain(infinite_kernel(architecture, x))
    samples: dict[str, list[np.ndarray]] = {"nngp": [], "ntk": []}
    for seed in range(DRAWS):
        network = build(architecture, seed=seed, dtype="float64")
        with torch.no_grad():
            f = network(torch.from_numpy(x)).numpy()
        samples["nngp"].append(f @ f.T / OUTPUTS)
        samples["ntk"].append(drain(empirical_ntk(network, x, outputs="mean", dtype="float64")).matrix)
    for kind, drawn in samples.items():
        z = (np.mean(drawn, axis=0) - exact[kind].values) / (np.std(drawn, axis=0, ddof=1) / np.sqrt(DRAWS))
        assert np.abs(z).max() < 3, kind
