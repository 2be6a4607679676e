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
        """What the network will cost: of a few samples, from the smallest to the largest, timed on a tile of them.

        The time counts where it is more than overhead: then pairs are slower than their formulas say (``close_pairs``).
        """
        order = torch.argsort(self.data.q)
        few = order[torch.linspace(0, len(order) - 1, min(_PROBE, len(order))).long()]
        data = Inputs(self.data.X[few.to(self.data.X.device)], self.data.q[few], len(few), 0)
        probe = Request(self.layers, data, self.ntk)
        network = probe._bound(probe=True)
        started = time.perf_counter()
        network.run(probe.start(Block((0, len(few)), (0, len(few)), diagonal=True)))
        measured = (time.perf_counter() - started) / len(few) ** 2 * 1e9
        slow = measured > max(_SLOW, network.cost.nanoseconds)
        return replace(network.cost, nanoseconds=measured) if slow else network.cost

    def start(self, block: Block) -> State:
        """The input kernel <x, x'>/features of a tile."""
        left, right = self.data.sides
        rows, columns = left[block.row_slice], right[block.column_slice]
        S = torch.empty(block.shape, dtype=rows.dtype, device=rows.device)
        torch.addmm(S, rows, columns.T, beta=0, alpha=1 / rows.shape[1], out=S)
        if block.diagonal:
            S.diagonal().copy_(self.data.q[block.row_slice])
        return State(S, None, block)

    def _bound(self, *, probe: bool = False) -> Step:
        X, q = self.data.X, self.data.q
        context = Context(
            self.data.n1, symmetric=self.data.symmetric, ntk=self.ntk, dtype=X.dtype, device=X.device, probe=probe
        )
        return bind_stack(self.layers, Samples(q=q, t=torch.zeros_like(q), width=X.shape[1]), context)
