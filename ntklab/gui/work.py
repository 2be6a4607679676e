"""Generators that the worker thread drives for the window: science from ``experiments``, drawn where it is computed.

No Qt here. ``experiments`` (and with it torch) is imported inside the generators, that is in the worker thread.
"""

from __future__ import annotations

import ctypes
import gc
import os
import sys
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ntklab import figures
from ntklab.errors import NtkLabError
from ntklab.figures.views import PARTS, Scene, affected
from ntklab.files import sha256_of
from ntklab.progress import Event, Forecast, Partial, Progress, Work, translated
from ntklab.results import Data, Gram, MonteCarlo, Tile, agreement, distance
from ntklab.session import edits
from ntklab.spec import Checkpoint, Experiment, ModelFile

if TYPE_CHECKING:
    from ntklab.experiments.models import Models

T = TypeVar("T")
TILE_REDRAW_SECONDS = 0.25
FUNCTION_REDRAW_SECONDS = 0.2  # the slowest picture to draw
ESTIMATE_REDRAW_SECONDS = 0.25
ESTIMATES = {"ntk": "monte_carlo", "nngp": "monte_carlo_nngp"}  # names of the parts, by the kernel they estimate
SWITCH_INTERVAL = 0.0005  # keeps the window smooth while the worker holds the interpreter


class Latest:
    """At most one piece of work in flight; of the values offered meanwhile only the newest is kept."""

    def __init__(self) -> None:
        self._busy = False
        self._waiting: int | None = None

    def offer(self, value: int) -> bool:
        """Whether to start on ``value`` now; else it waits, replacing what waited before."""
        if self._busy:
            self._waiting = value
            return False
        self._busy = True
        return True

    def next(self) -> int | None:
        """The work in flight ended: the value to go on with, if one waits."""
        value, self._waiting = self._waiting, None
        self._busy = value is not None
        return value


class Desk:
    """Where the worker finds the user's own networks; made before torch is there.

    ``trusted`` says which Python files may be run, ``objects`` are the modules that were handed to the window.
    """

    def __init__(self, trusted: Callable[[ModelFile], bool], objects: Mapping[str, Any] | None = None) -> None:
        self._trusted, self._objects = trusted, dict(objects or {})
        self._models: Models | None = None

    def models(self) -> Models:
        """In the worker thread alone."""
        if self._models is None:
            from ntklab.experiments.models import Models

            self._models = Models(self._trusted, self._objects)
        return self._models


def preload() -> Work[None]:
    """Load torch's largest library (0.2 s and more) while the window draws its plots.

    Importing torch would load it too, but with the interpreter locked; a foreign call leaves it to the window. Where
    that does not work nothing is lost.
    """
    yield Progress(0, 1, "libraries")
    torch = find_spec("torch") if sys.platform == "linux" else None
    for folder in (torch.submodule_search_locations or ()) if torch is not None else ():
        load = ctypes.CDLL(None).dlopen
        load.argtypes, load.restype = (ctypes.c_char_p, ctypes.c_int), ctypes.c_void_p
        load(os.fsencode(Path(folder, "lib", "libtorch_cpu.so")), os.RTLD_NOW)


def warm_up(threads: int | None) -> Work[tuple[str, ...]]:
    """Import torch and what else the first job needs; the devices there are.

    Afterwards the collector never walks over all that: not even now, for that would stop the window for 0.1 s.
    """
    yield Forecast(peak_bytes=400_000_000, seconds=2.0, route="imports")
    from ntklab import experiments

    yield Progress(1, 2, "imports")
    experiments.use_threads(threads)
    experiments.warm_up()
    gc.freeze()
    sys.setswitchinterval(SWITCH_INTERVAL)
    return experiments.devices()


def forecast(experiment: Experiment, desk: Desk, *, split: bool = False) -> Work[None]:
    """The forecast of a whole run of ``experiment``; before it that of its Monte Carlo estimates, if it has any.

    That one is a ``Partial`` "estimates": a ``Forecast``, or in words why there can be none.
    """
    from ntklab import experiments

    if experiment.kernel.monte_carlo is not None:
        try:
            yield Partial("estimates", experiments.monte_carlo_forecast(experiment, desk.models()))
        except NtkLabError as error:
            yield Partial("estimates", str(error))
    yield experiments.forecast(experiment, estimates=False, split=split, models=desk.models())


