"""Windows, resizing and distances along one axis, against definitions written anew and against torch."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from ntklab.geometry import Spread, Window, position_covariance, resize_matrix

CASES = [(n, k, s) for n in (1, 2, 5, 6, 7) for k in (1, 2, 3, 4, 5) for s in (1, 2, 3)]
PADDINGS = ("VALID", "SAME", "CIRCULAR")


def xla_same(n, k, s):
    """(outputs, pad in front): tensorflow.org/api_docs/python/tf/nn#notes_on_padding_2"""
    pad = max(k - s, 0) if n % s == 0 else max(k - n % s, 0)
    return (n + s - 1) // s, pad // 2


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize(("n", "k", "s"), CASES)
def test_windows_see_what_xla_says(n, k, s, padding):
    window = Window(n, k, s, padding)
    if padding == "VALID" and n < k:
        return  # the spec refuses it
    outputs, low = (-(-(n - k + 1) // s), 0) if padding == "VALID" else xla_same(n, k, s)
    assert (window.outputs, window.pads[0]) == (outputs, low)
    for p in range(window.outputs):
        for d in range(k):
            at = p * s + d - low
            there = at % n if padding == "CIRCULAR" else (at if 0 <= at < n else -1)
            assert window.taps[p, d] == there
    assert (n + sum(window.pads) - k) // s + 1 == window.outputs
    assert ((window.centres >= 0) & (window.centres < n)).all()


def jax_transpose_pads(k, s, padding):
    """As in ``jax.lax.conv_transpose``: padding of the dilated input, in front and behind."""
    length = k + s - 2 + (max(k - s, 0) if padding == "VALID" else 0)
    front = k - 1 if padding == "VALID" or s > k - 1 else int(np.ceil(length / 2))
    return front, length - front


@pytest.mark.parametrize("padding", ["VALID", "SAME"])
@pytest.mark.parametrize(("n", "k", "s"), CASES)
def test_spreading_is_a_window_over_the_dilated_axis(n, k, s, padding):
    front, behind = jax_transpose_pads(k, s, padding)
    axis = np.zeros(((n - 1) * s + 1, n))
    axis[::s] = np.eye(n)
    axis = np.pad(axis, ((front, behind), (0, 0)))
    expected = np.stack([axis[d : d + len(axis) - k + 1] for d in range(k)])
    spread = Spread(n, k, s, padding)
    assert spread.outputs == expected.shape[1]
    np.testing.assert_array_equal(spread.matrices, expected)


@pytest.mark.parametrize(("n", "k", "s"), CASES)
def test_circular_spreading_adds_what_hangs_over(n, k, s):
    valid, circular = Spread(n, k, s, "VALID"), Spread(n, k, s, "CIRCULAR")
    low = (valid.outputs - n * s) // 2
    expected = np.zeros((k, n * s, n))
    for q in range(valid.outputs):
        expected[:, (q - low) % (n * s)] += valid.matrices[:, q]
    np.testing.assert_array_equal(circular.matrices, expected)
    assert circular.outputs == Spread(n, k, s, "SAME").outputs


@pytest.mark.parametrize("n", [1, 2, 5, 6])
@pytest.mark.parametrize("m", [1, 2, 3, 4, 6, 9, 13])
def test_resizing_equals_torch_where_their_conventions_meet(n, m):
    x = torch.eye(n, dtype=torch.float64)[None, :, None]  # one channel for each position
    linear = functional.interpolate(x, (1, m), mode="bilinear", antialias=True)[0, :, 0].numpy().T
    cubic = functional.interpolate(x, (1, m), mode="bicubic", antialias=True)[0, :, 0].numpy().T
    nearest = functional.interpolate(x, (1, m), mode="nearest-exact")[0, :, 0].numpy().T
    plain = functional.interpolate(x, (1, m), mode="bilinear", align_corners=False)[0, :, 0].numpy().T
    np.testing.assert_allclose(resize_matrix(n, m, method="linear"), linear, atol=1e-12)
    np.testing.assert_allclose(resize_matrix(n, m, method="cubic"), cubic, atol=1e-12)
    np.testing.assert_allclose(resize_matrix(n, m, method="nearest"), nearest, atol=1e-12)
    np.testing.assert_allclose(resize_matrix(n, m, method="linear", antialias=False), plain, atol=1e-12)


def test_distances_between_positions():
    R = position_covariance((2, 3), p_norm=1.5, decay="exp_neg_half_d")
    places = [(i, j) for i in range(2) for j in range(3)]
    for a, (i, j) in enumerate(places):
        for b, (u, v) in enumerate(places):
            assert R[a, b] == pytest.approx(np.exp(-0.5 * (abs(i - u) ** 1.5 + abs(j - v) ** 1.5)))
    D = np.abs(np.subtract.outer(np.arange(4), np.arange(4))) ** 2.0
    np.testing.assert_allclose(position_covariance((4,), p_norm=2, decay="inv_1_plus_d2"), 1 / (1 + D**2))
    np.testing.assert_array_equal(position_covariance((2, 2), p_norm=2, decay=None), np.eye(4))
