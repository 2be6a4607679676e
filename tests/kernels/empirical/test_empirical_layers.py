"""The empirical NTK of networks with positions against its naive twin, J Jᵀ, in float64: every layer, every form."""

import numpy as np
import pytest
import torch

from ntklab import spec
from ntklab.errors import DataError
from ntklab.kernels.empirical import empirical_ntk
from ntklab.kernels.empirical.graphs import WithPatterns
from ntklab.kernels.empirical.reference import reference_ntk
from ntklab.kernels.empirical.routes import structural
from ntklab.kernels.empirical.routes.sizes import measured
from ntklab.kernels.empirical.routes.uses import layer_uses
from ntklab.networks import build
from ntklab.progress import drain
from ntklab.spec import (
    Aggregate,
    AvgPool,
    Branch,
    Conv,
    ConvLocal,
    ConvTranspose,
    Dense,
    DotGeneral,
    Dropout,
    Flatten,
    GlobalAvgPool,
    GlobalSumPool,
    ImageResize,
    Index,
    LayerNorm,
    SelfAttention,
    SumPool,
)  # fmt: skip
from ntklab.spec.activations import Erf, Gelu, Relu

FORMS = ("full", "diagonal", "mean")
OUT = Dense(2, W_std=1.1, b_std=0.1)


def conv(kernel=(3, 3), channels=4, kind=Conv, **options):
    return kind(channels, kernel=kernel, **{"W_std": 1.3, "b_std": 0.2, "padding": "SAME", **options})


def attention(**options):
    return SelfAttention(**{"n_chan_out": 4, "n_chan_key": 3, "n_chan_val": 2, "n_heads": 2, "b_std": 0.1, **options})


IMAGE, SEQUENCE, VOLUME = (4, 3, 2), (5, 3), (3, 2, 2, 2)
NETWORKS = {
    "same": (IMAGE, (conv(), Erf(), conv(), Relu(), Flatten(), OUT)),
    "strides": (IMAGE, (conv((2, 3), stride=(2, 1)), Erf(), conv((2, 2), b_std=None), GlobalAvgPool(), OUT)),
    "valid": (IMAGE, (conv((2, 2), padding="VALID"), Gelu(), GlobalSumPool(), OUT)),
    "circular": (IMAGE, (
        conv((3, 2), padding="CIRCULAR", stride=(2, 2)), Erf(), conv(padding="CIRCULAR"), Flatten(), OUT,
    )),
    "sequence": (SEQUENCE, (conv((3,)), Erf(), Dense(4, b_std=0.3), Relu(), conv((2,)), GlobalAvgPool(), OUT)),
    "volume": (VOLUME, (conv((2, 2, 1)), Erf(), conv((2, 1, 2)), GlobalAvgPool(), OUT)),
    "one place": ((2, 2, 3), (conv((2, 2), padding="VALID"), Erf(), Flatten(), OUT)),
    "standard": (IMAGE, (
        conv(param="standard"), Erf(), conv(param="standard", s=(1.0, 2.0)), Relu(), GlobalAvgPool(),
        Dense(2, param="standard", s=(2.0, 1.0)),
    )),
    "mup": (IMAGE, (conv(param="mup"), Erf(), Flatten(), Dense(2, b_std=0.3, param="mup"))),
    "transpose": (IMAGE, (
        conv((2, 2), stride=(2, 2)), Erf(), conv(kind=ConvTranspose, stride=(2, 2)), Erf(), GlobalAvgPool(), OUT,
    )),
    "transpose, valid": (SEQUENCE, (
        conv((3,), kind=ConvTranspose, padding="VALID", stride=(2,)), Erf(), Flatten(), OUT,
    )),
    "transpose, circular": (SEQUENCE, (
        conv((4,), kind=ConvTranspose, padding="CIRCULAR"), Erf(), conv((3,)), Flatten(), OUT,
    )),
    "local": (IMAGE, (
        conv(kind=ConvLocal), Erf(), conv((2, 2), kind=ConvLocal, padding="VALID"), Relu(), Flatten(), OUT,
    )),
    "local, no bias": (SEQUENCE, (conv((2,), kind=ConvLocal, b_std=None), Erf(), GlobalAvgPool(), OUT)),
    "pools": (IMAGE, (
        conv(), Erf(), AvgPool((2, 2), padding="SAME", normalize_edges=True), conv(), Erf(),
        SumPool((2, 2), stride=(2, 1), padding="CIRCULAR"), Flatten(), OUT,
    )),
    "few places": ((3, 3), (conv((2,), channels=20), Erf(), conv((2,), channels=20), Relu(), GlobalAvgPool(), OUT)),
    "layer norm": (IMAGE, (conv(), LayerNorm(), Relu(), conv(), LayerNorm((1, 2, 3)), Relu(), GlobalAvgPool(), OUT)),
    "attention": (SEQUENCE, (
        Dense(4), attention(), Relu(), attention(linear_scaling=False, mechanism="IDENTITY"), GlobalAvgPool(), OUT,
    )),
    "attention on the input": (SEQUENCE, (attention(mechanism="RELU", b_std=None), Flatten(), OUT)),
    "embeddings": (SEQUENCE, (
        Dense(4), attention(pos_emb_type="SUM", pos_emb_decay="exp_neg_half_d"), Erf(),
        attention(pos_emb_type="CONCAT", n_chan_pos_emb=3, val_pos_emb=True, mechanism="ABS"), Flatten(), OUT,
    )),
    "attention on images": (IMAGE, (
        conv(), attention(linear_scaling=False, pos_emb_type="SUM", val_pos_emb=True), GlobalAvgPool(), OUT,
    )),
    "flat attention": (SEQUENCE, (attention(mechanism="FLAT", pos_emb_type="CONCAT"), GlobalAvgPool(), OUT)),
    "positions": (IMAGE, (
        conv(), Erf(), ImageResize((-1, 3, 5, -1)), conv(), Erf(),
        Index(((None,) * 3, (None, None, -1), (1, 4, 2), (None,) * 3)), conv(), Erf(),
        DotGeneral((1.0, -0.5, 0.25), (((1,), (0,)), ((), ()))), Dense(4), Flatten(), OUT,
    )),
    "residual": (IMAGE, (
        conv(), Branch(((Erf(), conv(), Relu(), conv()), ())),
        Branch(((conv((2, 2)), Erf()), (conv((1, 1)),)), merge="concat"),
        Branch(((conv(),), (Erf(), conv())), merge="prod"), Dropout(0.7), GlobalAvgPool(), OUT,
    )),
    "concatenated positions": (SEQUENCE, (
        conv((3,)), Branch(((), (conv((2,)),)), merge="concat", axis=1), Erf(), Flatten(), OUT,
    )),
    "spatial output": (SEQUENCE, (conv((3,)), Erf(), conv((2,), channels=2))),
    "transformer": (SEQUENCE, (
        Dense(4), Branch(((LayerNorm(), attention()), ())),
        Branch(((LayerNorm(), Dense(6), Gelu(), Dense(4)), ())), LayerNorm(), GlobalAvgPool(), OUT,
    )),
}  # fmt: skip


