"""What is timed: each network as a torch module and, where it can be described, as an architecture of our own."""

from __future__ import annotations

from dataclasses import dataclass

from empirical_modules import NETWORKS, Network
from torch import Tensor, nn

from ntklab import spec
from ntklab.networks import build
from ntklab.spec.activations import Gelu, Relu

Shape = tuple[int, ...]


def dense(*sizes: int) -> spec.Architecture:
    """The own twin of ``mlp``."""
    hidden = [part for width in sizes[1:-1] for part in (spec.Dense(width, 1.5, 0.1), Relu())]
    return spec.Architecture(spec.Input("vector", sizes[:1]), (*hidden, spec.Dense(sizes[-1], 1.5, 0.1)))


def convolutional() -> spec.Architecture:
    """The own twin of ``CNN``."""
    layer = spec.Conv(64, (3, 3), padding="SAME", W_std=1.5, b_std=0.1)
    hidden = [part for _ in range(4) for part in (layer, Relu())]
    return spec.Architecture(
        spec.Input("image", (16, 16, 3)), (*hidden, spec.GlobalAvgPool(), spec.Dense(10, 1.0, 0.1))
    )


def transformer() -> spec.Architecture:
    """The own twin of a ``Transformer`` with one block, without positions and without affine norms."""
    attention = spec.SelfAttention(64, 16, 16, 4, linear_scaling=False, b_std=0.1)
    forward = (spec.LayerNorm(), spec.Dense(256, 1.0, 0.1), Gelu(), spec.Dense(64, 1.0, 0.1))
    residual = [spec.Branch(((), part)) for part in ((spec.LayerNorm(), attention), forward)]
    layers = (spec.Dense(64, 1.0, 0.1), *residual, spec.LayerNorm(), spec.GlobalAvgPool(), spec.Dense(10, 1.0, 0.1))
    return spec.Architecture(spec.Input("sequence", (16, 64)), layers)


OWN = {
    "mlp": dense(784, 512, 512, 10),
    "wide-1": dense(784, 2048, 2048, 2048, 1),
    "wide-10": dense(784, 2048, 2048, 2048, 10),
    "cnn": convolutional(),
    "transformer": transformer(),
}


@dataclass(frozen=True)
class Case:
    """The kernel of ``network`` on ``n`` samples; ``own``: of its twin among our own architectures."""

    network: str
    n: int
    outputs: str = "full"
    own: bool = False

    @property
    def name(self) -> str:
        """In a word."""
        return f"{self.network}{' (own)' if self.own else ''}"

    @property
    def described(self) -> Network:
        """What it is made of."""
        return NETWORKS[self.network]

    def module(self) -> nn.Module:
        """Ready for evaluation."""
        return build(OWN[self.network]) if self.own else self.described.module()

    def samples(self) -> Tensor:
        """(n, *sample), channels last for our own architectures."""
        x = self.described.samples(self.n)
        return x.movedim(1, -1).contiguous() if self.own and x.ndim == 4 else x

    def of(self, n: int) -> Case:
        """The same on another number of samples."""
        return Case(self.network, n, self.outputs, self.own)


_ASKED = (
    ("mlp", 128, "full"), ("mlp", 512, "full"), ("mlp", 512, "mean"), ("mlp", 1024, "full"),
    ("wide-1", 256, "full"), ("wide-10", 256, "full"),
    ("cnn", 64, "full"), ("cnn", 64, "mean"), ("cnn", 256, "full"), ("cnn", 256, "mean"),
    ("transformer", 256, "full"), ("resnet18", 64, "mean"), ("vit", 32, "mean"),
)  # fmt: skip

CASES = tuple(
    Case(name, n, outputs, own) for name, n, outputs in _ASKED for own in (True, False) if not own or name in OWN
)
