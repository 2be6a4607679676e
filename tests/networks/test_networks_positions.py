"""Maps between positions, layer norm and attention of finite networks against definitions written anew."""

import itertools
import math

import numpy as np
import pytest
import torch

from ntklab import spec
from ntklab.errors import DataError, SpecError
from ntklab.geometry import resize_matrix
from ntklab.networks import build
from ntklab.networks.attention import root
from ntklab.spec import Aggregate, Dense, DotGeneral, ImageResize, Index, LayerNorm, SelfAttention

KINDS = {1: "vector", 2: "sequence", 3: "image", 4: "volume"}


def network(layers, shape, **options):
    layers = layers if isinstance(layers, tuple) else (layers,)
    return build(spec.Architecture(spec.Input(KINDS[len(shape)], shape), layers), dtype="float64", **options)


def samples(n, shape, seed=3):
    return np.random.default_rng(seed).standard_normal((n, *shape))


def output(layers, x):
    with torch.no_grad():
        return network(layers, x.shape[1:])(torch.from_numpy(x)).numpy()


@pytest.mark.parametrize("axes", [(-1,), (1, 2, 3), (2, -1), (3,)])
def test_layer_norm(axes):
    x = samples(2, (4, 3, 5))
    dims = tuple(axis % 4 for axis in axes)
    expected = (x - x.mean(dims, keepdims=True)) / np.sqrt(0.1 + x.var(dims, keepdims=True))
    np.testing.assert_allclose(output(LayerNorm(axes, eps=0.1), x), expected, atol=1e-12)


@pytest.mark.parametrize("method", ["linear", "nearest", "cubic"])
@pytest.mark.parametrize("antialias", [True, False])
def test_resize(method, antialias):
    x = samples(2, (6, 5, 3))
    A, B = (resize_matrix(n, m, method=method, antialias=antialias) for n, m in ((6, 4), (5, 8)))
    got = output(ImageResize((-1, 4, 8, -1), method, antialias), x)
    np.testing.assert_allclose(got, np.einsum("pi,qj,nijc->npqc", A, B, x), atol=1e-12)
    np.testing.assert_allclose(output(ImageResize((-1, -1, 5, -1), method, antialias), x), x, atol=1e-12)


def test_index():
    x = samples(2, (6, 5, 3))
    none = (None, None, None)
    got = output(Index((none, (4, None, -2), (-4, -1, None), none)), x)
    np.testing.assert_array_equal(got, x[:, 4::-2, -4:-1])


def test_dot_general():
    x, rng = samples(2, (4, 3, 5, 2)), np.random.default_rng(0)
    nested = lambda A: tuple(map(nested, A)) if A.ndim else float(A)  # noqa: E731
    A, B, C = rng.standard_normal((3, 4)), rng.standard_normal((5, 4, 6)), rng.standard_normal(3)
    cases = [
        (DotGeneral(2.5), 2.5 * x),
        (DotGeneral(nested(A), (((2,), (0,)), ((), ()))), np.einsum("nijkc,jp->nikpc", x, A)),
        (DotGeneral(nested(A), (((0,), (2,)), ((), ())), "lhs"), np.einsum("nijkc,jp->npikc", x, A)),
        (DotGeneral(nested(B), (((3,), (0,)), ((1,), (1,)))), np.einsum("nijkc,kiq->nijqc", x, B)),
        (DotGeneral(nested(C), (((), ()), ((2,), (0,)))), np.einsum("nijkc,j->njikc", x, C)),
        (DotGeneral(nested(C), (((), ()), ((), ())), "lhs"), np.einsum("nijkc,p->npijkc", x, C)),
    ]
    for layer, expected in cases:
        np.testing.assert_allclose(output(layer, x), expected, atol=1e-12)


def test_aggregate():
    x, rng = samples(2, (4, 3, 5)), np.random.default_rng(0)
    for axes, pattern, sum_ in (
        ((1,), (4, 4), "nipc,nij->njpc"),
        ((2,), (3, 3), "npic,nij->npjc"),
        ((1, 2), (4, 3, 4, 3), "nuvc,nuvij->nijc"),
    ):
        A = rng.standard_normal((2, *pattern))
        net = network(Aggregate(axes), (4, 3, 5))
        got = net(torch.from_numpy(x), pattern=torch.from_numpy(A)).numpy()
        np.testing.assert_allclose(got, np.einsum(sum_, x, A), atol=1e-12)
    with pytest.raises(DataError, match=r"pattern of shape \(n, 4, 3, 4, 3\)"):
        net(torch.from_numpy(x))


