"""An experiment: data, a network, the kernels to compute and the training to run."""

from __future__ import annotations

from math import prod
from typing import Any

from ntklab.spec.architecture import Architecture
from ntklab.spec.codec import Document
from ntklab.spec.dataset import Dataset, sample_shape
from ntklab.spec.faults import complaint
from ntklab.spec.fitting import follow
from ntklab.spec.kernel import KernelRequest
from ntklab.spec.layouts import refilled
from ntklab.spec.model import Checkpoint, ModelFile, ModelObject
from ntklab.spec.shapes import output_shape
from ntklab.spec.training import Training


class Experiment(Document, frozen=True):
    """Everything a run needs; equal experiments give equal results on the same device.

    ``model`` is the user's own network in place of the one that ``architecture`` describes (None), ``checkpoint`` the
    parameters of either; None takes them as they are drawn.
    """

    word = "experiment"

    architecture: Architecture
    dataset: Dataset = Dataset()
    kernel: KernelRequest = KernelRequest()
    training: Training = Training()
    name: str = "experiment"
    model: ModelFile | ModelObject | None = None
    checkpoint: Checkpoint | None = None

    def to_dict(self) -> dict[str, Any]:
        """As ``Document.to_dict``; without a model or a checkpoint as in schema 1, which knew neither."""
        whole = super().to_dict()
        whole["kernel"] = {name: part for name, part in self.kernel.to_dict().items() if name != "schema"}
        return {name: part for name, part in whole.items() if part is not None or name not in ("model", "checkpoint")}

    @property
    def schema(self) -> int:
        """The first that can say this."""
        return self.kernel.schema if self.model is None and self.checkpoint is None else 2

    def check(self) -> None:
        shape = sample_shape(self.dataset)
        if shape is not None:
            check_fit(self.architecture, *shape)


def check_fit(architecture: Architecture, features: int, outputs: int) -> None:
    """Raise ``SpecError`` unless ``architecture`` takes ``features`` numbers, in any layout, and gives ``outputs``."""
    taken, given = architecture.input.shape, output_shape(architecture)
    if prod(taken) != features:
        place = ("architecture", "input", "shape")
        wanted = f"[{features}]" if len(taken) == 1 else f"{features} numbers"
        reason = f"expected {wanted}, as the data has {_count(features, 'feature')}"
        raise complaint(place, reason, list(taken), f"give {wanted}")
    if given != (outputs,):
        advice = f"give the last Dense layer a width of {outputs}"
        if len(given) > 1:
            advice = f"put Flatten or a global pool before a last Dense layer of width {outputs}"
        reason = f"expected an output of [{outputs}], as the data has {_count(outputs, 'target')}"
        raise complaint("architecture", reason, list(given), advice)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def fitted(architecture: Architecture, features: int, outputs: int) -> Architecture:
    """``architecture`` with its input and read-out resized to the data, and the branches that depend on them.

    An input that the features fill stays; another keeps its kind (see ``lay_out``). Raises ``SpecError`` where that
    cannot be.
    """
    architecture = architecture.with_outputs(outputs)
    given = refilled(architecture.input, features)
    return architecture.replace(input=given, layers=follow(architecture.layers, given.shape))  # type: ignore[no-any-return]
