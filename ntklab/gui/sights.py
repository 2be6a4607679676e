"""What is computed without being asked for: what views in sight show, and what follows from results that are there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

from ntklab.figures.views import Scene
from ntklab.gui import work
from ntklab.gui.absences import lacks
from ntklab.progress import Work
from ntklab.session import Results
from ntklab.spec import Experiment


@dataclass(frozen=True)
class Need:
    """Work of a ``kind``, which is also its lane, called ``title``; needless while work of ``part_of`` is under way."""

    kind: str
    title: str
    start: Callable[[Experiment, Scene, work.Desk], Work[Any]]
    part_of: str = ""


PHASE = Need("phase", "Phase", work.phase)
LEDGER = Need("ledger", "Layers", work.ledger, part_of="kernels")
MUTE = Need("mute", "Muted layers", work.mute)


def splits(in_sight: Collection[str]) -> bool:
    """Whether kernels that are computed now are to be split by layer."""
    return "layers" in in_sight


def needs(experiment: Experiment, results: Results, scene: Scene, in_sight: Collection[str]) -> Iterator[Need]:
    """What ``scene``, the fresh ones of ``results``, lacks while the views ``in_sight`` are seen.

    The phase as soon as it is looked at; the ledger once there is a kernel to split; the kernel without the muted
    layers as soon as there is a ledger, seen or not, as the spectrum shows it too.
    """
    if "phase" in in_sight and scene.phase is None and not lacks(results, "phase"):
        yield PHASE
    if "layers" in in_sight and scene.ledger is None and scene.data is not None and scene.empirical is not None:
        yield LEDGER
    if scene.ledger is None or scene.data is None:
        return
    if set(experiment.kernel.muted).isdisjoint(scene.ledger.names):
        if results.unmuted is not None:
            yield MUTE
    elif scene.unmuted is None or scene.unmuted_spectrum is None:
        yield MUTE
