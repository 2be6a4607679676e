"""Normalisations and dropout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ntklab import spec
from ntklab.networks.lift.arithmetic import scaled
from ntklab.networks.lift.context import Constant, Spot
from ntklab.networks.lift.shaping import is_channel, need_channels, shown
from ntklab.networks.lift.values import Step, Value

_HELD = "scale and shift are held at their present values, not trained"
_RMS = "RMSNorm is lifted to LayerNorm, which it equals in the limit of infinite width"


def layer_norm(
    spot: Spot,
    input: Value,
    normalized_shape: Sequence[int],
    weight: Any = None,
    bias: Any = None,
    eps: float = 1e-5,
) -> Value:
    """``nn.LayerNorm`` over the last axes, which must hold the channels. Its scale and shift are held fixed."""
    count = len(normalized_shape)
    if tuple(input.sizes[len(input.axes) - count :]) != tuple(normalized_shape):
        spot.refuse(f"it normalises {list(normalized_shape)} but gets {shown(input.sizes)}", "check the input shape")
    axes = sorted({axis for group in input.axes[len(input.axes) - count :] for axis in group})
    return _normalised(spot, input, axes, weight=_tensor(weight), bias=_tensor(bias), eps=eps)


def rms_norm(
    spot: Spot, input: Value, normalized_shape: Sequence[int], weight: Any = None, eps: float | None = None
) -> Value:
    """``nn.RMSNorm``: LayerNorm in the limit, where means over channels vanish."""
    spot.differs(_RMS)
    return layer_norm(spot, input, normalized_shape, weight, None, torch.finfo().eps if eps is None else eps)


def group_norm(
    spot: Spot, input: Value, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Value:
    """``nn.GroupNorm`` with a single group: LayerNorm over channels and positions."""
    if num_groups != 1:
        spot.refuse(f"num_groups={num_groups}: there is no rule for groups of channels", "use one group, or LayerNorm")
    return _normalised(spot, input, list(range(len(input.shape))), weight=_tensor(weight), bias=_tensor(bias), eps=eps)


def _normalised(
    spot: Spot, x: Value, axes: list[int], *, weight: Tensor | None, bias: Tensor | None, eps: float
) -> Value:
    if x.channel not in axes:
        spot.mislaid("it normalises over positions, not over channels", "use LayerNorm over channels")
    if not x.gaussian:
        reason = f"it normalises {x.place}, whose units are not Gaussian of mean 0 in the limit"
        spot.obstruct(reason, "put a layer with weights before it")
    numbers = tuple(-1 if axis == x.channel else axis + 1 for axis in axes)
    normal = x.then(spot.place, Step(spec.LayerNorm(numbers, eps)))
    if weight is None and bias is None:
        return normal
    spot.differs(_HELD)
    return scaled(spot, normal, _common_factor(spot, weight, bias))


def batch_norm(  # noqa: PLR0913 (torch's arguments)
    spot: Spot,
    input: Value,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,  # noqa: ARG001
    eps: float = 1e-5,
) -> Value:
    """``nn.BatchNorm1d`` to ``3d`` in evaluation mode, where it multiplies each channel by a number and adds another.

    If these are the same for all channels, and nothing is added, that is a number times the layer before: so it is at
    initialisation, 1/√(1 + eps).
    """
    if training or running_mean is None:
        reason = "in training mode it couples the samples of a batch, for which there is no infinite-width rule"
        spot.refuse(reason, "call .eval() on the module, or use nn.LayerNorm or nn.GroupNorm(1, …)")
    if not is_channel(input, 0):
        spot.mislaid("the axis of channels does not come first", "permute the input to channels first")
    need_channels(spot, input, 0, len(running_mean))
    mean, variance = running_mean.double(), running_var.double()
    scale = (variance + eps).rsqrt()
    gain, shift = _tensor(weight), _tensor(bias)
    scale = scale if gain is None else scale * gain.double()
    offset = -mean * scale if shift is None else shift.double() - mean * scale
    factor = _common_factor(spot, scale, offset)
    spot.differs("batch normalisation in evaluation mode is a fixed factor; its scale and shift are not trained")
    return scaled(spot, input, factor)


def _common_factor(spot: Spot, scale: Tensor | None, offset: Tensor | None) -> float:
    """The one number by which all channels are multiplied."""
    if any(part is not None and part.is_meta for part in (scale, offset)):
        return 1.0
    alike = scale is None or bool(torch.allclose(scale, scale.flatten()[0], rtol=1e-6, atol=0))
    if not alike or (offset is not None and bool(offset.any())):
        reason = "it multiplies channels by different numbers or shifts them, which has no counterpart in the limit"
        spot.refuse(reason, "reset its parameters and running statistics (reset_parameters()), or for batch "
                            "normalisation fold it into the convolution before it "
                            "(torch.nn.utils.fusion.fuse_conv_bn_eval)")  # fmt: skip
    return 1.0 if scale is None else float(scale.flatten()[0])


def dropout(
    spot: Spot, input: Value, p: float = 0.5, training: bool = True, inplace: bool = False  # noqa: ARG001
) -> Value:  # fmt: skip
    """Dropout of single units; in evaluation mode it does nothing but stays in the architecture."""
    if p == 0:
        return input
    if p == 1:
        spot.refuse("p=1 drops everything", "use a smaller p")
    return input.then(spot.place, Step(spec.Dropout(1 - p, "train" if training else "test")))


def channel_dropout(
    spot: Spot, input: Value, p: float = 0.5, training: bool = True, inplace: bool = False  # noqa: ARG001
) -> Value:  # fmt: skip
    """Dropout of whole channels has no rule; in evaluation mode it does nothing."""
    if training and p > 0:
        spot.refuse("dropout of whole channels has no rule", "call .eval(), or use nn.Dropout")
    return input


def _tensor(given: Any) -> Tensor | None:
    tensor = given.tensor if isinstance(given, Constant) else given
    return None if tensor is None else tensor.detach()
