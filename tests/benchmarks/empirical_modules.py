"""The torch modules whose kernels are timed. Imports torch alone: other environments build the same modules from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class Network:
    """``make`` builds it; ``sample`` is the shape of one of its inputs, ``outputs`` how many numbers it returns."""

    make: Callable[[], nn.Module]
    sample: tuple[int, ...]
    outputs: int

    def module(self) -> nn.Module:
        """The same weights every time, ready for evaluation."""
        torch.manual_seed(0)
        return self.make().eval()

    def samples(self, n: int) -> Tensor:
        """(n, *sample)"""
        return torch.randn(n, *self.sample, generator=torch.Generator().manual_seed(1))


def mlp(*sizes: int) -> nn.Sequential:
    """Dense layers of these sizes from input to output, with ReLU between them."""
    layers: list[nn.Module] = []
    for fan_in, out in pairwise(sizes):
        layers += [nn.Linear(fan_in, out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class CNN(nn.Module):
    """Four 3 × 3 convolutions of 64 channels with ReLU, a mean over the image, and 10 outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(nn.Conv2d(c, 64, 3, padding=1) for c in (3, 64, 64, 64))
        self.head = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        for convolution in self.convolutions:
            x = functional.relu(convolution(x))
        return self.head(x.mean((2, 3)))


class Residual(nn.Module):
    """The basic block of ResNet-18 with GroupNorm in place of BatchNorm."""

    def __init__(self, inside: int, out: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inside, out, 3, stride, 1, bias=False)
        self.second = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.norm1, self.norm2 = nn.GroupNorm(8, out), nn.GroupNorm(8, out)
        same = stride == 1 and inside == out
        self.short = (
            nn.Identity()
            if same
            else nn.Sequential(nn.Conv2d(inside, out, 1, stride, bias=False), nn.GroupNorm(8, out))
        )

    def forward(self, x: Tensor) -> Tensor:
        z = functional.relu(self.norm1(self.first(x)))
        return functional.relu(self.norm2(self.second(z)) + self.short(x))


def resnet18() -> nn.Sequential:
    """ResNet-18 for images of 32 × 32: a stem of 3 × 3, four stages of two blocks, 11.2 million parameters."""
    stages: list[nn.Module] = []
    inside = 64
    for out, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        stages += [Residual(inside, out, stride), Residual(out, out, 1)]
        inside = out
    stem = [nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.GroupNorm(8, 64), nn.ReLU()]
    return nn.Sequential(*stem, *stages, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))


class Block(nn.Module):
    """A transformer block, normalised before attention and before its two dense layers."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.join = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (self._split(part) for part in self.qkv(self.norm1(x)).chunk(3, -1))
        scores = torch.softmax(q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5, -1)
        x = x + self.join((scores @ v).transpose(1, 2).flatten(2))
        return x + self.down(functional.gelu(self.up(self.norm2(x))))

    def _split(self, z: Tensor) -> Tensor:
        return z.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class Transformer(nn.Module):
    """Tokens (places, features) through an embedding with positions, blocks, a norm and the mean over places."""

    def __init__(self, places: int, features: int, width: int, heads: int, depth: int) -> None:
        super().__init__()
        self.embedding = nn.Linear(features, width)
        self.positions = nn.Parameter(0.02 * torch.randn(places, width))
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(depth)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.norm(self.blocks(self.embedding(x) + self.positions)).mean(1))


class ViT(Transformer):
    """Images (3, 32, 32) in patches of 4 × 4 through six blocks of width 192 with three heads, as in ViT-tiny."""

    def __init__(self) -> None:
        super().__init__(64, 48, 192, 3, depth=6)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(functional.unfold(x, 4, stride=4).transpose(1, 2))


NETWORKS = {
    "mlp": Network(lambda: mlp(784, 512, 512, 10), (784,), 10),
    "wide-1": Network(lambda: mlp(784, 2048, 2048, 2048, 1), (784,), 1),
    "wide-10": Network(lambda: mlp(784, 2048, 2048, 2048, 10), (784,), 10),
    "cnn": Network(CNN, (3, 16, 16), 10),
    "resnet18": Network(resnet18, (3, 32, 32), 10),
    "transformer": Network(lambda: Transformer(16, 64, 64, 4, depth=1), (16, 64), 10),
    "vit": Network(ViT, (3, 32, 32), 10),
}
