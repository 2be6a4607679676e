"""Where a layer that is dragged, or moved by keys, can go: places between the lines of an outline. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

from ntklab.gui.panels.outline import Line
from ntklab.session.sketches import Path
from ntklab.spec import Branch


@dataclass(frozen=True)
class Slot:
    """The place before what stands at ``path`` now.

    It shows under line ``row`` (−1: above the first), in the lane ``depth``; ``into`` says which branch that is.
    """

    path: Path
    row: int
    depth: int
    into: str = ""


def slot_at(lines: tuple[Line, ...], row: int, *, upper: bool) -> Slot | None:
    """The place meant by the upper or lower half of line ``row``; None where there are no lines."""
    if not lines:
        return None
    line = lines[row]
    if line.kind == "input":
        return Slot((0,), row, 0)
    if line.kind == "identity":
        return _slot(line.path, row, line.depth)
    if line.kind == "merge":
        return _at_merge(line, row, upper=upper)
    if upper or line.readout:
        return _slot(line.path, row - 1, line.depth)
    if line.folded is False:
        return _slot((*line.path, 0, 0), row, line.depth + 1)
    return _slot(_next(line.path), row, line.depth)


def moves(source: Path, slot: Slot) -> bool:
    """Whether the layer at ``source`` would be elsewhere at ``slot``; a block cannot be moved into itself."""
    inside = slot.path[: len(source)] == source and len(slot.path) > len(source)
    return not inside and slot.path not in (source, _next(source))


def along(lines: tuple[Line, ...], source: Path, by: int) -> Path | None:
    """The place before which the layer at ``source`` goes one step on: past its neighbour, or out of its branch."""
    stack = [line.path for line in lines if line.kind in ("layer", "readout") and line.path[:-1] == source[:-1]]
    last = any(line.readout and line.path in stack for line in lines)
    end = len(stack) - last
    if by < 0 and source[-1] > 0:
        return (*source[:-1], source[-1] - 1)
    if by > 0 and source[-1] + 1 < end:
        return (*source[:-1], source[-1] + 2)
    return _to_next_branch(lines, source, by)


def _to_next_branch(lines: tuple[Line, ...], source: Path, by: int) -> Path | None:
    """From the end of a branch to the next one, from the last one behind the block; likewise upwards."""
    if len(source) == 1:
        return None
    *block, number, _ = source
    branches = _branches(lines, tuple(block))
    if by > 0:
        return (*block, number + 1, 0) if number + 1 < len(branches) else _next(tuple(block))
    return (*block, number - 1, len(branches[number - 1])) if number else tuple(block)


def inwards(lines: tuple[Line, ...], source: Path) -> Path | None:
    """Into the block next to the layer at ``source``: the start of the one behind it, else the end of that before."""
    by_path = {line.path: line for line in lines}
    behind = by_path.get(_next(source))
    if behind is not None and isinstance(behind.layer, Branch):
        return (*behind.path, 0, 0)
    before = by_path.get((*source[:-1], source[-1] - 1))
    if before is not None and isinstance(before.layer, Branch):
        return (*before.path, 0, len(before.layer.branches[0]))
    return None


def outwards(source: Path) -> Path | None:
    """Out of the branch that the layer at ``source`` is in, behind its block."""
    return _next(source[:-2]) if len(source) > 1 else None


def _at_merge(line: Line, row: int, *, upper: bool) -> Slot:
    block = line.target
    if not upper:
        return _slot(_next(block), row, line.depth)
    assert isinstance(line.layer, Branch)
    number = len(line.layer.branches) - 1
    return _slot((*block, number, len(line.layer.branches[number])), row - 1, line.depth + 1)


def _slot(path: Path, row: int, depth: int) -> Slot:
    return Slot(path, row, depth, f"into branch {path[-2] + 1}" if len(path) > 1 else "")


def _branches(lines: tuple[Line, ...], block: Path) -> tuple[tuple[object, ...], ...]:
    layer = next(line.layer for line in lines if line.path == block)
    assert isinstance(layer, Branch)
    return layer.branches


def _next(path: Path) -> Path:
    return (*path[:-1], path[-1] + 1)
