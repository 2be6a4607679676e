"""A torch module expanded in its parameters around where they are: a module itself, to be called and trained."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, jvp

from ntklab.errors import NtkLabError, SpecError

Jets = Callable[[Tensor], tuple[Tensor, ...]]


class TaylorExpansion(nn.Module):
    """f(x; θ0) + Df[θ − θ0] + ½ D²f[θ − θ0]² + …, up to ``order``; see ``taylor_expand``.

    ``network`` holds θ, which starts at θ0 and is trained as any parameter is; the buffers hold θ0. One forward pass
    costs order + 1 nested forward derivatives of the network, and no Jacobian is stored.
    """

    def __init__(self, module: nn.Module, order: int = 1) -> None:
        super().__init__()
        if order < 0:
            raise SpecError(f"order: expected a whole number of at least 0, got {order!r}; give 1 to linearise")
        self.order = order
        self.network = copied(module).eval()
        self._names = [name for name, parameter in self.network.named_parameters() if parameter.requires_grad]
        for i, name in enumerate(self._names):
            self.register_buffer(f"start_{i}", self.network.get_parameter(name).detach().clone())

    def forward(self, *inputs: Any, **named: Any) -> Tensor:
        """The expansion at the parameters that ``network`` has now."""
        start = {name: self.get_buffer(f"start_{i}") for i, name in enumerate(self._names)}
        now = dict(self.network.named_parameters())
        change = {name: now[name] - theta for name, theta in start.items()}

        def along(s: Tensor) -> tuple[Tensor, ...]:
            moved = {name: theta + s * change[name] for name, theta in start.items()}
            return (functional_call(self.network, moved, inputs, named),)

        _prepare()
        at = next((theta for theta in start.values()), torch.zeros(()))
        try:
            terms = _jets(along, self.order)(torch.zeros((), dtype=at.dtype, device=at.device))
        except NotImplementedError as error:
            raise NtkLabError(
                f"expansion of order {self.order}: {error}; use operations that torch differentiates forwards"
            ) from error
        return torch.stack([term / math.factorial(j) for j, term in enumerate(terms)]).sum(0)

    def extra_repr(self) -> str:
        """The order, in the printed module."""
        return f"order={self.order}"


def taylor_expand(module: nn.Module, order: int) -> TaylorExpansion:
    """``module`` expanded to ``order`` in its trained parameters around their values now, as a module of its own.

    Call it like ``module``; its parameters (``.network``) start where those of ``module`` are and can be set or trained
    with any optimiser, so that training a model "in the kernel regime" is a line: order 1 is linear in the parameters
    and has the NTK of ``module`` at all times. With given parameters: ``torch.func.functional_call(expansion,
    {f"network.{name}": value, …}, x)``. Parameters without requires_grad stay as they are.

    The expansion is of ``module`` in evaluation mode (no dropout, stored batch statistics), on a copy of it. Raises
    ``SpecError`` for a negative order; calls raise ``NtkLabError`` where torch has no forward derivative.
    """
    return TaylorExpansion(module, order)


def linearize(module: nn.Module) -> TaylorExpansion:
    """f(x; θ0) + J(x)(θ − θ0): ``taylor_expand`` to first order (Lee et al. 2019, arXiv:1902.06720, eq. 5)."""
    return TaylorExpansion(module, 1)


def copied(module: nn.Module) -> nn.Module:
    """A copy with parameters of its own. Raises ``SpecError`` for what is not a module or cannot be copied."""
    if not isinstance(module, nn.Module):
        raise SpecError(f"module: expected a torch.nn.Module, got {type(module).__name__}; build one from it first")
    try:
        return copy.deepcopy(module)
    except RuntimeError as error:
        raise SpecError(
            f"module: it cannot be copied ({error}); detach the tensors that it keeps of a graph"
        ) from error


@cache
def _prepare() -> None:
    """Let torch load its rules of forward derivatives: it warns of a function of its own while it does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        jvp(torch.sin, (torch.zeros(()),), (torch.ones(()),))


def _jets(along: Jets, order: int) -> Jets:
    """s ↦ (g(s), g'(s), …) up to ``order``, of s ↦ (g(s),): each level differentiates the one below once."""
    if order == 0:
        return along
    lower = _jets(along, order - 1)

    def jets(s: Tensor) -> tuple[Tensor, ...]:
        values, slopes = jvp(lower, (s,), (torch.ones_like(s),))[:2]
        return (*values, slopes[-1])

    return jets
