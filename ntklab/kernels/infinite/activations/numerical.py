"""Activations without a closed form: Hermite series in the correlation, to nearly full precision."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ntklab.kernels.infinite.activations.close_pairs import by_quadrature, by_series
from ntklab.kernels.infinite.activations.dual import correlation
from ntklab.kernels.infinite.activations.expansion import LEVELS, Expansion, moments, slope_coefficients
from ntklab.kernels.infinite.activations.functions import Function
from ntklab.kernels.infinite.activations.series import hermite_pair, scale_of
from ntklab.kernels.infinite.state import Cost

TABLE = 512  # coefficients kept of each sample
LONGEST = 2048  # coefficients computed for single pairs
_PAIR_PRICE = 12.0  # a coefficient of a single pair against one of a pair in a tile


@dataclass(frozen=True)
class HermiteDual:
    """The dual of ``function`` for the variances that ``expansion`` was made for.

    Each tile takes as many terms as most of its correlations need; the few pairs beyond are computed on their own, by
    longer series and, where even these converge too slowly, by quadrature. ``error`` is measured against quadrature.
    """

    function: Function
    expansion: Expansion
    error: float

    @classmethod
    def of(cls, function: Function, q: Tensor) -> HermiteDual:
        """Made for the variances ``q`` (n,)."""
        expansion = Expansion.of(function, q, most=TABLE)
        if expansion.degrees[-1] is None:
            expansion = Expansion.of(function, q, most=LONGEST)
        return cls(function, expansion, _measured_error(function, expansion, q))

    @property
    def stride(self) -> int:
        """2 for odd functions, whose every other coefficient is zero."""
        return 2 if self.expansion.odd else 1

    @property
    def terms(self) -> int:
        """Number of slope coefficients kept of each sample."""
        return min(
            TABLE, max((degree for degree in self.expansion.degrees if degree is not None), default=TABLE), TABLE
        )

    @property
    def cost(self) -> Cost:
        return Cost(5.0 + 0.6 * self.terms / self.stride, 7, error=self.error)

    @property
    def note(self) -> str:
        """How it was computed and how well."""
        return (
            f"{self.function.name}: Hermite series of {self.terms} terms, longer ones for nearly collinear pairs; "
            f"error against quadrature {self.error:.0e} of the largest entry"
        )

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
        top = next(i for i, level in enumerate(LEVELS) if float(size.max()) <= level)
        degrees = [LONGEST * 64 if degree is None else degree for degree in self.expansion.degrees]
        best, price, beyond = 0, float("inf"), 0.0
        for level in range(top, -1, -1):
            cost = len(few) * degrees[level] / self.stride + beyond
            if degrees[level] <= self.terms and cost < price:
                best, price = level, cost
            inside = int((few > LEVELS[level - 1]).sum()) - int((few > LEVELS[level]).sum()) if level else 0
            beyond += _PAIR_PRICE * degrees[level] * inside
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


def _measured_error(function: Function, expansion: Expansion, q: Tensor) -> float:
    """The largest difference between series and quadrature at a few points, over the largest value."""
    some = torch.quantile(q[: 1 << 20], torch.tensor([0.0, 0.5, 1.0], dtype=q.dtype))
    rho, q1, q2 = (
        part.flatten()
        for part in torch.meshgrid(torch.tensor([-0.95, -0.4, 0.7, 0.97], dtype=q.dtype), some, some[1:], indexing="ij")
    )
    series, exact = _each_pair(function, expansion, rho, q1, q2), by_quadrature(function, rho, q1, q2)
    scales = moments(function, some)
    return max(float((a - b).abs().max() / scale.max()) for a, b, scale in zip(series, exact, scales, strict=True))
