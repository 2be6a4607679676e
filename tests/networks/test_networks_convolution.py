"""Convolutions and pools of finite networks against loops over positions, conventions of XLA written anew."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from ntklab import spec
from ntklab.errors import SpecError
from ntklab.networks import build
from ntklab.spec import (
    AvgPool,
    Conv,
    ConvLocal,
    ConvTranspose,
    Dense,
    GlobalAvgPool,
    GlobalSumPool,
    SumPool,
)

KINDS = {1: "sequence", 2: "image", 3: "volume"}


def network(layer, shape, **options):
    a = spec.Architecture(spec.Input(KINDS[len(shape) - 1], shape), (layer,))
    return build(a, dtype="float64", **options)


def samples(n, shape):
    return np.random.default_rng(3).standard_normal((n, *shape))


def front(n, k, s, padding):
    """Positions that SAME and CIRCULAR put in front (tensorflow.org/api_docs/python/tf/nn#notes_on_padding_2)."""
    if padding == "VALID":
        return 0
    return max(k - s if n % s == 0 else k - n % s, 0) // 2


def places(n, k, s, padding):
    return -(-(n - k + 1) // s) if padding == "VALID" else -(-n // s)


def windowed(x, kernel, stride, padding):
    """{place: {offset: (n, channels) or None outside}}"""
    space = x.shape[1:-1]
    counts = [places(*args, padding) for args in zip(space, kernel, stride, strict=True)]
    lows = [front(*args, padding) for args in zip(space, kernel, stride, strict=True)]
    found = {}
    for p in itertools.product(*map(range, counts)):
        seen = found[p] = {}
        for d in itertools.product(*map(range, kernel)):
            at = [s * i + j - low for s, i, j, low in zip(stride, p, d, lows, strict=True)]
            if padding == "CIRCULAR":
                at = [i % n for i, n in zip(at, space, strict=True)]
            inside = all(0 <= i < n for i, n in zip(at, space, strict=True))
            seen[d] = x[(slice(None), *at)] if inside else None
    return found, counts


SHAPES = {1: (6, 3), 2: (5, 4, 2), 3: (3, 4, 2, 2)}
WINDOWS = [
    (1, (3,), (1,)), (1, (4,), (2,)), (1, (2,), (3,)),
    (2, (3, 3), (1, 1)), (2, (2, 4), (1, 2)), (2, (1, 3), (2, 2)),
    (3, (2, 3, 1), (1, 1, 1)), (3, (3, 2, 2), (2, 2, 1)),
]  # fmt: skip
PADDINGS = ("VALID", "SAME", "CIRCULAR")


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize(("rank", "kernel", "stride"), WINDOWS)
def test_conv(rank, kernel, stride, padding):
    x, C = samples(2, SHAPES[rank]), SHAPES[rank][-1]
    net = network(Conv(4, kernel, stride, padding, W_std=1.3, b_std=0.4), SHAPES[rank])
    W, b = (p.detach().numpy() for p in net.parameters())
    assert W.shape == (4, C, *kernel)
    seen, counts = windowed(x, kernel, stride, padding)
    expected = np.zeros((2, *counts, 4))
    for p, values in seen.items():
        for d, v in values.items():
            if v is not None:
                expected[(slice(None), *p)] += v @ W[(slice(None), slice(None), *d)].T
    expected = 1.3 / math.sqrt(C * math.prod(kernel)) * expected + 0.4 * b
    np.testing.assert_allclose(net(torch.from_numpy(x)).detach().numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize(("rank", "kernel", "stride"), WINDOWS)
def test_conv_local(rank, kernel, stride, padding):
    x, C = samples(2, SHAPES[rank]), SHAPES[rank][-1]
    net = network(ConvLocal(3, kernel, stride, padding, W_std=0.7, b_std=0.4), SHAPES[rank])
    W, b = (p.detach().numpy() for p in net.parameters())
    seen, counts = windowed(x, kernel, stride, padding)
    W = W.reshape(*counts, 3, C, *kernel)
    b = b.reshape(*counts, 3)
    expected = np.zeros((2, *counts, 3))
    for p, values in seen.items():
        for d, v in values.items():
            if v is not None:
                expected[(slice(None), *p)] += v @ W[(*p, slice(None), slice(None), *d)].T
    expected = 0.7 / math.sqrt(C * math.prod(kernel)) * expected + 0.4 * b
    np.testing.assert_allclose(net(torch.from_numpy(x)).detach().numpy(), expected, atol=1e-12)
    assert not np.allclose(W[(0,) * rank], W[(-1,) * rank])


def transposed(x, W, stride, padding):
    """jax.lax.conv_transpose: a convolution of stride 1 over the input with stride − 1 zeros between its positions."""
    kernel, rank = W.shape[2:], W.ndim - 2
    wrap, padding = padding == "CIRCULAR", "VALID" if padding == "CIRCULAR" else padding
    apart = np.zeros((len(x), *((n - 1) * s + 1 for n, s in zip(x.shape[1:-1], stride, strict=True)), x.shape[-1]))
    apart[(slice(None), *(slice(None, None, s) for s in stride))] = x
    pads = []
    for k, s in zip(kernel, stride, strict=True):
        length = k + s - 2 + (max(k - s, 0) if padding == "VALID" else 0)
        low = k - 1 if padding == "VALID" or s > k - 1 else math.ceil(length / 2)
        pads.append((low, length - low))
    z, counts = windowed(np.pad(apart, [(0, 0), *pads, (0, 0)]), kernel, (1,) * rank, "VALID")
    found = np.zeros((len(x), *counts, len(W)))
    for p, values in z.items():
        for d, v in values.items():
            found[(slice(None), *p)] += v @ W[(slice(None), slice(None), *d)].T
    return wrapped(found, [n * s for n, s in zip(x.shape[1:-1], stride, strict=True)]) if wrap else found


def wrapped(z, sizes):
    for axis, size in enumerate(sizes, start=1):
        low = (z.shape[axis] - size) // 2
        total = np.zeros((*z.shape[:axis], size, *z.shape[axis + 1 :]))
        for q in range(z.shape[axis]):
            np.moveaxis(total, axis, 0)[(q - low) % size] += np.moveaxis(z, axis, 0)[q]
        z = total
    return z


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize(("rank", "kernel", "stride"), WINDOWS)
def test_conv_transpose(rank, kernel, stride, padding):
    x, C = samples(2, SHAPES[rank]), SHAPES[rank][-1]
    net = network(ConvTranspose(4, kernel, stride, padding, W_std=1.3, b_std=0.4), SHAPES[rank])
    W, b = (p.detach().numpy() for p in net.parameters())
    expected = 1.3 / math.sqrt(C * math.prod(kernel)) * transposed(x, W, stride, padding) + 0.4 * b
    np.testing.assert_allclose(net(torch.from_numpy(x)).detach().numpy(), expected, atol=1e-12)


def test_torch_agrees_where_its_conventions_meet():
    x = torch.from_numpy(samples(2, (5, 4, 2)))
    plain = x.movedim(-1, 1)
    net = network(Conv(4, (3, 3), padding="CIRCULAR", W_std=math.sqrt(18)), (5, 4, 2))
    around = functional.pad(plain, (1, 1, 1, 1), mode="circular")
    torch.testing.assert_close(net(x), functional.conv2d(around, net[0].weight).movedim(1, -1))
    net = network(ConvTranspose(4, (3, 3), (2, 2), W_std=math.sqrt(18)), (5, 4, 2))
    V = net[0].weight.flip(2, 3).transpose(0, 1)
    torch.testing.assert_close(net(x), functional.conv_transpose2d(plain, V, stride=2).movedim(1, -1))


def test_standard_parameterisation_draws_the_same_function():
    x = torch.from_numpy(samples(3, (5, 4, 2)))
    for kind in (Conv, ConvTranspose, ConvLocal):
        fields = {"kernel": (3, 2), "padding": "SAME", "W_std": 1.3, "b_std": 0.2}
        ntk, standard = (network(kind(4, param=p, **fields), (5, 4, 2)) for p in ("ntk", "standard"))
        torch.testing.assert_close(ntk(x), standard(x), rtol=1e-12, atol=1e-12)
        assert standard[0].weight.std().item() == pytest.approx(1.3 / math.sqrt(12), rel=0.3)
        assert standard[0].weight_scale == 1


def test_standard_channels_are_as_many_as_their_scale_says():
    layers = (Conv(4, (3,), param="standard", s=(1.0, 2.0)), Conv(3, (2,), param="standard", s=(2.0, 1.0), W_std=1.3))
    net = build(spec.Architecture(spec.Input("sequence", (6, 2)), layers), dtype="float64")
    assert [tuple(layer.weight.shape) for layer in net] == [(8, 2, 3), (3, 8, 2)]
    assert net[1].weight_scale == pytest.approx(1 / math.sqrt(2))
    with pytest.raises(SpecError, match=r"Conv.s: s\[1\]·channels must be a whole number"):
        network(Conv(3, (3,), param="standard", s=(1.0, 0.5)), (6, 2))


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize(("rank", "window", "stride"), WINDOWS)
def test_pools(rank, window, stride, padding):
    x = samples(2, SHAPES[rank])
    seen, counts = windowed(x, window, stride, padding)
    total, inside = np.zeros((2, *counts, SHAPES[rank][-1])), np.zeros((*counts, 1))
    for p, values in seen.items():
        present = [v for v in values.values() if v is not None]
        total[(slice(None), *p)], inside[p] = sum(present), len(present)
    for layer, expected in (
        (SumPool(window, stride, padding), total),
        (AvgPool(window, stride, padding), total / math.prod(window)),
        (AvgPool(window, stride, padding, normalize_edges=True), total / inside),
    ):
        np.testing.assert_allclose(network(layer, SHAPES[rank])(torch.from_numpy(x)).numpy(), expected, atol=1e-12)


def test_global_pools():
    x = samples(2, (5, 4, 2))
    for layer, expected in ((GlobalAvgPool(), x.mean((1, 2))), (GlobalSumPool(), x.sum((1, 2)))):
        np.testing.assert_allclose(network(layer, (5, 4, 2))(torch.from_numpy(x)).numpy(), expected)


def test_float32_is_close_to_float64():
    a = spec.Architecture(spec.Input("image", (5, 4, 2)), (Conv(4, (3, 3), padding="SAME"), GlobalAvgPool(), Dense(3)))
    x = samples(2, (5, 4, 2))
    single, double = build(a)(torch.tensor(x, dtype=torch.float32)), build(a, dtype="float64")(torch.from_numpy(x))
    torch.testing.assert_close(single.double(), double, rtol=1e-5, atol=1e-6)
