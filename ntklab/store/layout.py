"""How a kernel lies on disk: a zarr array whose chunks are the tiles that are computed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Any

from ntklab.errors import SpecError

Span = tuple[int, int]
Place = tuple[int, int]

OUTPUTS = {"mean": 2, "diagonal": 3, "full": 4}  # what is kept of the outputs → number of axes
DTYPES = {"float32": 4, "float64": 8}
MOST_SAMPLES, MOST_OUTPUTS = 2**24, 2**16
MOST_TILES, MOST_TILE_BYTES = 2**20, 2**31


@dataclass(frozen=True)
class Cell:
    """A tile of the grid: its ``place`` (row and column of tiles), ``rows`` and ``columns`` (start, stop) of samples.

    ``mirror``: the transposed tile is part of the kernel too and is not stored. ``diagonal``: the tile is its own
    mirror image.
    """

    place: Place
    rows: Span
    columns: Span
    mirror: bool = False
    diagonal: bool = False


@dataclass(frozen=True)
class Layout:
    """``shape`` (n1, n2), (n1, n2, k) or (n1, n2, k, k) of the kernel, by ``outputs`` "mean", "diagonal" or "full".

    It is cut into tiles of ``edge`` by ``edge`` samples with all their outputs; of a ``symmetric`` kernel the tiles on
    and above the diagonal are kept. Raises ``SpecError`` for anything that cannot be stored.
    """

    shape: tuple[int, ...]
    edge: int
    dtype: str
    outputs: str
    symmetric: bool

    def __post_init__(self) -> None:
        for fault, remedy in self._faults():
            raise SpecError(f"stored kernel: {fault}; {remedy}")

    def _faults(self) -> Iterator[tuple[str, str]]:
        axes, ints = OUTPUTS.get(self.outputs), all(type(n) is int and n >= 1 for n in (*self.shape, self.edge))
        if axes is None:
            yield f"outputs: expected one of {', '.join(OUTPUTS)}, got {self.outputs!r}", "choose one of them"
        elif self.dtype not in DTYPES:
            yield f"dtype: expected one of {', '.join(DTYPES)}, got {self.dtype!r}", "choose one of them"
        elif not ints or len(self.shape) != axes or len(set(self.shape[2:])) > 1:
            expected = "(n1, n2" + (", k", ", k, k")[axes - 3] * (axes > 2) + ")"
            yield (
                f"expected a shape {expected} and an edge, all at least 1, got {self.shape} and {self.edge}",
                "give these",
            )
        elif self.symmetric and self.shape[0] != self.shape[1]:
            yield f"a symmetric kernel is square, got {self.shape}", "say symmetric=False"
        elif max(self.shape[:2]) > MOST_SAMPLES or max(self.shape[2:], default=1) > MOST_OUTPUTS:
            yield f"the shape {self.shape} is beyond {MOST_SAMPLES} samples or {MOST_OUTPUTS} outputs", "ask for less"
        elif prod(self.grid) > MOST_TILES:
            yield f"{prod(self.grid)} tiles are more than {MOST_TILES}", "give a larger edge"
        elif self.tile_bytes > MOST_TILE_BYTES:
            yield f"a tile of {self.tile_bytes} bytes is beyond {MOST_TILE_BYTES}", "give a smaller edge"

    @property
    def grid(self) -> Place:
        """Tiles down and across."""
        return -(-self.shape[0] // self.edge), -(-self.shape[1] // self.edge)

    @property
    def kept(self) -> tuple[int, ...]:
        """Shape of what is kept of one pair of samples: (), (k,) or (k, k)."""
        return self.shape[2:]

    @property
    def itemsize(self) -> int:
        """Bytes of a number."""
        return DTYPES[self.dtype]

    @property
    def tile_bytes(self) -> int:
        """Of the numbers in a tile."""
        return self.edge * self.edge * prod(self.kept) * self.itemsize

    @property
    def matrix(self) -> Layout:
        """That of the mean over outputs, (n1, n2)."""
        return Layout(self.shape[:2], self.edge, self.dtype, "mean", self.symmetric)

    def bytes_on_disk(self, tiles: int | None = None) -> int:
        """What ``tiles`` tiles (all of them) take, with their means over outputs and the overview."""
        count = len(self) if tiles is None else tiles
        return count * (self.tile_bytes + (self.matrix.tile_bytes if self.kept else 0)) + 2**22

    def cell(self, place: Place) -> Cell:
        """The tile at ``place``."""
        rows, columns = (
            (at * self.edge, min((at + 1) * self.edge, n)) for at, n in zip(place, self.shape[:2], strict=True)
        )
        diagonal = self.symmetric and place[0] == place[1]
        return Cell(place, rows, columns, mirror=self.symmetric and not diagonal, diagonal=diagonal)

    def __iter__(self) -> Iterator[Cell]:
        down, across = self.grid
        for i in range(down):
            for j in range(i if self.symmetric else 0, across):
                yield self.cell((i, j))

    def __len__(self) -> int:
        down, across = self.grid
        return down * (down + 1) // 2 if self.symmetric else down * across

    def locate(self, rows: Span, columns: Span) -> Cell:
        """The tile with exactly these samples. Raises ``SpecError`` if the grid has none: a chunk has one writer."""
        place = rows[0] // self.edge, columns[0] // self.edge
        inside = 0 <= rows[0] < self.shape[0] and 0 <= columns[0] < self.shape[1]
        if inside and (not self.symmetric or place[0] <= place[1]):
            cell = self.cell(place)
            if (cell.rows, cell.columns) == (tuple(rows), tuple(columns)):
                return cell
        where = "on and above the diagonal of a" if self.symmetric else "of a"
        raise SpecError(
            f"stored kernel: rows {tuple(rows)}, columns {tuple(columns)} are no tile {where} {self.shape} kernel in "
            f"tiles of {self.edge}; write the tiles that todo() names"
        )

    def file_name(self, place: Place) -> str:
        """Of the chunk of a tile."""
        return ".".join(("c", *map(str, place), *("0" for _ in self.kept)))

    def zarr(self) -> dict[str, Any]:
        """The metadata of the array as zarr version 3 writes it: checksums, no compression, NaN for what is missing."""
        names = ("i", "j", *(("o", "p") if len(self.kept) == 2 else ("o",))[: len(self.kept)])
        return array_metadata(self.shape, (self.edge, self.edge, *self.kept), self.dtype, names)


def array_metadata(
    shape: tuple[int, ...], chunk: tuple[int, ...], dtype: str, names: tuple[str, ...]
) -> dict[str, Any]:
    """``zarr.json`` of an array in chunks of little-endian numbers with a checksum."""
    return {
        "shape": list(shape),
        "data_type": dtype,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(chunk)}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "."}},
        "fill_value": "NaN",
        "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}],
        "attributes": {},
        "dimension_names": list(names),
        "zarr_format": 3,
        "node_type": "array",
        "storage_transformers": [],
    }


def cuts(start: int, stop: int, edge: int) -> Iterator[tuple[int, Span]]:
    """(number of the piece, (start, stop) inside it) of a range that is cut every ``edge``."""
    ends = [start, *range((start // edge + 1) * edge, stop, edge), stop]
    for a, b in pairwise(ends):
        yield a // edge, (a, b)