def architecture(shape, layers):
    kind = {2: "sequence", 3: "image", 4: "volume"}[len(shape)]
    return spec.Architecture(spec.Input(kind, shape), layers)


def samples(n, shape, seed=0):
    return np.random.default_rng(seed).standard_normal((n, *shape)) * 0.8


def assert_close(got, reference, tolerance=1e-10):
    assert got.shape == reference.shape
    assert np.abs(got - reference).max() <= tolerance * np.abs(reference).max()


@pytest.mark.parametrize("name", NETWORKS)
def test_equals_the_twin(name):
    a = architecture(*NETWORKS[name])
    x1, x2 = samples(3, a.input.shape), samples(2, a.input.shape, seed=1)
    network = build(a, dtype="float64")
    full = reference_ntk(network, torch.tensor(x1)).numpy()
    wide = reference_ntk(network, torch.tensor(x1), torch.tensor(x2)).numpy()
    assert np.abs(full).max() > 0
    for outputs in FORMS:
        reduce = {"full": lambda t: t, "diagonal": lambda t: np.diagonal(t, axis1=2, axis2=3),
                  "mean": lambda t: np.diagonal(t, axis1=2, axis2=3).mean(-1)}[outputs]  # fmt: skip
        square = drain(empirical_ntk(a, x1, outputs=outputs, dtype="float64"))
        assert_close(square.values, reduce(full))
        assert_close(drain(empirical_ntk(a, x1, x2, outputs=outputs, dtype="float64")).values, reduce(wide))
        assert square.provenance.route.startswith("per-layer factors, one backward pass for all outputs")


@pytest.mark.parametrize("pairs", [True, False])
def test_places_that_share_weights_go_the_cheaper_way(pairs):
    for name, expected in (("few places", 3), ("same", 1)):
        network = build(architecture(*NETWORKS[name]))
        x = torch.zeros(2, *NETWORKS[name][0])
        found = structural.factors(network, layer_uses(network, pairs=pairs), x)
        assert found[1].places == expected  # the convolution under the read-out


