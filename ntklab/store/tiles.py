"""The tile store: a kernel that is computed tile by tile into a folder, and goes on from there after any end."""

from __future__ import annotations

import time
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Protocol

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from ntklab.errors import FileError, SpecError
from ntklab.progress import Progress, Work, drain
from ntklab.results import Gram, Provenance
from ntklab.store import chunks, manifest, space
from ntklab.store.kernel import CACHE, StoredKernel, Tiles, mirrored
from ntklab.store.layout import Cell, Layout, Span
from ntklab.store.lock import Lock
from ntklab.store.log import Entry, TileLog
from ntklab.store.manifest import Fingerprint, Manifest
from ntklab.store.overview import Overview, size
from ntklab.store.reading import LOG, gram_of, is_stored, stored_kernel

Array = NDArray[np.floating]
_EVERY = 1.0  # seconds between two writings of the overview


class Spans(Protocol):
    """Anything with the rows and columns (start, stop) of a tile."""

    @property
    def rows(self) -> Span: ...
    @property
    def columns(self) -> Span: ...


class TileStore:
    """A kernel on disk while it is computed, by this process alone; a context manager that lets go of it at the end.

    The folder holds zarr version 3 arrays that any program can read (``kernel``, for several outputs ``mean``, and a
    small ``overview``), a tile log and a manifest. A tile that ``write`` has returned for survives the end of the
    process and of the machine.
    """

    def __init__(self, folder: Path, made: Manifest, lock: Lock) -> None:
        self.folder = folder
        self.layout = made.layout
        self.log = TileLog.read(folder / LOG, made.layout)
        self._manifest = made
        self._lock = lock
        self._kernel = Tiles(folder / "kernel", self.log, made.layout, cache=1)
        self._overview = Overview(made.layout)
        self._seen: set[tuple[int, int]] = set()  # tiles in the overview
        self._todo: tuple[Cell, ...] | None = None if self.log.entries else tuple(made.layout)
        self._saved = time.monotonic()

    @classmethod
    def create_or_resume(
        cls,
        folder: Path | str,
        *,
        shape: tuple[int, ...],
        edge: int,
        dtype: str,
        outputs: str,
        symmetric: bool,
        fingerprint: Fingerprint,
        about: Provenance,
    ) -> TileStore:
        """The store in ``folder``, which is made, or goes on with the tiles that are there.

        ``shape``, ``edge``, ``dtype``, ``outputs`` and ``symmetric`` as in ``Layout``. ``fingerprint`` names whatever
        else the numbers depend on: plain values by name, such as hashes of the network and of the samples. ``about`` is
        the provenance of the ``Gram``. A store that is there keeps its own edge: plan with ``stored_edge(folder)``.

        Raises ``FileError`` if the folder holds anything else or the kernel of another request, saying what differs; if
        another job is writing it; if the disk has no room for the rest of it; ``SpecError`` for a kernel that cannot be
        stored.
        """
        folder, layout = Path(folder), Layout(tuple(shape), edge, dtype, outputs, symmetric)
        space.check_content(folder)
        there = is_stored(folder)
        if not there:
            space.require_space(folder, layout.bytes_on_disk())
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(f"cannot make {folder}: {error.strerror}; choose another folder") from error
        with ExitStack() as held:
            lock = Lock(folder)
            held.callback(lock.release)
            made = manifest.load(folder) if there else manifest.create(folder, layout, fingerprint, about)
            space.check_request(folder, made, layout, fingerprint)
            store = cls(folder, made, lock)
            space.require_space(folder, made.layout.bytes_on_disk(len(made.layout) - store.done))
            space.clear(folder)
            held.pop_all()
            return store

    @property
    def edge(self) -> int:
        """Samples a side of a tile."""
        return self.layout.edge

    @property
    def done(self) -> int:
        """Tiles that are computed, of ``len(store.layout)``."""
        return len(self.log.entries)

    def verify(self) -> Work[tuple[Cell, ...]]:
        """Read every stored tile and return those that are missing or damaged, row by row; yields ``Progress``."""
        if self._todo is None:
            bad = []
            for number, (place, entry) in enumerate(sorted(self.log.entries.items())):
                try:
                    self._look(self.layout.cell(place), self._kernel.load(place, entry.crc), entry)
                except FileError:
                    bad.append(place)
                yield Progress(number + 1, len(self.log.entries), "checking stored tiles")
            for place in bad:
                del self.log.entries[place]
            self._todo = ()
        self._todo = tuple(cell for cell in self.layout if cell.place not in self.log.entries)
        return self._todo

    def todo(self) -> tuple[Cell, ...]:
        """Tiles that are missing or damaged, row by row. The first call reads all that is stored, like ``verify``."""
        return drain(self.verify())

    def write(self, block: Spans, values: Array) -> None:
        """Store the tile with the rows and columns of ``block``; it is on the disk when this returns.

        ``values`` (rows, columns, *outputs) in the store's dtype; NaN and infinities are kept and counted. Raises
        ``SpecError`` for anything but a tile of the grid, ``FileError`` if it cannot be written: all tiles before it
        stay.
        """
        if self._todo is None:
            self.todo()
        cell = self.layout.locate(block.rows, block.columns)
        shape = (cell.rows[1] - cell.rows[0], cell.columns[1] - cell.columns[0], *self.layout.kept)
        if values.shape != shape or values.dtype != self.layout.dtype:
            raise SpecError(
                f"stored kernel: expected a tile {shape} {self.layout.dtype}, got {values.shape} {values.dtype}; "
                "convert it"
            )
        try:
            self._write(cell, values)
        except FileError as error:
            if chunks.is_full(error):
                left = len(self.layout) - self.done
                raise space.no_space(self.folder, self.layout.bytes_on_disk(left)) from error
            raise

    def _write(self, cell: Cell, values: Array) -> None:
        edge, name = self.edge, self.layout.file_name(cell.place)
        checksum, mean, matrix = (
            chunks.write(self.folder / "kernel" / name, values, (edge, edge, *values.shape[2:])),
            None,
            values,
        )
        if self.layout.kept:
            matrix = over_outputs(values)
            mean = chunks.write(self.folder / "mean" / self.layout.matrix.file_name(cell.place), matrix, (edge, edge))
        self.log.append(_entry(cell, values, checksum, mean))
        self._look_at(cell, matrix)
        if time.monotonic() - self._saved > _EVERY:
            self._save_overview()

    def _look(self, cell: Cell, values: Array, entry: Entry) -> None:
        """Take a stored tile into the overview, if its means are as good as it is."""
        matrix = values
        if self.layout.kept:
            path = self.folder / "mean" / self.layout.matrix.file_name(cell.place)
            matrix = chunks.read(path, (self.edge, self.edge), self.layout.dtype, checksum=entry.mean)
            matrix = matrix[: values.shape[0], : values.shape[1]]
        self._look_at(cell, matrix)

    def _look_at(self, cell: Cell, matrix: Array) -> None:
        if cell.place not in self._seen:
            self._seen.add(cell.place)
            self._overview.add(cell, matrix)

    def _save_overview(self) -> None:
        self._saved = time.monotonic()
        path, image = self.folder / "overview" / "c.0.0", self._overview.image()
        with suppress(FileError):  # it can be made again, and a full disk is told of by the next tile
            chunks.write(path, image, size(*self.layout.shape[:2]), flush=False)

    def array(self, *, cache: int = CACHE) -> StoredKernel:
        """The kernel as an array that reads what it is asked for, keeping up to ``cache`` bytes of tiles."""
        return stored_kernel(self.folder, self.log, self.layout, cache=cache)

    def finish(self, about: Provenance, *, error: float | None = None) -> Gram:
        """Note how the kernel came about and its relative ``error``, and return it; the store is closed.

        Raises ``FileError`` if that cannot be written.
        """
        complete = not self.todo()
        made = replace(self._manifest, about=about, error=error, complete=complete)
        self._manifest = manifest.save(self.folder, made)
        self.close()
        return gram_of(self.array(), self._manifest)

    def close(self) -> None:
        """Write the overview and let others write. Tiles are on the disk already."""
        if self._lock.held and self._seen:
            self._save_overview()
        self._lock.release()

    def __enter__(self) -> TileStore:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def over_outputs(values: Array) -> Array:
    """(rows, columns): the mean over outputs of a tile (rows, columns, k), or over each with itself of (…, k, k)."""
    if values.ndim == 3:
        return np.asarray(values.mean(axis=-1), dtype=values.dtype)
    return np.asarray(np.trace(values, axis1=2, axis2=3) / values.shape[-1], dtype=values.dtype)


def _entry(cell: Cell, values: Array, checksum: int, mean: int | None) -> Entry:
    """What the log says of a tile."""
    bad = values.size - int(np.count_nonzero(np.isfinite(values)))
    good = values[np.isfinite(values)] if bad else values
    largest = max(float(good.max()), -float(good.min())) if good.size else 0.0
    asymmetry = float(np.abs(values - mirrored(values)).max()) if cell.diagonal and not bad else 0.0
    return Entry(*cell.place, crc=checksum, mean=mean, bad=bad, largest=largest, asymmetry=asymmetry)
