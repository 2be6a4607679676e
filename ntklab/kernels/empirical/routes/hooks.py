"""What layers with weights see while a module runs: how ``structural`` looks into modules that have no rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge

from ntklab.kernels.empirical.routes.uses import Use, used_twice


@dataclass(frozen=True, eq=False)
class Seen:
    """What a layer saw in one forward pass. ``edge`` is its output in autograd's graph.

    The edge, unlike the tensor, still means the output of the layer after an activation has overwritten it in place.
    """

    a: Tensor
    edge: GradientEdge
    shape: torch.Size


class Watch:
    """What the layers ``uses`` see while a module runs. Layers that are not run are not in ``seen``."""

    def __init__(self, uses: Iterable[Use]) -> None:
        self.uses = tuple(uses)
        self.seen: dict[Use, Seen] = {}

    @contextmanager
    def running(self) -> Iterator[None]:
        """Runs of the module are watched meanwhile. Raises ``NtkLabError`` for a layer that runs twice."""
        handles = [use.module.register_forward_hook(self._hook(use), with_kwargs=True) for use in self.uses]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _hook(self, use: Use) -> Callable[..., Tensor]:
        def hook(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], z: Tensor) -> Tensor:
            if use in self.seen:
                raise used_twice(use)
            a = args[0] if args else next(iter(kwargs.values()))
            # A copy, because a residual connection may add to the layer's input in place later.
            a = a.detach().clone()
            if z.requires_grad:
                self.seen[use] = Seen(a, get_gradient_edge(z), z.shape)
                return z
            leaf = z.detach().requires_grad_()
            self.seen[use] = Seen(a, get_gradient_edge(leaf), z.shape)
            return leaf.clone()

        return hook
