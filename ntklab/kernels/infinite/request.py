"""A request with everything checked: the samples, the network bound to them, and the first state of a tile."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import isqrt

import torch
from torch import Tensor

from ntklab import spec
from ntklab.kernels.infinite.form import Form
from ntklab.kernels.infinite.inputs import Inputs
from ntklab.kernels.infinite.reach import needs
from ntklab.kernels.infinite.rules import Stack, bind_stack
from ntklab.kernels.infinite.state import Context, Cost, Pairs, State, positions_diagonal
from ntklab.kernels.tiles import Block

_PROBE = 33  # samples that show what a network will cost
_NUMBERS = 4_000_000  # that the probe may hold
_SEEN = 5e6  # nanoseconds that can be measured


@dataclass(frozen=True)
class Request:
    """The layers to go through, and the samples to take through them; ``ntk`` whether T is wanted beside S.

    A network whose output has positions is asked for all pairs of them. ``sweep``: the first layers may be taken offset
    by offset, as a single step.
    """

    layers: Sequence[spec.Layer]
    data: Inputs
    ntk: bool
    sweep: bool = True
    stop: threading.Event = field(default_factory=threading.Event)

    def network(self, dtype: torch.dtype | None = None) -> Stack:
        """The network bound to the request; samples have still to be taken through it (``alone``)."""
        X = self.data.X
        context = Context(
            samples=self.data.samples, same=self.data.symmetric, ntk=self.ntk, dtype=dtype or X.dtype, device=X.device,
            inputs=X if self.sweep else None, patterns=self.data.patterns, stop=self.stop,
        )  # fmt: skip
        return bind_stack(self.layers, self.form, context, crossed=True)

    @property
    def form(self) -> Form:
        """That of the input."""
        sizes, channels = self.data.sizes, self.data.X.shape[-1]
        return Form(width=channels, masks=self.data.masks).but(sizes=sizes, crossed=needs(self.layers, crossed=True))

    @cached_property
    def listed(self) -> bool:
        """Whether pairs of samples are taken one by one, because each of them is large; else tiles are grids."""
        return self.network().crosses

    def alone(self, network: Stack, samples: slice) -> State:
        """Take ``samples`` with themselves through, in double precision."""
        pairs = Pairs.alone(samples)
        if network.swept:
            return network.alone(State(self.data.X.new_empty(0), None, pairs))
        return network.alone(self._start(self.data.X[..., samples, :].double(), pairs))

    def tile(self, network: Stack, block: Block) -> State:
        """Take a tile through. Pairs that are one by one: those of the block, on its diagonal the ones above it."""
        pairs = self.pairs(block)
        if self.listed and not len(pairs.left):  # type: ignore[arg-type]
            return State(self.data.X.new_zeros(0, *network.after.sizes, *network.after.sizes), None, pairs)
        if network.swept:
            return network.run(State(self.data.X.new_empty(0), None, pairs))
        return network.run(self._start(self.data.X, pairs))

    def pairs(self, block: Block) -> Pairs:
        """The pairs of samples in a block."""
        offset = 0 if self.data.symmetric else self.data.n1
        if not self.listed:
            rows, (start, stop) = block.row_slice, block.columns
            return Pairs(rows, slice(start + offset, stop + offset), grid=True, diagonal=block.diagonal)
        i, j = listed(block)
        return Pairs(i + block.rows[0], j + block.columns[0] + offset)

    def cost(self) -> Cost:
        """What a pair of samples will cost, seen on a few samples and timed where that takes long enough to be seen."""
        if (network := self.network()).sweeps:
            return network.cost  # to try it would take as long as a tile does
        few = self._few()
        network, _ = few.settled()
        if network.cost.prepares:
            few.tile(network, few._only_tile)
        started = time.perf_counter()
        few.tile(network, few._only_tile)
        spent = (time.perf_counter() - started) * 1e9
        pairs = few.data.n1 * (few.data.n1 - 1) / 2 if self.listed else few.data.n1**2
        return replace(network.cost, nanoseconds=spent / max(pairs, 1)) if spent > _SEEN else network.cost

    def rounding(self) -> dict[str, float]:
        """The relative error of each kind of kernel in this precision, measured against float64 on a few samples."""
        few = self._few()
        exact = replace(few, data=few.data.double())
        (a, _), (b, selves) = (request._whole() for request in (few, exact))
        errors = {"nngp": _distance(a.nngp, b.nngp, selves.nngp)}
        if a.ntk is not None and b.ntk is not None and selves.ntk is not None:
            errors["ntk"] = _distance(a.ntk, b.ntk, selves.ntk)
        return errors

    def _whole(self) -> tuple[State, State]:
        """All pairs of samples, and the samples with themselves."""
        network, selves = self.settled()
        return self.tile(network, self._only_tile), selves

    def settled(self) -> tuple[Stack, State]:
        """The network ready for tiles, all samples taken through at once, and what they end with."""
        network = self.network()
        selves = self.alone(network, slice(0, self.data.samples))
        network.settle()
        return network, selves

    def _start(self, X: Tensor, pairs: Pairs) -> State:
        """The input kernel <x, x'>/channels at each position, or between all of them, of the samples in ``X``."""
        here = Pairs.alone(slice(None)) if pairs.selves else pairs
        left, right = X[..., here.left, :], X[..., here.right, :]
        if pairs.grid:
            S = _scaled_product(left, right)
        elif not self.form.crossed:
            S = (left * right).sum(dim=-1) / X.shape[-1]
        else:
            count = len(self.data.sizes)
            left, right = (side.movedim(-2, 0).flatten(1, count) for side in (left, right))
            S = _scaled_product(left, right).reshape(-1, *self.data.sizes, *self.data.sizes)
        state = State(S, None, pairs)
        if self.form.crossed and pairs.selves:
            positions_diagonal(S, self.form).copy_(left.square().sum(dim=-1) / X.shape[-1])
        return state

    def _few(self) -> Request:
        """The same for a few of the samples, from the smallest to the largest."""
        held = max(self.form.entries * 4, self.network().cost.held)
        count = min(self.data.samples, max(2, min(_PROBE, isqrt(int(_NUMBERS / held)))))
        norms = self.data.X.square().sum(dim=-1).reshape(-1, self.data.samples).sum(dim=0)
        order = torch.argsort(norms)
        few = order[torch.linspace(0, len(order) - 1, count).long()]
        return replace(self, data=self.data.of(few), stop=threading.Event())

    @property
    def _only_tile(self) -> Block:
        return Block((0, self.data.n1), (0, self.data.n1), diagonal=True)


