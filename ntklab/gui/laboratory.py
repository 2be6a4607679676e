"""What happens when the user asks for something: which work runs, and where its results go.

The laboratory stands between the session (what is asked and what was found), the bridge (who computes) and the views
(what to draw). Heavy figures are built in the worker, beside the results they show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from ntklab.errors import SpecError
from ntklab.figures.model import Figure
from ntklab.figures.views import PARTS, VIEWS, Scene, affected, scene_of
from ntklab.gui import sights, work
from ntklab.gui.absences import lacks, settle
from ntklab.gui.bridge import Bridge
from ntklab.gui.consent import Consent
from ntklab.gui.redraws import Redraws
from ntklab.jobs import Arrived, Cancelled, Failed, Finished, Forecasted, Job
from ntklab.progress import Work
from ntklab.results import Data
from ntklab.session import Change, Session, edits
from ntklab.spec import Experiment

T = TypeVar("T")
LIVE_SECONDS = 1.0  # work that is forecast to take less starts by itself after an edit
LIVE_DELAY_MS = 250
SWEEP_WIDTHS = (16, 32, 64, 128, 256, 512, 1024)
SWEEP_SEEDS = 5
SLOW_PARTS = {"trajectory", "convergence", "monte_carlo", "monte_carlo_nngp"}  # computed only when asked for
OF_NETWORKS = ("kernels", "training", "monte-carlo", "forecast", "phase", "ledger", "load-parameters")  # that need it
BESIDES = {"phase", "ledger", "unmuted", "unmuted_spectrum"}  # that "kernels" do not compute
UNASKED = ("forecast", "phase", "mute", "layer")  # kinds of tasks that begin by themselves


@dataclass(frozen=True, eq=False)
class Task:
    """What a job was started for: ``kind`` decides what happens when it ends."""

    kind: str
    experiment: Experiment
    then: Callable[[Any], None] | None = None


class Laboratory(QObject):
    """Runs experiments for the window. Signals carry frozen values only."""

    figure_changed = Signal(str, str, object)  # view, choice, Figure or None
    forecast_changed = Signal(object, str)  # Forecast or None, what is wrong
    estimates_forecast_changed = Signal(object)  # Forecast, what is wrong, or None where none are asked for
    said = Signal(str)
    failed = Signal(object)  # jobs.Report
    running_changed = Signal(bool)
    computed = Signal()
    devices_found = Signal(object)  # tuple of names

    def __init__(self, session: Session, bridge: Bridge, consent: Consent, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session, self.bridge, self.consent = session, bridge, consent
        self.desk = work.Desk(consent.trusts, consent.objects)
        self.warm = self._told_running = False
        self._in_sight: frozenset[str] = frozenset()
        self._figures: dict[tuple[str, str], Figure] = {}
        self._redraws = Redraws(self)
        self._redraws.due.connect(self.show)
        self._redraws.emptied.connect(self._tell_running)
        self._tasks: dict[Job, Task] = {}
        self._dial = work.Latest()
        self._live = QTimer(self, singleShot=True, interval=LIVE_DELAY_MS)
        self._live.timeout.connect(self._forecast)
        self._unsubscribe = session.subscribe(self._session_changed)
        bridge.arrived.connect(self._arrived)
        bridge.finished.connect(self._finished)
        bridge.failed.connect(self._failed)
        bridge.cancelled.connect(self._cancelled)
        bridge.forecasted.connect(self._forecasted)

    # -- what the user asks for ------------------------------------------------------------------------------------

    def preload(self) -> None:
        """Begin to load torch as far as that does not slow the window down."""
        self._run(Task("preload", self.session.experiment), "Loading PyTorch", work.preload)

    def warm_up(self, threads: int | None) -> None:
        """Import torch in the worker, then compute the present experiment."""
        task = Task("warm-up", self.session.experiment, self.devices_found.emit)
        self._run(task, "Loading PyTorch", lambda: work.warm_up(threads), lane="warm-up")
        self._compute()

    @Slot()
    def compute(self) -> None:
        """Data, kernels and spectra of the present experiment, then the Monte Carlo estimates if it asks for them."""
        asked = self.session.experiment.kernel.monte_carlo is not None
        self._compute(lambda _: self.draw_networks() if asked else None)

    @Slot()
    def draw_networks(self) -> None:
        """Estimates of the kernels from random networks."""
        experiment, scene = self.session.experiment, self.scene()
        start = lambda: work.monte_carlo(experiment, scene, self.desk)  # noqa: E731
        self._run(Task("monte-carlo", experiment), "Monte Carlo", start, lane="science")

    @Slot()
    def train(self) -> None:
        """Training; kernels first where they are missing or of another experiment."""
        experiment, scene = self.session.experiment, self.scene()
        start = lambda: work.training(experiment, scene, self.desk)  # noqa: E731
        self._run(Task("training", experiment), "Training", start, lane="science")

    @Slot()
    def stop(self) -> None:
        """Cancel the newest job that was asked for; what it found so far stays."""
        asked = [job for job, task in self._tasks.items() if task.kind not in UNASKED]
        if asked:
            self.bridge.cancel(asked[-1])

    def look_at(self, views: frozenset[str]) -> None:
        """The views that are in sight now: what they show is to be at hand."""
        self._in_sight = views
        self._renew()

    @Slot(int)
    def dial(self, width: int) -> None:
        """Recompute the finite kernel at ``width`` without editing the experiment; the newest width wins."""
        scene = self.scene()
        settled = scene.data is not None and (scene.ntk is not None or lacks(self.session.results, "ntk"))
        if self.warm and settled and self._dial.offer(width):
            self._start_dial(width)

    @Slot()
    def sweep(self) -> None:
        """Finite against infinite width over several widths and seeds."""
        experiment, scene = self.session.experiment, self.scene()
        start = lambda: work.sweep(experiment, SWEEP_WIDTHS, SWEEP_SEEDS, scene)  # noqa: E731
        self._run(Task("sweep", experiment), "Width sweep", start, lane="science")

    def use_file(self, experiment: Experiment, name: str) -> None:
        """Load the data file that ``experiment`` names, fit the network to it, and make that the experiment."""

        def fit(data: Data) -> None:
            fitted = edits.fit_data(experiment, data.features, data.outputs)
            self.session.edit(fitted, f"use {name}")
            self.compute()

        self._run(Task("load", experiment, fit), f"Reading {name}", lambda: work.load(experiment), lane="science")

    def use_checkpoint(self, path: Path) -> None:
        """Read the parameters of the network from ``path``, and make that the experiment if they fit."""
        experiment = self.session.experiment

        def use(found: Experiment) -> None:
            self.session.edit(found, f"parameters from {path.name}")
            self.compute()

        start = lambda: work.with_checkpoint(experiment, path, self.desk)  # noqa: E731
        self._run(Task("load-parameters", experiment, use), f"Reading {path.name}", start, lane="science")

    def write(self, title: str, write: Callable[[], Path | tuple[Path, ...]]) -> None:
        """Write files in the worker; ``write`` returns what it wrote."""
        self.export(title, lambda: work.writing(title, write))

    def export(self, title: str, start: Callable[[], Work[str]]) -> None:
        """Run work that writes files and returns what to say of them."""
        self._run(Task("export", self.session.experiment, self.said.emit), title, start)

    def make(self, title: str, make: Callable[[], T], then: Callable[[T], None]) -> None:
        """Run ``make`` in the worker and hand what it made to ``then`` on the GUI thread."""
        self._run(Task("export", self.session.experiment, then), title, lambda: work.making(title, make))

    def scene(self) -> Scene:
        """What can be drawn now: the results that belong to the present experiment."""
        selection = self.session.selection
        scene = scene_of(self.session.results, selection.mode, selection.layer)
        return replace(scene, **dict.fromkeys(self.session.results.outdated))

    def figure(self, view: str, choice: str) -> Figure | None:
        """The figure of ``choice`` in ``view``, if there is one yet."""
        return self._figures.get((view, choice))

    def draw_all(self) -> Iterator[str]:
        """Draw the whole scene here, a figure a slice: small stored results, at start-up."""
        scene = self.scene()
        for view in VIEWS:
            for choice in view.choices:
                self.show(view.id, choice.id, choice.figure(scene))
                yield choice.id

    @property
    def running(self) -> bool:
        """Whether anything that the user waits for is queued, running or still to be drawn."""
        return bool(self._tasks) or bool(self._redraws)

    @property
    def waiting(self) -> int:
        """How many jobs wait behind the one that runs."""
        return max(0, len(self._tasks) - 1)

    def close(self) -> bool:
        """Cancel everything; whether the worker ended in time."""
        self._live.stop()
        self._redraws.stop()
        self._unsubscribe()
        return self.bridge.close()

    # -- what comes back -------------------------------------------------------------------------------------------

    @Slot(object)
    def _arrived(self, message: Arrived) -> None:
        task = self._tasks.get(message.job)
        if task is None:
            return
        # Of several states of one thing that came in one turn only the newest is worth showing.
        found = {partial.key: partial.value for partial in message.partials if partial.key in PARTS}
        forecasts = [partial.value for partial in message.partials if partial.key == "estimates"]
        if forecasts:
            self.estimates_forecast_changed.emit(forecasts[-1])
        drawn = {partial.value[:2]: partial.value[2] for partial in message.partials if partial.key == "figure"}
        for name, value in found.items():
            self.session.put(name, value, experiment=task.experiment)
        self._redraws.put(drawn)
        for view, choice in settle(self.session, found, task.experiment):
            self.show(view, choice, None)

    def show(self, view: str, choice: str, figure: Figure | None) -> None:
        """Make ``figure`` what ``choice`` of ``view`` shows."""
        self._redraws.forget((view, choice))
        if figure is None:
            self._figures.pop((view, choice), None)
        else:
            self._figures[view, choice] = figure
        self.figure_changed.emit(view, choice, figure)

    @Slot(object)
    def _finished(self, message: Finished) -> None:
        task = self._ended(message.job)
        if task.then is not None:
            task.then(message.result)
        if task.kind == "warm-up":
            self.warm = True
            self._forecast()
        elif task.kind == "kernels":
            self.computed.emit()
            self._renew()

    @Slot(object)
    def _failed(self, message: Failed) -> None:
        task = self._ended(message.job)
        if task.kind == "forecast":
            self.forecast_changed.emit(None, message.report.message)
        else:
            self.failed.emit(message.report)

    @Slot(object)
    def _cancelled(self, message: Cancelled) -> None:
        task = self._ended(message.job)
        if task.kind in ("kernels", "training", "sweep", "monte-carlo"):
            self.said.emit(f"{message.job.title} stopped; what was finished is kept")

    @Slot(object)
    def _forecasted(self, message: Forecasted) -> None:
        task = self._tasks.get(message.job)
        if task is None or task.kind != "forecast":
            return
        self.forecast_changed.emit(message.forecast, "")
        seconds = message.forecast.seconds
        outdated = self.session.results.outdated - SLOW_PARTS - BESIDES
        if seconds is not None and seconds < LIVE_SECONDS and outdated and task.experiment == self.session.experiment:
            self._compute()

    def _session_changed(self, change: Change) -> None:
        if change.topic == "experiment" and self.warm:
            self._live.start()
            self._renew(only=("mute",))
        elif change.topic == "selection" and "mode" in change.detail:
            for view, choice in affected("mode"):
                self.show(view.id, choice.id, choice.figure(self.scene()))
        elif change.topic == "selection" and "layer" in change.detail:
            scene = self.scene()
            self._run(Task("layer", self.session.experiment), "Layer", lambda: work.layer(scene), lane="layer")

    # -- helpers ---------------------------------------------------------------------------------------------------

    def _run(self, task: Task, title: str, start: Callable[[], Any], *, lane: str | None = None) -> None:
        """Submit a job, unless code of the user's would have to run that may not: then they are asked, or told why."""
        if task.kind in OF_NETWORKS:
            refusal = self.consent.refusal(task.experiment, asked=task.kind not in UNASKED)
            if refusal:
                self.forecast_changed.emit(None, refusal)
                return
        job = self.bridge.submit(title, start, lane=lane)
        self._tasks[job] = task
        self._tell_running()

    def _ended(self, job: Job) -> Task:
        task = self._tasks.pop(job)
        if task.kind == "dial":
            self._dial_ended()
        self._tell_running()
        return task

    @Slot()
    def _tell_running(self) -> None:
        if self.running != self._told_running:
            self._told_running = self.running
            self.running_changed.emit(self.running)

    def _compute(self, then: Callable[[Any], None] | None = None) -> None:
        experiment, scene = self.session.experiment, self.scene()
        task, split = Task("kernels", experiment, then), sights.splits(self._in_sight)
        self._run(task, "Kernels", lambda: work.kernels(experiment, scene, self.desk, split=split), lane="science")

    def _renew(self, only: tuple[str, ...] = ()) -> None:
        """Begin what nobody asks for, unless it is under way; of some kinds ``only``, where these are named."""
        experiment, scene = self.session.experiment, self.scene()
        under_way = {task.kind for task in self._tasks.values() if task.experiment == experiment}
        for need in sights.needs(experiment, self.session.results, scene, self._in_sight) if self.warm else ():
            if not under_way & {need.kind, need.part_of} and (not only or need.kind in only):
                self._run(Task(need.kind, experiment), need.title, partial(need.start, experiment, scene, self.desk),
                          lane=need.kind)  # fmt: skip

    @Slot()
    def _forecast(self) -> None:
        self._renew()
        experiment, split = self.session.experiment, sights.splits(self._in_sight)
        if experiment.kernel.monte_carlo is None:
            self.estimates_forecast_changed.emit(None)
        start = lambda: work.forecast(experiment, self.desk, split=split)  # noqa: E731
        self._run(Task("forecast", experiment), "Forecast", start, lane="forecast")

    def _start_dial(self, width: int) -> None:
        scene, experiment = self.scene(), self.session.experiment
        try:
            dialled = edits.set_width(experiment, width)
        except SpecError as error:
            self._dial.next()
            self.said.emit(str(error))
            return
        self._run(Task("dial", dialled), f"Width {width}", lambda: work.dial(experiment, width, scene), lane="dial")

    def _dial_ended(self) -> None:
        width = self._dial.next()
        if width is not None:
            self._start_dial(width)
