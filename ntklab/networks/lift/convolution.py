"""Layers with weights on the channels: linear ones, convolutions and their transposes."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Literal

from torch import nn

from ntklab import spec
from ntklab.networks.lift.context import Constant, Spot
from ntklab.networks.lift.shaping import is_channel, need_channels, spatial_axes, spread
from ntklab.networks.lift.values import Step, Value
from ntklab.networks.lift.weights import kaiming
from ntklab.networks.lift.windows import numbers, slide

Numbers = int | Sequence[int]
_TORCHS_OWN = (nn.Linear, nn.modules.conv._ConvNd)


def linear(spot: Spot, x: Value, weight: Constant, bias: Constant | None = None) -> Value:
    """``torch.nn.functional.linear``, ``nn.Linear``: Dense."""
    _need_parameters(spot, weight, bias)
    if not is_channel(x, len(x.axes) - 1):
        reason = "it mixes positions: the last axis is not that of the channels"
        spot.mislaid(reason, "apply it to channels; across positions use a convolution or attention")
    need_channels(spot, x, len(x.axes) - 1, weight.tensor.shape[1])
    return x.then(spot.place, _dense(spot, weight, bias, fan_in=x.shape[-1]))


def _dense(spot: Spot, weight: Constant, bias: Constant | None, *, fan_in: int) -> Step:
    W_std, b_std = _scales(spot, weight, bias, fan_in=fan_in, torchs_fan_in=fan_in)
    layer = spec.Dense(weight.tensor.shape[0], W_std, b_std, spot.settings.param)
    return Step(layer, (_name(weight),))


def convolution(  # noqa: PLR0913 (torch's arguments)
    spot: Spot,
    x: Value,
    weight: Constant,
    bias: Constant | None = None,
    stride: Numbers = 1,
    padding: Numbers | str = 0,
    dilation: Numbers = 1,
    groups: int = 1,
    *,
    wrap: bool = False,
) -> Value:
    """``conv1d`` to ``conv3d``: Conv, and a slice of its positions where torch pads otherwise than XLA.

    On a single position with a 1×1 kernel: Dense.
    """
    _need_parameters(spot, weight, bias)
    size = tuple(weight.tensor.shape[2:])
    rank = len(size)
    _need_plain(spot, dilation, groups)
    need_channels(spot, x, 0, weight.tensor.shape[1])
    plain = 0 if padding == "valid" else padding
    pads: Sequence[int] | Literal["same"] = "same" if isinstance(plain, str) else numbers(plain, rank)
    window = slide(spot, x, size=size, stride=numbers(stride, rank), padding=pads, wrap=wrap)
    if len(x.shape) == 1:
        return x.then(spot.place, _dense(spot, weight, bias, fan_in=x.shape[-1]))
    fan_in = weight.tensor.shape[1] * prod(size)
    W_std, b_std = _scales(spot, weight, bias, fan_in=fan_in, torchs_fan_in=fan_in)
    layer = spec.Conv(
        weight.tensor.shape[0], window.sizes, _written(window.strides), window.padding, W_std, b_std,
        spot.settings.param,
    )  # fmt: skip
    return x.then(spot.place, Step(layer, (_name(weight),)), *window.after)


def transposed_convolution(  # noqa: PLR0913 (torch's arguments)
    spot: Spot,
    x: Value,
    weight: Constant,
    bias: Constant | None = None,
    stride: Numbers = 1,
    padding: Numbers = 0,
    output_padding: Numbers = 0,
    groups: int = 1,
    dilation: Numbers = 1,
) -> Value:
    """``conv_transpose1d`` to ``conv_transpose3d``: ConvTranspose, with a slice of its positions for torch's padding.

    torch computes positions p to p + m of Σ_{s·r+δ=q} W_δ x_r; VALID starts at 0, SAME where XLA does.
    """
    _need_parameters(spot, weight, bias)
    size = tuple(weight.tensor.shape[2:])
    rank = len(size)
    _need_plain(spot, dilation, groups)
    need_channels(spot, x, 0, weight.tensor.shape[0])
    axes = spatial_axes(spot, x, rank)
    if None in axes:
        spot.refuse("there is a single position and no axis for it", "keep the axes of size 1 (no global pool before)")
    columns = (size, numbers(stride, rank), numbers(padding, rank), numbers(output_padding, rank))
    sizes, strides, pads, extra = (
        spread(axes, values, x, default) for values, default in zip(columns, (1, 1, 0, 0), strict=True)
    )
    ends = [_Spread(*each) for each in zip(x.shape[:-1], sizes, strides, pads, extra, strict=True)]
    same = all(end.same for end in ends)
    if not same and not all(end.inside_valid for end in ends):
        reason = "its output reaches beyond every input (output_padding)"
        spot.refuse(reason, "make output_padding smaller")
    fan_in, torchs_fan_in = (weight.tensor.shape[axis] * prod(size) for axis in (0, 1))
    W_std, b_std = _scales(spot, weight, bias, fan_in=fan_in, torchs_fan_in=torchs_fan_in)
    layer = spec.ConvTranspose(
        weight.tensor.shape[1], sizes, _written(strides), "SAME" if same else "VALID", W_std, b_std,
        spot.settings.param,
    )  # fmt: skip
    cut = spec.Index(((None, None, None), *(end.among_valid for end in ends), (None, None, None)))
    plain = same or all(end.among_valid == (None, None, None) for end in ends)
    return x.then(spot.place, Step(layer, (_name(weight),)), *(() if plain else (Step(cut),)))


class _Spread:
    """The output of a transposed convolution along one axis, from ``first`` to ``last`` of all that inputs reach."""

    def __init__(self, positions: int, size: int, stride: int, padding: int, extra: int) -> None:
        self.first = padding
        self.last = padding + (positions - 1) * stride - 2 * padding + size + extra
        self.reached = positions * stride + max(size - stride, 0)
        total = size + stride - 2
        front = size - 1 if stride > size - 1 else -(-total // 2)
        start = size - 1 - front
        self.same = (self.first, self.last) == (start, start + positions * stride)
        self.inside_valid = self.last <= self.reached

    @property
    def among_valid(self) -> tuple[int | None, int | None, int | None]:
        """(start, stop, step) among the positions of VALID."""
        return (self.first or None, None if self.last == self.reached else self.last, None)


def _need_parameters(spot: Spot, weight: object, bias: object) -> None:
    if not isinstance(weight, Constant) or not (bias is None or isinstance(bias, Constant)):
        spot.refuse("its weights are no parameters but fixed or computed numbers", "make them nn.Parameter")
    spot.use(weight, bias)


def _need_plain(spot: Spot, dilation: Numbers, groups: int) -> None:
    if groups != 1:
        spot.refuse(f"groups={groups}: there is no rule for grouped convolutions", "use groups=1")
    if any(part != 1 for part in numbers(dilation, 1)):
        spot.refuse(f"dilation={dilation}: there is no rule for dilated convolutions", "use dilation=1")


def _scales(
    spot: Spot, weight: Constant, bias: Constant | None, *, fan_in: int, torchs_fan_in: int
) -> tuple[float, float | None]:
    scales = spot.settings.scales
    known = isinstance(spot.settings.owner(weight.path), _TORCHS_OWN)
    default = kaiming(torchs_fan_in) if known else None
    place = _name(weight)
    W_std = scales.weight(spot.place, weight.tensor, fan_in, default, name=place)
    return W_std, scales.bias(spot.place, None if bias is None else bias.tensor, default, name=place)


def _name(weight: Constant) -> str:
    """The path of the module whose weight it is, or of the parameter itself."""
    return weight.path.removesuffix(".weight") if weight.path != "weight" else ""


def _written(strides: tuple[int, ...]) -> tuple[int, ...] | None:
    return None if set(strides) == {1} else strides
