"""Python files with networks, as a user would write them, and experiments that name them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ntklab.files import read_code
from ntklab.spec import Architecture, Dataset, Dense, Experiment, Input, KernelRequest, ModelFile, Training
from ntklab.spec.activations import Relu

RESIDUAL_CNN = '''
"""A small convolutional network with a residual block."""
import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.conv(torch.relu(x))


def make_network() -> nn.Module:
    body = (nn.Conv2d(1, 8, 3, padding=1), Block(8), nn.AvgPool2d(8), nn.Flatten())
    return nn.Sequential(*body, nn.Linear(8, 3))
'''

# Its sorting of numbers has no infinite-width rule.
NO_LIMIT = """
import torch
from torch import nn


class Sorted(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(64, 16), nn.Linear(16, 3)

    def forward(self, x):
        return self.last(torch.sort(self.first(x), dim=-1).values)


def make_network():
    return Sorted()
"""


def model_file(folder: Path, text: str, shape: tuple[int, ...] | None = None, name: str = "own.py") -> ModelFile:
    """``text`` in a file, and what an experiment says of it."""
    path = folder / name
    path.write_text(text)
    return ModelFile(str(path), "make_network", read_code(path)[1], shape)


def experiment(model: ModelFile | None = None, **changes: Any) -> Experiment:
    """Three digits; the network that is described is another than the model."""
    fields: dict[str, Any] = {
        "dataset": Dataset(n_train=12, n_test=6, classes=(0, 1, 2), seed=2),
        "kernel": KernelRequest(dtype="float64", seed=5),
        "training": Training(steps=4),
        "model": model,
    }
    layers = (Dense(32, W_std=1.4), Relu(), Dense(3))
    return Experiment(Architecture(Input("vector", (64,)), layers), **(fields | changes))
