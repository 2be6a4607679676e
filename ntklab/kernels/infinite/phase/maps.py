"""The maps that one layer of infinite width applies to a variance and to a correlation, for any activation.

With weights of standard deviation W and biases of b: V(q) = W² E φ(√q z)² + b² takes the variance q of the units of one
layer to that of the next, and χ₁ = W² E φ'(√q z)² multiplies small differences and gradients (Poole et al. 2016,
arXiv:1606.05340; Schoenholz et al. 2017, arXiv:1611.01232). Only the two moments depend on φ.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import torch
from torch import Tensor

from ntklab import spec
from ntklab.errors import SpecError
from ntklab.kernels.infinite.activations import DUALS
from ntklab.kernels.infinite.activations.dual import Dual

LOWEST, HIGHEST = 1e-12, 1e8  # variances beyond count as 0 and ∞
_RUNGS = 501  # 25 a decade
_FAR = 1e4  # stands for ∞ where a correlation is asked for: quadrature is slow beyond, and the limit 1e-4 away
_LIMIT = 1e12  # and where moments are


@dataclass(frozen=True, eq=False)
class Maps:
    """The moments of ``activation`` and what follows from them. Tensors are float64; see ``maps_of``."""

    activation: spec.Activation
    dual: Dual

    def moments(self, q: Tensor) -> tuple[Tensor, Tensor]:
        """E φ(u)² and E φ'(u)² for u ~ N(0, q), each (n,); infinite where they overflow."""
        value, slope = self.dual.diagonal(q)
        return value.nan_to_num(nan=torch.inf, posinf=torch.inf), slope.nan_to_num(nan=torch.inf, posinf=torch.inf)

    @cached_property
    def ladder(self) -> tuple[Tensor, Tensor, Tensor]:
        """Variances from ``LOWEST`` to ``HIGHEST``, evenly in the logarithm, and both moments there."""
        q = torch.logspace(-12, 8, _RUNGS, dtype=torch.float64)
        return q, *self.moments(q)

    def limits(self, q: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """``q`` with 0 and ∞ replaced by variances that stand for them, and both moments there."""
        at = torch.where(q < LOWEST, LOWEST, torch.where(q > HIGHEST, _LIMIT, q))
        return at, *self.moments(at)

    @cached_property
    def monotone(self) -> bool:
        """Whether E φ² never falls with q, so that a variance moves one way until it settles."""
        values = self.ladder[1]
        return bool((values[1:] >= values[:-1] * (1 - 1e-12)).all())

    @cached_property
    def scale_free(self) -> bool:
        """Whether φ(a·x) = a·φ(x) for a > 0: E φ² = A q and E φ'² = A at every variance."""
        q, values, slopes = self.ladder
        return all(bool(((part - part[0]).abs() <= 1e-12 * part[0]).all()) for part in (values / q, slopes))

    def correlate(self, c: Tensor, q: float) -> tuple[Tensor, Tensor | None]:
        """E φφ and E φ'φ' of two units of variance ``q`` and correlation ``c`` (m,); the second None where it is 0."""
        variance = torch.tensor([q], dtype=torch.float64)
        dual = DUALS[type(self.activation)](self.activation, variance)
        table = dual.table(variance).expand(-1, len(c))
        return dual.pair(c * q, table, table, derivative=True)

    def correlation_map(self, c: Tensor, *, weight: float, bias: float, q: float) -> Tensor:
        """The correlation (m,) of the next layer, for W² = ``weight`` and b² = ``bias`` at the variance ``q``.

        Where q settles, (W² E φφ + b²)/q*; at a variance that grows or vanishes for ever, the limit of that (0 and ∞
        are allowed).
        """
        at = self.reachable(q, weight)
        pair, _ = self.correlate(c, at)
        square, _ = self.moments(torch.tensor([at], dtype=torch.float64))
        return (weight * pair + bias) / (weight * square + bias)

    def reachable(self, q: float, weight: float) -> float:
        """``q``, or a finite variance above 0 that shows the same limit."""
        if LOWEST <= q <= _FAR:
            return q
        if q < LOWEST:
            return LOWEST
        rungs, values, _ = self.ladder
        finite = rungs[torch.isfinite(values * max(weight, 1.0)) & (rungs <= min(q, _FAR))]
        return float(finite[-1]) if len(finite) else LOWEST


@lru_cache(maxsize=32)
def maps_of(activation: spec.Activation) -> Maps:
    """The maps of ``activation``, remembered with their moments. Raises ``SpecError`` for what is no activation."""
    make = DUALS.get(type(activation))
    if make is None:
        raise SpecError(f"phase: expected an activation, got {activation!r}; choose one with an infinite-width rule")
    return Maps(activation, make(activation, torch.ones(1, dtype=torch.float64)))
