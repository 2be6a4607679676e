"""What a reader may want to know of a stored kernel before anything else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ntklab.errors import FileError
from ntklab.progress import Progress, Work
from ntklab.results import Health, Provenance
from ntklab.store import manifest
from ntklab.store.kernel import Tiles
from ntklab.store.layout import Layout
from ntklab.store.lock import writer
from ntklab.store.log import TileLog
from ntklab.store.manifest import Scalar
from ntklab.store.reading import LOG, stored_kernel


@dataclass(frozen=True, eq=False)
class State:
    """``done`` of ``tiles`` tiles are computed; ``written`` counts those that were computed again each time.

    ``writer`` is the process that computes it now, in words, empty where none does. ``health`` is that of ``Gram``.
    """

    layout: Layout
    done: int
    tiles: int
    written: int
    writer: str
    health: Health
    error: float | None
    about: Provenance
    fingerprint: Mapping[str, Scalar]


def state(folder: Path | str) -> State:
    """Of the kernel in ``folder``, whether it is complete, being computed, or was left. Raises ``FileError``."""
    folder = Path(folder)
    made = manifest.load(folder)
    log = TileLog.read(folder / LOG, made.layout)
    health = stored_kernel(folder, log, made.layout, cache=0).health
    return State(
        made.layout, len(log.entries), len(made.layout), log.written, writer(folder), health, made.error, made.about,
        made.fingerprint,
    )  # fmt: skip


def damages(folder: Path | str) -> Work[tuple[str, ...]]:
    """What is wrong with the tiles of the kernel in ``folder``, one sentence each: reads them all.

    Yields ``Progress``. Raises ``FileError`` for a damaged manifest.
    """
    folder = Path(folder)
    layout = manifest.load(folder).layout
    log, found = TileLog.read(folder / LOG, layout), []
    kernel, means = Tiles(folder / "kernel", log, layout), Tiles(folder / "mean", log, layout.matrix)
    for number, (place, entry) in enumerate(sorted(log.entries.items())):
        try:
            kernel.load(place, entry.crc)
            if entry.mean is not None:
                means.load(place, entry.mean)
        except FileError as error:
            found.append(str(error))
        yield Progress(number + 1, len(log.entries), "checking stored tiles")
    return tuple(found)
