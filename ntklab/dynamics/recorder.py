"""Turning the state of the runs into moments, and moments into a trajectory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntklab.dynamics import losses
from ntklab.dynamics.evolution import Evolution
from ntklab.dynamics.products import Pieces
from ntklab.errors import SpecError
from ntklab.results import Data, Moment, Trajectory

Array = NDArray[np.float64]

SHOWN = 256  # numbers of the chosen outputs of one run, unless the caller chooses


@dataclass(eq=False)
class Recorder:
    """Measures ``evolutions`` on ``data`` and keeps the moments it is told to keep."""

    evolutions: dict[str, Evolution]
    data: Data
    loss: str
    chosen: NDArray[np.int64]
    kept: list[Moment] = field(default_factory=list)
    latest: Moment | None = None
    _outputs: tuple[Array, Array] | None = None

    def measure(self, step: int) -> Pieces[Moment]:
        """The losses and chosen outputs of every run now."""
        data, shown = self.data, []
        train_loss, test_loss, train, test = [], [], [], []
        for evolution in self.evolutions.values():
            f, f_test = yield from evolution.outputs()
            train_loss.append(losses.value(self.loss, f, data.Y_train))
            test_loss.append(losses.value(self.loss, f_test, data.Y_test))
            shown.append((f_test if len(data.X_test) else f)[self.chosen])
            train.append(f)
            test.append(f_test)
        self._outputs = np.stack(train), np.stack(test)
        self.latest = Moment(step, tuple(self.evolutions), np.array(train_loss), np.array(test_loss), np.stack(shown))
        return self.latest

    def keep(self, moment: Moment, drift: tuple[float, float] | None = None) -> Moment:
        """Make ``moment`` part of the trajectory, with the kernel's (drift, alignment) if they were measured."""
        if drift is not None:
            moment = replace(moment, drift=drift[0], alignment=drift[1])
        self.kept.append(moment)
        self.latest = moment
        return moment

    def trajectory(self, **rest: Any) -> Trajectory:
        """What was kept so far and the latest moment; ``rest`` are the fields of ``Trajectory`` not measured here."""
        if self.latest is None or self._outputs is None:
            raise SpecError("trajectory: nothing was measured; measure at least one step")
        kept = [*self.kept] if self.latest in self.kept[-1:] else [*self.kept, self.latest]
        measured = [moment for moment in kept if moment.drift is not None]
        return Trajectory(
            steps=np.array([moment.step for moment in kept], dtype=np.int64),
            runs=tuple(self.evolutions),
            train_loss=np.stack([moment.train_loss for moment in kept], axis=1),
            test_loss=np.stack([moment.test_loss for moment in kept], axis=1),
            outputs=np.stack([moment.outputs for moment in kept], axis=1),
            chosen=self.chosen,
            chosen_from="test" if len(self.data.X_test) else "train",
            drift_steps=np.array([moment.step for moment in measured], dtype=np.int64),
            drift=np.array([moment.drift for moment in measured], dtype=np.float64),
            alignment=np.array([moment.alignment for moment in measured], dtype=np.float64),
            train_outputs=self._outputs[0],
            test_outputs=self._outputs[1],
            loss=self.loss,
            **rest,
        )


def choose(data: Data, chosen: Sequence[int] | None) -> NDArray[np.int64]:
    """Positions of the test samples (training samples where there are none) whose outputs are followed.

    None spreads as many as give 256 numbers evenly. Raises ``SpecError`` for a position that does not exist.
    """
    count = len(data.X_test) or len(data.X_train)
    if chosen is None:
        wanted = min(count, max(1, SHOWN // data.outputs))
        return np.linspace(0, count - 1, wanted).round().astype(np.int64)
    positions = np.array(chosen, dtype=np.int64).reshape(-1)
    if len(positions) and (positions.min() < 0 or positions.max() >= count):
        raise SpecError(
            f"chosen: positions must be from 0 to {count - 1}, got {positions.tolist()}; remove those outside"
        )
    return positions