@pytest.mark.parametrize("name", ["same", "circular", "transpose", "local", "embeddings", "residual"])
def test_modules_wrapped_in_others_go_by_their_graph(name):
    a = architecture(*NETWORKS[name])
    x = samples(3, a.input.shape)

    class Wrapped(torch.nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def forward(self, x):
            return self.inner(x)

    gram = drain(empirical_ntk(Wrapped(build(a, dtype="float64")), x, dtype="float64"))
    assert gram.provenance.route == "per-layer factors, by the module's graph of operations"
    assert_close(gram.values, reference_ntk(build(a, dtype="float64"), torch.tensor(x)).numpy())


def test_frozen_parts_do_not_count():
    network = build(architecture(*NETWORKS["embeddings"]), dtype="float64")
    network[0].requires_grad_(False)
    network[1].query, network[1].key.weight.requires_grad = None, False
    network[3].embedding.requires_grad_(False)
    x = samples(3, SEQUENCE)
    assert_close(
        drain(empirical_ntk(network, x, dtype="float64")).values, reference_ntk(network, torch.tensor(x)).numpy()
    )


def masked_samples(n, shape, constant, seed=0):
    x = samples(n, shape, seed)
    space = shape[:-1]
    hidden = np.random.default_rng(seed + 10).random((n, *space)) < 0.4
    x[hidden] = constant
    x[0, ..., :] = constant  # nothing left
    return x


MASKED = {
    "dense": (SEQUENCE, (Dense(4, b_std=0.3), Erf(), Dense(4, b_std=0.3), Relu(), GlobalAvgPool(), OUT)),
    "conv": (IMAGE, (conv(), Erf(), AvgPool((2, 2)), conv((2, 2), stride=(2, 1)), Erf(), Flatten(), OUT)),
    "attention": (SEQUENCE, (Dense(4), LayerNorm((1, 2)), attention(pos_emb_type="SUM"), Erf(), GlobalAvgPool(), OUT)),
    "branches": (SEQUENCE, (
        conv((3,)), Branch(((), (Erf(), conv((3,))))), ImageResize((-1, 3, -1)), GlobalSumPool(), OUT,
    )),
}  # fmt: skip


@pytest.mark.parametrize("name", MASKED)
def test_masked_networks(name):
    a = architecture(*MASKED[name])
    x1, x2 = masked_samples(4, a.input.shape, 7.0), masked_samples(3, a.input.shape, 7.0, seed=1)
    network = build(a, dtype="float64", mask_constant=7.0)
    for second in (None, x2):
        gram = drain(empirical_ntk(a, x1, second, dtype="float64", mask_constant=7.0))
        other = None if second is None else torch.tensor(second)
        assert_close(gram.values, reference_ntk(network, torch.tensor(x1), other).numpy())


def test_graphs():
    a = architecture(SEQUENCE, (Dense(4, b_std=0.2), Relu(), Aggregate(), Dense(4, b_std=0.2), Erf(), Aggregate(),
                                GlobalAvgPool(), OUT))  # fmt: skip
    x1, x2 = samples(4, SEQUENCE), samples(3, SEQUENCE, seed=1)
    rng = np.random.default_rng(2)
    A1, A2 = (rng.integers(0, 2, (n, 5, 5)).astype(float) for n in (4, 3))
    module = WithPatterns(build(a, dtype="float64"), SEQUENCE, (5, 5))
    rows = [
        torch.tensor(np.concatenate([x.reshape(len(x), -1), A.reshape(len(A), -1)], 1)) for x, A in ((x1, A1), (x2, A2))
    ]
    gram = drain(empirical_ntk(a, x1, x2, dtype="float64", pattern1=A1, pattern2=A2))
    assert_close(gram.values, reference_ntk(module, *rows).numpy())
    alone = drain(empirical_ntk(a, x1, dtype="float64", pattern1=A1, outputs="mean"))
    assert_close(alone.values, reference_ntk(module, rows[0], outputs="mean").numpy())
    with pytest.raises(DataError, match="pattern2: expected a matrix for each of 3 samples, got none"):
        drain(empirical_ntk(a, x1, x2, pattern1=A1))
    with pytest.raises(DataError, match=r"pattern2: .* shape \[3, 5, 5\], got \[2, 5, 5\]"):
        drain(empirical_ntk(a, x1, x2, pattern1=A1, pattern2=A2[:2]))
    with pytest.raises(DataError, match="pattern: a network with an Aggregate layer needs a matrix"):
        drain(empirical_ntk(a, x1))


def test_does_not_depend_on_the_budget():
    a = architecture((6, 6, 3), (conv(channels=16), Erf(), conv(channels=16), Relu(), Flatten(), OUT))
    x = samples(20, (6, 6, 3))
    needed = next(empirical_ntk(a, x, outputs="mean", dtype="float64")).peak_bytes
    reference = drain(empirical_ntk(a, x, outputs="mean", dtype="float64"))
    work = empirical_ntk(a, x, outputs="mean", dtype="float64", memory=needed - 500_000)
    assert next(work).peak_bytes <= needed - 500_000
    assert_close(drain(work).values, reference.values, 1e-12)


def test_sizes_are_those_of_the_values():
    network = build(architecture(IMAGE, (conv(), Erf(), conv((2, 2), channels=5), Flatten(), OUT)))
    sizes = measured(network, layer_uses(network), torch.zeros(1, *IMAGE))
    places, fan_ins = 12, (2 * 9, 4 * 4)
    assert sizes.values == places * (4 + 4 + 5 + 5) + 2
    assert sizes.patches == places * max(fan_ins)
    forward = places * (4 * fan_ins[0] + 5 * fan_ins[1]) + 2 * 60
    assert sizes.forward == forward
    assert sizes.backward == places * 5 * fan_ins[1] + 2 * 60 + places * (4 * fan_ins[0] + 5 * fan_ins[1])
    assert sizes.weights == sum(p.numel() for p in network.parameters())
