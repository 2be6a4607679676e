"""The form of a dual activation: what an activation does to covariances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

import torch
from torch import Tensor


@dataclass(frozen=True)
class Price:
    """What ``Dual.pair`` needs: ``nanoseconds`` an entry on one thread, ``buffers`` temporaries as large as S."""

    nanoseconds: float
    buffers: int


class Dual(Protocol):
    """E[φ(u) φ(v)] and E[φ'(u) φ'(v)] for (u, v) ~ N(0, [[q, S], [S, q']]) (Daniely, Frostig, Singer 2016,
    arXiv:1602.05897; the second is the derivative of the first by S)."""

    @property
    def cost(self) -> Price:
        """The cost of ``pair``."""
        ...

    @property
    def note(self) -> str:
        """What a reader of the result must know of it; empty for closed forms."""
        ...

    def error(self, q: Tensor) -> float:
        """The relative error beyond rounding at the variances ``q``, measured; 0 for closed forms."""
        ...

    def diagonal(self, q: Tensor) -> tuple[Tensor, Tensor]:
        """E[φ(u)²] and E[φ'(u)²] for u ~ N(0, q), exactly; ``q`` (n,) float64."""
        ...

    def table(self, q: Tensor) -> Tensor:
        """(m, n) float64: the numbers that ``pair`` needs of each sample, computed once."""
        ...

    def pair(self, S: Tensor, left: Tensor, right: Tensor, *, derivative: bool) -> tuple[Tensor, Tensor | None]:
        """Both expectations for covariances ``S`` of any shape; the second is None if not asked for, or if it is zero.

        ``left`` and ``right`` are tables whose entries broadcast against S. S may be overwritten.
        """
        ...


class Closed:
    """Base of duals in closed form."""

    note: ClassVar[str] = ""

    def error(self, q: Tensor) -> float:  # noqa: ARG002
        """None beyond rounding."""
        return 0.0


class Smooth(Closed):
    """Base of closed forms whose pair formula loses nothing where two samples coincide: it gives the diagonal too."""

    def table(self, q: Tensor) -> Tensor:
        raise NotImplementedError

    def pair(self, S: Tensor, left: Tensor, right: Tensor, *, derivative: bool) -> tuple[Tensor, Tensor | None]:
        raise NotImplementedError

    def diagonal(self, q: Tensor) -> tuple[Tensor, Tensor]:
        """The pair formula of each sample with itself."""
        table = self.table(q)
        k, slope = self.pair(q.clone(), table, table, derivative=True)
        return k, torch.zeros_like(k) if slope is None else slope


def inverse_root(q: Tensor) -> Tensor:
    """1/√q, and 0 where q is 0: correlations with a constant are 0."""
    return torch.where(q > 0, q, torch.inf).rsqrt()


def correlation(S: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """ρ = S/√(q q'), from ``left`` and ``right`` = 1/√q; rounding may put it a little outside [−1, 1]."""
    return (S * left).mul_(right)


def squared_sine(rho: Tensor) -> Tensor:
    """1 − ρ², exactly 0 where ρ is ±1 to within rounding.

    A covariance carries a few units of rounding, so below 8 of them 1 − ρ² is noise whose square root would be 1e-8.
    """
    one = torch.ones((), dtype=rho.dtype, device=rho.device)
    square = torch.addcmul(one, rho, rho, value=-1)
    return torch.threshold_(square, 8 * torch.finfo(rho.dtype).eps, 0.0)


def root_(x: Tensor) -> Tensor:
    """√x in place for x ≥ 0. By the reciprocal root, which is twice as fast on CPUs in float64."""
    return x.mul_(x.clamp(min=torch.finfo(x.dtype).tiny).rsqrt_())
