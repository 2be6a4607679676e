"""A kernel on disk at every size: its overview at once, finer pieces as they are read."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from ntklab.errors import FileError
from ntklab.figures.pyramid import Image, Pyramid, build, halve
from ntklab.results.stored import StoredValues

Span = tuple[int, int]
PIECE = 512  # entries a side that are read at a time, about 3 ms
ROOM = 64 * 2**20  # bytes of pieces that are kept beside those in sight


@dataclass(frozen=True, order=True)
class Piece:
    """A square of level ``level``: which one down and across."""

    level: int
    down: int
    across: int


class StoredPyramid:
    """Like ``Pyramid``, of values on disk: levels finer than the overview show it until their pieces are read.

    ``part`` says what is there now and notes what is not; ``load`` reads the next piece that was asked for last, on any
    thread. Pieces that cannot be read are NaN; ``trouble`` says why.
    """

    def __init__(self, values: StoredValues, *, room: int = ROOM) -> None:
        self._values = values.matrix
        self._coarse: Pyramid = build(values.overview)
        self._first = values.overview_step.bit_length() - 1  # the level that the overview is
        self._room = room
        self._pieces: OrderedDict[Piece, Image] = OrderedDict()
        self._wanted: list[Piece] = []
        self._in_sight: frozenset[Piece] = frozenset()
        self._reading: Piece | None = None
        self._lock = Lock()
        self._news = False
        self.trouble = ""

    @property
    def shape(self) -> tuple[int, int]:
        """(h, w) of the matrix itself."""
        h, w = self._values.shape
        return h, w

    def level_for(self, values_per_pixel: float) -> int:
        """The coarsest level that still has a value for every pixel when a pixel spans that many entries."""
        finest = max(values_per_pixel, 1.0)
        return min(self._first + len(self._coarse.levels) - 1, int(np.floor(np.log2(finest) + 1e-6)))

    def size(self, level: int) -> tuple[int, int]:
        """(h, w) of a level."""
        h, w = (-(-n // (1 << level)) for n in self.shape)
        return h, w

    def part(self, level: int, rows: Span, columns: Span) -> Image:
        """Values of a level (rows, columns), as far as they are there; the overview stands for the others."""
        if level >= self._first:
            self._want(())
            return self._coarse.part(level - self._first, rows, columns)
        found = self._from_overview(level, rows, columns)
        pieces = tuple(_pieces(level, rows, columns))
        self._want(pieces)
        for piece in pieces:
            with self._lock:
                image = self._pieces.get(piece)
            if image is not None:
                _paste(found, image, (piece.down, rows), (piece.across, columns), side=max(1, PIECE >> level))
        return found

    @property
    def waiting(self) -> bool:
        """Whether pieces in sight are still to be read."""
        return bool(self._wanted)

    def take_news(self) -> bool:
        """Whether pieces have come since this was last asked."""
        with self._lock:
            news, self._news = self._news, False
        return news

    def load(self) -> bool:
        """Read one piece, the nearest to the middle of what is in sight; whether there was one to read."""
        with self._lock:
            if not self._wanted:
                return False
            piece = self._reading = self._wanted.pop(0)
        image = self._read(piece)
        with self._lock:
            self._pieces[piece] = image
            self._news, self._reading = True, None
            self._forget()
        return True

    def _want(self, pieces: tuple[Piece, ...]) -> None:
        with self._lock:
            self._in_sight = frozenset(pieces)
            for piece in pieces:
                if piece in self._pieces:
                    self._pieces.move_to_end(piece)
            missing = [piece for piece in pieces if piece not in self._pieces and piece != self._reading]
            self._wanted = _from_the_middle(missing)

    def _forget(self) -> None:
        """Drop the pieces that were in sight longest ago, beyond the room there is."""
        kept = sum(image.nbytes for image in self._pieces.values())
        for piece in list(self._pieces):
            if kept <= self._room:
                return
            if piece not in self._in_sight:
                kept -= self._pieces.pop(piece).nbytes

    def _read(self, piece: Piece) -> Image:
        edge = max(PIECE, 1 << piece.level)
        rows, columns = (slice(at * edge, (at + 1) * edge) for at in (piece.down, piece.across))
        try:
            image = np.asarray(self._values[rows, columns], dtype=np.float32)
        except FileError as error:
            self.trouble = str(error)
            h, w = (max(0, min(n, s.stop) - s.start) for n, s in zip(self.shape, (rows, columns), strict=True))
            image = np.full((h, w), np.nan, dtype=np.float32)
        for _ in range(piece.level):
            h, w = image.shape
            coarser = np.empty(((h + 1) // 2, (w + 1) // 2), dtype=np.float32)
            halve(image, coarser)
            image = coarser
        return image

    def _from_overview(self, level: int, rows: Span, columns: Span) -> Image:
        """Each number of the overview repeated over the entries that it stands for."""
        down, across = (np.arange(*span) >> (self._first - level) for span in (rows, columns))
        image: Image = self._coarse.levels[0][np.ix_(down, across)]
        return image


def overall(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """``values``, or of values on disk their overview: what colours and a picture on paper need."""
    return values.overview if isinstance(values, StoredValues) else values


def _pieces(level: int, rows: Span, columns: Span) -> Iterator[Piece]:
    side = max(1, PIECE >> level)
    for down in range(rows[0] // side, -(-rows[1] // side)):
        for across in range(columns[0] // side, -(-columns[1] // side)):
            yield Piece(level, down, across)


def _from_the_middle(pieces: list[Piece]) -> list[Piece]:
    if not pieces:
        return []
    down, across = (0.5 * (min(at) + max(at)) for at in ([p.down for p in pieces], [p.across for p in pieces]))
    return sorted(pieces, key=lambda piece: (piece.down - down) ** 2 + (piece.across - across) ** 2)


def _paste(found: Image, image: Image, down: tuple[int, Span], across: tuple[int, Span], *, side: int) -> None:
    """Copy what a piece and ``found`` have in common."""
    places = []
    for (number, span), length in zip((down, across), image.shape, strict=True):
        start = max(span[0], number * side)
        stop = min(span[1], number * side + length)
        places.append((slice(start - span[0], stop - span[0]), slice(start - number * side, stop - number * side)))
    (to_rows, from_rows), (to_columns, from_columns) = places
    found[to_rows, to_columns] = image[from_rows, from_columns]
