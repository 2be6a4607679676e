"""Stages of the ledger: the kernel in parts, what they are worth, and the kernel of the layers that are not muted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import nn

from ntklab.errors import SpecError
from ntklab.experiments.parts import ledger_of
from ntklab.experiments.stages import spectrum_stage, stamped
from ntklab.kernels.empirical.forms import form
from ntklab.kernels.empirical.subject import subject
from ntklab.networks.subject import Subject
from ntklab.progress import LayerForecast, Partial, Progress, Work
from ntklab.results import Data, Gram, Ledger, Provenance
from ntklab.spec import Architecture, Experiment


def ledger_stage(experiment: Experiment, data: Data, network: Subject) -> Work[Ledger]:
    """The kernel on the training samples in parts, and their ledger."""
    request = experiment.kernel
    gram, layers = yield from split(
        network.finite, network.samples(data.X_train), seed=request.seed, dtype=request.dtype,
        device=request.device, memory=request.memory,
    )  # fmt: skip
    known = experiment.architecture if experiment.model is None else None
    work = ledger_of(stamped(gram, experiment), data.Y_train, layers=layers, architecture=known)
    found = yield from work
    yield Partial("ledger", found)
    return found


def split(
    model: nn.Module | Architecture,
    x: ArrayLike,
    *,
    seed: int,
    dtype: str,
    device: str,
    memory: int | None,  # noqa: ARG001
) -> Work[tuple[Gram, tuple[LayerForecast, ...]]]:
    """The kernel of ``model`` on ``x`` with its parts (mean over outputs), and how each layer was treated."""
    asked = subject(model, seed=seed, dtype=dtype, device=device, pairs=False)
    rows = asked.samples(x, "x")
    asked = asked.ready(rows[:2])
    mean, parts, layers = form("mean")(asked.outputs(rows)), {}, []
    sizes = {name: parameter.numel() for name, parameter in asked.module.named_parameters()}
    for row, layer in enumerate(asked.route.layers):
        factors = asked.factors(rows, {layer.name})
        with torch.no_grad():
            tile = mean.tile(factors, factors)
        parts[layer.name] = ((tile + tile.T) / 2).cpu().numpy()
        count = sum(sizes[name] for name in layer.parameters)
        layers.append(LayerForecast(layer.name, layer.rule, layer.why, parameters=count))
        yield Progress(row + 1, len(asked.route.layers), "layers")
    origin = Provenance("empirical", asked.parameterisation, dtype, device, asked.seed, "mean", asked.content,
                        asked.route.name)  # fmt: skip
    return Gram(np.sum(list(parts.values()), axis=0), origin, parts=parts), tuple(layers)


def unmuted_stage(experiment: Experiment, data: Data, found: Ledger) -> Work[Gram | None]:
    """The kernel of training the layers that ``experiment`` does not mute, and its spectrum; None where none is muted.

    Raises ``SpecError`` where all are.
    """
    rows = found.unmuted(experiment.kernel.muted)
    if len(rows) == len(found.names):
        return None
    if not rows:
        raise SpecError(f"muted: expected at least one layer to train, got all {len(found.names)} muted; unmute one")
    muted = ", ".join(found.label(row) for row in range(len(found.names)) if row not in rows)
    origin = replace(found.provenance, notes=(*found.provenance.notes, f"muted, not trained: {muted}"))
    gram = stamped(Gram(found.total(rows).astype(found.parts.dtype), origin), experiment)
    yield Partial("unmuted", gram)
    yield from spectrum_stage(experiment, data, gram, "unmuted_spectrum")
    return gram