def kernels(experiment: Experiment, scene: Scene, desk: Desk, *, split: bool = False) -> Work[None]:
    """Data, kernels and spectra, with their figures; with ``split`` also the ledger of the layers."""
    from ntklab import experiments

    yield from drawing(experiments.kernels(experiment, estimates=False, split=split, models=desk.models()), scene)


def training(experiment: Experiment, scene: Scene, desk: Desk) -> Work[None]:
    """Training, with its figures; kernels and spectra first where ``scene`` has none."""
    from ntklab import experiments

    missing, models = scene.empirical is None, desk.models()
    if missing:
        work: Work[Any] = experiments.run(experiment, estimates=False, models=models)
    else:
        work = experiments.train(experiment, models=models)
    yield from drawing(work, scene)


def monte_carlo(experiment: Experiment, scene: Scene, desk: Desk) -> Work[None]:
    """Estimates of the kernels from random networks; the analytic ones too where ``scene`` lacks them."""
    from ntklab import experiments

    analytic = scene.ntk is None or scene.nngp is None
    work = experiments.monte_carlo(experiment, scene.data, analytic=analytic, models=desk.models())
    yield from drawing(work, scene)


def dial(experiment: Experiment, width: int, scene: Scene) -> Work[None]:
    """The finite kernel at another width on the same data, its spectrum, and its distance from the limit."""
    from ntklab import experiments

    assert scene.data is not None
    work = experiments.width_dial(experiment, scene.data, scene.ntk, width, scene.convergence)
    yield from drawing(work, scene)


def sweep(experiment: Experiment, widths: tuple[int, ...], seeds: int, scene: Scene) -> Work[None]:
    """Distance of the finite from the infinite kernel over ``widths`` and ``seeds``."""
    from ntklab import experiments

    yield from drawing(experiments.width_convergence(experiment, widths, seeds), scene)


def phase(experiment: Experiment, scene: Scene, desk: Desk) -> Work[None]:
    """The phase of the network, with its figures; on the data of ``scene`` where there are some."""
    from ntklab import experiments

    yield from drawing(experiments.phase(experiment, scene.data, models=desk.models()), scene)


def ledger(experiment: Experiment, scene: Scene, desk: Desk) -> Work[None]:
    """What each layer adds to the kernel, with its figures, and the kernel without the muted ones."""
    from ntklab import experiments

    found = translated(experiments.ledger(experiment, scene.data, models=desk.models()), _but_tiles)
    yield from drawing(found, scene)


def _but_tiles(event: Event) -> Event | None:
    """The kernel that is split is on screen already."""
    return None if isinstance(event, Partial) and event.key == "tile" else event


def mute(experiment: Experiment, scene: Scene, _desk: Desk) -> Work[None]:
    """The kernel without the muted layers, from the parts that ``scene`` has; nothing in its place where none is."""
    from ntklab import experiments

    assert scene.data is not None
    assert scene.ledger is not None
    if set(experiment.kernel.muted).isdisjoint(scene.ledger.names):
        yield from drawing(_forgotten(), scene)
    else:
        yield from drawing(experiments.mute(experiment, scene.data, scene.ledger), scene)


def _forgotten() -> Work[None]:
    yield Partial("unmuted", None)
    yield Partial("unmuted_spectrum", None)


def layer(scene: Scene) -> Work[None]:
    """The figures of the selected layer."""
    yield Progress(0, 1, "layer")
    yield from _figures("layer", scene)


def load(experiment: Experiment) -> Work[Data]:
    """The data alone, to fit the network to a file."""
    from ntklab import experiments

    data = yield from experiments.load(experiment)
    return data


def with_checkpoint(experiment: Experiment, path: Path, desk: Desk) -> Work[Experiment]:
    """``experiment`` with the parameters in the file at ``path``, which are tried on its network.

    Raises ``SpecError`` where they do not fit, ``FileError``.
    """
    yield Progress(0, 1, path.name)
    found = edits.use_checkpoint(experiment, Checkpoint(str(path), sha256_of(path)))
    yield Progress(0, 1, "parameters")
    desk.models().subject(found)
    return found


def writing(title: str, write: Callable[[], Path | tuple[Path, ...]]) -> Work[str]:
    """Write files and say what was written."""
    yield Progress(0, 1, title)
    paths = write()
    return written(*paths) if isinstance(paths, tuple) else written(paths)