def listed(block: Block) -> tuple[Tensor, Tensor]:
    """Rows and columns inside ``block`` of the pairs to compute, (pairs,) each."""
    rows, columns = block.shape
    if block.diagonal:
        i, j = torch.triu_indices(rows, columns, offset=1)
    else:
        i, j = torch.cartesian_prod(torch.arange(rows), torch.arange(columns)).T
    return i, j


def _scaled_product(left: Tensor, right: Tensor) -> Tensor:
    """left·rightᵀ/channels, for matrices or batches of them."""
    if left.ndim > 2:
        return torch.matmul(left, right.transpose(-1, -2)).div_(left.shape[-1])
    S = left.new_empty(len(left), len(right))
    return torch.addmm(S, left, right.T, beta=0, alpha=1 / left.shape[1], out=S)


def _distance(found: Tensor, exact: Tensor, selves: Tensor) -> float:
    """The largest difference between pairs of different samples, over the largest entry of all."""
    if exact.shape == (len(selves), len(selves)):
        different = ~torch.eye(len(selves), dtype=torch.bool, device=exact.device)
        found, exact = found[different], exact[different]
    scale = max((float(part.abs().max()) for part in (exact, selves) if part.numel()), default=0.0)
    return float((found.double() - exact).abs().max()) / scale if scale and exact.numel() else 0.0
