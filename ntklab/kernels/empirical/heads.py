"""Functions of a network's outputs whose kernel is asked for in place of that of the outputs, as modules behind it.

For g = h(f) the kernel is Θ_g[i, j] = H_i Θ[i, j] H_jᵀ with H_i = ∂h/∂f at f(x_i): every route to the factors of a
module gives it, for the cotangents of g go back through h first.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn
from torch.nn import functional

from ntklab.errors import DataError, SpecError
from ntklab.kernels.empirical.outputs import outputs_of
from ntklab.kernels.empirical.wrapped import Wrapper

LOSSES = ("half_mse", "cross_entropy")


@dataclass(frozen=True, eq=False)
class Loss:
    """The loss of each sample for its target: "half_mse" ½|f − y|², "cross_entropy" −Σ_o y_o·log softmax(f)_o.

    ``targets`` belong to x1: numbers (n1, k) or (n1,) where k = 1; for "cross_entropy" also classes (n1,), integers
    below k. ``targets2`` belong to x2 where that is given. Raises ``SpecError`` for another loss.
    """

    kind: str
    targets: ArrayLike | Tensor
    targets2: ArrayLike | Tensor | None = None

    def __post_init__(self) -> None:
        if self.kind not in LOSSES:
            raise SpecError(f"head: expected a loss {' or '.join(LOSSES)}, got {self.kind!r}; choose one of them")


Head = Sequence[int] | str | nn.Module | Loss | None
"""Output numbers, "sum", "softmax", "log_softmax", a module on the outputs (n, k), or a ``Loss``; None: the outputs."""


class Sum(nn.Module):
    """(n, 1): the sum of the outputs."""

    def forward(self, f: Tensor) -> Tensor:
        """Of outputs (n, k)."""
        return f.sum(1, keepdim=True)


class Chosen(nn.Module):
    """(n, len(numbers)): some of the outputs."""

    def __init__(self, numbers: Sequence[int]) -> None:
        super().__init__()
        self.numbers = list(numbers)

    def extra_repr(self) -> str:
        """Which they are."""
        return str(self.numbers)

    def forward(self, f: Tensor) -> Tensor:
        """Of outputs (n, k)."""
        return f[:, self.numbers]


NAMED: dict[str, type[nn.Module] | Any] = {
    "sum": Sum,
    "softmax": lambda: nn.Softmax(dim=1),
    "log_softmax": lambda: nn.LogSoftmax(dim=1),
}


class Headed(Wrapper):
    """``network`` with ``head`` on its outputs as rows (n, k)."""

    def __init__(self, network: nn.Module, head: nn.Module) -> None:
        super().__init__(network)
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        """What the head makes of the outputs."""
        g: Tensor = self.head(outputs_of(self.network(x), len(x)))
        return g


class WithTargets(Wrapper):
    """The loss (n, 1) of ``network`` on rows (n, numbers of the sample, k of its target)."""

    def __init__(self, network: nn.Module, kind: str, sample: Tensor, k: int) -> None:
        super().__init__(network)
        self.kind, self.shape, self.number, self.k = kind, tuple(sample.shape), sample.dtype, k

    def extra_repr(self) -> str:
        """Of which loss."""
        return f"{self.kind} of {self.k} outputs"

    def forward(self, rows: Tensor) -> Tensor:
        """Of each sample."""
        x, y = torch.split(rows, [prod(self.shape), self.k], dim=1)
        f = outputs_of(self.network(x.reshape(-1, *self.shape).to(self.number)), len(rows))
        if self.kind == "half_mse":
            return (f - y).square().sum(1, keepdim=True) / 2
        return -(y * functional.log_softmax(f, dim=1)).sum(1, keepdim=True)


def headed(network: nn.Module, head: Head, x: Tensor) -> tuple[nn.Module, str]:
    """``network`` with any head but a loss, and a note on it; ``x`` are some of the samples.

    Parameters of a module in ``head`` are constants. Raises ``SpecError``.
    """
    with torch.no_grad():
        f = outputs_of(network(x), len(x))
    module, note = _module(head, f.shape[1])
    module = copy.deepcopy(module).to(f.device, f.dtype).requires_grad_(False)
    return Headed(network, module), f"the kernel of {note}"


def _module(head: Head, k: int) -> tuple[nn.Module, str]:
    if isinstance(head, nn.Module):
        return head, f"{type(head).__name__} of the outputs, its parameters constant"
    if isinstance(head, str):
        if head not in NAMED:
            names = ", ".join(map(repr, NAMED))
            raise SpecError(f"head: expected one of {names}, output numbers, a module or a Loss, got {head!r}")
        return NAMED[head](), f"the {head} of the outputs"
    numbers = np.asarray(head)
    if numbers.ndim != 1 or not len(numbers) or numbers.dtype.kind not in "iu":
        raise SpecError(f"head: expected output numbers as a list of integers, got {head!r}; write head=[0]")
    if numbers.min() < 0 or numbers.max() >= k:
        raise SpecError(f"head: the network has outputs 0 to {k - 1}, got {head!r}; choose among them")
    return Chosen(numbers.tolist()), f"outputs {', '.join(map(str, numbers))}"


def with_targets(
    network: nn.Module, loss: Loss, x1: Tensor, x2: Tensor | None
) -> tuple[nn.Module, Tensor, Tensor | None]:
    """The module of a loss, and the samples with their targets in rows; ``x2`` None is x1.

    Raises ``DataError`` for targets that do not fit.
    """
    with torch.no_grad():
        f = outputs_of(network(x1[:1]), 1)
    if x2 is not None and loss.targets2 is None:
        raise DataError("targets2: expected the targets of x2, got none; write Loss(kind, targets, targets2)")
    rows = _rows(x1, _targets(loss.targets, "targets", loss.kind, len(x1), f))
    columns = None if x2 is None else _rows(x2, _targets(loss.targets2, "targets2", loss.kind, len(x2), f))
    return WithTargets(network, loss.kind, x1[0], f.shape[1]), rows, columns


def _rows(x: Tensor, Y: Tensor) -> Tensor:
    flat = x.flatten(1).to(Y.dtype)
    if not x.is_floating_point() and not torch.equal(flat.to(x.dtype), x.flatten(1)):
        raise DataError(
            f"x: integers above {2 / torch.finfo(Y.dtype).eps:.0g} do not fit {Y.dtype}; use dtype='float64'"
        )
    return torch.cat([flat, Y], dim=1)


def _targets(given: ArrayLike | Tensor | None, name: str, kind: str, n: int, f: Tensor) -> Tensor:
    """(n, k) in the precision of the outputs ``f`` (…, k) and on their device."""
    k = f.shape[1]
    Y = given.detach().cpu() if isinstance(given, Tensor) else torch.from_numpy(np.array(given))
    if Y.shape == (n,) and kind == "cross_entropy" and not Y.is_floating_point():
        if n and not 0 <= int(Y.min()) <= int(Y.max()) < k:
            raise DataError(f"{name}: expected classes from 0 to {k - 1}, got {int(Y.min())} to {int(Y.max())}")
        Y = functional.one_hot(Y.long(), k)
    Y = Y.unsqueeze(1) if Y.shape == (n,) else Y
    if tuple(Y.shape) != (n, k):
        raise DataError(
            f"{name}: expected a row of {k} numbers for each of {n} samples, got shape {list(Y.shape)}; "
            "give numbers (n, k), or classes (n,) as integers for 'cross_entropy'"
        )
    return Y.to(f)
