"""a·erf(b·x) + c, and the sigmoid made of it."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

from torch import Tensor

from ntklab.kernels.infinite.activations.dual import Price, Smooth
from ntklab.kernels.infinite.activations.tilted import Tilt


@dataclass(frozen=True)
class Erf(Smooth):
    """E φφ = a²·(2/π)·arcsin(2b²S/√((1 + 2b²q)(1 + 2b²q'))) + c² and its derivative by S (Williams 1997)."""

    a: float
    b: float
    c: float

    @property
    def cost(self) -> Price:
        return Price(9.0, 5)

    @property
    def _tilt(self) -> Tilt:
        return Tilt(2 * self.b**2)

    def table(self, q: Tensor) -> Tensor:
        return self._tilt.table(q)

    def pair(self, S: Tensor, left: Tensor, right: Tensor, *, derivative: bool) -> tuple[Tensor, Tensor | None]:
        c, d = self._tilt.parts(S, left, right)
        cosine = d.rsqrt_()
        k = c.mul_(cosine).atan_().mul_(self.a**2 * 2 / pi).add_(self.c**2)
        if not derivative:
            return k, None
        return k, cosine.mul_(left[2]).mul_(right[2] * (4 * self.a**2 * self.b**2 / pi))