SIZES = {"n_chan_out": 6, "n_chan_key": 4, "n_chan_val": 3, "n_heads": 2}
STDS = {"W_key_std": 1.2, "W_value_std": 1.1, "W_query_std": 1.3, "W_out_std": 0.9}
MECHANISMS = {
    "SOFTMAX": lambda s: np.exp(s) / np.exp(s).sum(-1, keepdims=True),
    "IDENTITY": lambda s: s,
    "RELU": lambda s: np.maximum(s, 0),
    "ABS": np.abs,
    "FLAT": lambda s: np.ones_like(s) / s.shape[-1],
}
SETTINGS = [
    {"mechanism": m, "linear_scaling": linear} for m, linear in itertools.product(MECHANISMS, (True, False))
] + [
    {"pos_emb_type": kind, "val_pos_emb": values, "linear_scaling": linear, "pos_emb_decay": decay,
     "W_pos_emb_std": 0.6}
    for kind, values, linear, decay in [
        ("SUM", False, True, None), ("SUM", True, False, "exp_neg_half_d"), ("CONCAT", False, True, "inv_1_plus_d2"),
        ("CONCAT", True, False, None),
    ]
] + [{"pos_emb_type": "CONCAT", "n_chan_pos_emb": 2, "val_pos_emb": True, "b_std": 0.3}]  # fmt: skip


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("shape", [(5, 3), (2, 3, 3)])
def test_attention(settings, shape):
    """Head by head, with the normalisations of Hron et al. 2020 (arXiv:2006.10540)."""
    layer = SelfAttention(**SIZES, **STDS, **settings)
    net, x = network(layer, shape), samples(2, shape)
    p = {name: value.detach().numpy() for name, value in net[0].named_parameters()}
    rows = x.reshape(2, -1, 3)
    seen = rows
    if layer.pos_emb_type != "NONE":
        places = np.array(list(itertools.product(*map(range, shape[:-1]))))
        d = (np.abs(places[:, None] - places) ** 2).sum(-1)
        R = {None: (d == 0) * 1.0, "exp_neg_half_d": np.exp(-d / 2), "inv_1_plus_d2": 1 / (1 + d**2)}[
            layer.pos_emb_decay
        ]
        values, vectors = np.linalg.eigh(R)
        E = layer.W_pos_emb_std * vectors @ np.diag(np.sqrt(values)) @ vectors.T @ p["embedding.dense.weight"].T
        added = np.broadcast_to(E, (2, *E.shape))
        seen = rows + added if layer.pos_emb_type == "SUM" else np.concatenate([rows, added], -1)
    values_in = seen if layer.val_pos_emb else rows
    heads = []
    for h in range(2):
        K = p["key.weight"][4 * h : 4 * h + 4]
        Q = K if layer.linear_scaling else p["query.weight"][4 * h : 4 * h + 4]
        V = p["value.weight"][3 * h : 3 * h + 3]
        n_key = 4 if layer.linear_scaling else 2
        scores = 1.2 * 1.3 / (seen.shape[-1] * n_key) * (seen @ Q.T) @ np.swapaxes(seen @ K.T, 1, 2)
        heads.append(MECHANISMS[layer.mechanism](scores) @ (values_in @ V.T))
    z = np.concatenate(heads, -1) @ p["out.weight"].T * 1.1 * 0.9 / math.sqrt(6 * values_in.shape[-1])
    z = z + (layer.b_std * p["out.bias"] if layer.b_std is not None else 0)
    np.testing.assert_allclose(net(torch.from_numpy(x)).detach().numpy().reshape(z.shape), z, atol=1e-12)


def test_embeddings_that_no_covariance_allows_are_refused():
    assert root(torch.tensor([[1.0, 2.0], [2.0, 1.0]], dtype=torch.float64)) is None
    layer = SelfAttention(**SIZES, pos_emb_type="SUM", pos_emb_decay="exp_neg_half_d", pos_emb_p_norm=6.0)
    with pytest.raises(SpecError, match="exp_neg_half_d with pos_emb_p_norm 6 has negative eigenvalues"):
        network(layer, (9, 3))


def test_mup_divides_the_read_out_by_the_root_of_its_width_once_more():
    x = torch.from_numpy(samples(3, (6,)))

    def drawn(param, b_std):
        readout = Dense(2, W_std=1.3, b_std=b_std, param=param)
        return network((Dense(16, b_std=0.2, param=param), Dense(8, param=param), readout), (6,))

    plain, mup = drawn("ntk", None), drawn("mup", None)
    torch.testing.assert_close(mup(x), plain(x) / math.sqrt(8))
    plain, mup = drawn("ntk", 0.5), drawn("mup", 0.5)
    torch.testing.assert_close(mup(x), (plain(x) - 0.5 * plain[2].bias) / math.sqrt(8) + 0.5 * mup[2].bias)
    assert [p.shape for p in mup.parameters()] == [p.shape for p in plain.parameters()]
