"""The document that the window shows: experiment, results, selection, history; and who wants to know of changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from ntklab.results import Run
from ntklab.session.history import History, State, Step
from ntklab.session.results import Results
from ntklab.session.sketches import Sketch
from ntklab.spec import Experiment

Topic = Literal["experiment", "sketch", "results", "selection", "history"]


@dataclass(frozen=True)
class Selection:
    """What all views point at: training samples, a pair (row, column) of them, an eigenmode (from 0), a step, a layer.

    ``layer`` is its name in the ledger.
    """

    samples: tuple[int, ...] = ()
    pair: tuple[int, int] | None = None
    mode: int | None = None
    step: int | None = None
    layer: str | None = None


@dataclass(frozen=True)
class Change:
    """What has changed; ``detail`` is the label of an edit, the name of a result or the names of selected things.

    "sketch" says that there is another sketch (or none any more) of the same experiment.
    """

    topic: Topic
    detail: str = ""


class Session:
    """One document. Not safe for threads: it lives on the thread of the window."""

    def __init__(self, experiment: Experiment) -> None:
        self._state = State(experiment)
        self._saved = experiment
        self._path: Path | None = None
        self._results = Results()
        self._selection = Selection()
        self._history = History()
        self._callbacks: list[Callable[[Change], None]] = []

    @property
    def experiment(self) -> Experiment:
        """What is asked now."""
        return self._state.experiment

    @property
    def sketch(self) -> Sketch | None:
        """The network as the user left it, where that is impossible: ``experiment`` then has the last possible one."""
        return self._state.sketch

    @property
    def results(self) -> Results:
        """What was found so far, for this experiment or (``stale``) an earlier one."""
        return self._results

    @property
    def selection(self) -> Selection:
        """What the views point at."""
        return self._selection

    @property
    def path(self) -> Path | None:
        """The file of this document, once it has one."""
        return self._path

    @property
    def modified(self) -> bool:
        """Whether the experiment differs from what was last opened or saved."""
        return self.experiment != self._saved

    def edit(
        self, experiment: Experiment, label: str, *, merge: str | None = None, sketch: Sketch | None = None
    ) -> None:
        """Make ``experiment`` the present one, as a step named ``label`` that can be undone.

        Consecutive edits with the same ``merge`` key (a slider being dragged) are undone as one. ``sketch`` is a
        network that does not fit and is kept beside the experiment; it stays while other parts are edited, and goes
        when the network is, or when ``edit`` is called with the present experiment and without it.
        """
        present = self._state
        elsewhere = experiment != present.experiment and experiment.architecture == present.experiment.architecture
        state = State(experiment, present.sketch if sketch is None and elsewhere else sketch)
        if state != present:
            self._history.push(Step(label, present, state, merge))
            self._turn_to(state, label)

    def undo(self) -> None:
        """Take the last step back, if there is one."""
        step = self._history.undo()
        if step is not None:
            self._turn_to(step.before, step.label)

    def redo(self) -> None:
        """Take the last undone step again, if there is one."""
        step = self._history.redo()
        if step is not None:
            self._turn_to(step.after, step.label)

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return self._history.can_undo

    @property
    def can_redo(self) -> bool:
        """Whether there is a step to take again."""
        return self._history.can_redo

    @property
    def undo_label(self) -> str:
        """What ``undo`` would take back; empty when there is nothing."""
        return self._history.undo_label

    @property
    def redo_label(self) -> str:
        """What ``redo`` would do again; empty when there is nothing."""
        return self._history.redo_label

    def saved(self, path: Path | str) -> None:
        """Note that the present experiment stands in the file ``path``."""
        self._path, self._saved = Path(path), self.experiment
        self._tell("history", "saved")

    def opened(self, experiment: Experiment, path: Path | str) -> None:
        """Turn to the ``experiment`` read from the file ``path``; this can be undone like an edit."""
        self.edit(experiment, f"open {Path(path).name}")
        self.saved(path)

    def put(self, name: str, value: Any, *, experiment: Experiment | None = None) -> None:
        """Keep a result (``None`` to forget it) that was computed for ``experiment``, by default the present one.

        Raises ``KeyError`` for a name that ``Results`` does not have.
        """
        made_for = experiment or self.experiment
        self._results.put(name, value, made_for)
        if made_for is not self.experiment:  # else it is fresh, and the others are as they were
            self._results.compare(self.experiment)
        self._tell("results", name)
        if name == "data" and value is not None:
            self._keep_selection_inside(len(value.X_train))

    def forget(self) -> None:
        """Drop every result."""
        self._results.clear()
        self._tell("results", "all")

    def run(self) -> Run | None:
        """The results as one value for export, under the content hash of the experiment; None without data."""
        return self._results.run(self.experiment.content_hash())

    def select(self, **changes: Any) -> None:
        """Change parts of the selection; views hear of those that differ."""
        selection = replace(self._selection, **changes)
        changed = [name for name in changes if getattr(selection, name) != getattr(self._selection, name)]
        if changed:
            self._selection = selection
            self._tell("selection", ", ".join(changed))

    def subscribe(self, callback: Callable[[Change], None]) -> Callable[[], None]:
        """Call ``callback`` after every change; the function returned ends that, and may be called twice."""
        self._callbacks.append(callback)

        def unsubscribe() -> None:
            if callback in self._callbacks:
                self._callbacks.remove(callback)

        return unsubscribe

    def _turn_to(self, state: State, label: str) -> None:
        before, self._state = self._state, state
        if state.experiment == before.experiment:
            self._tell("sketch", label)
            self._tell("history", label)
            return
        restaled = self._results.compare(state.experiment)
        self._tell("experiment", label)
        self._tell("history", label)
        if restaled:
            self._tell("results", "stale")

    def _keep_selection_inside(self, count: int) -> None:
        chosen = self._selection
        self.select(
            samples=tuple(index for index in chosen.samples if index < count),
            pair=chosen.pair if chosen.pair and max(chosen.pair) < count else None,
        )

    def _tell(self, topic: Topic, detail: str) -> None:
        for callback in tuple(self._callbacks):
            callback(Change(topic, detail))
