"""Architectures to begin with, made for a given input: a table.

All have infinite-width kernels: activations and layer norms stand behind layers with weights or sums of such, where
units are Gaussian in the limit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

from ntklab.spec.activations import Erf, Gelu, Relu
from ntklab.spec.architecture import RANKS, Architecture, Input
from ntklab.spec.attention import SelfAttention
from ntklab.spec.convolution import Conv
from ntklab.spec.faults import complaint
from ntklab.spec.layers import Branch, Dense, Flatten, Layer
from ntklab.spec.normalisation import LayerNorm
from ntklab.spec.pooling import AvgPool, GlobalAvgPool
from ntklab.spec.transitions import Shape, after

Stack = tuple[Layer, ...]

ALL, SPATIAL = tuple(RANKS), tuple(kind for kind in RANKS if kind != "vector")

_TOKENS = 8  # most patches along each axis of an image: attention takes the square of the number of all
_RELU = sqrt(2.0)  # W_std that keeps the variance through ReLU (He et al. 2015, arXiv:1502.01852)


@dataclass(frozen=True)
class Preset:
    """``kinds`` of input it is for; ``layers(shape, outputs)`` ends in the read-out."""

    id: str
    title: str
    help: str
    kinds: tuple[str, ...]
    layers: Callable[[Shape, int], Stack]

    def applies(self, given: Input) -> bool:
        """Whether ``make`` takes an input of this kind."""
        return given.kind in self.kinds

    def make(self, given: Input, outputs: int) -> Architecture:
        """The network on ``given`` with ``outputs``. Raises ``SpecError`` for a kind that it is not for."""
        if not self.applies(given):
            kinds = ", ".join(self.kinds)
            raise complaint(("architecture", "input", "kind"), f"{self.title} takes: {kinds}", given.kind, "change it")
        return Architecture(given, self.layers(given.shape, outputs), name=self.title)


def _flat(layers: Callable[[int], Stack]) -> Callable[[Shape, int], Stack]:
    """A network on vectors, behind Flatten where the input has positions."""
    return lambda shape, outputs: ((Flatten(),) if len(shape) > 1 else ()) + layers(outputs)


def _hidden(width: int, depth: int, activation: Layer, *, W_std: float, b_std: float | None) -> Stack:
    return depth * (Dense(width, W_std=W_std, b_std=b_std), activation)


def _residual_mlp(outputs: int) -> Stack:
    block = Branch(branches=((Relu(), Dense(256, W_std=_RELU)), ()))
    return (Dense(256, W_std=_RELU), block, block, Relu(), Dense(outputs))


def _conv(shape: Shape, channels: int, size: int = 3, *, W_std: float = _RELU, stride: int = 1) -> Conv:
    """``size`` along each spatial axis, or all of a shorter one."""
    kernel = tuple(min(size, n) for n in shape[:-1])
    strides = None if stride == 1 else tuple(min(stride, n) for n in shape[:-1])
    return Conv(channels, kernel=kernel, stride=strides, padding="SAME", W_std=W_std)


def _halved(layers: Stack, shape: Shape) -> Stack:
    """``layers`` and a pool that halves the spatial axes, if there is anything to halve."""
    shape = _behind(layers, shape)
    window = tuple(min(2, n) for n in shape[:-1])
    return layers if max(window) == 1 else (*layers, AvgPool(window=window, stride=window))


def _behind(layers: Stack, shape: Shape) -> Shape:
    for layer in layers:
        shape = after(layer, shape)
    return shape


def _lenet(shape: Shape, outputs: int) -> Stack:
    layers: Stack = ()
    for channels in (32, 64):
        here = _behind(layers, shape)
        layers = _halved((*layers, _conv(here, channels, 5), Relu()), shape)
    return (*layers, Flatten(), Dense(120, W_std=_RELU), Relu(), Dense(84, W_std=_RELU), Relu(), Dense(outputs))


def _myrtle(shape: Shape, outputs: int) -> Stack:
    layers: Stack = (_conv(shape, 128), Relu())
    for _ in range(3):
        layers = _halved((*layers, _conv(_behind(layers, shape), 128), Relu()), shape)
    return (*layers, Flatten(), Dense(outputs))


def _resnet(shape: Shape, outputs: int) -> Stack:
    """Blocks of two convolutions in pre-activation order (He et al. 2016); the second halves the spatial axes."""
    layers: Stack = (_conv(shape, 64, W_std=1.0), _block(shape), _block(shape, stride=2))
    return (*layers, _block(_behind(layers, shape)), Relu(), GlobalAvgPool(), Dense(outputs))


def _block(shape: Shape, stride: int = 1) -> Branch:
    first = _conv(shape, 64, stride=stride)
    second = _conv(after(first, shape), 64, W_std=1.0)
    shortcut = () if stride == 1 else (_conv(shape, 64, 1, W_std=1.0, stride=stride),)
    return Branch(branches=((Relu(), first, Relu(), second), shortcut))


def _transformer(shape: Shape, outputs: int) -> Stack:
    """Layer norm before attention and before the two dense layers (Xiong et al. 2020, arXiv:2002.04745)."""
    width = 128
    attention = SelfAttention(
        n_chan_out=width, n_chan_key=32, n_chan_val=32, n_heads=8, pos_emb_type="SUM", pos_emb_decay="exp_neg_half_d"
    )
    attend = Branch(branches=((LayerNorm(), attention), ()))
    think = Branch(branches=((LayerNorm(), Dense(2 * width), Gelu(), Dense(width, W_std=_RELU)), ()))
    blocks = 2 * (attend, think)
    return (_embedding(shape, width), *blocks, LayerNorm(), GlobalAvgPool(), Dense(outputs))


def _embedding(shape: Shape, width: int) -> Layer:
    """The tokens of a sequence, or patches of an image or a volume (Dosovitskiy et al. 2021, arXiv:2010.11929)."""
    patch = tuple(-(-n // _TOKENS) for n in shape[:-1])
    if len(shape) == 2 or max(patch) == 1:
        return Dense(width)
    return Conv(width, kernel=patch, stride=patch)


PRESETS: tuple[Preset, ...] = (
    Preset("mlp", "MLP 2×512 ReLU", "Two hidden layers; W_std √2 keeps the variance through ReLU", ALL,
           _flat(lambda k: (*_hidden(512, 2, Relu(), W_std=_RELU, b_std=0.5), Dense(k)))),
    Preset("erf", "MLP 3×256 erf", "Three smooth hidden layers", ALL,
           _flat(lambda k: (*_hidden(256, 3, Erf(), W_std=1.5, b_std=0.1), Dense(k)))),
    Preset("residual", "Residual MLP 256", "A dense layer, two residual blocks, a read-out", ALL,
           _flat(_residual_mlp)),
    Preset("deep", "Deep MLP 8×256 ReLU", "Eight hidden layers: off the diagonal its kernel flattens", ALL,
           _flat(lambda k: (*_hidden(256, 8, Relu(), W_std=_RELU, b_std=None), Dense(k)))),
    Preset("linear", "Linear", "No hidden layer: the kernel is x·x′/d", ALL, _flat(lambda k: (Dense(k),))),
    Preset("lenet", "LeNet-like", "Two convolutions with pooling, two dense layers (LeCun et al. 1998)", SPATIAL,
           _lenet),
    Preset("myrtle", "Myrtle-like", "Four convolutions and three pools (Shankar et al. 2020)", SPATIAL, _myrtle),
    Preset("resnet", "Small ResNet", "A convolution, three residual blocks, a global average pool", SPATIAL, _resnet),
    Preset("transformer", "Transformer encoder", "Two blocks of attention and dense layers on tokens or patches",
           SPATIAL, _transformer),
)  # fmt: skip
