"""The vocabulary of networks whose structure is known: a module's output on a batch, and the way back through it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from ntklab.kernels.empirical.factors import Factor
from ntklab.kernels.empirical.routes.uses import Use, used_twice

Cotangent = Tensor | None
"""(n, k, *shape of a value); None stands for the identity: each of k outputs is its own cotangent."""

Adjoint = Callable[[Cotangent], Cotangent]
"""From the cotangent of a module's output, which it may overwrite, to that of its input (None where it is unused)."""

Traced = tuple[Tensor, Adjoint | None]
"""A module's output on a batch, and its adjoint, None where no trained parameter affects that output."""


@dataclass
class Pass:
    """One batch going through: the layers to look at and the factors found."""

    uses: dict[nn.Module, Use]
    factors: list[Factor] = field(default_factory=list)
    met: set[Use] = field(default_factory=set)

    def meet(self, module: nn.Module) -> Use | None:
        """The use of ``module``, None if it is not looked at. Raises ``NtkLabError`` if it was met before."""
        use = self.uses.get(module)
        if use is not None:
            if use in self.met:
                raise used_twice(use)
            self.met.add(use)
        return use


Rule = Callable[[Any, Tensor, bool, Pass], Traced]
"""From a module, its input ``a``, and whether a trained parameter affects ``a``."""


def identity(z: Tensor) -> Tensor:
    """(n, k, *output): row o is the o-th unit vector."""
    k = z[0].numel()
    unit = torch.eye(k, dtype=z.dtype, device=z.device)
    return unit.expand(len(z), k, k).reshape(len(z), k, *z.shape[1:])
