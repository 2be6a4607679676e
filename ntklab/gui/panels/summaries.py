"""The experiment in four short lines, for sections that are folded. No Qt."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from pathlib import Path

from ntklab.gui.panels.outline import widths
from ntklab.gui.panels.words import shape_text
from ntklab.gui.widgets.numbers import number, short
from ntklab.spec import Experiment, ModelFile, parameter_count, type_row


def data(experiment: Experiment) -> str:
    """Source, samples, scaling."""
    dataset = experiment.dataset
    scaling = "" if dataset.scaling == "none" else f" · {dataset.scaling.replace('_', ' ')}"
    return f"{type_row(dataset.source).title} · {dataset.n_train} + {dataset.n_test}{scaling}"


def architecture(experiment: Experiment) -> str:
    """Layout of samples, hidden widths and the number of parameters; of the user's own network where it is from."""
    source = "" if experiment.checkpoint is None else f" · {Path(experiment.checkpoint.path).name}"
    model = experiment.model
    if isinstance(model, ModelFile):
        return f"{model.function}() of {Path(model.path).name}{source}"
    if model is not None:
        return f"{model.name.rpartition(':')[2]} of a program{source}"
    given = experiment.architecture.input
    layout = "" if given.kind == "vector" else f"{given.kind} {shape_text(given.shape)} · "
    found = widths(experiment.architecture)
    hidden = _listed(found) or "no hidden layer"
    return f"{layout}{hidden} · {short(parameter_count(experiment.architecture))} parameters{source}"


def _listed(found: tuple[int, ...]) -> str:
    """Widths with repetitions counted: 2×64–128."""
    runs = [(width, len(list(run))) for width, run in groupby(found)]
    return "–".join(str(width) if count == 1 else f"{count}×{width}" for width, count in runs)


def kernel(experiment: Experiment) -> str:
    """Outputs, precision, device, seed."""
    request = experiment.kernel
    return f"{request.outputs} · {request.dtype} · {request.device} · seed {request.seed}"


def training(experiment: Experiment) -> str:
    """Steps, rate, batch."""
    asked = experiment.training
    rate = (
        f"η = {number(asked.learning_rate, 3)}"
        if asked.learning_rate is not None
        else (f"{number(asked.critical_share, 3)} × critical")
    )
    batch = "full batch" if asked.batch_size is None else f"batch {asked.batch_size}"
    return f"{asked.steps} steps · {rate} · {batch}"


SUMMARIES: dict[str, Callable[[Experiment], str]] = {
    "data": data,
    "architecture": architecture,
    "kernel": kernel,
    "training": training,
}
