"""How the network is trained."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from ntklab.spec.base import Count, Positive, Seed
from ntklab.spec.codec import Document

LearningRate = Annotated[
    float,
    msgspec.Meta(gt=0, extra={"remedy": "give such a rate, or none to take a share of the largest stable one"}),
]
Momentum = Annotated[float, msgspec.Meta(ge=0, lt=1)]
Loss = Literal["half_mse", "torch_mse"]


class Training(Document, frozen=True):
    """Gradient descent on the squared error from the same start for the network, its linearisation and the limit.

    ``loss``: "half_mse" is 1/(2N)·Σ(f−y)² summed over outputs (the laboratory's convention); "torch_mse" is
    ``torch.nn.MSELoss()``, the mean of (f−y)² over N·k numbers. ``learning_rate`` None takes ``critical_share`` of the
    largest stable rate of the linear model. ``batch_size`` None is full batch. Momentum is heavy-ball as in torch.
    ``seed`` fixes the order of minibatches. ``kernel_every`` is the number of steps between kernel snapshots for the
    drift curve; None spaces about twelve of them geometrically.
    """

    word = "training"

    steps: Count = 500
    learning_rate: LearningRate | None = None
    critical_share: Positive = 0.5
    momentum: Momentum = 0.0
    batch_size: Count | None = None
    loss: Loss = "half_mse"
    seed: Seed = 0
    kernel_every: Count | None = None
