"""A network as lines of a list: input, every layer, those inside branches too, and where branches meet. No Qt."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from ntklab.gui.panels.words import key_parameters, layer_icon
from ntklab.session.sketches import Path, Sketch
from ntklab.session.tracing import Traced, trace
from ntklab.spec import Architecture, Branch, Dense, Layer, caption, own_width, type_row
from ntklab.spec.transitions import Shape

READOUT = "Read-out"
MERGE_WORDS = {"sum": "sum", "concat": "side by side", "prod": "product"}

LineKind = Literal["input", "layer", "readout", "identity", "merge"]
Piece = Literal["whole", "top", "bottom", "out", "in"]
RailStyle = Literal["main", "skip", "bus"]


class Rail(NamedTuple):
    """A piece of the line that leads through the layers, in a row of the list.

    "out" leaves the lane to the left at the top of the row, "in" returns to it at the bottom. A "skip" carries the
    input of a block to its end unchanged, a "bus" to its branches alone.
    """

    lane: int
    piece: Piece
    style: RailStyle = "main"


@dataclass(frozen=True)
class Line:
    """One line. ``path`` is that of a layer (see ``session.sketches``); () the input; that of a first layer to come for
    the identity, and of a block with −1 behind it for the place where its branches meet.

    ``note`` holds key parameters, ``before`` and ``shape`` what goes in and comes out (None where that is not known),
    ``fault`` why it does not fit. A block may be ``folded``.
    """

    path: Path
    kind: LineKind
    depth: int
    title: str
    note: str = ""
    before: Shape | None = None
    shape: Shape | None = None
    parameters: int = 0
    group: str = ""
    icon: str = ""
    layer: Layer | None = None
    fault: str = ""
    folded: bool | None = None
    rails: tuple[Rail, ...] = ()

    @property
    def readout(self) -> bool:
        """Whether this is the dense layer at the very end."""
        return self.kind == "readout"

    @property
    def target(self) -> Path:
        """The path of the layer that is meant: of the block, where its branches meet."""
        return self.path[:-1] if self.kind == "merge" else self.path

    @property
    def movable(self) -> bool:
        """Whether the layer can be moved, removed and duplicated."""
        return self.kind == "layer" or self.kind == "merge"


@dataclass(frozen=True)
class Problem:
    """Why a sketch is impossible: ``text`` with the remedy, and the ``path`` of the line where it shows."""

    path: Path
    text: str


def outline(network: Architecture | Sketch, *, folded: Collection[Path] = (), problem: Problem | None = None) -> tuple[
    Line, ...
]:  # fmt: skip
    """The lines of ``network`` from input to output."""
    sketch = Sketch(network.input, network.layers)
    lines = (_input(sketch), *_Outline(sketch.readout_index, folded).stack(trace(sketch), (), ()))
    if problem is None:
        return lines
    return tuple(replace(line, fault=problem.text) if line.path == problem.path else line for line in lines)


def _input(sketch: Sketch) -> Line:
    shape = sketch.input.shape
    return Line((), "input", 0, "Input", sketch.input.kind, None, shape, icon="layers/Input",
                rails=(Rail(0, "bottom"),) if sketch.layers else ())  # fmt: skip


@dataclass(frozen=True)
class _Outline:
    readout: int | None
    folded: Collection[Path]

    def stack(self, entries: tuple[Traced, ...], path: Path, trunks: tuple[RailStyle, ...]) -> list[Line]:
        """The lines of a stack; ``trunks`` are the styles of the lanes of the blocks around it."""
        lines: list[Line] = []
        through = tuple(Rail(lane, "whole", style) for lane, style in enumerate(trunks))
        for index, entry in enumerate(entries):
            head = _head(len(trunks), first=index == 0)
            tail = _tail(len(trunks), last=index == len(entries) - 1)
            if isinstance(entry.layer, Branch):
                lines.extend(self._block(entry, entry.layer, trunks, (through, head, tail)))
            else:
                readout = not path and index == self.readout
                lines.append(_line(entry, len(trunks), readout=readout, rails=(*through, *head, *tail)))
        return lines

    def _block(
        self, entry: Traced, block: Branch, trunks: tuple[RailStyle, ...], pieces: tuple[tuple[Rail, ...], ...]
    ) -> list[Line]:
        through, head, tail = pieces
        depth, is_folded = len(trunks), entry.path in self.folded
        style: RailStyle = "skip" if () in block.branches else "bus"
        under = tail if is_folded else (Rail(depth, "bottom", style),)
        note = " – ".join(caption(layer) for branch in block.branches for layer in branch) if is_folded else ""
        lines = [replace(_line(entry, depth, rails=(*through, *head, *under)), folded=is_folded, note=note)]
        if is_folded:
            return lines
        inner = (*trunks, style)
        for number, branch in enumerate(entry.branches):
            place = (*entry.path, number)
            lines.extend(self.stack(branch, place, inner) if branch else [_identity(entry, place, inner)])
        return [*lines, _merge(entry, block, depth, rails=(*through, Rail(depth, "top", style), *tail))]


def _head(lane: int, *, first: bool) -> tuple[Rail, ...]:
    return (Rail(lane, "out" if first and lane else "top"),)


def _tail(lane: int, *, last: bool) -> tuple[Rail, ...]:
    if last and not lane:
        return ()
    return (Rail(lane, "in" if last else "bottom"),)


def _line(entry: Traced, depth: int, *, readout: bool = False, rails: tuple[Rail, ...] = ()) -> Line:
    layer = entry.layer
    title = f"{READOUT} {layer.width}" if readout and isinstance(layer, Dense) else caption(layer)
    return Line(
        entry.path, "readout" if readout else "layer", depth, title, key_parameters(layer), entry.before, entry.after,
        entry.parameters, type_row(layer).group, "layers/Output" if readout else layer_icon(layer), layer, rails=rails,
    )  # fmt: skip


def _identity(entry: Traced, place: Path, trunks: tuple[RailStyle, ...]) -> Line:
    rails = tuple(Rail(lane, "whole", style) for lane, style in enumerate(trunks))
    return Line((*place, 0), "identity", len(trunks), "identity", "skip connection", entry.before, entry.before,
                rails=rails)  # fmt: skip


def _merge(entry: Traced, block: Branch, depth: int, rails: tuple[Rail, ...]) -> Line:
    return Line((*entry.path, -1), "merge", depth, MERGE_WORDS[block.merge], "", entry.before, entry.after,
                group=type_row(block).group, icon=f"layers/{block.merge}", layer=block, rails=rails)  # fmt: skip


def widths(architecture: Architecture | Sketch) -> tuple[int, ...]:
    """Channels of all layers with weights but the read-out, from input to output, those inside branches too."""
    found = (own_width(line.layer) for line in outline(architecture) if line.layer is not None and not line.readout)
    return tuple(width for width in found if width is not None)


def parameterisations(architecture: Architecture | Sketch) -> frozenset[str]:
    """The parameterisations of the layers with weights."""
    layers = (line.layer for line in outline(architecture) if line.kind != "merge")
    return frozenset(layer.param for layer in layers if layer is not None and hasattr(layer, "param"))
