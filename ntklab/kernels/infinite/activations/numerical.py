"""Activations without a closed form: Hermite series in the correlation, and integrals of the pairs beyond these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf

import torch
from torch import Tensor

from ntklab.kernels.infinite.activations.dual import Price, correlation
from ntklab.kernels.infinite.activations.expansion import LEVELS, Expansion, slope_coefficients
from ntklab.kernels.infinite.activations.functions import Function
from ntklab.kernels.infinite.activations.interpolation import Interpolant, one_by_one
from ntklab.kernels.infinite.activations.series import hermite_pair, scale_of
from ntklab.kernels.infinite.activations.smoothing import Two, moments

TABLE = 512  # coefficients kept of each sample
_TERM = 0.6  # nanoseconds a term and pair
_INTERPOLATED, _INTEGRATED, _ALONE = 1e3, 4e5, 2e5  # nanoseconds a pair, and to start with single pairs at all
_FINER = 1.31  # of the integrals that check: its panels have other edges
_HARD = (-1.0, -0.9999, -0.9, 0.5, 0.98, 1 - 1e-5, 1.0)  # correlations that errors are measured at


@dataclass(frozen=True)
class NumericalDual:
    """The dual of ``function`` for the variances that ``expansion`` and ``interpolant`` were made for.

    Each tile takes as many terms as most of its correlations need; the few pairs beyond are computed on their own:
    interpolated between integrals where there are many, integrated where there are few. ``check`` is called every
    tenth of a second and may raise.
    """

    function: Function
    expansion: Expansion
    interpolant: Interpolant | None
    check: Callable[[], None] = lambda: None

    @classmethod
    def of(cls, function: Function, q: Tensor) -> NumericalDual:
        """Made for the variances ``q`` (n,)."""
        return cls(function, Expansion.of(function, q, most=TABLE), Interpolant.of(function, q))

    def watched(self, check: Callable[[], None]) -> NumericalDual:
        """The same, calling ``check`` while it works."""
        return replace(self, check=check)

    @property
    def stride(self) -> int:
        """2 for odd functions, whose every other coefficient is zero."""
        return 2 if self.expansion.odd else 1

    @property
    def terms(self) -> int:
        """Number of slope coefficients kept of each sample."""
        return min(TABLE, max((degree for degree in self.expansion.degrees if degree is not None), default=1))

    @property
    def cost(self) -> Price:
        return Price(5.0 + _TERM * self.terms / self.stride, 7)

    @property
    def note(self) -> str:
        """How it was computed."""
        return (
            f"{self.function.name}: Hermite series of up to {self.terms} terms and, near ρ = ±1, integrals in place of "
            "a closed form"
        )

    def error(self, q: Tensor) -> float:
        """The largest difference from other integrals at some pairs, hard ones among them, over the largest value."""
        ends = torch.quantile(q[: 1 << 20], torch.tensor([0.1, 1.0], dtype=q.dtype))
        rho = torch.tensor(_HARD, dtype=q.dtype).repeat(2)
        q1, q2 = ends.repeat_interleave(len(_HARD)), ends[1].expand(len(rho))
        scales = moments(self.function, ends, finer=_FINER)
        found = [(moments(self.function, ends), scales), self._checked(rho, q1, q2)]
        if self.interpolant is not None:
            pairs = self.interpolant.samples()
            a, b = self.interpolant(*pairs), one_by_one(self.function, *pairs, finer=_FINER)
            found.append(((a[0], a[1]), (b[0], b[1])))
        gaps = [(a[i] - b[i]).abs().max() / scales[i].max() for a, b in found for i in (0, 1) if a[i].numel()]
        return float(torch.stack(gaps).nan_to_num(0.0).max())

    def _checked(self, rho: Tensor, q1: Tensor, q2: Tensor) -> tuple[Two, Two]:
        """By the longest series, or integrated where that does not reach; and by other integrals."""
        level = max((i for i, degree in enumerate(self.expansion.degrees) if degree is not None), default=None)
        left, right = (self.table(q)[:, :, None] for q in (q1, q2))
        values, slopes = self._series(rho[:, None], left, right, level, derivative=True)
        assert slopes is not None
        k, slope = values[:, 0], slopes[:, 0]
        beyond = rho.abs() > self._reach(level)
        k[beyond], slope[beyond] = one_by_one(self.function, rho[beyond], q1[beyond], q2[beyond])
        exact = one_by_one(self.function, rho, q1, q2, finer=_FINER)
        return (k, slope), (exact[0], exact[1])

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
        k, slope = self._series(rho, left, right, level, derivative=derivative)
        beyond = size > self._reach(level)
        if bool(beyond.any()):
            self._correct(beyond, rho, (left[1], right[1]), (k, slope))
        return k, slope

    def _series(
        self, rho: Tensor, left: Tensor, right: Tensor, level: int | None, *, derivative: bool
    ) -> tuple[Tensor, Tensor | None]:
        """By as many terms as correlations at ``level`` need."""
        degree = 0 if level is None else self.expansion.degrees[level] or 0
        rows = 3 - (-degree // self.stride)
        k, slope = hermite_pair(rho, left[2:rows], right[2:rows], derivative=derivative, stride=self.stride)
        return k, None if slope is None else slope.mul_(left[0]).mul_(right[0])

    @staticmethod
    def _reach(level: int | None) -> float:
        return -1.0 if level is None else LEVELS[level]

    def _level(self, size: Tensor) -> int | None:
        """The level that makes a tile with these |ρ| cheapest: all pairs take its terms, those beyond go one by one."""
        few = size.reshape(-1)[:: max(1, size.numel() >> 12)]
        share, top = size.numel() / len(few), float(size.max())
        best, least, alone = None, inf, 0.0
        single = _INTEGRATED if self.interpolant is None else _INTERPOLATED
        for level in range(next(i for i, reach in enumerate(LEVELS) if top <= reach), -1, -1):
            degree = self.expansion.degrees[level]
            price = inf if degree is None else size.numel() * _TERM * degree / self.stride + alone
            if degree is not None and degree <= self.terms and price < least:
                best, least = level, price
            inside = int((few > LEVELS[level - 1]).sum()) - int((few > LEVELS[level]).sum()) if level else 0
            alone = (alone or _ALONE) + share * inside * single
        return best

    def _correct(
        self, where: Tensor, rho: Tensor, q: tuple[Tensor, Tensor], found: tuple[Tensor, Tensor | None]
    ) -> None:
        """Put the pairs at ``where`` right."""
        pairs = (part.expand_as(rho)[where].double().cpu() for part in (rho, *q))
        for target, values in zip(found, self._alone(*pairs), strict=True):
            if target is not None:
                target[where] = values.to(target)

    def _alone(self, rho: Tensor, q1: Tensor, q2: Tensor) -> Tensor:
        """(2, p): E φφ and E φ'φ' of each of the pairs (p,) on its own."""
        if self.interpolant is None:
            return one_by_one(self.function, rho, q1, q2, check=self.check)
        values = torch.empty(2, len(rho), dtype=torch.float64)
        zero = (q1 == 0) | (q2 == 0)
        values[:, zero] = one_by_one(self.function, rho[zero], q1[zero], q2[zero])
        values[:, ~zero] = self.interpolant(rho[~zero], q1[~zero], q2[~zero], check=self.check)
        return values
