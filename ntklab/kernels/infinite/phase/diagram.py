"""χ₁ over the plane of (W_std, b_std), and the line where it is 1."""

from __future__ import annotations

from functools import lru_cache
from math import floor, log10

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntklab import spec
from ntklab.kernels.infinite.phase.fixed_points import fixed_variance, susceptibility
from ntklab.kernels.infinite.phase.maps import Maps, maps_of

Array = NDArray[np.float64]

_STEPS = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
_WIDER = 4  # times that the range of W_std is doubled in search of a critical one
_LINE = 1500  # points of the critical line, before those outside are dropped
_ZOOM, _ROUNDS = 65, 6
_ROWS, _HALVINGS = 33, 24
_BESIDE = 1e-9


def ranges(activation: spec.Activation, W_std: float, b_std: float, start: float) -> tuple[float, float]:
    """Round upper ends of W_std and b_std that show where this activation is critical, and the point given."""
    _, slope = maps_of(activation).moments(torch.ones(1, dtype=torch.float64))
    W_end = 2 / float(slope) ** 0.5 if 0 < float(slope) < torch.inf else 3.0
    for _ in range(_WIDER):
        if critical_weight(activation, b_std, start, W_end) is not None:
            break
        W_end *= 2
    else:
        W_end /= 2**_WIDER
    W_end = _round_up(max(W_end, 1.2 * W_std))
    return W_end, _round_up(max(0.6 * W_end, 1.2 * b_std))


@lru_cache(maxsize=256)
def susceptibilities(
    activation: spec.Activation, W_std: tuple[float, ...], b_std: tuple[float, ...], start: float
) -> Array:
    """χ₁ (b, w) at each pair of deviations, for inputs of variance ``start``; read-only, as it is remembered."""
    maps = maps_of(activation)
    weight = torch.tensor(W_std, dtype=torch.float64).square().repeat(len(b_std))
    bias = torch.tensor(b_std, dtype=torch.float64).square().repeat_interleave(len(W_std))
    chi = susceptibility(maps, weight, fixed_variance(maps, weight, bias, start))
    found: Array = chi.reshape(len(b_std), len(W_std)).numpy()
    found.flags.writeable = False
    return found


@lru_cache(maxsize=32)
def critical_line(activation: spec.Activation, W_end: float, b_end: float, start: float) -> tuple[Array, Array]:
    """W_std and b_std (m,) of the line χ₁ = 1 up to the ends given; NaN between its pieces.

    By the variance q in which depth ends there: W² = 1/E φ'² and b² = q − E φ²/E φ'² (Schoenholz et al. 2017). Kept
    is what inputs of variance ``start`` reach; where they diverge, χ₁ is 1 at the W² of the limit.
    """
    maps = maps_of(activation)
    q = torch.logspace(-12, 8, _LINE, dtype=torch.float64)
    value, slope = maps.moments(q)
    weight, bias = 1 / slope, (q - value / slope)
    bias = torch.where(bias.abs() < 1e-12 * q, 0.0, bias)
    near = (bias >= 0) & (weight > 0) & (weight <= W_end**2) & (bias <= b_end**2) & torch.isfinite(weight)
    reached = torch.zeros_like(near)
    if bool(near.any()):
        end = fixed_variance(maps, weight[near], bias[near], start)
        reached[near] = (end - q[near]).abs() <= 1e-4 * q[near]
    W_std = torch.where(reached, weight.sqrt(), torch.nan)
    b_std = torch.where(reached, bias.clamp(min=0.0).sqrt(), torch.nan)
    far_W, far_b = _diverging_line(maps, W_end, b_end, start)
    return _joined(torch.cat([W_std, far_W]).numpy(), torch.cat([b_std, far_b]).numpy())


@lru_cache(maxsize=32)
def diverging_line(activation: spec.Activation, W_end: float, b_end: float, start: float) -> tuple[Array, Array]:
    """W_std and b_std (m,): for each bias the least W_std at which the variance grows for ever; NaN where none does."""
    maps = maps_of(activation)
    b_std = torch.linspace(0, b_end, _ROWS, dtype=torch.float64)
    low, high = torch.zeros_like(b_std), torch.full_like(b_std, W_end)
    if not bool(torch.isinf(fixed_variance(maps, high.square(), b_std.square(), start)).any()):
        return np.empty(0), np.empty(0)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        diverges = torch.isinf(fixed_variance(maps, middle.square(), b_std.square(), start))
        low, high = torch.where(diverges, low, middle), torch.where(diverges, middle, high)
    inside = torch.where(high < W_end, high, torch.nan)
    return _joined(inside.numpy(), b_std.numpy())


@lru_cache(maxsize=256)
def critical_weight(activation: spec.Activation, b_std: float, start: float, W_end: float) -> float | None:
    """The smallest W_std up to ``W_end`` at which χ₁ rises through 1 for this ``b_std``; None where it does not."""
    maps = maps_of(activation)
    if maps.scale_free:
        critical = float(maps.ladder[2][0]) ** -0.5
        return critical if critical <= W_end else None
    low, high = 1e-3 * W_end, W_end
    for _ in range(_ROUNDS):
        W_std = torch.linspace(low, high, _ZOOM, dtype=torch.float64)
        bias = torch.full_like(W_std, b_std**2)
        chi = susceptibility(maps, W_std.square(), fixed_variance(maps, W_std.square(), bias, start))
        rises = (chi[:-1] < 1) & (chi[1:] >= 1)
        if not bool(rises.any()):
            return None
        first = int(rises.to(torch.int8).argmax())
        low, high = float(W_std[first]), float(W_std[first + 1])
    return high


def _diverging_line(maps: Maps, W_end: float, b_end: float, start: float) -> tuple[Tensor, Tensor]:
    """The part of the line on which the variance diverges: one W_std, that of the limit of E φ'²."""
    nothing = torch.empty(0, dtype=torch.float64)
    chi = float(susceptibility(maps, torch.ones(1, dtype=torch.float64), torch.tensor([torch.inf])))
    if not 1 / W_end**2 <= chi < torch.inf:
        return nothing, nothing
    b_std = torch.linspace(0, b_end, 257, dtype=torch.float64)
    weight = torch.full_like(b_std, (1 + _BESIDE) / chi)
    diverges = torch.isinf(fixed_variance(maps, weight, b_std.square(), start))
    return torch.where(diverges, chi**-0.5, torch.nan), torch.where(diverges, b_std, torch.nan)


def _joined(W_std: Array, b_std: Array) -> tuple[Array, Array]:
    """Without repeated points, and with one NaN between pieces."""
    good = np.isfinite(W_std)
    kept = good | np.concatenate([[False], good[:-1]])
    if len(kept):
        same = np.concatenate([[False], (np.abs(np.diff(W_std)) < 1e-9) & (np.abs(np.diff(b_std)) < 1e-9)])
        kept &= ~same
    return W_std[kept], b_std[kept]


def _round_up(x: float) -> float:
    scale = 10.0 ** floor(log10(x))
    return next(step for step in _STEPS if step * scale >= x * (1 - 1e-12)) * scale
