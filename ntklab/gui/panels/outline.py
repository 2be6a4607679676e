"""An architecture as lines of a list: every layer with its place, shape and size, those inside branches too. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ntklab.gui.widgets.numbers import number, plain, root_text
from ntklab.spec import Architecture, Branch, Dense, Dropout, Input, Layer, LayerShape, caption, layer_shapes, type_row

_KINDS: dict[int, Literal["vector", "sequence", "image", "volume"]] = {
    1: "vector",
    2: "sequence",
    3: "image",
    4: "volume",
}
READOUT = "Read-out"


@dataclass(frozen=True)
class Line:
    """One line: a layer at ``path`` (see ``session.edits``), or the identity branch that stands in place of layers.

    ``note`` holds key parameters; ``position`` counts from 1 within its stack; ``depth`` from 0.
    """

    path: tuple[int, ...]
    depth: int
    title: str
    note: str = ""
    shape: tuple[int, ...] = ()
    parameters: int = 0
    group: str = ""
    readout: bool = False
    layer: Layer | None = None


def outline(architecture: Architecture) -> tuple[Line, ...]:
    """The lines of ``architecture`` from input to output."""
    return _stack(layer_shapes(architecture), (), architecture.readout_index)


def _stack(entries: tuple[LayerShape, ...], path: tuple[int, ...], readout: int | None) -> tuple[Line, ...]:
    lines: list[Line] = []
    for index, entry in enumerate(entries):
        place = (*path, index)
        lines.append(_line(entry, place, readout=not path and index == readout))
        if isinstance(entry.layer, Branch):
            lines.extend(_branches(entry.layer, entry.before, place))
    return tuple(lines)


def _line(entry: LayerShape, path: tuple[int, ...], *, readout: bool) -> Line:
    layer = entry.layer
    title = f"{READOUT} {layer.width}" if readout and isinstance(layer, Dense) else caption(layer)
    return Line(
        path, len(path) // 2, title, key_parameters(layer), entry.after, entry.parameters, type_row(layer).group,
        readout, layer,
    )  # fmt: skip


def _branches(block: Branch, before: tuple[int, ...], path: tuple[int, ...]) -> list[Line]:
    lines: list[Line] = []
    for number_, branch in enumerate(block.branches):
        place = (*path, number_)
        if branch:
            inner = Architecture(input=Input(_KINDS[len(before)], before), layers=branch)
            lines.extend(_stack(layer_shapes(inner), place, None))
        else:
            lines.append(Line((*place, 0), len(place) // 2, "identity", "skip connection", before))
    return lines


def key_parameters(layer: Layer) -> str:
    """The parameters of a layer that its title does not tell, in a few signs."""
    if isinstance(layer, Dense):
        bias = "no bias" if layer.b_std is None else f"b {number(layer.b_std, 3)}"
        standard = " · standard" if layer.param == "standard" else ""
        return f"W {root_text(layer.W_std) or number(layer.W_std, 3)} · {bias}{standard}"
    if isinstance(layer, Dropout):
        return f"keeps {number(layer.keep_rate, 3)} · {layer.mode}"
    if isinstance(layer, Branch):
        return f"{len(layer.branches)} branches · {layer.merge}"
    fields = [row for row in type_row(layer).fields if row.kind in ("int", "float")]
    return " · ".join(f"{row.name} {plain(getattr(layer, row.name))}" for row in fields)


def shape_text(shape: tuple[int, ...]) -> str:
    """A sample's shape: 512 or 8×8×1."""
    return "×".join(str(size) for size in shape)


def dense_widths(architecture: Architecture) -> tuple[int, ...]:
    """Widths of all dense layers but the read-out, from input to output, those inside branches too."""
    return tuple(
        line.layer.width for line in outline(architecture) if isinstance(line.layer, Dense) and not line.readout
    )


def parameterisations(architecture: Architecture) -> frozenset[str]:
    """The parameterisations of the dense layers."""
    return frozenset(line.layer.param for line in outline(architecture) if isinstance(line.layer, Dense))
