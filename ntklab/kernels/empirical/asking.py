"""What is asked of a network beside its kernel: other parameters, an optimiser's metric, functions of its outputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike
from torch import Tensor, nn

from ntklab import spec
from ntklab.kernels.empirical.heads import Head, Loss, headed, with_targets
from ntklab.kernels.empirical.metric import Given, metric_of, preconditioned
from ntklab.kernels.empirical.selection import Layers, chosen
from ntklab.kernels.empirical.subject import Subject, subject
from ntklab.networks.checkpoints import Source, with_parameters

Model = nn.Module | spec.Architecture
Samples = ArrayLike | Tensor


@dataclass(frozen=True, eq=False)
class Asking:
    """See ``empirical_ntk``; None asks for nothing."""

    head: Head = None
    layers: Layers | None = None
    parameters: Source | None = None
    metric: Given | None = None

    def inside(self, asked: Subject, model: Model, *, scaled: bool = True) -> Subject:
        """With its parameters, those of them that are trained, and their metric.

        ``model`` is what was given, whose parameters an optimiser holds. ``scaled``: the numbers of the metric that are
        the same for a layer are left to the factors. Raises ``SpecError``, ``FileError``.
        """
        D = None
        if self.metric is not None:
            D = metric_of(model if isinstance(model, nn.Module) else asked.module, self.metric)
        if self.parameters is not None:
            module, found = with_parameters(asked.module, self.parameters)
            asked = asked.of(module, seed=None, notes=(*asked.notes, f"parameters with the SHA-256 {found}"))
        if self.layers is not None:
            module, names = chosen(asked.module, self.layers)
            asked = asked.of(module, notes=(*asked.notes, f"the part of {', '.join(names)} alone"))
        if D is None:
            return asked
        with_metric = preconditioned(asked.module, D, apart=not scaled)
        notes = (*asked.notes, with_metric.note)
        return asked.of(with_metric.module, scales=with_metric.scales, trusted=False, notes=notes)

    def behind(
        self, asked: Subject, rows: Tensor, columns: Tensor | None
    ) -> tuple[Subject, Tensor, Tensor | None]:  # fmt: skip
        """With its head, and the samples with their targets. Raises ``SpecError``, ``DataError``."""
        if self.head is None:
            return asked, rows, columns
        changes: dict[str, Any] = {"trusted": False, "output_shape": None}
        if isinstance(self.head, Loss):
            module, rows, columns = with_targets(asked.module, self.head, rows, columns)
            note = f"the kernel of the {self.head.kind} loss of each sample"
            changes["sample_shape"] = None
        else:
            module, note = headed(asked.module, self.head, rows[:1])
        return asked.of(module, notes=(*asked.notes, note), **changes), rows, columns


def asked_of(
    model: Model, x1: Samples, x2: Samples | None, asking: Asking, *, seed: int, dtype: str, device: str
) -> tuple[Subject, Tensor, Tensor | None]:  # fmt: skip
    """Who is asked without factors, and the samples, None for columns that are the rows."""
    asked = asking.inside(subject(model, seed=seed, dtype=dtype, device=device), model, scaled=False)
    rows = asked.samples(x1, "x1")
    columns = None if x2 is None or x2 is x1 else asked.samples(x2, "x2")
    return asking.behind(asked, rows, columns)
