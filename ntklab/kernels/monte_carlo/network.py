"""One drawn network: the kernels of the features that its read-out sees, and its NTK, tile by tile."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ntklab.kernels.empirical import empirical_ntk
from ntklab.kernels.monte_carlo.packing import Packed
from ntklab.kernels.monte_carlo.request import Request
from ntklab.kernels.threads import threads_for
from ntklab.kernels.tiles import Block, TilePlan, spans
from ntklab.networks import build
from ntklab.progress import Forecast, Partial
from ntklab.results import Tile

Piece = tuple[Block, NDArray[np.floating]] | Forecast | None
"""A tile of a kernel, the forecast of its computation, or nothing but a sign of life."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """A network drawn for ``request``, and the features of all samples once they are computed.

    For a read-out z = W_std/√m·W a + b_std·b on m features the expectation of z z' over W and b, given a, is
    S = W_std²·a·a'/m + b_std²: an estimate of the NNGP kernel without the noise of the read-out's own weights.
    """

    request: Request
    module: nn.Module
    sides: list[Tensor]

    @property
    def _scale(self) -> tuple[float, float]:
        readout = self.request.readout
        return (1.0, 0.0) if readout is None else (readout.W_std**2, (readout.b_std or 0.0) ** 2)

    def see(self, chunk: int) -> Iterator[None]:
        """Compute the features (n, m) of the samples, ``chunk`` at a time."""
        x1, x2 = self.request.samples.x1, self.request.samples.x2
        for x in (x1,) if x2 is None else (x1, x2):
            parts = []
            for start, stop in spans(len(x), chunk):
                parts.append(self._features(x[start:stop]))
                yield
            self.sides.append(torch.cat(parts))

    def _features(self, x: Tensor) -> Tensor:
        """What goes into the last layer."""
        seen: list[Tensor] = []
        network = self.module.network if isinstance(self.module, Packed) else self.module
        *_, last = network.children()
        handle = last.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
        try:
            with torch.no_grad(), threads_for(len(x) * sum(p.numel() for p in self.module.parameters())):
                self.module(x)
        finally:
            handle.remove()
        return seen[0]

    def nngp(self, tiles: TilePlan) -> Generator[Piece, None, None]:
        """The tiles of S."""
        scale, offset = self._scale
        for block in tiles:
            S = self._products(block).mul_(scale).add_(offset)
            yield block, S.cpu().numpy()

    def ntk(self, memory: int) -> Generator[Piece, None, None]:
        """The tiles of the NTK, mean over the outputs of the read-out, less the part of a read-out that was added."""
        added = self.request.readout is None
        work = empirical_ntk(
            self.module, self.request.samples.x1, self.request.samples.x2, outputs="mean", dtype=self.request.dtype,
            device=str(self.request.device), memory=memory,
        )  # fmt: skip
        for event in work:
            if isinstance(event, Forecast):
                yield event
            elif isinstance(event, Partial) and isinstance(event.value, Tile):
                block, values = self._block(event.value), event.value.values
                yield block, values - self._products(block).cpu().numpy() if added else values
            else:
                yield None

    def _block(self, tile: Tile) -> Block:
        diagonal = self.request.symmetric and tile.rows == tile.columns
        return Block(tile.rows, tile.columns, mirror=tile.mirror and not diagonal, diagonal=diagonal)

    def _products(self, block: Block) -> Tensor:
        """a·a'/m of a tile, exactly symmetric on the diagonal."""
        rows, columns = self.sides[0][block.row_slice], self.sides[-1][block.column_slice]
        with threads_for(rows.numel() * len(columns)):
            S = rows @ columns.T
        if block.diagonal:
            S = (S + S.T).mul_(0.5)
        return S.div_(rows.shape[1])


def drawn(request: Request) -> Callable[[tuple[int, int]], Drawn]:
    """Draws the network of (index of the width, seed)."""
    masked = {} if request.mask_constant is None else {"mask_constant": request.mask_constant}

    def draw(which: tuple[int, int]) -> Drawn:
        width, seed = which
        architecture = request.networks[width]
        module = build(architecture, seed=seed, dtype=request.dtype, device=request.device, **masked)
        samples = request.samples
        if samples.packed:
            shape = architecture.input.shape
            module = Packed(module, shape, samples.pattern_shape, numbered=samples.numbered, seed=seed)
        return Drawn(request, module, [])

    return draw
