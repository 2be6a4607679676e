"""Every family of layers on positions: finite networks and the rules of infinite width agree within error bars.

Hyper-parameters are other than those of the golden cases: an independent check of rules, networks and their gradients.
"""

import numpy as np
import pytest

from ntklab import spec
from ntklab.kernels.infinite import infinite_kernel
from ntklab.kernels.monte_carlo import monte_carlo_kernel
from ntklab.progress import drain
from ntklab.spec.activations import Erf, Gelu, Relu

W = 32
READ = (spec.GlobalAvgPool(), spec.Dense(1, 1.1, 0.2))
FLAT = (spec.Flatten(), spec.Dense(1, 1.1, 0.2))


def conv(kernel, **fields):
    return spec.Conv(channels=W, kernel=kernel, **{"padding": "SAME", "W_std": 1.3, "b_std": 0.2, **fields})


def attention(**fields):
    sizes = {"n_chan_out": W, "n_chan_key": W, "n_chan_val": W, "n_heads": 4}
    return spec.SelfAttention(**{**sizes, "W_key_std": 1.1, "W_query_std": 0.9, "b_std": 0.1, **fields})


IMAGES = {
    "conv, even kernel, strides": (conv((2, 3), stride=(1, 2)), Relu(), conv((3, 2), padding="VALID"), Erf(), *READ),
    "conv, circular": (conv((4, 3), padding="CIRCULAR", stride=(2, 1)), Relu(), conv((1, 3)), Relu(), *FLAT),
    "conv, no bias": (conv((3, 3), b_std=None, padding="VALID"), Gelu(), conv((2, 2), b_std=None), Relu(), *READ),
    "transposed": (spec.ConvTranspose(W, (3, 2), (2, 1), "SAME", 1.2, 0.1), Relu(), conv((3, 3)), Relu(), *READ),
    "transposed, valid": (spec.ConvTranspose(W, (2, 3), (1, 2), "VALID", 1.2), Erf(), *FLAT),
    "local": (spec.ConvLocal(W, (2, 2), (1, 1), "VALID", 1.2, 0.3), Relu(), spec.ConvLocal(W, (2, 3)), Erf(), *FLAT),
    "average pool": (conv((3, 3)), Relu(), spec.AvgPool((3, 2), (1, 2), "SAME"), conv((2, 2)), Relu(), *FLAT),
    "sum pool": (conv((3, 3)), Relu(), spec.SumPool((2, 3), (2, 1), "VALID"), conv((1, 1), W_std=0.5), Erf(), *READ),
    "global sum pool": (conv((2, 2)), Relu(), spec.GlobalSumPool(), spec.Dense(W, 0.2), Relu(), spec.Dense(1)),
    "layer norm": (conv((3, 3)), spec.LayerNorm(), Relu(), conv((3, 1)), spec.LayerNorm(eps=1e-2), Erf(), *READ),
    "residual": (conv((3, 3)), spec.Branch(branches=((Relu(), conv((3, 3), W_std=0.8)), ())), Relu(), *READ),
    "side by side": (spec.Branch(branches=((conv((3, 3)), Relu()), (conv((1, 2)), Erf())), merge="concat"),
                     conv((2, 2)), Relu(), *FLAT),
}  # fmt: skip
TOKENS = {
    "attention, softmax": (spec.Dense(W), attention(W_out_std=1.2), Relu(), *READ),
    "attention, relu": (spec.Dense(W), attention(mechanism="RELU", W_value_std=0.8), Relu(), *FLAT),
    "attention, abs": (spec.Dense(W), attention(mechanism="ABS", b_std=None), spec.LayerNorm(), Relu(), *READ),
    "attention, flat": (spec.Dense(W), attention(mechanism="FLAT"), Erf(), *FLAT),
    "sequence": (conv((4,), stride=(2,)), Relu(), conv((2,), padding="VALID"), Relu(), *READ),
}
CASES = [*(("image", (4, 5, 2), name) for name in IMAGES), *(("sequence", (6, 3), name) for name in TOKENS)]


@pytest.mark.parametrize(("kind", "shape", "name"), CASES, ids=[name for _, _, name in CASES])
def test_networks_and_rules_agree(kind, shape, name):
    architecture = spec.Architecture(spec.Input(kind, shape), {**IMAGES, **TOKENS}[name])
    x = np.random.default_rng(3).standard_normal((4, *shape))
    exact = drain(infinite_kernel(architecture, x))
    found = drain(monte_carlo_kernel(architecture, x, widths=(24, 48, 96), seeds=16))
    for which in ("nngp", "ntk"):
        z = found[which].z_scores(exact[which])
        assert z.largest < 3.5, which
        assert found[which].relative_error < 0.15, which
