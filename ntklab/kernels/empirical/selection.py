"""The part of a kernel that belongs to some of the parameters: the others are taken as if they were not trained."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from fnmatch import fnmatchcase

from torch import nn

from ntklab.errors import NtkLabError, SpecError

Layers = str | Sequence[str]


def chosen(module: nn.Module, layers: Layers) -> tuple[nn.Module, tuple[str, ...]]:
    """``module`` with only the parameters of ``layers`` trained, and the names of these parameters.

    ``layers`` are names of modules or of parameters, or patterns of them ("body.*.weight"). The module returned shares
    its numbers with the one given, which stays as it is. Raises ``SpecError`` for a name that means no trained
    parameter, listing what there is.
    """
    wanted = (layers,) if isinstance(layers, str) else tuple(layers)
    if not wanted or not all(isinstance(name, str) for name in wanted):
        raise SpecError(f"layers: expected names or patterns of layers, got {layers!r}; give at least one, or None")
    trained = [name for name, parameter in module.named_parameters() if parameter.requires_grad]
    for pattern in wanted:
        if not any(_means(pattern, name) for name in trained):
            raise SpecError(_unknown(pattern, trained))
    kept = tuple(name for name in trained if any(_means(pattern, name) for pattern in wanted))
    return _with_trained(module, frozenset(kept)), kept


def _means(pattern: str, parameter: str) -> bool:
    """Whether it is the name of a parameter or of a module around it."""
    parts = parameter.split(".")
    return any(fnmatchcase(".".join(parts[: i + 1]), pattern) for i in range(len(parts)))


def _unknown(pattern: str, trained: Sequence[str]) -> str:
    modules = dict.fromkeys(name.rpartition(".")[0] for name in trained)
    return (
        f"layers: expected layers or parameters that are trained, got {pattern!r}; there are the layers "
        f"{', '.join(repr(name) for name in modules if name)} and the parameters {', '.join(map(repr, trained))}"
    )


def _with_trained(module: nn.Module, names: frozenset[str]) -> nn.Module:
    """A copy that shares all numbers, in which only the parameters ``names`` are trained."""
    memo: dict[int, object] = {id(buffer): buffer for buffer in module.buffers()}
    for name, parameter in module.named_parameters():
        memo[id(parameter)] = nn.Parameter(parameter.detach(), requires_grad=name in names)
    try:
        return copy.deepcopy(module, memo)
    except (RuntimeError, TypeError) as error:
        raise NtkLabError(
            f"layers: the module cannot be copied to choose among its parameters: {error}; freeze the others with "
            "requires_grad_(False) instead"
        ) from error
