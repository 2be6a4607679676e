"""Functions, operators and methods of tensors: the table of their rules."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as tree

from ntklab.networks.lift import arithmetic, normalisation, pooling, resizing, shaping
from ntklab.networks.lift.activations import POINTWISE, elementwise
from ntklab.networks.lift.context import Constant, Spot
from ntklab.networks.lift.convolution import convolution, linear, transposed_convolution
from ntklab.networks.lift.values import Value

Rule = Callable[..., Any]

_COPIES = (
    "contiguous", "clone", "to", "float", "double", "half", "bfloat16", "type", "type_as", "cpu", "cuda", "alias",
    "positive", "pos", "requires_grad_", "lift_fresh_copy", "_to_copy",
)  # fmt: skip
_OVER_DIMENSIONS = ("1d", "2d", "3d")

FUNCTIONS: dict[str, Rule] = {
    **POINTWISE,
    **dict.fromkeys(_COPIES, shaping.same),
    "add": arithmetic.add, "radd": arithmetic.add, "sub": arithmetic.sub, "subtract": arithmetic.sub,
    "rsub": arithmetic.rsub, "mul": arithmetic.mul, "rmul": arithmetic.mul, "multiply": arithmetic.mul,
    "div": arithmetic.div, "divide": arithmetic.div, "truediv": arithmetic.div, "true_divide": arithmetic.div,
    "neg": arithmetic.neg, "negative": arithmetic.neg, "cat": arithmetic.cat, "concat": arithmetic.cat,
    "concatenate": arithmetic.cat,
    "flatten": shaping.flatten, "unflatten": shaping.unflatten, "view": shaping.view, "reshape": shaping.view,
    "_unsafe_view": shaping.view, "permute": shaping.permute, "transpose": shaping.transpose,
    "mT": shaping.matrix_transpose, "swapaxes": shaping.transpose, "swapdims": shaping.transpose,
    "movedim": shaping.movedim, "moveaxis": shaping.movedim, "squeeze": shaping.squeeze, "unsqueeze": shaping.unsqueeze,
    "getitem": shaping.getitem, "select": shaping.select, "narrow": shaping.narrow, "flip": shaping.flip,
    "interpolate": resizing.interpolate, "mean": pooling.mean, "sum": pooling.total,
    "linear": linear,
    **{f"conv{n}": convolution for n in _OVER_DIMENSIONS},
    **{f"conv_transpose{n}": transposed_convolution for n in _OVER_DIMENSIONS},
    **{f"avg_pool{n}": pooling.average for n in _OVER_DIMENSIONS},
    **{f"adaptive_avg_pool{n}": pooling.adaptive_average for n in _OVER_DIMENSIONS},
    "layer_norm": normalisation.layer_norm, "rms_norm": normalisation.rms_norm,
    "group_norm": normalisation.group_norm, "batch_norm": normalisation.batch_norm,
    "dropout": normalisation.dropout,
    **{f"dropout{n}": normalisation.channel_dropout for n in _OVER_DIMENSIONS},
    "feature_dropout": normalisation.channel_dropout, "alpha_dropout": normalisation.channel_dropout,
}  # fmt: skip

_MAXIMUM = ("the maximum over positions has no infinite-width rule", "use average pooling, or a strided convolution")
_LOGITS = ("it normalises over units, which has no infinite-width rule", "lift the network up to its logits")
_GRADIENT = ("it stops gradients, which the tangent kernel of a whole network does not know", "leave it out")
_MATRIX = (
    "products of tensors have no rule outside of known layers",
    "use nn.Linear for weights and nn.MultiheadAttention for attention",
)
_ROWS = ("attention written by hand has no rule", "use nn.MultiheadAttention")

REFUSED: dict[str, tuple[str, str]] = {
    **dict.fromkeys(("max", "amax", "maximum"), _MAXIMUM),
    **dict.fromkeys([f"{kind}max_pool{n}" for kind in ("", "adaptive_") for n in _OVER_DIMENSIONS], _MAXIMUM),
    **dict.fromkeys(("softmax", "log_softmax", "normalize", "softmin"), _LOGITS),
    **dict.fromkeys(("detach", "data"), _GRADIENT),
    **dict.fromkeys(("matmul", "bmm", "mm", "addmm", "einsum", "tensordot", "bilinear", "baddbmm"), _MATRIX),
    "scaled_dot_product_attention": _ROWS,
    "prelu": ("a learned slope has no rule", "use leaky_relu"),
    "pad": ("padding apart from a convolution has no rule", "use the convolution's own padding"),
    "embedding": ("it looks up token numbers", "lift the part behind the embedding"),
}  # fmt: skip

_OTHER_NAMES = {"log_sigmoid": "logsigmoid", "_threshold": "threshold"}  # what torch's functions call themselves
_NO_RULE = "there is no infinite-width rule for this operation"
_KNOWN = "use known layers: linear, convolution, pooling, normalisation, attention, pointwise functions, sums and joins"


def call_function(
    spot_of: Callable[[str], Spot], target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, bool]:
    """What a function, operator or method (by name) gives, and whether it changed its first argument.

    What concerns parameters alone is computed. Raises ``SpecError`` for what has no rule.
    """
    if target is getattr:
        target, args = args[1], args[:1]
    name, in_place = _name(target)
    spot = spot_of(name)
    parts = tree.tree_leaves((args, kwargs))
    if not any(isinstance(part, Value) for part in parts):
        return _computed(target, args, kwargs), False
    rule = FUNCTIONS.get(name)
    found = _other(spot, name, args, kwargs) if rule is None else apply(spot, rule, args, kwargs)
    return found, in_place or kwargs.get("inplace") is True


def _other(spot: Spot, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Value:
    """A function without a rule of its own: any pointwise one has one."""
    if name not in REFUSED and isinstance(args[0], Value) and not set(kwargs) - {"inplace"}:
        numbers = args[1:] if "inplace" in kwargs else tuple(part for part in args[1:] if part is not False)
        found = elementwise(spot, args[0], name, numbers)
        if found is not None:
            return found
    return spot.refuse(*REFUSED.get(name, (_NO_RULE, _KNOWN)))


def apply(spot: Spot, rule: Rule, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """``rule`` with the arguments of a call. Raises ``SpecError`` for arguments that it does not know."""
    try:
        bound = inspect.signature(rule).bind(spot, *args, **kwargs)
    except TypeError as fault:
        spot.refuse(f"it is called in a way that has no rule ({fault})", "call it as torch documents, without extras")
    return rule(*bound.args, **bound.kwargs)


def _name(target: Any) -> tuple[str, bool]:
    """The plain name of a function, and whether it works in place: "relu" and True for ``relu_``."""
    if isinstance(target, torch._ops.OpOverload):
        target = target.overloadpacket
    name: str = target if isinstance(target, str) else getattr(target, "__name__", str(target))
    plain = name.strip("_") if name.startswith("__") else name.removeprefix("special_")
    plain = _OTHER_NAMES.get(plain, plain)
    if plain in FUNCTIONS:
        return plain, False
    if plain.endswith("_"):
        return plain.removesuffix("_"), True
    return plain, False


def _computed(target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """An operation on parameters and numbers."""
    path = next(part.path for part in tree.tree_leaves((args, kwargs)) if isinstance(part, Constant))
    args, kwargs = tree.tree_map(lambda part: part.tensor if isinstance(part, Constant) else part, (args, kwargs))
    with torch.no_grad():
        found = getattr(args[0], target)(*args[1:], **kwargs) if isinstance(target, str) else target(*args, **kwargs)
    return Constant(found, path) if isinstance(found, Tensor) else found
