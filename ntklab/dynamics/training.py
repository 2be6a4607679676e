"""Training a network, its linearisation and its infinite-width limit side by side, from one start."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ntklab import spec
from ntklab.dynamics import schedule
from ntklab.dynamics.descent import Descent
from ntklab.dynamics.evolution import Evolution, ModalDescent
from ntklab.dynamics.network import NetworkDescent
from ntklab.dynamics.preparation import Request, Start, mean_kernel, prepare
from ntklab.dynamics.products import Pieces
from ntklab.dynamics.recorder import Recorder, choose
from ntklab.errors import NumericalError
from ntklab.networks.subject import Subject, described
from ntklab.progress import Partial, Progress, T, Work, translated
from ntklab.results import RUNS, Data, Moment, Provenance, Trajectory, relative_distance
from ntklab.spectra import centred_target_alignment

Array = NDArray[np.float64]

DIVERGED = 1e6  # times its loss at the start
MOMENT_SECONDS = 1 / 30  # longest time between two moments, where recording is not what takes the time
TRAJECTORY_SECONDS = 0.025  # shortest time between two trajectories up to now: less than between two moments
EVENT_SECONDS = 0.04  # longest time between two events


def train(  # noqa: PLR0913 (the options are independent, and all but three have defaults)
    architecture: spec.Architecture | Subject,
    data: Data,
    training: spec.Training,
    *,
    seed: int = 0,
    dtype: str = "float64",
    device: str = "cpu",
    memory: int | None = None,
    runs: Sequence[str] = RUNS,
    chosen: Sequence[int] | None = None,
) -> Work[Trajectory]:
    """Gradient descent of the network drawn with ``seed``, and what its kernels predict of it, step by step.

    A ``Subject`` in place of the architecture may be a module, of which a copy is trained as it is.
    "network" is the real network; "linearised" the first-order expansion in its weights, descended step by step in
    function space on the same batches; "infinite" the closed form of the infinitely wide network, started from this
    network's outputs. All three take the same rate, momentum and number of steps. ``training.learning_rate`` None takes
    ``critical_share`` of the largest stable rate of the linearised network. ``chosen`` are the test samples (training
    samples where there are none) whose outputs are followed; None spreads some evenly.

    Yields ``Partial("moment", Moment)`` at the recorded steps (all of the first 100, then about 1% apart) and, where
    those are slow to come, at steps between, at least 20 a second unless one step takes longer; and now and then
    ``Partial("training", Trajectory)`` up to that moment. The trajectory that is returned holds the recorded steps
    alone, so that equal requests give equal trajectories. It ends early, and says so, when the
    network's loss exceeds a million times its start or is no longer a number; the linearised run may diverge alone.

    Raises ``SpecError`` and ``DataError`` for requests that do not fit together, ``MemoryBudgetError`` where the
    (N+M)·N·k² numbers of the finite kernel do not fit ``memory`` (bytes), ``DeviceError``, ``NumericalError``.
    """
    subject = architecture if isinstance(architecture, Subject) else described(architecture)
    request = Request(subject, data, training, seed, dtype, device, memory, tuple(runs))
    shown = choose(data, chosen)
    began = time.perf_counter()
    yield request.forecast()
    start = yield from prepare(request)
    rate = _rate(training, start.critical_rate)
    if start.infinite is not None:
        n = len(data.X_train)
        yield Progress(0, 1, f"eigenvalues of {n} × {n} (one step, cannot be cancelled inside)")
    evolutions = _evolutions(request, start, rate)
    recorder = Recorder(evolutions, data, training.loss, shown)
    loop = _Loop(request, start, recorder, rate)
    stopped = yield from loop.run()
    return loop.trajectory(stopped, time.perf_counter() - began)


def _rate(training: spec.Training, critical_rate: float) -> float:
    """The learning rate asked for. Raises ``NumericalError`` if it is to be a share of one that is not there."""
    rate = training.learning_rate or training.critical_share * critical_rate
    if not 0 < rate < math.inf:
        raise NumericalError(
            f"training: the network's kernel allows no share of a largest stable learning rate, which is "
            f"{critical_rate:.3g}; give a learning rate, or other weights (W_std, b_std) or data"
        )
    return rate


def _evolutions(request: Request, start: Start, rate: float) -> dict[str, Evolution]:
    loss, momentum = request.training.loss, request.training.momentum
    evolutions: dict[str, Evolution] = {}
    if "network" in request.runs:
        evolutions["network"] = NetworkDescent(
            start.module, start.X, start.Y, start.X_test, rate=rate, loss=loss, momentum=momentum
        )
    if start.linear is not None:
        evolutions["linearised"] = Descent(start.linear, rate=rate, loss=loss, momentum=momentum)
    if start.infinite is not None:
        evolutions["infinite"] = ModalDescent(start.infinite, rate=rate, loss=loss, momentum=momentum)
    return evolutions


@dataclass(eq=False)
class _Loop:
    """The steps of all runs, the moments between them, and when to say what."""

    request: Request
    start: Start
    recorder: Recorder
    rate: float
    _step: int = 0
    _told: float = field(default_factory=time.perf_counter)  # when each was yielded last
    _shown: float = field(default_factory=time.perf_counter)
    _summed: float = field(default_factory=time.perf_counter)
    _costs: tuple[float, float] = (0.0, 0.0)  # seconds to measure a moment, and to sum up a trajectory

    def run(self) -> Work[str]:
        """All steps; why it ended early, or an empty string."""
        training, n = self.request.training, len(self.request.data.X_train)
        order = schedule.batches(n, training.batch_size, training.seed)
        measured = set(self._snapshots().tolist())
        kept = set(schedule.recorded(training.steps).tolist()) | measured
        for self._step in range(training.steps + 1):
            if self._step in kept or self._late():
                moment = yield from self._record(keep=self._step in kept, measure=self._step in measured)
                if self._step in kept and (reason := self._diverged(moment)):
                    return reason
                yield from self._so_far()
            if self._step < training.steps:
                batch = next(order)
                for evolution in self.recorder.evolutions.values():
                    yield from self._told_meanwhile(evolution.step(batch))
        return ""

    def trajectory(self, stopped: str = "", seconds: float | None = None) -> Trajectory:
        """What was recorded up to now."""
        return self.recorder.trajectory(
            learning_rate=self.rate,
            critical_rate=self.start.critical_rate,
            momentum=self.request.training.momentum,
            stopped=stopped,
            provenance=_provenance(self.request, self.start, self.rate, seconds),
        )

    def _snapshots(self) -> NDArray[np.int64]:
        training = self.request.training
        if "network" not in self.request.runs:
            return np.zeros(0, dtype=np.int64)
        return schedule.snapshots(training.steps, training.kernel_every)

    def _late(self) -> bool:
        """Whether a moment is due before the next recorded step: never more of the time than half goes into these."""
        return time.perf_counter() - self._shown > max(MOMENT_SECONDS, self._costs[0])

    def _record(self, *, keep: bool, measure: bool) -> Work[Moment]:
        began = time.perf_counter()
        moment = yield from self._told_meanwhile(self.recorder.measure(self._step))
        self._shown = time.perf_counter()
        self._costs = (self._shown - began, self._costs[1])
        if keep:
            drift = (yield from self._drift()) if measure and not self._diverged(moment) else None
            moment = self.recorder.keep(moment, drift)
        yield Partial("moment", moment)
        return moment

    def _so_far(self) -> Work[None]:
        """The trajectory up to now, if one is due: at most a fifth of the time goes into these."""
        began = time.perf_counter()
        if began - self._summed < max(TRAJECTORY_SECONDS, 4 * self._costs[1]):
            return
        trajectory = self.trajectory()
        self._summed = time.perf_counter()
        self._costs = (self._costs[0], self._summed - began)
        yield Partial("training", trajectory)

    def _drift(self) -> Work[tuple[float, float]]:
        """|Θ_t − Θ_0|/|Θ_0| and the centred alignment of Θ_t with the targets."""
        start = self.start
        K = start.kernel
        if self._step:
            K = yield from mean_kernel(self.request, start, self._progress())
        alignment = centred_target_alignment(K, self.request.data.Y_train) if np.isfinite(K).all() else None
        return relative_distance(K, start.kernel), float("nan") if alignment is None else alignment

    def _diverged(self, moment: Moment) -> str:
        """Why the network cannot go on; an empty string if it can."""
        if "network" not in moment.runs:
            return ""
        loss, first = float(moment.train_loss[0]), float(next(iter(self.recorder.kept), moment).train_loss[0])
        if np.isfinite(loss) and loss <= DIVERGED * max(first, np.finfo(np.float64).tiny):
            return ""
        return (
            f"the network diverged: at step {moment.step} its loss is {loss:.3g} (it started at {first:.3g}); "
            f"choose a learning rate below {self.start.critical_rate:.3g}"
        )

    def _told_meanwhile(self, work: Pieces[T]) -> Work[T]:
        """``work``, with word of progress when none was given for a while."""

        def tell(_: None) -> Progress | None:
            now = time.perf_counter()
            if now - self._told <= EVENT_SECONDS:
                return None
            self._told = now
            return self._progress()

        return translated(work, tell)

    def _progress(self) -> Progress:
        return Progress(self._step, self.request.training.steps, "training")


def _provenance(request: Request, start: Start, rate: float, seconds: float | None) -> Provenance:
    return Provenance(
        kind="training",
        parameterisation=start.parameterisation,
        dtype=request.dtype,
        device=request.device,
        seed=request.seed,
        outputs="full",
        route="SGD of the network; descent of the linear model in function space; closed form of the limit",
        seconds=seconds,
        notes=tuple(_notes(request, rate, start.critical_rate)),
    )


def _notes(request: Request, rate: float, critical_rate: float) -> Iterator[str]:
    training = request.training
    yield "every run starts from this network's outputs at initialisation, the infinite-width one too"
    yield "the infinite-width run takes discrete steps at the same rate; time is learning rate × step"
    yield "drift and alignment are of the training kernel, mean over outputs; alignment is centred (CKA)"
    if training.learning_rate is None:
        yield f"the learning rate is {training.critical_share:g} × the critical rate of the linear model"
    if rate > critical_rate:
        yield "the learning rate is above the critical rate: the linear model diverges, the network need not"
    if training.batch_size is not None and training.batch_size < len(request.data.X_train):
        yield (
            f"minibatches of {training.batch_size} without replacement, in an order drawn with seed {training.seed}, "
            "the same for network and linear model; the infinite-width run is the full-batch prediction"
        )
    described_as = request.subject.finite
    if isinstance(described_as, spec.Architecture) and _drops(described_as.layers):
        yield "dropout: the network is trained without dropping units; the limit includes its effect"


def _drops(layers: Sequence[spec.Layer]) -> bool:
    return any(
        (isinstance(layer, spec.Dropout) and layer.mode == "train" and layer.keep_rate < 1)
        or (isinstance(layer, spec.Branch) and any(_drops(branch) for branch in layer.branches))
        for layer in layers
    )
