"""A request with everything checked: the samples, the network bound to them, and the first state of a tile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ntklab import spec
from ntklab.kernels.infinite.inputs import Inputs
from ntklab.kernels.infinite.rules import bind_stack
from ntklab.kernels.infinite.state import Context, Cost, Samples, State, Step
from ntklab.kernels.tiles import Block

_PROBE = 33  # samples that show what a network will cost


@dataclass(frozen=True)
class Request:
    """The layers to go through, and the samples to take through them; ``ntk`` whether T is wanted beside S."""

    layers: Sequence[spec.Layer]
    data: Inputs
    ntk: bool

    def network(self) -> Step:
        """The network bound to all samples."""
        return self._bound(self.data.q, self.data.n1, self.data.symmetric)

    def cost(self) -> Cost:
        """What the network will cost, seen on a few samples from the smallest to the largest. Cheap."""
        few = torch.quantile(self.data.q[: 1 << 20], torch.linspace(0, 1, _PROBE, dtype=torch.float64))
        return self._bound(few, len(few), symmetric=True).cost

    def start(self, block: Block) -> State:
        """The input kernel <x, x'>/features of a tile."""
        left, right = self.data.sides
        rows, columns = left[block.row_slice], right[block.column_slice]
        S = torch.empty(block.shape, dtype=rows.dtype, device=rows.device)
        torch.addmm(S, rows, columns.T, beta=0, alpha=1 / rows.shape[1], out=S)
        if block.diagonal:
            S.diagonal().copy_(self.data.q[block.row_slice])
        return State(S, None, block)

    def _bound(self, q: torch.Tensor, n1: int, symmetric: bool) -> Step:
        X = self.data.X
        context = Context(n1, symmetric=symmetric, ntk=self.ntk, dtype=X.dtype, device=X.device)
        return bind_stack(self.layers, Samples(q=q, t=torch.zeros_like(q), width=X.shape[1]), context)
