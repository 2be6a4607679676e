"""An architecture as the blocks of a diagram: dense layers with what follows them, branches as lanes. No Qt."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby

from ntklab.gui.panels.outline import shape_text
from ntklab.spec import Architecture, Branch, Dense, Layer, caption

MERGES = {"sum": "+", "concat": "∥", "prod": "×"}
Path = tuple[int, ...]


@dataclass(frozen=True)
class Block:
    """``text`` in a box (its ``size`` units high), ``notes`` under it: the activations that follow.

    A block with ``lanes`` is a branch: one row of blocks a lane, joined by ``merge``. ``paths`` are the layers that it
    stands for; ``repeat`` says how many equal blocks in a row it stands for.
    """

    text: str
    size: int = 0
    notes: tuple[str, ...] = ()
    lanes: tuple[tuple[Block, ...], ...] = ()
    merge: str = ""
    paths: tuple[Path, ...] = ()
    repeat: int = 1
    end: bool = False

    @property
    def looks(self) -> tuple[object, ...]:
        """What two blocks must share to be shown as one."""
        inner = tuple(tuple(block.looks for block in lane) for lane in self.lanes)
        return self.text, self.size, self.notes, inner, self.merge, self.end


def blocks(architecture: Architecture) -> tuple[Block, ...]:
    """The blocks from input to output."""
    first = Block(shape_text(architecture.input.shape), size=architecture.input.shape[-1], end=True)
    made = _row(architecture.layers, (), first)
    if architecture.readout_index is not None:
        made = (*made[:-1], replace(made[-1], end=True))
    return made


def _row(layers: Iterable[Layer], path: Path, first: Block | None) -> tuple[Block, ...]:
    row: list[Block] = [] if first is None else [first]
    for index, layer in enumerate(layers):
        place = (*path, index)
        if isinstance(layer, Dense):
            row.append(Block(str(layer.width), size=layer.width, paths=(place,)))
        elif isinstance(layer, Branch):
            lanes = tuple(_row(branch, (*place, number), None) for number, branch in enumerate(layer.branches))
            row.append(Block("", lanes=lanes, merge=MERGES[layer.merge], paths=(place,)))
        elif row and not row[-1].lanes:
            row[-1] = replace(row[-1], notes=(*row[-1].notes, caption(layer)), paths=(*row[-1].paths, place))
        else:
            row.append(Block(caption(layer), paths=(place,)))
    return tuple(row)


def folded(row: tuple[Block, ...]) -> tuple[Block, ...]:
    """Equal blocks in a row as one with a repeat count."""
    made: list[Block] = []
    for _, run in groupby(row, key=lambda block: block.looks):
        members = list(run)
        paths = tuple(path for member in members for path in member.paths)
        made.append(replace(members[0], repeat=len(members), paths=paths))
    return tuple(made)


def describe(row: tuple[Block, ...]) -> str:
    """The blocks in words: "2 – 512 ReLU – 512 ReLU – 1"."""
    return " – ".join(_words(block) for block in row)


def _words(block: Block) -> str:
    if block.lanes:
        lanes = " | ".join(describe(lane) or "identity" for lane in block.lanes)
        return f"({lanes}) {block.merge}" + _notes(block)
    return block.text + _notes(block)


def _notes(block: Block) -> str:
    times = f" ×{block.repeat}" if block.repeat > 1 else ""
    return "".join(f" {note}" for note in block.notes) + times
