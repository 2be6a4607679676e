"""Kernels of infinite width against the mean over finite networks: layers that only meet in this way.

The estimate of the NNGP kernel is W_std²·a·a'/m + b_std² over the features a that the read-out sees. A rule that is
wrong by a third fails.
"""

import numpy as np
import pytest
import torch

from ntklab import spec
from ntklab.kernels.infinite import infinite_kernel
from ntklab.networks import build
from ntklab.progress import drain
from ntklab.spec import Branch, Conv, Dense, GlobalAvgPool, LayerNorm, SelfAttention
from ntklab.spec.activations import Gelu, Relu

DRAWS, WIDTH = 24, 256
OUT = Dense(1, W_std=1.3, b_std=0.2)


def attention(**options):
    sizes = {"n_chan_out": WIDTH, "n_chan_key": 64, "n_chan_val": 16, "n_heads": 32}
    stds = {"W_key_std": 1.2, "W_value_std": 1.1, "W_query_std": 1.3, "W_out_std": 1.2}
    return SelfAttention(**{**sizes, **stds, "b_std": 0.2, **options})


FIRST = (Dense(WIDTH, W_std=1.4, b_std=0.1), Relu())
NETWORKS = {
    "conv": (Conv(WIDTH, (3,), padding="SAME", W_std=1.4), Relu(), Conv(WIDTH, (2,), W_std=1.4, b_std=0.3), Gelu()),
    "softmax": (*FIRST, attention(), Relu()),
    "added embeddings": (*FIRST, attention(pos_emb_type="SUM", val_pos_emb=True, W_pos_emb_std=0.8), Relu()),
    "decaying embeddings": (*FIRST, attention(pos_emb_type="SUM", pos_emb_decay="inv_1_plus_d2"), Relu()),
    "joined embeddings": (*FIRST, attention(pos_emb_type="CONCAT", n_chan_pos_emb=WIDTH // 2, val_pos_emb=True,
                                            pos_emb_decay="exp_neg_half_d"), Relu()),
    "roots": (*FIRST, attention(linear_scaling=False, mechanism="IDENTITY", W_key_std=0.8), Relu()),
    "transformer": (*FIRST[:1], Branch(((LayerNorm(), attention()), ())), LayerNorm(), Relu()),
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("mask_constant", [None, 9.0])
def test_the_kernel_is_the_mean_over_networks(name, mask_constant):
    a = spec.Architecture(spec.Input("sequence", (5, 3)), (*NETWORKS[name], GlobalAvgPool(), OUT))
    x = np.random.default_rng(2).standard_normal((3, 5, 3))
    if mask_constant is not None:
        x[1, 3:], x[2, ::2] = mask_constant, mask_constant
    options = {} if mask_constant is None else {"mask_constant": mask_constant}
    expected = drain(infinite_kernel(a, x, kinds=("nngp",), dtype="float64", **options))["nngp"].values
    drawn = []
    for seed in range(DRAWS):
        features = build(a, seed=seed, mask_constant=mask_constant)
        features[len(features) - 1] = torch.nn.Identity()
        with torch.no_grad():
            f = features(torch.tensor(x, dtype=torch.float32)).double().numpy()
        drawn.append(OUT.W_std**2 * f @ f.T / f.shape[1] + OUT.b_std**2)
    error = np.std(drawn, axis=0, ddof=1) / np.sqrt(DRAWS)
    deviation = np.abs(np.mean(drawn, axis=0) - expected)
    assert (deviation <= 4 * error).all(), deviation / error
    assert error.max() < 0.12 * expected.max()
