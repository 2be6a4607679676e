"""Undo and redo: a stack of experiments, which are values, so nothing needs to be reversed."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ntklab.session.sketches import Sketch
from ntklab.spec import Experiment

LIMIT = 500


@dataclass(frozen=True)
class State:
    """An experiment, and the network as the user left it where that does not fit (yet)."""

    experiment: Experiment
    sketch: Sketch | None = None


@dataclass(frozen=True)
class Step:
    """One edit: the document before and after it. Consecutive edits with the same ``merge`` key are one step."""

    label: str
    before: State
    after: State
    merge: str | None = None


class History:
    """The last ``LIMIT`` steps, and those that were undone."""

    def __init__(self) -> None:
        self._done: list[Step] = []
        self._undone: list[Step] = []
        self._merging = False

    def push(self, step: Step) -> None:
        """Record ``step``, joined to the one before where their merge keys agree; forget what was undone."""
        last = self._done[-1] if self._done else None
        if last is not None and self._merging and step.merge is not None and step.merge == last.merge:
            self._done.pop()
            step = replace(step, before=last.before)
        self._merging = step.before != step.after  # a drag that came back to where it began leaves no step
        if self._merging:
            self._done.append(step)
            del self._done[:-LIMIT]
        self._undone.clear()

    def undo(self) -> Step | None:
        """Take the last step back and return it, if there is one."""
        return self._shift(self._done, self._undone)

    def redo(self) -> Step | None:
        """Take the last undone step again and return it, if there is one."""
        return self._shift(self._undone, self._done)

    def _shift(self, source: list[Step], target: list[Step]) -> Step | None:
        if not source:
            return None
        target.append(source.pop())
        self._merging = False  # the next edit begins a step of its own
        return target[-1]

    @property
    def undo_label(self) -> str:
        """What ``undo`` would take back; empty when there is nothing."""
        return self._done[-1].label if self._done else ""

    @property
    def redo_label(self) -> str:
        """What ``redo`` would do again; empty when there is nothing."""
        return self._undone[-1].label if self._undone else ""

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        """Whether there is a step to take again."""
        return bool(self._undone)
