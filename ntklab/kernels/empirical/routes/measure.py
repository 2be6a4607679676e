"""What a route needs for a sample, measured by running it on one."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from ntklab.kernels.empirical.factors import Factor
from ntklab.kernels.empirical.routes.mode import Mode
from ntklab.kernels.empirical.routes.route import Needs, Route


@dataclass(eq=False)
class _Counts:
    """Bytes alive now and at most, and multiply-adds with and without autograd recording."""

    now: int = 0
    most: int = 0
    forward: int = 0
    backward: int = 0


class Alive(Mode):
    """Counts the bytes of tensors made while it is on, as many as are alive at a time at most, and multiply-adds."""

    def __init__(self) -> None:
        super().__init__()
        self.counts = _Counts()
        self._known: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run the operation and count what it made and did."""
        given = kwargs or {}
        taken = {leaf.untyped_storage()._cdata for leaf in tree_leaves((args, given)) if isinstance(leaf, Tensor)}
        result = func(*args, **given)
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor):
                self._count(leaf, taken)
        rule = flop_registry.get(func._overloadpacket)
        if rule is not None:
            adds = rule(*args, **given, out_val=result) // 2
            if torch.is_grad_enabled():
                self.counts.forward += adds
            else:
                self.counts.backward += adds
        return result

    def _count(self, tensor: Tensor, taken: set[int]) -> None:
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key in self._known or key in taken:
            return
        size = storage.nbytes()
        self._known.add(key)
        self.counts.now += size
        self.counts.most = max(self.counts.most, self.counts.now)
        weakref.finalize(storage, self._gone, key, size)

    def _gone(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.counts.now -= size


def measured(route: Route, x: Tensor, k: int, held: int = 0) -> Needs:
    """Of ``route`` with ``k`` outputs on samples like the one of ``x`` (1, *sample shape).

    ``held`` numbers are kept beside parameters and buffers, whatever the samples.
    """
    tensors = [*route.module.parameters(), *route.module.buffers()]
    route.factors(x)  # what is made once is there
    with Alive() as alive:
        factors = route.factors(x)
    counts = alive.counts
    return Needs(
        passing=max(0, counts.most - _kept(factors)) // max(p.element_size() for p in route.module.parameters()),
        weights=held + sum(tensor.numel() for tensor in tensors),
        forward=counts.forward,
        backward=counts.backward // max(1, k),
    )


def _kept(factors: list[Factor]) -> int:
    """Bytes of the factors themselves."""
    parts = {part.untyped_storage()._cdata: part for f in factors for part in (f.A, f.B) if part is not None}
    return sum(part.numel() * part.element_size() for part in parts.values())
