"""How training went, and how its linearisation and its infinite-width limit said it would go."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ntklab.figures import captions
from ntklab.figures.model import Axis, Curves, Role, Rule, Series
from ntklab.results import Data, Trajectory

Float = NDArray[np.float64]
RUN_ROLES: dict[str, Role] = {"network": "network", "linearised": "linearised", "infinite": "infinite"}
RUN_NAMES = {"network": "network", "linearised": "linearised", "infinite": "infinite width"}
_SAMPLES = 3
_CLOCKS = {"step": Axis("step"), "rate": Axis("time ηt", "learning rate × step")}


def losses(trajectory: Trajectory, *, clock: Literal["step", "rate"] = "step") -> Curves:
    """Train and test loss of each run on a log axis, against the step or learning rate × step.

    Test curves are the thinner ones, with one key in the legend for all. Losses that are 0, infinite or NaN are left
    out; the caption says so.
    """
    series: list[Series] = []
    for part, values, weight in (("train", trajectory.train_loss, 1.0), ("test", trajectory.test_loss, 0.55)):
        for run, row in zip(trajectory.runs, values, strict=True):
            if np.isfinite(row).any():
                name = RUN_NAMES.get(run, run)
                first = part == "train" or all(known.weight == 1.0 for known in series)
                series.append(
                    Series(
                        f"{name}, {part}",
                        _time(trajectory, clock),
                        _positive(row),
                        _role(run),
                        in_legend=first,
                        weight=weight,
                        key=name if part == "train" else "thin: test",
                    )
                )
    return Curves(
        title="Loss",
        x=_CLOCKS[clock],
        y=Axis("loss", captions.loss(trajectory.loss), "log"),
        series=tuple(series),
        caption=captions.join(_lost(trajectory.train_loss), _conventions(trajectory)),
    )


def drift(trajectory: Trajectory) -> Curves:
    """How far the network's kernel has moved: |Θ_t − Θ_0| / |Θ_0| at the snapshots (Frobenius norm)."""
    last = f"drift {captions.number(float(trajectory.drift[-1]))} at the end" if trajectory.drift.size else ""
    return Curves(
        title="Kernel drift",
        x=_CLOCKS["step"],
        y=Axis("kernel drift |Θₜ − Θ₀| / |Θ₀|"),
        series=(Series("network", _float(trajectory.drift_steps), _finite(trajectory.drift), "network", "line+dots"),),
        caption=captions.join(last, "Frobenius norm on the training samples", _conventions(trajectory)),
    )


def alignment(trajectory: Trajectory) -> Curves:
    """Alignment of the network's kernel with the targets at the snapshots."""
    return Curves(
        title="Kernel alignment",
        x=_CLOCKS["step"],
        y=Axis("alignment of Θₜ with YYᵀ"),
        series=(
            Series("network", _float(trajectory.drift_steps), _finite(trajectory.alignment), "network", "line+dots"),
        ),
        caption=captions.join("snapshots of the training kernel", _conventions(trajectory)),
    )


def outputs(trajectory: Trajectory, data: Data | None = None, *, output: int | None = None) -> Curves:
    """Outputs on up to three of the chosen samples during training; with ``data`` also their targets.

    ``output`` None shows one output of a binary or regression target, and each sample's own class otherwise.
    """
    positions = range(min(_SAMPLES, len(trajectory.chosen)))
    targets = None if data is None else _targets(trajectory, data)
    which = {i: _shown(targets, i, output) for i in positions}
    series = []
    for run, values in zip(trajectory.runs, trajectory.outputs, strict=True):
        for i in positions:
            name = f"{RUN_NAMES.get(run, run)}" + ("" if i == 0 else f", sample {trajectory.chosen[i]}")
            y = _finite(values[:, i, which[i]])
            series.append(Series(name, _float(trajectory.steps), y, _role(run), in_legend=i == 0))
    return Curves(
        title="Outputs",
        x=_CLOCKS["step"],
        y=Axis("output f(x)" if _single(trajectory) or output is not None else "output of the sample's own class"),
        series=tuple(series),
        rules=() if targets is None else _target_rules(targets, which),
        caption=captions.join(_chosen(trajectory, len(positions)), _conventions(trajectory)),
    )


def _target_rules(targets: Float, which: dict[int, int]) -> tuple[Rule, ...]:
    levels = sorted({float(targets[i, c]) for i, c in which.items()})
    return tuple(Rule("y", level, f"target {captions.number(level)}") for level in levels)


def _targets(trajectory: Trajectory, data: Data) -> Float:
    return (data.Y_test if trajectory.chosen_from == "test" else data.Y_train)[trajectory.chosen]


def _shown(targets: Float | None, sample: int, output: int | None) -> int:
    if output is not None:
        return output
    return 0 if targets is None else int(np.argmax(targets[sample]))


def _single(trajectory: Trajectory) -> bool:
    return bool(trajectory.outputs.shape[-1] == 1)


def _chosen(trajectory: Trajectory, shown: int) -> str:
    return f"{trajectory.chosen_from} samples {', '.join(str(i) for i in trajectory.chosen[:shown])}"


def _conventions(trajectory: Trajectory) -> str:
    """Rate and its share of the critical one, momentum, parameterisation, precision, seed, and why it stopped."""
    origin = trajectory.provenance
    rate, critical = trajectory.learning_rate, trajectory.critical_rate
    share = f" = {captions.number(rate / critical)} × critical" if np.isfinite(critical) and critical > 0 else ""
    return captions.join(
        f"stopped: {trajectory.stopped}" if trajectory.stopped else "",
        f"η = {captions.number(rate)}{share}",
        f"momentum {captions.number(trajectory.momentum)}" if trajectory.momentum else "",
        captions.parameterisation(origin),
        captions.seed(origin),
        origin.dtype,
    )


def _lost(loss: Float) -> str:
    bad = int((~np.isfinite(loss)).sum())
    return f"{bad} losses NaN or infinite, not drawn" if bad else ""


def _time(trajectory: Trajectory, clock: str) -> Float:
    return _float(trajectory.steps) * (trajectory.learning_rate if clock == "rate" else 1.0)


def _role(run: str) -> Role:
    return RUN_ROLES.get(run, "muted")


def _float(values: NDArray[np.int64]) -> Float:
    return values.astype(np.float64)


def _finite(values: Float) -> Float:
    return np.where(np.isfinite(values), values, np.nan)


def _positive(values: Float) -> Float:
    with np.errstate(invalid="ignore"):
        return np.where(np.isfinite(values) & (values > 0), values, np.nan)
