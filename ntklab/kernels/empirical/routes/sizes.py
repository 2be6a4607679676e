"""How large a network's values are on the way, measured by running it once: plans are made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ntklab.kernels.empirical.routes.structural import BY_AUTOGRAD
from ntklab.kernels.empirical.routes.uses import Use
from ntklab.networks import Merge


@dataclass(frozen=True)
class Sizes:
    """Numbers and multiply-adds for one sample.

    ``values`` come out of all modules together. ``cotangent`` numbers of one output of the network are alive at a time
    while it goes back through the module where most are. ``patches`` is what the layer with most of them sees, ``seen``
    the outputs of all layers with weights, ``weights`` the number of parameters. ``forward`` multiply-adds are of a
    pass, ``backward`` of one of the cotangents that follow, with the gradients of weights that places share.
    """

    values: int
    cotangent: int
    patches: int
    seen: int
    weights: int
    forward: int
    backward: int


def measured(model: nn.Module, uses: Sequence[Use], x: Tensor) -> Sizes:
    """Sizes of ``model`` with the layers ``uses`` on samples like the one of ``x`` (1, *sample shape)."""
    through: dict[nn.Module, tuple[int, int]] = {}

    def note(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: object) -> None:
        given = (part.numel() for part in (*args, *kwargs.values()) if isinstance(part, Tensor))
        through[module] = sum(given), output.numel() if isinstance(output, Tensor) else 0

    handles = [module.register_forward_hook(note, with_kwargs=True) for module in model.modules()]
    try:
        with torch.no_grad():
            model(x)
    finally:
        for handle in handles:
            handle.remove()
    return _summed(through, [use for use in uses if use.module in through], model)


def _summed(through: dict[nn.Module, tuple[int, int]], uses: Sequence[Use], model: nn.Module) -> Sizes:
    leaves = [module for module in through if not any(True for _ in module.children())]
    adds = [through[use.module][1] * use.fan_in for use in uses]
    places = [through[use.module][1] // use.width for use in uses]
    shared = sum(cost for use, cost, T in zip(uses, adds, places, strict=True) if T > 1 and use.kind.shares)
    return Sizes(
        values=sum(through[module][1] for module in leaves),
        cotangent=max((_alive(module, through) for module in through), default=0),
        patches=max((T * use.fan_in for use, T in zip(uses, places, strict=True) if T > 1), default=0),
        seen=sum(through[use.module][1] for use in uses),
        weights=sum(parameter.numel() for parameter in model.parameters()),
        forward=sum(adds),
        backward=sum(adds[1:]) + shared,  # no cotangents are needed below the first layer
    )


def _alive(module: nn.Module, through: dict[nn.Module, tuple[int, int]]) -> int:
    """A cotangent before and behind a module; those of other branches wait, and autograd has copies of its own."""
    taken, given = through[module]
    if isinstance(module, Merge):
        return given * (len(module.branches) + 1)
    if type(module) in BY_AUTOGRAD:
        inside = sum(through[part][1] for part in module.modules() if part is not module and part in through)
        return 3 * (taken + given + inside)
    return 0 if any(True for _ in module.children()) else taken + given
