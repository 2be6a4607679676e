"""Activations without a closed form: Hermite series in the correlation, to nearly full precision."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import torch
from torch import Tensor

from ntklab.kernels.infinite.activations.close_pairs import by_quadrature, by_series
from ntklab.kernels.infinite.activations.dual import Price, correlation
from ntklab.kernels.infinite.activations.expansion import LEVELS, Expansion, moments, slope_coefficients
from ntklab.kernels.infinite.activations.functions import Function
from ntklab.kernels.infinite.activations.series import hermite_pair, scale_of

TABLE = 512  # coefficients kept of each sample
LONGEST = 2048  # coefficients computed for single pairs
_TERM, _TERM_ALONE = 0.6, 8.0  # nanoseconds a term and pair, in a tile and alone
_QUADRATURE, _ALONE = 1e6, 1e6  # nanoseconds a pair by quadrature, and to start with single pairs at all


@dataclass(frozen=True)
class HermiteDual:
    """The dual of ``function`` for the variances that ``expansion`` was made for.

    Each tile takes as many terms as most of its correlations need; the few pairs beyond are computed on their own, by
    longer series and, where even these converge too slowly, by quadrature.
    """

    function: Function
    expansion: Expansion

    @classmethod
    def of(cls, function: Function, q: Tensor) -> HermiteDual:
        """Made for the variances ``q`` (n,)."""
        expansion = Expansion.of(function, q, most=TABLE)
        if expansion.degrees[-1] is None:
            expansion = Expansion.of(function, q, most=LONGEST)
        return cls(function, expansion)

    @property
    def stride(self) -> int:
        """2 for odd functions, whose every other coefficient is zero."""
        return 2 if self.expansion.odd else 1

    @property
    def terms(self) -> int:
        """Number of slope coefficients kept of each sample."""
        return min(TABLE, max(degree for degree in self.expansion.degrees if degree is not None))

    @property
    def cost(self) -> Price:
        return Price(5.0 + _TERM * self.terms / self.stride, 7)

    @property
    def note(self) -> str:
        """How it was computed."""
        return f"{self.function.name}: Hermite series of up to {self.terms} terms, integrals in place of a closed form"

    def error(self, q: Tensor) -> float:
        """The largest difference between series and quadrature at a few pairs, over the largest value."""
        low, high = torch.quantile(q[: 1 << 20], torch.tensor([0.1, 1.0], dtype=q.dtype))
        rho = torch.tensor([-0.9, 0.5, 0.98], dtype=q.dtype)
        q1, q2 = low.expand(3), high.expand(3)
        series = _each_pair(self.function, self.expansion, rho, q1, q2)
        exact = by_quadrature(self.function, rho, q1, q2)
        scales = moments(self.function, torch.stack([low, high]))
        return max(float((a - b).abs().max() / scale.max()) for a, b, scale in zip(series, exact, scales, strict=True))

    def diagonal(self, q: Tensor) -> tuple[Tensor, Tensor]:
        return moments(self.function, q)

    def table(self, q: Tensor) -> Tensor:
        """1/σ, q, c_0, c_1, c_{1+stride}, …"""
        sigma = scale_of(q)
        c, d = slope_coefficients(self.function, q, self.terms)
        index = torch.arange(0, self.terms, self.stride, dtype=q.dtype)
        rest = d[:, :: self.stride] * sigma[:, None] / (index + 1).sqrt()
        return torch.cat([(1 / sigma)[None], q[None], c[None], rest.T])

    def pair(self, S: Tensor, left: Tensor, right: Tensor, *, derivative: bool) -> tuple[Tensor, Tensor | None]:
        rho = correlation(S, left[0], right[0]).clamp_(-1, 1)
        size = rho.abs()
        level = self._level(size)
        rows = 3 + -(-(self.expansion.degrees[level] or 0) // self.stride)
        k, slope = hermite_pair(rho, left[2:rows], right[2:rows], derivative=derivative, stride=self.stride)
        if slope is not None:
            slope.mul_(left[0]).mul_(right[0])
        beyond = size > LEVELS[level]
        if bool(beyond.any()):
            self._correct(beyond, rho, (left[1], right[1]), (k, slope))
        return k, slope

    def _level(self, size: Tensor) -> int:
        """The level that makes a tile with these |ρ| cheapest: all pairs take its terms, those beyond go one by one."""
        few = size.reshape(-1)[:: max(1, size.numel() >> 12)]
        share, top = size.numel() / len(few), float(size.max())
        best, least, alone = 0, inf, 0.0
        for level in range(next(i for i, reach in enumerate(LEVELS) if top <= reach), -1, -1):
            degree = self.expansion.degrees[level]
            price = inf if degree is None else size.numel() * _TERM * degree / self.stride + alone
            if degree is not None and degree <= self.terms and price < least:
                best, least = level, price
            inside = int((few > LEVELS[level - 1]).sum()) - int((few > LEVELS[level]).sum()) if level else 0
            alone = (alone or _ALONE) + share * inside * (_QUADRATURE if degree is None else _TERM_ALONE * degree)
        return best

    def _correct(
        self, where: Tensor, rho: Tensor, q: tuple[Tensor, Tensor], found: tuple[Tensor, Tensor | None]
    ) -> None:
        """Put the pairs at ``where`` right, each by the cheapest route that is exact for it."""
        pairs = (part.expand_as(rho)[where].double().cpu() for part in (rho, *q))
        exact = _each_pair(self.function, self.expansion, *pairs)
        for target, values in zip(found, exact, strict=True):
            if target is not None:
                target[where] = values.to(target)


def _each_pair(function: Function, expansion: Expansion, rho: Tensor, q1: Tensor, q2: Tensor) -> tuple[Tensor, Tensor]:
    k, slope = torch.empty_like(rho), torch.empty_like(rho)
    size, below = rho.abs(), -1.0
    for level, degree in zip(LEVELS, expansion.degrees, strict=True):
        at = ((size > below) & (size <= level)).nonzero()[:, 0]
        if len(at) and degree is not None:
            k[at], slope[at] = by_series(function, rho[at], q1[at], q2[at], count=degree + 1)
        elif len(at):
            k[at], slope[at] = by_quadrature(function, rho[at], q1[at], q2[at])
        below = level
    return k, slope
