"""Modules of torch and of this package: the table of their rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from torch.nn.utils import parametrize

from ntklab.networks.lift import attention, normalisation, own, pooling, resizing, shaping
from ntklab.networks.lift.context import Constant, Spot
from ntklab.networks.lift.convolution import convolution, linear, transposed_convolution
from ntklab.networks.lift.functions import REFUSED, apply
from ntklab.networks.lift.values import Value
from ntklab.networks.network import Network

Rule = Callable[..., Any]


def _parameters(spot: Spot, module: nn.Module) -> tuple[Constant, Constant | None]:
    """Weight and bias of a module, by name."""
    weight, bias = (_parameter(spot, module, name) for name in ("weight", "bias"))
    assert weight is not None
    return weight, bias


def _parameter(spot: Spot, module: nn.Module, name: str) -> Constant | None:
    tensor: Tensor | None = getattr(module, name)
    return None if tensor is None else Constant(tensor, spot.settings.name(tensor, f"{spot.path}.{name}".lstrip(".")))


def _linear(spot: Spot, m: nn.Linear, input: Value) -> Value:
    return linear(spot, input, *_parameters(spot, m))


def _convolution(spot: Spot, m: Any, input: Value) -> Value:
    if m.padding_mode not in ("zeros", "circular"):
        spot.refuse(f"padding_mode={m.padding_mode!r} has no rule", "use 'zeros' or 'circular'")
    wrap = m.padding_mode == "circular"
    parameters = _parameters(spot, m)
    return convolution(spot, input, *parameters, m.stride, m.padding, m.dilation, m.groups, wrap=wrap)


def _transposed(spot: Spot, m: Any, input: Value, output_size: Any = None) -> Value:
    if output_size is not None:
        spot.refuse("output_size is given when it is called", "use output_padding")
    parameters = _parameters(spot, m)
    return transposed_convolution(spot, input, *parameters, m.stride, m.padding, m.output_padding, m.groups, m.dilation)


def _average(spot: Spot, m: Any, input: Value) -> Value:
    return pooling.average(
        spot, input, m.kernel_size, m.stride, m.padding, m.ceil_mode, m.count_include_pad,
        getattr(m, "divisor_override", None),
    )  # fmt: skip


def _batch_norm(spot: Spot, m: Any, input: Value) -> Value:
    training = m.training or m.running_mean is None
    return normalisation.batch_norm(
        spot, input, m.running_mean, m.running_var, m.weight, m.bias, training, eps=m.eps
    )  # fmt: skip


def _dropout(rule: Rule) -> Rule:
    return lambda spot, m, input: rule(spot, input, m.p, m.training)


MODULES: dict[type[nn.Module], Rule] = {
    nn.Linear: _linear,
    **dict.fromkeys((nn.Conv1d, nn.Conv2d, nn.Conv3d), _convolution),
    **dict.fromkeys((nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d), _transposed),
    **dict.fromkeys((nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d), _average),
    **dict.fromkeys(
        (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d),
        lambda spot, m, input: pooling.adaptive_average(spot, input, m.output_size),
    ),
    **dict.fromkeys((nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm), _batch_norm),
    nn.LayerNorm: lambda spot, m, input: normalisation.layer_norm(
        spot, input, m.normalized_shape, m.weight, m.bias, m.eps
    ),
    nn.RMSNorm: lambda spot, m, input: normalisation.rms_norm(spot, input, m.normalized_shape, m.weight, m.eps),
    nn.GroupNorm: lambda spot, m, input: normalisation.group_norm(
        spot, input, m.num_groups, m.weight, m.bias, m.eps
    ),
    nn.Dropout: _dropout(normalisation.dropout),
    **dict.fromkeys(
        (nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout),
        _dropout(normalisation.channel_dropout),
    ),
    **dict.fromkeys(
        (nn.Upsample, nn.UpsamplingNearest2d, nn.UpsamplingBilinear2d),
        lambda spot, m, input: resizing.interpolate(spot, input, m.size, m.scale_factor, m.mode, m.align_corners),
    ),
    nn.MultiheadAttention: attention.multihead_attention,
    nn.Identity: lambda spot, _, input: shaping.same(spot, input),
    nn.Flatten: lambda spot, m, input: shaping.flatten(spot, input, m.start_dim, m.end_dim),
    nn.Unflatten: lambda spot, m, input: shaping.unflatten(spot, input, m.dim, m.unflattened_size),
}  # fmt: skip

COMPOSITES: dict[type[nn.Module], Rule] = {
    Network: own.network,
    nn.TransformerEncoderLayer: attention.encoder_layer,
    nn.TransformerEncoder: attention.encoder,
}

_RECURRENT = (
    "recurrent layers share their weights between steps, for which there is no rule",
    "use convolutions or attention",
)
_LOCAL = (
    "it normalises over positions or samples, for which there is no rule",
    "use nn.LayerNorm or nn.GroupNorm(1, …)",
)

_LIKE: dict[str, str] = {
    "MaxPool": "max_pool2d", "AdaptiveMaxPool": "max_pool2d", "Embedding": "embedding",
    "ZeroPad": "pad", "ConstantPad": "pad", "CircularPad": "pad", "ReflectionPad": "pad", "ReplicationPad": "pad",
}  # fmt: skip
_BY_BEGINNING: dict[str, tuple[str, str]] = {
    **{beginning: REFUSED[name] for beginning, name in _LIKE.items()},
    **dict.fromkeys(("LSTM", "GRU", "RNN"), _RECURRENT),
    **dict.fromkeys(("InstanceNorm", "BatchNorm", "LocalResponseNorm"), _LOCAL),
    "Lazy": ("its parameters have no shape yet", "run the module once on an input"),
    "Transformer": ("decoders and cross-attention have no rule", "lift an nn.TransformerEncoder"),
}
_FUNCTIONS = nn.ReLU.__module__
_NO_RULE = ("there is no infinite-width rule for this module", "replace it by known layers, or write out its forward")


def rule_of(module: nn.Module) -> Rule | None:
    """The rule of a module, of its own class or of one whose forward it inherits."""
    if own.layer_of(module) is not None:
        return own.own_module
    for cls in type(module).__mro__:
        if cls in MODULES and type(module).forward is cls.forward:
            return MODULES[cls]
    return None


def is_plain(module: nn.Module | type[nn.Module] | None) -> bool:
    """Whether a module of torch is but a function, so that its forward can be run."""
    cls = module if isinstance(module, type) else type(module)
    return cls.__module__ == _FUNCTIONS and cls not in MODULES


def is_known(module: nn.Module) -> bool:
    """Whether there is a rule for the module as a whole, or it must be refused as one."""
    return rule_of(module) is not None or parametrize.is_parametrized(module)


def call_module(spot: Spot, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What a module with a rule gives. Raises ``SpecError`` for others, and for hooks and parametrisations."""
    if parametrize.is_parametrized(module):
        remedy = "remove it (torch.nn.utils.parametrize.remove_parametrizations)"
        spot.refuse("its weights are computed from others by a parametrisation, which has no rule", remedy)
    if module._forward_hooks or module._forward_pre_hooks:
        spot.refuse("it has forward hooks, which may change what it computes", "remove them")
    rule = rule_of(module)
    if rule is None:
        name = type(module).__name__
        spot.refuse(*next((words for start, words in _BY_BEGINNING.items() if name.startswith(start)), _NO_RULE))
    return apply(spot, rule, (module, *args), kwargs)
