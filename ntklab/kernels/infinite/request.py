"""A request with everything checked: the samples, the network bound to them, and the first state of a tile."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from ntklab import spec
from ntklab.kernels.infinite.inputs import Inputs
from ntklab.kernels.infinite.rules import bind_stack
from ntklab.kernels.infinite.state import Context, Cost, Samples, State, Step
from ntklab.kernels.tiles import Block

_PROBE = 33  # samples that show what a network will cost
_SLOW = 2e4  # nanoseconds a pair that cannot be overhead


@dataclass(frozen=True)
class Request:
    """The layers to go through, and the samples to take through them; ``ntk`` whether T is wanted beside S."""

    layers: Sequence[spec.Layer]
    data: Inputs
    ntk: bool

    def network(self) -> Step:
        """The network bound to all samples."""
        return self._bound()

    def cost(self) -> Cost:
        """What the network will cost, seen on a few samples and timed on a tile of them.

        The time counts where it is more than overhead: then pairs are slower than their formulas say (``close_pairs``).
        """
        few = self._few()
        network, tile = few._bound(probe=True), few._only_tile
        started = time.perf_counter()
        network.run(few.start(tile))
        measured = (time.perf_counter() - started) / few.data.n1**2 * 1e9
        slow = measured > max(_SLOW, network.cost.nanoseconds)
        return replace(network.cost, nanoseconds=measured) if slow else network.cost

    def rounding(self) -> dict[str, float]:
        """The relative error of each kind of kernel in this precision, measured against float64 on a few samples."""
        few = self._few()
        exact = replace(few, data=replace(few.data, X=few.data.X.double()))
        a, b = (request._bound(probe=True).run(request.start(few._only_tile)) for request in (few, exact))
        errors = {"nngp": _distance(a.nngp, b.nngp)}
        return errors if a.ntk is None or b.ntk is None else {**errors, "ntk": _distance(a.ntk, b.ntk)}

    def start(self, block: Block) -> State:
        """The input kernel <x, x'>/features of a tile."""
        left, right = self.data.sides
        rows, columns = left[block.row_slice], right[block.column_slice]
        S = torch.empty(block.shape, dtype=rows.dtype, device=rows.device)
        torch.addmm(S, rows, columns.T, beta=0, alpha=1 / rows.shape[1], out=S)
        if block.diagonal:
            S.diagonal().copy_(self.data.q[block.row_slice])
        return State(S, None, block)

    def _few(self) -> Request:
        """The same for a few of the samples, from the smallest to the largest."""
        order = torch.argsort(self.data.q)
        few = order[torch.linspace(0, len(order) - 1, min(_PROBE, len(order))).long()]
        return replace(self, data=Inputs(self.data.X[few.to(self.data.X.device)], self.data.q[few], len(few), 0))

    @property
    def _only_tile(self) -> Block:
        return Block((0, self.data.n1), (0, self.data.n1), diagonal=True)

    def _bound(self, *, probe: bool = False) -> Step:
        X, q = self.data.X, self.data.q
        context = Context(
            self.data.n1, symmetric=self.data.symmetric, ntk=self.ntk, dtype=X.dtype, device=X.device, probe=probe
        )
        return bind_stack(self.layers, Samples(q=q, t=torch.zeros_like(q), width=X.shape[1]), context)


def _distance(found: torch.Tensor, exact: torch.Tensor) -> float:
    scale = float(exact.abs().max())
    return float((found.double() - exact).abs().max()) / scale if scale else 0.0
