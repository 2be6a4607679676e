"""Masked positions: zero behind every layer, not counted, not attended to; and draws that are nested in the width."""

import numpy as np
import pytest
import torch

from ntklab import spec
from ntklab.errors import SpecError
from ntklab.networks import build
from ntklab.networks.network import Values, through
from ntklab.spec import (
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
from ntklab.spec.activations import Cos, Relu

KINDS = {1: "vector", 2: "sequence", 3: "image", 4: "volume"}
NONE = (None, None, None)


def network(layers, shape, **options):
    return build(spec.Architecture(spec.Input(KINDS[len(shape)], shape), layers), dtype="float64", **options)


def attention(n=6, **options):
    return SelfAttention(**{"n_chan_out": n, "n_chan_key": 4, "n_chan_val": 3, "n_heads": 2, "b_std": 0.4, **options})


X = np.random.default_rng(0).standard_normal((2, 6, 3))
SHORT = 4  # positions that the samples have before they are filled up
TOKENWISE = {
    "dense": (Dense(5, b_std=0.5), Cos(), Dense(4, b_std=0.3), GlobalAvgPool()),
    "sum": (Dense(5, b_std=0.5), Cos(), GlobalSumPool()),
    "layer norm over all": (Dense(5), LayerNorm((1, 2)), Relu(), GlobalAvgPool(), Dense(2)),
    "layer norm": (Dense(5), LayerNorm(eps=0.0), Relu(), GlobalAvgPool(), Dense(2)),
    "attention": (Dense(5), attention(), Cos(), attention(mechanism="IDENTITY"), GlobalAvgPool(), Dense(2)),
    "roots": (attention(linear_scaling=False), Relu(), attention(mechanism="RELU"), GlobalAvgPool()),
    "residual": (Dense(6), Branch(((LayerNorm(), attention()), ())), Branch(((Cos(),), (Dense(6),)), merge="prod"),
                 Dropout(0.8), GlobalAvgPool(), Dense(2)),
}  # fmt: skip


@pytest.mark.parametrize("name", TOKENWISE)
@pytest.mark.parametrize("constant", [7.0, float("nan")])
def test_masked_positions_might_as_well_not_be_there(name, constant):
    """Where positions are exchangeable, filling samples up with masked ones changes nothing."""
    x = X.copy()
    x[:, SHORT:] = constant
    filled = network(TOKENWISE[name], (6, 3), mask_constant=constant)
    short = network(TOKENWISE[name], (SHORT, 3))
    torch.testing.assert_close(filled(torch.tensor(x)), short(torch.tensor(X[:, :SHORT])))


@pytest.mark.parametrize("embedding", [{"pos_emb_type": "SUM"}, {"pos_emb_type": "CONCAT", "val_pos_emb": True}])
def test_masked_positions_have_no_embedding(embedding):
    x = X.copy()
    x[:, SHORT:] = 7.0
    layers = (attention(W_pos_emb_std=0.7, **embedding), Relu(), GlobalAvgPool())
    filled, short = network(layers, (6, 3), mask_constant=7.0), network(layers, (SHORT, 3))
    torch.testing.assert_close(filled(torch.tensor(x)), short(torch.tensor(X[:, :SHORT])))


def behind(layer, mask, shape):
    """The mask that neural-tangents' conventions give behind ``layer``, and the values there."""
    x = np.random.default_rng(1).standard_normal((*mask.shape, shape[-1]))
    net = network((Dense(3, b_std=1.0), Cos(), layer), shape)
    values = Values(torch.tensor(x).masked_fill(torch.tensor(mask)[..., None], 0), torch.tensor(mask), None)
    values = through(net, values)
    assert values.mask.shape == values.a.shape[:-1]
    assert bool((values.a[values.mask] == 0).all())
    assert bool((values.a[~values.mask] != 0).all())
    return values.mask.numpy()


MASK = np.random.default_rng(5).random((3, 6, 5)) < 0.5


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (Conv(4, (3, 3), padding="SAME"), MASK),
        (Conv(4, (3, 2), (2, 1), "SAME", b_std=0.3), MASK[:, 1::2]),  # 6 positions: one behind, none in front
        (Conv(4, (3, 3), b_std=0.3), MASK[:, 1:-1, 1:-1]),
        (ConvLocal(4, (2, 4), padding="CIRCULAR"), MASK),
        (AvgPool((2, 2), (2, 2)), MASK[:, ::2, :4:2]),
        (SumPool((3, 1), (3, 1), "SAME"), MASK[:, 1::3]),
        (Index((NONE, (None, None, -1), (1, 4, None), NONE)), MASK[:, ::-1, 1:4]),
        (ImageResize((-1, 12, 5, -1), "nearest"), np.repeat(MASK, 2, axis=1)),
        (ImageResize((-1, 3, 5, -1), "linear", antialias=False), MASK[:, ::2] & MASK[:, 1::2]),
        (DotGeneral(((1.0, 0.0), (0.0, -1.0), (2.0, 0.0), (0.0, 0.0), (0.0, 0.5)), (((2,), (0,)), ((), ()))),
         np.stack([MASK[:, :, 0] & MASK[:, :, 2], MASK[:, :, 1] & MASK[:, :, 4]], -1)),
        (Branch(((Conv(3, (3, 3), padding="SAME"),), ())), MASK),
        (Branch(((), (Index((NONE, (None, None, -1), NONE, NONE)),)), merge="sum"), MASK & MASK[:, ::-1]),
        (Branch(((), (Index((NONE, (2, 4, None), NONE, NONE)),)), merge="concat", axis=1),
         np.concatenate([MASK, MASK[:, 2:4]], 1)),
        (Branch(((), (Dense(2),)), merge="concat", axis=-1), MASK),
    ],
)  # fmt: skip
def test_where_masks_go(layer, expected):
    np.testing.assert_array_equal(behind(layer, MASK, (6, 5, 2)), expected)


