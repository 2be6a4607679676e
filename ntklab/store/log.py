"""The tile log: one line for each tile once it is on the disk, each with its own checksum.

It tells tiles that are computed from those that are not, whatever numbers they hold, and what a reader wants to know of
a kernel without reading it: entries that are not finite, the largest, the asymmetry.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import google_crc32c
import msgspec

from ntklab.errors import FileError
from ntklab.store.chunks import opened
from ntklab.store.layout import Layout, Place

_LONGEST_LINE = 400  # bytes
_PIECE = 2**20


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A finished tile: checksums of its numbers and of their means over outputs (None where there are no more outputs).

    ``bad`` entries are not finite, ``largest`` is the largest magnitude of the others, ``asymmetry`` max|K − Kᵀ| in it.
    """

    i: int
    j: int
    crc: int
    mean: int | None = None
    bad: int = 0
    largest: float = 0.0
    asymmetry: float = 0.0

    @property
    def place(self) -> Place:
        """Row and column of tiles."""
        return self.i, self.j


@dataclass
class TileLog:
    """Finished tiles by their place. A tile that was computed again has several lines, of which the last one counts."""

    path: Path
    layout: Layout
    entries: dict[Place, Entry]
    written: int = 0  # valid lines: a tile that was computed again is counted again

    @classmethod
    def read(cls, path: Path, layout: Layout) -> TileLog:
        """The log at ``path``; lines that are torn or damaged say nothing. Raises ``FileError``."""
        log = cls(path, layout, {})
        for line in _lines(path) if os.path.lexists(path) else ():
            entry = _parsed(line)
            if entry is not None and _fits(entry, layout):
                log.entries[entry.place] = entry
                log.written += 1
        return log

    def append(self, entry: Entry) -> None:
        """Write a line; it is on the disk when this returns. Raises ``FileError``."""
        body = msgspec.json.encode(entry)
        line = memoryview(b"\n%08x %s" % (google_crc32c.value(body), body))  # a torn line cannot spoil the next one
        try:
            with self.path.open("ab", buffering=0) as file:
                while line:
                    line = line[file.write(line) :]
                os.fsync(file.fileno())
        except OSError as error:
            raise FileError(f"cannot write {self.path}: {error.strerror}; free some space and resume") from error
        self.entries[entry.place] = entry
        self.written += 1


def _lines(path: Path) -> Iterator[bytes]:
    rest = b""
    with opened(path) as handle:
        while piece := os.read(handle, _PIECE):
            *lines, rest = (rest + piece).split(b"\n")
            yield from lines
            rest = rest[: _LONGEST_LINE + 1]  # longer than any line: damaged
    yield rest


def _parsed(line: bytes) -> Entry | None:
    checksum, _, body = line.partition(b" ")
    if not body or len(line) > _LONGEST_LINE or b"%08x" % google_crc32c.value(body) != checksum:
        return None
    try:
        return msgspec.json.decode(body, type=Entry)
    except msgspec.MsgspecError:
        return None


def _fits(entry: Entry, layout: Layout) -> bool:
    down, across = layout.grid
    return 0 <= entry.i < down and 0 <= entry.j < across and not (layout.symmetric and entry.i > entry.j)
