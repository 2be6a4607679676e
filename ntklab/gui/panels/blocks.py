"""A network as the blocks of a diagram: with words where there is room, else a glyph for each layer. No Qt."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby

from ntklab.gui.panels.words import layer_icon, shape_text
from ntklab.session.sketches import Path, Sketch
from ntklab.spec import Architecture, Branch, Dense, Layer, caption, own_width, type_row

MERGES = {"sum": "+", "concat": "∥", "prod": "×"}


@dataclass(frozen=True)
class Block:
    """``text`` in a box (its ``size`` channels high), ``notes`` under it: what follows and needs no box of its own.

    A block with ``lanes`` is a branch: one row of blocks a lane, joined by ``merge``. ``paths`` are the layers that it
    stands for; ``repeat`` says how many equal blocks in a row it stands for. ``icon`` is that of its first layer, of
    the group ``group``; ``end`` marks input and read-out.
    """

    text: str
    size: int = 0
    notes: tuple[str, ...] = ()
    lanes: tuple[tuple[Block, ...], ...] = ()
    merge: str = ""
    paths: tuple[Path, ...] = ()
    repeat: int = 1
    end: bool = False
    icon: str = ""
    group: str = ""

    @property
    def looks(self) -> tuple[object, ...]:
        """What two blocks must share to be shown as one."""
        inner = tuple(tuple(block.looks for block in lane) for lane in self.lanes)
        return self.text, self.size, self.notes, inner, self.merge, self.end


def blocks(network: Architecture | Sketch, *, grouped: bool = True) -> tuple[Block, ...]:
    """The blocks from input to output; ``grouped``, layers that keep the width stand as notes under the one before."""
    shape = network.input.shape
    first = Block(shape_text(shape), size=shape[-1], paths=((),), end=True, icon="layers/Input")
    made = _row(network.layers, (), (first,), grouped=grouped)
    if network.readout_index is not None:
        made = (*made[:-1], replace(made[-1], end=True, icon="layers/Output"))
    return made


def _row(layers: Iterable[Layer], path: Path, first: tuple[Block, ...], *, grouped: bool) -> tuple[Block, ...]:
    row = list(first)
    for index, layer in enumerate(layers):
        place = (*path, index)
        if isinstance(layer, Branch):
            lanes = tuple(
                _row(branch, (*place, number), (), grouped=grouped) for number, branch in enumerate(layer.branches)
            )
            row.append(Block("", lanes=lanes, merge=MERGES[layer.merge], paths=(place,)))
        elif grouped and own_width(layer) is None and row and not row[-1].lanes:
            row[-1] = replace(row[-1], notes=(*row[-1].notes, caption(layer)), paths=(*row[-1].paths, place))
        else:
            row.append(_block(layer, place))
    return tuple(row)


def _block(layer: Layer, place: Path) -> Block:
    text = str(layer.width) if isinstance(layer, Dense) else caption(layer)
    icon, group = layer_icon(layer), type_row(layer).group
    return Block(text, size=own_width(layer) or 0, paths=(place,), icon=icon, group=group)


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