def written(*paths: Path) -> str:
    """What to say after writing ``paths``."""
    names = ", ".join(path.name for path in paths[:3]) + (" …" if len(paths) > 3 else "")
    return f"wrote {names} to {paths[0].parent}"


def making(title: str, make: Callable[[], T]) -> Work[T]:
    """Make something to hand on, such as a picture for the clipboard."""
    yield Progress(0, 1, title)
    return make()


def drawing(work: Generator[Event, None, Any], scene: Scene) -> Work[None]:
    """Pass the events of ``work`` on, each followed by the figures that it changes."""
    tiles, planes = _TilePainter(), _Pace(FUNCTION_REDRAW_SECONDS)
    paced = _paced(work)
    try:
        for event in paced:
            growing = isinstance(event, Partial) and event.key == "training"
            if growing:  # kept like a finished trajectory if training is stopped
                event = Partial("trajectory", event.value)  # type: ignore[union-attr]
            if isinstance(event, Partial) and event.key in PARTS:
                scene = replace(scene, **{event.key: event.value})
                _measure(event.value, scene)
            yield event
            if not isinstance(event, Partial):
                continue
            if event.key in PARTS:
                yield from _figures(event.key, scene, but="function" if growing and not planes.due() else "")
            elif event.key == "tile" and scene.data is not None:
                yield from tiles.add(event.value, scene.data)
    finally:
        paced.close()


def _paced(work: Generator[Event, None, Any]) -> Work[None]:
    """The events of ``work``, of estimates that are still converging only the latest a few times a second."""
    pace, held = _Pace(ESTIMATE_REDRAW_SECONDS), dict[str, Partial]()
    try:
        for event in work:
            if isinstance(event, Partial) and isinstance(event.value, MonteCarlo):
                name = ESTIMATES[event.value.kind]  # kept like a finished estimate if drawing is stopped
                held[name] = Partial(name, event.value)
            else:
                yield event
            if held and pace.due():
                yield from held.values()
                held.clear()
        yield from held.values()
    finally:
        work.close()


def _measure(value: Any, scene: Scene) -> None:
    """Find here what the window will ask of a kernel; the kernel remembers it."""
    if isinstance(value, MonteCarlo):
        analytic = scene.ntk if value.kind == "ntk" else scene.nngp
        _ = value.relative_error, analytic and agreement(value, analytic)
    if not isinstance(value, Gram):
        return
    _ = value.matrix, value.health
    a, b = scene.empirical, scene.ntk
    if a is not None and b is not None and a.matrix.shape == b.matrix.shape:
        distance(a, b)


def _figures(part: str, scene: Scene, *, but: str = "") -> Iterator[Partial]:
    """The figures that ``part`` changes, except those of the view ``but``."""
    for view, choice in affected(part):
        figure = None if view.id == but else choice.figure(scene)
        if figure is not None:
            yield Partial("figure", (view.id, choice.id, figure))


class _Pace:
    """Says when it is time again, every so many ``seconds``."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._next = time.monotonic() + seconds

    def due(self) -> bool:
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + self._seconds
        return True


class _TilePainter:
    """Kernels that are still growing: tiles are gathered and drawn a few times a second."""

    _CHOICES = {"empirical": "empirical", "ntk": "analytic", "nngp": "nngp"}  # noqa: RUF012 (a constant)

    def __init__(self) -> None:
        self._growing: dict[str, np.ndarray[Any, Any]] = {}
        self._pace = _Pace(TILE_REDRAW_SECONDS)

    def add(self, tile: Tile, data: Data) -> Iterator[Partial]:
        """Take ``tile`` in; a figure of the kernel so far when it is time for one."""
        n = len(data.X_train)
        if tile.shape != (n, n):
            return
        if tile.kernel not in self._growing:
            self._growing[tile.kernel] = np.full(tile.shape, np.nan, dtype=np.float32)
        matrix = self._growing[tile.kernel]
        rows, columns = slice(*tile.rows), slice(*tile.columns)
        matrix[rows, columns] = tile.values
        if tile.mirror:
            matrix[columns, rows] = tile.values.T
        if self._pace.due():
            figure = figures.kernel(matrix.copy(), data, title="Kernel, being computed")
            yield Partial("figure", ("kernel", self._CHOICES[tile.kernel], figure))
