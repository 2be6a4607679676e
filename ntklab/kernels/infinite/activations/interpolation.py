"""Expectations of very many pairs: interpolated between some that were integrated.

By Chebyshev polynomials in x = √(1 − |ρ|) and in the logarithms of both standard deviations. In x the dual of a
function is smooth up to ρ = ±1, kinks at 0 or not (that of ReLU is analytic in the angle); intervals of x are halved
until it is resolved on them.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import lru_cache
from math import ceil, floor, log, pi, sqrt

import torch
from torch import Tensor

from ntklab.kernels.infinite.activations.functions import Function
from ntklab.kernels.infinite.activations.smoothing import Check, moments, products

_ORDER = 18  # nodes in x
_TOLERANCE = 2e-13  # of the last coefficients
_NARROWEST = 2.0**-20  # of the intervals of x
_NOISE = 2e-15
_MOST = 48  # standard deviations to interpolate between
_STEP = 0.125  # ranges of logarithms of standard deviations are widened to multiples of this
_EQUAL = 1e-13  # their length where all are equal
_FEWEST, _WORTH = 8, 50  # pairs that are worth it: some, and more of them the more standard deviations there are
_ROWS = 4096

Interval = tuple[int, float, float]  # sign of ρ, and x from one to the other
TOP: tuple[Interval, ...] = ((1, 0.5, 1.0), (1, 0.0, 0.5), (-1, 0.5, 1.0), (-1, 0.0, 0.5))


@dataclass(frozen=True, eq=False)
class Interpolant:
    """Of ``function``, for standard deviations e^``low`` to e^``high`` through ``sigma`` (r,) of them.

    ``norms`` (2, r): Chebyshev coefficients of the logarithms of the roots of E φ² and E φ'², which both expectations
    are divided by. ``_cells``: coefficients (2, x, r, r) for intervals, made when a pair first falls into them; None
    where the interval has to be halved.
    """

    function: Function
    low: float
    high: float
    sigma: Tensor
    norms: Tensor
    _cells: dict[Interval, Tensor | None] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(cls, function: Function, q: Tensor) -> Interpolant | None:
        """For the variances ``q`` (n,), or None where it would cost more than their pairs one by one.

        It is kept for other layers and runs with nearly the same range of variances. Functions that vary elsewhere than
        at 0 are not smooth in the standard deviations where these are nearly equal: there must be a single one.
        """
        positive = q[q > 0]
        if len(positive) < _FEWEST:
            return None
        low, high = (log(float(end)) / 2 for end in (positive.min(), positive.max()))
        if high - low > _EQUAL:
            low, high = floor(low / _STEP) * _STEP, ceil(high / _STEP) * _STEP
        count = _count(high - low)
        if len(positive) ** 2 < _WORTH * count or count > (_MOST if function.central else 1):
            return None
        return _interpolant(function, low, high, count)

    def __call__(self, rho: Tensor, q1: Tensor, q2: Tensor, *, check: Check = lambda: None) -> Tensor:
        """(2, p): E φφ and E φ'φ' of each of the pairs (p,), whose variances are above 0."""
        values = torch.empty(2, len(rho), dtype=torch.float64)
        x = (1 - rho.abs()).clamp(min=0).sqrt()
        for interval in TOP:
            sign, low, high = interval
            inside = (x > low) & (x <= high) if low else x <= high
            at = (inside & ((rho >= 0) if sign > 0 else (rho < 0))).nonzero()[:, 0]
            self._fill(values, interval, at, (x, rho, q1, q2), check)
        return values

    def samples(self) -> tuple[Tensor, Tensor, Tensor]:
        """(ρ, q, q') of a few pairs between the nodes of the intervals that were made, (p,) each."""
        made = [interval for interval, cell in self._cells.items() if cell is not None]
        inside = torch.tensor([0.01, 0.36, 0.93], dtype=torch.float64)
        x = torch.cat([low + (high - low) * inside for _, low, high in made] or [torch.empty(0, dtype=torch.float64)])
        sign = torch.tensor([sign for sign, _, _ in made for _ in inside], dtype=torch.float64)
        q = [torch.exp(2 * (self.low + (self.high - self.low) * part)) for part in (inside, inside.roll(1))]
        return sign * (1 - x.square()), q[0].repeat(len(made)), q[1].repeat(len(made))

    def _fill(self, values: Tensor, interval: Interval, at: Tensor, pairs: tuple[Tensor, ...], check: Check) -> None:
        """Put the ``values`` (2, p) of the pairs ``at`` (m,), which fall into ``interval``, where they belong."""
        if not len(at):
            return
        sign, low, high = interval
        x, rho, q1, q2 = (part[at] for part in pairs)
        cell = self._cell(interval, check)
        if cell is not None:
            for part in torch.split(torch.arange(len(at)), _ROWS):
                check()
                values[:, at[part]] = self._evaluate(cell, interval, x[part], (q1[part], q2[part]))
        elif high - low <= (_NARROWEST if low == 0 else low / 4):
            values[:, at] = one_by_one(self.function, rho, q1, q2, check=check)
        else:
            middle = (low + high) / 2
            self._fill(values, (sign, middle, high), at[x > middle], pairs, check)
            self._fill(values, (sign, low, middle), at[x <= middle], pairs, check)

    def _evaluate(self, cell: Tensor, interval: Interval, x: Tensor, q: tuple[Tensor, Tensor]) -> Tensor:
        """(2, p)"""
        _, low, high = interval
        _, order, count, _ = cell.shape
        left, right = (self._basis(variances.log() / 2) for variances in q)
        products = (left[:count, None] * right[None, :count]).flatten(0, 1)
        sums = cell.view(2 * order, -1) @ products
        powers = chebyshev((2 * x - low - high) / (high - low), order)
        norms = torch.exp(self.norms @ left.add_(right))
        return (sums.view(2, order, -1) * powers).sum(dim=1).mul_(norms)

    def _basis(self, log_sigma: Tensor) -> Tensor:
        """(r, p)"""
        if len(self.sigma) == 1:
            return torch.ones(1, len(log_sigma), dtype=torch.float64)
        t = (2 * log_sigma - self.low - self.high) / (self.high - self.low)
        return chebyshev(t.clamp(-1, 1), len(self.sigma))

    def _cell(self, interval: Interval, check: Check) -> Tensor | None:
        with self._lock:
            if interval not in self._cells:
                self._cells[interval] = None if self._too_wide(interval) else self._made(interval, check)
            return self._cells[interval]

    def _too_wide(self, interval: Interval) -> bool:
        """Whether noise about 0 goes from much less to much more than the scale of the function."""
        _, low, high = interval
        return self.function.central and low == 0 and high * float(self.sigma.max()) > 8 * self.function.feature

    def _made(self, interval: Interval, check: Check) -> Tensor | None:
        """Coefficients of an interval, None where the last of them are too large."""
        sign, low, high = interval
        count = len(self.sigma)
        x = (low + high) / 2 + (high - low) / 2 * _nodes(_ORDER)
        values = torch.stack(
            products(self.function, sign * (1 - x.square()), self.sigma.expand(_ORDER, -1), check=check)
        )
        norms = torch.exp(self.norms @ chebyshev(_nodes(count), count))
        values /= norms[:, None, :, None] * norms[:, None, None, :]
        across = _coefficients(count)
        found = torch.tensordot(_coefficients(_ORDER), across @ values @ across.T, dims=([1], [1])).movedim(0, 1)
        sizes = found.abs().amax(dim=0)
        last = float(sizes[-2:].max())
        if count > 2:
            last = max(last, float(sizes[:, -1].max()), float(sizes[:, :, -1].max()))
        if not last <= _TOLERANCE:
            return None
        order = _needed(sizes.amax(dim=(1, 2)))
        count = _needed(torch.maximum(sizes.amax(dim=(0, 1)), sizes.amax(dim=(0, 2))))
        kept: Tensor = found[:, :order, :count, :count].contiguous()
        return kept


@lru_cache(maxsize=64)
def _interpolant(function: Function, low: float, high: float, count: int) -> Interpolant:
    sigma = torch.exp((low + high) / 2 + (high - low) / 2 * _nodes(count))
    norms = torch.stack([_logarithm(m.sqrt()) for m in moments(function, sigma**2)])
    return Interpolant(function, low, high, sigma, norms @ _coefficients(count).T)


def _needed(sizes: Tensor) -> int:
    """How many coefficients with these ``sizes`` are not rounding noise."""
    return int((sizes > _NOISE).nonzero().max()) + 1 if bool((sizes > _NOISE).any()) else 1


def one_by_one(
    function: Function, rho: Tensor, q1: Tensor, q2: Tensor, *, finer: float = 1.0, check: Check = lambda: None
) -> Tensor:
    """(2, p): E φφ and E φ'φ' of each of the pairs (p,), integrated."""
    sigma = torch.stack([q1, q2], dim=1).sqrt()
    return torch.stack([matrix[:, 0, 1] for matrix in products(function, rho, sigma, finer=finer, check=check)])


def _count(length: float) -> int:
    """Nodes for functions of the logarithm of a standard deviation: analytic within ±iπ/2 of the real axis."""
    if length <= _EQUAL:
        return 1
    b = pi / length * 0.95
    return ceil(log(1e14) / log(b + sqrt(b * b + 1))) + 1


def _nodes(count: int) -> Tensor:
    """(count,) Chebyshev nodes in [−1, 1]."""
    return torch.cos(pi * (torch.arange(count, dtype=torch.float64) + 0.5) / count)


def _coefficients(count: int) -> Tensor:
    """(count, count): from values at the nodes to the coefficients of Chebyshev polynomials."""
    matrix = chebyshev(_nodes(count), count) * (2 / count)
    matrix[0] /= 2
    return matrix


def chebyshev(t: Tensor, count: int) -> Tensor:
    """(count, p): T_0 … T_{count−1} of ``t`` (p,)."""
    rows = torch.ones(count, len(t), dtype=t.dtype)
    if count > 1:
        rows[1] = t
    for k in range(2, count):
        torch.mul(rows[k - 1], t, out=rows[k]).mul_(2).sub_(rows[k - 2])
    return rows


def _logarithm(norms: Tensor) -> Tensor:
    return torch.where(norms > 0, norms, 1.0).log()
