"""Opening what is stored, without writing to it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from ntklab.results import Gram, Provenance
from ntklab.store import manifest
from ntklab.store.chunks import DamagedError
from ntklab.store.kernel import CACHE, StoredKernel, Tiles
from ntklab.store.layout import Layout
from ntklab.store.log import TileLog
from ntklab.store.manifest import Manifest

LOG = "tiles.log"


def open_kernel(folder: Path | str, *, cache: int = CACHE) -> Gram:
    """The kernel stored in ``folder``; its ``values`` are read from there when they are asked for.

    Up to ``cache`` bytes of tiles are kept in memory. A kernel that is not complete has NaN for what is missing, says
    so in ``provenance.notes``, and is not ``health.good``. Raises ``FileError`` for a folder that holds no kernel, or a
    damaged one; a damaged tile raises it when it is read.
    """
    folder = Path(folder)
    made = manifest.load(folder)
    log = TileLog.read(folder / LOG, made.layout)
    if made.complete and len(log.entries) < len(made.layout):
        remedy = "run the same request with this store, which computes them again"
        raise DamagedError(f"{folder / LOG}: is damaged, tiles that were computed are not named; {remedy}")
    return gram_of(stored_kernel(folder, log, made.layout, cache=cache), made)


def is_stored(folder: Path | str) -> bool:
    """Whether ``folder`` looks like a stored kernel; it may be damaged still."""
    return (Path(folder) / manifest.NAME).is_file()


def stored_edge(folder: Path | str) -> int | None:
    """Samples a side of a tile of the kernel stored in ``folder``; None where there is none yet.

    Raises ``FileError`` for a damaged one.
    """
    return manifest.load(Path(folder)).layout.edge if is_stored(folder) else None


def describe(folder: Path | str, about: Provenance) -> None:
    """Note ``about`` as the provenance of the kernel stored in ``folder``. Raises ``FileError``."""
    place = Path(folder)
    manifest.save(place, msgspec.structs.replace(manifest.load(place), about=about))


def stored_kernel(folder: Path, log: TileLog, layout: Layout, *, cache: int) -> StoredKernel:
    """The arrays in ``folder`` with the tiles of ``log``."""
    share = cache // 2 if layout.kept else cache
    tiles = Tiles(folder / "kernel", log, layout, cache=share)
    means = Tiles(folder / "mean", log, layout.matrix, means=True, cache=share) if layout.kept else tiles
    return StoredKernel(tiles, means)


def gram_of(values: StoredKernel, made: Manifest) -> Gram:
    """``values`` with what the manifest says of them."""
    about, missing = made.about, values.missing
    if missing:
        note = f"{values.tile_count - missing} of {values.tile_count} tiles are computed"
        about = replace(about, notes=(*about.notes, note))
    array = cast("NDArray[np.floating[Any]]", values)  # it does for numpy what a Gram needs
    return Gram(array, about, symmetric=made.layout.symmetric, error=made.error)
