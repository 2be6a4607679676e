"""Expectations of very many pairs: interpolated between some that were integrated.

By Chebyshev polynomials in x = √(1 − |ρ|) and in the logarithms of both standard deviations. In x the dual of a
function is smooth up to ρ = ±1, kinks at 0 or not (that of ReLU is analytic in the angle); intervals of x are halved
until it is resolved on them.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from math import ceil, log, pi, sqrt

import torch
from torch import Tensor

from ntklab.kernels.infinite.activations.functions import Function
from ntklab.kernels.infinite.activations.smoothing import Check, moments, products

_ORDER = 18  # nodes in x
_TOLERANCE = 2e-13  # of the last coefficients
_NARROWEST = 2.0**-20  # of the intervals of x
_MOST = 48  # standard deviations to interpolate between
_ROWS = 4096

Interval = tuple[int, float, float]  # sign of ρ, and x from one to the other
TOP: tuple[Interval, ...] = ((1, 0.5, 1.0), (1, 0.0, 0.5), (-1, 0.5, 1.0), (-1, 0.0, 0.5))


@dataclass(frozen=True, eq=False)
class Interpolant:
    """Of ``function``, for standard deviations e^``low`` to e^``high`` through ``sigma`` (r,) of them.

    ``norms`` (2, r): Chebyshev coefficients of the logarithms of the roots of E φ² and E φ'², which both expectations
    are divided by. ``_cells``: coefficients (r, r, 2·x) for intervals, made when a pair first falls into them; None
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

        Functions that vary elsewhere than at 0 are not smooth in the standard deviations where these are nearly equal.
        """
        positive = q[q > 0]
        if not len(positive):
            return None
        low, high = (log(float(end)) / 2 for end in (positive.min(), positive.max()))
        count = _count(high - low)
        if len(q) * (len(q) - 1) <= 2 * _ORDER * count or count > (_MOST if function.central else 1):
            return None
        sigma = torch.exp((low + high) / 2 + (high - low) / 2 * _nodes(count))
        norms = torch.stack([_logarithm(m.sqrt()) for m in moments(function, sigma**2)])
        return cls(function, low, high, sigma, norms @ _coefficients(count).T)

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
        left, right = (self._basis(variances.log() / 2) for variances in q)
        count = left.shape[1]
        weights = (left[:, :, None] * right[:, None, :]).flatten(1) @ cell.view(count * count, -1)
        powers = chebyshev((2 * x - low - high) / (high - low), _ORDER)
        sums = torch.einsum("pkm,pm->kp", weights.view(len(x), 2, _ORDER), powers)
        return sums.mul_(torch.exp(self.norms @ (left + right).T))

    def _basis(self, log_sigma: Tensor) -> Tensor:
        if len(self.sigma) == 1:
            return torch.ones(len(log_sigma), 1, dtype=torch.float64)
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
        x = (low + high) / 2 + (high - low) / 2 * _nodes(_ORDER)
        sigma = self.sigma.expand(_ORDER, -1)
        norms = torch.exp(self.norms @ chebyshev(_nodes(len(self.sigma)), len(self.sigma)).T)
        values = torch.stack(products(self.function, sign * (1 - x.square()), sigma, check=check))
        values /= norms[:, None, :, None] * norms[:, None, None, :]
        across = _coefficients(len(self.sigma))
        planes = across @ values @ across.T  # one for each expectation and x
        found = torch.tensordot(planes, _coefficients(_ORDER), dims=([1], [1])).permute(1, 2, 0, 3)
        last = found[..., -2:].abs().amax()
        if len(self.sigma) > 2:
            last = torch.maximum(last, torch.maximum(found[-1].abs().amax(), found[:, -1].abs().amax()))
        return found.flatten(2).contiguous() if float(last) <= _TOLERANCE else None


def one_by_one(
    function: Function, rho: Tensor, q1: Tensor, q2: Tensor, *, finer: float = 1.0, check: Check = lambda: None
) -> Tensor:
    """(2, p): E φφ and E φ'φ' of each of the pairs (p,), integrated."""
    sigma = torch.stack([q1, q2], dim=1).sqrt()
    return torch.stack([matrix[:, 0, 1] for matrix in products(function, rho, sigma, finer=finer, check=check)])


def _count(length: float) -> int:
    """Nodes for functions of the logarithm of a standard deviation: analytic within ±iπ/2 of the real axis."""
    if length < 1e-13:
        return 1
    b = pi / length * 0.95
    return ceil(log(1e14) / log(b + sqrt(b * b + 1))) + 1


def _nodes(count: int) -> Tensor:
    """(count,) Chebyshev nodes in [−1, 1]."""
    return torch.cos(pi * (torch.arange(count, dtype=torch.float64) + 0.5) / count)


def _coefficients(count: int) -> Tensor:
    """(count, count): from values at the nodes to the coefficients of Chebyshev polynomials."""
    matrix = chebyshev(_nodes(count), count).T * (2 / count)
    matrix[0] /= 2
    return matrix


def chebyshev(t: Tensor, count: int) -> Tensor:
    """(p, count): T_0 … T_{count−1} of ``t`` (p,)."""
    return torch.cos(torch.acos(t.clamp(-1, 1))[:, None] * torch.arange(count, dtype=t.dtype))


def _logarithm(norms: Tensor) -> Tensor:
    return torch.where(norms > 0, norms, 1.0).log()
