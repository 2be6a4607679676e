"""Where depth leads: fixed points of the variance and of the correlation."""

from __future__ import annotations

from math import isnan

import numpy as np
import torch
from torch import Tensor

from ntklab.kernels.infinite.phase.maps import HIGHEST, LOWEST, Maps

_WANDERING = 200  # layers after which a variance that can go both ways is in the reach of where it stays
_SETTLED = 1e-13
_MOST_STEPS = 60
_ZOOM, _ROUNDS = 65, 6
_NEAR_ONE = 1e-6
_NEAR_ONE_AFAR = 1e-4  # where q is so large that only its limit is meant
_NOISE = 1e-14
_STILL = 1e-9
_STEP = 1e-5


def fixed_variance(maps: Maps, weight: Tensor, bias: Tensor, start: float) -> Tensor:
    """(n,): the variance q* in which depth ends, for W² = ``weight`` and b² = ``bias`` (n,).

    ``start`` is the variance of the input: the first layer has W²·start + b². 0 where the variance vanishes, ∞ where it
    grows for ever. It always settles: √q E φ(√q z)² grows with q, being an integral of φ² under exp(−x²/2q), so that
    V' ≥ −½ where V(q) = q.
    """
    q = weight * start + bias
    if not maps.monotone:
        q = _wandered(maps, weight, bias, q)
    q = q.clamp(LOWEST, HIGHEST)
    drift = _drift(maps, weight, bias, q)
    settled = drift.abs() <= _SETTLED * q
    low, high, found = _bracket(maps, weight, bias, q, up=drift > 0)
    end = torch.where(settled, q, torch.where(drift > 0, torch.inf, 0.0))
    sought = found & ~settled
    if bool(sought.any()):
        end[sought] = _root(maps, *(part[sought] for part in (weight, bias, low, high)))
    return end


def susceptibility(maps: Maps, weight: Tensor, variance: Tensor) -> Tensor:
    """χ₁ = W² E φ'² (n,) at the fixed variances (n,); its limit where they are 0 or ∞."""
    _, _, slope = maps.limits(variance)
    grows = torch.isinf(variance) & (slope > 2 * maps.ladder[2][-1])
    return torch.where(grows, torch.inf, weight * slope)


def fixed_correlation(maps: Maps, *, weight: float, bias: float, q: float) -> float:
    """The correlation c* in [0, 1] that two inputs approach from below 1, at the fixed variance ``q``.

    The map is a power series in c without negative coefficients (Daniely et al. 2016), so convex: it meets the diagonal
    at 1 and at most once before, and does so exactly where its slope at 1 exceeds 1. NaN where every correlation stays
    what it is.
    """

    def excess(c: Tensor) -> Tensor:
        return maps.correlation_map(c, weight=weight, bias=bias, q=q) - c

    high = 1 - (_NEAR_ONE if q <= HIGHEST else _NEAR_ONE_AFAR)
    few = excess(torch.tensor([0.0, 0.5, high], dtype=torch.float64))
    if not bool(torch.isfinite(few).all()) or float(few.abs().max()) < _STILL:
        return float("nan")
    if float(few[-1]) >= 0:
        return 1.0
    low = 0.0
    for _ in range(_ROUNDS):
        c = torch.linspace(low, high, _ZOOM, dtype=torch.float64)
        first = int((excess(c) <= _NOISE).to(torch.int8).argmax())
        low, high = float(c[max(first - 1, 0)]), float(c[first])
    return (low + high) / 2


def correlation_slope(maps: Maps, *, weight: float, bias: float, q: float, c: float) -> float:
    """The slope of the correlation map at ``c``; 1 where every correlation stays (``c`` is NaN)."""
    if isnan(c):
        return 1.0
    at, square, slope = maps.limits(torch.tensor([q], dtype=torch.float64))
    if c < 1:
        ends = torch.tensor([c - _STEP, c + _STEP], dtype=torch.float64)
        rise = maps.correlation_map(ends, weight=weight, bias=bias, q=q).diff()
        return float(rise / (2 * _STEP))
    return float(weight * slope * at / (weight * square + bias))


# -- the variance ------------------------------------------------------------------------------------------------------


def _drift(maps: Maps, weight: Tensor, bias: Tensor, q: Tensor) -> Tensor:
    """V(q) − q, as if φ were 0 where W is (there E φ² may be infinite)."""
    value, _ = maps.moments(q)
    return torch.where(weight > 0, weight * value, 0.0) + bias - q


def _wandered(maps: Maps, weight: Tensor, bias: Tensor, q: Tensor) -> Tensor:
    """``q`` after many layers of a map between the rungs of the ladder: good enough to tell where it will stay."""
    rungs, values, _ = maps.ladder
    at, value = rungs.log().numpy(), values.clamp(min=1e-300, max=1e300).log().numpy()
    W2, b2, here = weight.numpy(), bias.numpy(), q.numpy()
    for _ in range(_WANDERING):
        with np.errstate(divide="ignore", over="ignore"):
            here = np.clip(W2 * np.exp(np.interp(np.log(here), at, value)) + b2, LOWEST, HIGHEST)
    return torch.from_numpy(here)


def _bracket(maps: Maps, weight: Tensor, bias: Tensor, q: Tensor, *, up: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(low, high, found): between which rungs the drift first changes its sign, going ``up`` or down from ``q``."""
    rungs, values, _ = maps.ladder
    rising = torch.where(weight[:, None] > 0, weight[:, None] * values, 0.0) + bias[:, None] > rungs
    stops = torch.where(up[:, None], ~rising & (rungs > q[:, None]), rising & (rungs < q[:, None]))
    first = stops.to(torch.int8).argmax(1)
    last = len(rungs) - 1 - stops.flip(1).to(torch.int8).argmax(1)
    index = torch.where(up, first, last)
    beyond = rungs[index]
    before = rungs[torch.where(up, index - 1, index + 1).clamp(0, len(rungs) - 1)]
    low = torch.where(up, torch.maximum(before, q), beyond)
    high = torch.where(up, beyond, torch.minimum(before, q))
    return low, high, stops.any(1)


def _root(maps: Maps, weight: Tensor, bias: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """The zero of the drift between ``low`` and ``high``, by false position with halved ends (Illinois)."""
    root = (low + high) / 2
    f_low, f_high = _drift(maps, weight, bias, low), _drift(maps, weight, bias, high)
    open_ = torch.arange(len(root))
    for _ in range(_MOST_STEPS):
        share = (f_low / (f_low - f_high)).nan_to_num(nan=0.5).clamp(0.0, 1.0)
        q = low + (high - low) * share
        f = _drift(maps, weight, bias, q)
        going = (q - root[open_]).abs() > _SETTLED * q
        root[open_] = q
        if not bool(going.any()):
            break
        left = f.sign() == f_low.sign()
        f_low, f_high = torch.where(left, f, f_low / 2), torch.where(left, f_high / 2, f)
        low, high = torch.where(left, q, low), torch.where(left, high, q)
        parts = (open_, weight, bias, low, high, f_low, f_high)
        open_, weight, bias, low, high, f_low, f_high = (part[going] for part in parts)
    return root