def test_flattened_samples_keep_zeros_and_forget_masks():
    x = X.copy()
    x[:, SHORT:] = 7.0
    net = network((Dense(4, b_std=1.0), Flatten()), (6, 3), mask_constant=7.0)
    got = net(torch.tensor(x)).reshape(2, 6, 4)
    plain = network((Dense(4, b_std=1.0),), (6, 3))(torch.tensor(X))
    torch.testing.assert_close(got[:, :SHORT], plain[:, :SHORT])
    assert bool((got[:, SHORT:] == 0).all())


def test_only_whole_positions_are_masked():
    x = X.copy()
    x[:, :, 0] = 7.0
    layers = (Dense(4, b_std=1.0), GlobalAvgPool())
    masked, plain = network(layers, (6, 3), mask_constant=7.0), network(layers, (6, 3))
    torch.testing.assert_close(masked(torch.tensor(x)), plain(torch.tensor(x)))


def test_what_cannot_be_masked_says_so():
    with pytest.raises(SpecError, match="ConvTranspose: masks cannot be carried"):
        network((Branch(((ConvTranspose(2, (3,), padding="SAME"),),)), Dense(1)), (6, 3), mask_constant=0.0)


def parameters(layers, shape):
    net = network(layers, shape)
    counted = spec.parameter_count(spec.Architecture(spec.Input(KINDS[len(shape)], shape), layers))
    assert sum(p.numel() for p in net.parameters()) == counted
    return {name: p.detach() for name, p in net.named_parameters()}


NESTED = {
    "conv": ((5, 4, 3), lambda w: (Conv(w, (3, 2), b_std=0.1), Relu(), Conv(w, (2, 2)), GlobalAvgPool(), Dense(2))),
    "transpose": ((5, 3), lambda w: (ConvTranspose(w, (3,), b_std=0.1), ConvTranspose(w, (2,)), GlobalAvgPool())),
    "local": ((4, 3), lambda w: (ConvLocal(w, (2,), b_std=0.1), ConvLocal(w, (2,)), GlobalAvgPool(), Dense(2))),
    "attention": ((4, 3), lambda w: (
        attention(w, pos_emb_type="CONCAT", n_chan_pos_emb=2, val_pos_emb=True), Relu(),
        attention(w, linear_scaling=False, pos_emb_type="SUM"), GlobalAvgPool(), Dense(2),
    )),
}  # fmt: skip


@pytest.mark.parametrize("name", NESTED)
def test_wider_layers_contain_narrower_ones(name):
    shape, layers = NESTED[name]
    narrow, wide = parameters(layers(20), shape), parameters(layers(150), shape)
    assert narrow.keys() == wide.keys()
    for key, small in narrow.items():
        large = wide[key]
        if small.ndim == 2 and small.shape[1] == 22:  # joined: the columns of the embedding stand behind the channels
            large = torch.cat([large[:, :20], large[:, -2:]], 1)
        # A convolution of its own at each place has its inputs' offsets next to each other, channel by channel.
        assert torch.equal(small, large[tuple(slice(size) for size in small.shape)]), key


def test_a_dense_layer_behind_flatten_is_nested_in_the_channels():
    layers = lambda w: (Conv(w, (2, 2), b_std=0.1), Relu(), Flatten(), Dropout(0.5), Dense(3))  # noqa: E731
    narrow, wide = (parameters(layers(w), (4, 3, 2))["4.weight"] for w in (20, 150))
    assert torch.equal(narrow.view(3, 6, 20), wide.view(3, 6, 150)[:, :, :20])
    assert narrow.unique().numel() == narrow.numel()


def test_draws_differ_between_layers_places_and_parts():
    layers = (Conv(30, (2,), b_std=1.0), ConvLocal(30, (2,), b_std=1.0), attention(30, linear_scaling=False,
              pos_emb_type="CONCAT", val_pos_emb=True), Dense(30, b_std=1.0))  # fmt: skip
    drawn = torch.cat([p.flatten() for p in parameters(layers, (7, 9)).values()])
    assert drawn.unique().numel() == drawn.numel()
    assert drawn.std().item() == pytest.approx(1.0, rel=0.02)
