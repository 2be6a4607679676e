"""How an operation uses a parameter: as the weights of a linear map, or by a rule for its gradient."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch.fx import Node

from ntklab.kernels.empirical.routes.graph.flow import Use
from ntklab.kernels.empirical.routes.graph.patches import Window, flat_patches, window
from ntklab.kernels.empirical.routes.graph.run import Seen

aten = torch.ops.aten


@dataclass(frozen=True)
class Linear:
    """z_t = W a_t at places t: ``inputs`` (n, T, in) of what a use saw, ``cotangents`` (n, k, T, out) of B (n, k, *z).

    ``arranged`` brings a gradient (n, k, out, in) into the shape of the weights; ``layout`` names that arrangement.
    ``bias`` is the slot of what is added to z, if anything.
    """

    layout: str
    inputs: Callable[[Seen], Tensor]
    cotangents: Callable[[Tensor], Tensor]
    arranged: Callable[[Tensor], Tensor]
    bias: int | None = None


@dataclass(frozen=True)
class Local:
    """``gradient`` (n, k, *shape of the tensor in the slot) of what a use saw and cotangents B (n, k, *z)."""

    gradient: Callable[[Seen, Tensor], Tensor]


Rule = Linear | Local


def rule_of(use: Use, slot: int) -> Rule | None:
    """The rule for one slot of a use, None where only the operation's own derivative tells."""
    nodes = list(use.slots.values())
    if len(set(nodes)) < len(nodes) or min(use.slots) < 0 or shape(use.node) is None:
        return None
    maker = RULES.get(use.node.target)
    return maker(use, slot) if maker is not None and not shape_is_complex(use.slots[slot]) else None


def shape(node: Node) -> tuple[int, ...] | None:
    """Of the tensor that an operation returns, None where it returns several."""
    value = node.meta.get("val")
    return tuple(value.shape) if isinstance(value, Tensor) else None


def shape_is_complex(node: Node) -> bool:
    """Whether ``node`` is a tensor of complex numbers."""
    value = node.meta.get("val")
    return isinstance(value, Tensor) and value.is_complex()


def argument(node: Node, name: str, default: Any = None) -> Any:
    """An argument of an operation by its name in the operation's schema."""
    for i, declared in enumerate(node.target._schema.arguments):  # type: ignore[union-attr]
        if declared.name == name:
            return node.args[i] if i < len(node.args) else node.kwargs.get(name, declared.default_value)
    return default


def summed_to(G: Tensor, target: tuple[int, ...], leading: int = 2) -> Tensor:
    """Undo the broadcasting of ``target`` to the axes of ``G`` behind the ``leading`` ones."""
    extra = G.ndim - leading - len(target)
    if extra > 0:
        G = G.flatten(leading, leading + extra - 1).sum(leading) if extra > 1 else G.sum(leading)
    axes = [i + leading for i, size in enumerate(target) if size == 1 and G.shape[i + leading] != 1]
    return G.sum(axes, keepdim=True) if axes else G


def _rows(a: Tensor) -> Tensor:
    """(n, T, in) from (n, …, in)."""
    return a.unsqueeze(1) if a.ndim == 2 else a.flatten(1, -2)


def _row_cotangents(B: Tensor) -> Tensor:
    return B.unsqueeze(2) if B.ndim == 3 else B.flatten(2, -2)


def _same(G: Tensor) -> Tensor:
    return G


def _transposed(G: Tensor) -> Tensor:
    return G.mT


def _data(use: Use, i: int) -> bool:
    """Whether argument ``i`` is a tensor that depends on the samples."""
    args = use.node.args
    return i < len(args) and args[i] in use.moving


def _value(use: Use, i: int) -> Callable[[Seen], Tensor]:
    node = use.node.args[i]
    assert isinstance(node, Node)
    return lambda seen: seen.inputs[node]


def _linear(use: Use, slot: int) -> Rule | None:
    """linear(a, W, b)"""
    if not _data(use, 0) or len(shape(use.node.args[1]) or ()) != 2:  # type: ignore[arg-type]
        return None
    given = _value(use, 0)
    if slot == 2:
        target = shape(use.slots[2]) or ()
        return Local(lambda _, B: summed_to(B, target))
    return Linear("oi", lambda seen: _rows(given(seen)), _row_cotangents, _same, 2 if 2 in use.slots else None)


def _matmul(use: Use, slot: int) -> Rule | None:
    """a W or W a with a matrix W"""
    target = shape(use.slots[slot]) or ()
    other = 1 - slot
    if len(target) != 2 or not _data(use, other):
        return None
    given = _value(use, other)
    vector = len(shape(use.node.args[other]) or ()) < 2  # type: ignore[arg-type]
    if slot == 1:
        return Linear("io", lambda seen: _rows(given(seen)), _row_cotangents, _transposed)
    if vector:
        return Linear("oi", lambda seen: given(seen).unsqueeze(1), lambda B: B.unsqueeze(2), _same)
    return Linear("oi", lambda seen: _rows(given(seen).mT), lambda B: _row_cotangents(B.mT), _same)


def _addmm(use: Use, slot: int) -> Rule | None:
    """b + a W"""
    if any(use.node.kwargs.get(name, 1) != 1 for name in ("alpha", "beta")) or not _data(use, 1):
        return None
    given = _value(use, 1)
    target = shape(use.slots[slot]) or ()
    if slot == 0:
        return Local(lambda _, B: summed_to(B, target))
    bias = 0 if 0 in use.slots and len(shape(use.slots[0]) or ()) == 1 else None
    return Linear("io", lambda seen: _rows(given(seen)), _row_cotangents, _transposed, bias)


def _convolution(use: Use, slot: int) -> Rule | None:
    """convNd(a, W, b, stride, padding, dilation, groups)"""
    node = use.node
    weights = argument(node, "weight")
    if not _data(use, 0) or slot not in (1, 2):
        return None
    size = (shape(weights) or ())[2:]
    dims = len(size)
    if slot == 2:
        return Local(lambda _, B: _image(B, dims, 2).flatten(4).sum((2, 4)))
    groups = argument(node, "groups")
    view = window(size, argument(node, "stride"), argument(node, "padding"), argument(node, "dilation"))
    given = _value(use, 0)

    def inputs(seen: Seen) -> Tensor:
        images = _image(given(seen), dims, 1)
        return torch.unflatten(flat_patches(images.flatten(0, 1), view), 0, images.shape[:2]).flatten(1, 2)

    if groups > 1:
        return Local(lambda seen, B: _grouped(_image(given(seen), dims, 1), _image(B, dims, 2), view, groups))
    channels = (shape(weights) or ())[1]

    def arranged(G: Tensor) -> Tensor:
        return torch.unflatten(G, -1, (*size, channels)).movedim(-1, 3)

    return Linear("conv", inputs, lambda B: _pixels(B, dims), arranged, 2 if 2 in use.slots else None)


def _image(a: Tensor, dims: int, leading: int) -> Tensor:
    """(…, images, channels, *shape), also from one image without an axis for them."""
    return a.unsqueeze(leading) if a.ndim == leading + 1 + dims else a


def _pixels(B: Tensor, dims: int) -> Tensor:
    """(n, k, places, channels)"""
    images = _image(B, dims, 2)
    return images.movedim(3, -1).flatten(2, -2)


def _grouped(images: Tensor, B: Tensor, view: Window, groups: int) -> Tensor:
    """(n, k, out, in of a group, *size)"""
    n, _, m = B.shape[:3]
    seen = view.patches(images.flatten(0, 1))  # (n·m, *places, *size, channels)
    dims = len(view.size)
    seen = torch.unflatten(seen, -1, (groups, -1)).movedim(-2, 1).flatten(2, 1 + dims).flatten(3)
    seen = torch.unflatten(seen, 0, (n, m)).movedim(1, 2).flatten(2, 3)  # (n, groups, m·places, size·channels)
    b = torch.unflatten(B.movedim(3, 2).flatten(3), 2, (groups, -1))  # (n, k, groups, out, m·places)
    G = torch.einsum("nkgot,ngti->nkgoi", b, seen)
    return torch.unflatten(G.flatten(2, 3), -1, (*view.size, -1)).movedim(-1, 3)


def _transposed_convolution(use: Use, slot: int) -> Rule | None:
    """conv_transposeNd(a, W, b, stride, padding, output_padding, groups, dilation): a convolution from its result."""
    node = use.node
    size = (shape(argument(node, "weight")) or ())[2:]
    dims = len(size)
    if not _data(use, 0):
        return None
    if slot == 2:
        return Local(lambda _, B: _image(B, dims, 2).flatten(4).sum((2, 4)))
    if argument(node, "groups") > 1:
        return None
    view = window(size, argument(node, "stride"), argument(node, "padding"), argument(node, "dilation"))
    given = _value(use, 0)
    places = (shape(node.args[0]) or ())[-dims:]  # type: ignore[arg-type]
    out = (shape(argument(node, "weight")) or ())[1]

    def inputs(seen: Seen) -> Tensor:
        return _image(given(seen), dims, 1).movedim(2, -1).flatten(1, -2)

    def cotangents(B: Tensor) -> Tensor:
        images = _image(B, dims, 2)
        patches = view.patches(images.flatten(0, 2), places)
        return patches.reshape(*images.shape[:3], prod(places), -1).flatten(2, 3)

    def arranged(G: Tensor) -> Tensor:  # (n, k, size·out, in)
        return torch.unflatten(G.mT, -1, (*size, out)).movedim(-1, 3)

    return Linear("conv transpose", inputs, cotangents, arranged)


def _norm(use: Use, slot: int) -> Rule | None:
    """A normalisation γ x̂ + β: γ gets Σ B x̂, β gets Σ B."""
    node = use.node
    names = [declared.name for declared in node.target._schema.arguments]  # type: ignore[union-attr]
    if node.kwargs or not _data(use, 0) or names[slot] not in ("weight", "bias"):
        return None
    target = shape(use.slots[slot]) or ()
    by_channel = "normalized_shape" not in names

    def total(G: Tensor) -> Tensor:
        if not by_channel:
            return summed_to(G, target)
        return G.sum(2) if G.ndim == 4 else G.flatten(4).sum((2, 4))

    if names[slot] == "bias":
        return Local(lambda _, B: total(B))
    plain = {name: None for name in ("weight", "bias") if name in names}

    def gradient(seen: Seen, B: Tensor) -> Tensor:
        values = [None if names[i] in plain else _of(seen, arg) for i, arg in enumerate(node.args)]
        with torch.no_grad():
            x = torch.vmap(lambda a: node.target(a, *values[1:]))(values[0])  # type: ignore[operator]
        return total(B * x.unsqueeze(1))

    return Local(gradient)


def _of(seen: Seen, value: Any) -> Any:
    return seen.inputs[value] if isinstance(value, Node) else value


def _scaled(use: Use, slot: int) -> Rule | None:
    """p · a"""
    if len(use.slots) > 1 or not _data(use, 1 - slot):
        return None
    given, target = _value(use, 1 - slot), shape(use.slots[slot]) or ()

    def gradient(seen: Seen, B: Tensor) -> Tensor:
        a = given(seen)
        lined = a.reshape(len(a), 1, *(1,) * (B.ndim - 1 - a.ndim), *a.shape[1:])
        return summed_to(B * lined, target)

    return Local(gradient)


def _added(use: Use, slot: int) -> Rule | None:
    """p + a"""
    if len(use.slots) > 1 or use.node.kwargs or len(use.node.args) > 2:
        return None
    target = shape(use.slots[slot]) or ()
    return Local(lambda _, B: summed_to(B, target))


def _embedding(use: Use, slot: int) -> Rule | None:
    """Rows of a table: a linear map of unit vectors."""
    node = use.node
    if not _data(use, 1) or argument(node, "scale_grad_by_freq"):
        return None
    given, padding = _value(use, 1), argument(node, "padding_idx")
    rows = (shape(use.slots[slot]) or ())[0]

    def inputs(seen: Seen) -> Tensor:
        tokens = given(seen).reshape(len(given(seen)), -1)
        units = torch.zeros(*tokens.shape, rows, dtype=node.meta["val"].dtype, device=tokens.device)
        units.scatter_(2, tokens.long().unsqueeze(-1), 1)
        if padding >= 0:
            units[..., padding] = 0
        return units

    return Linear("io", inputs, _row_cotangents, _transposed)


def _bilinear(use: Use, slot: int) -> Rule | None:
    """z_o = aᵀ W_o c + b_o: a linear map of the products of a and c."""
    if not (_data(use, 0) and _data(use, 1)):
        return None
    if slot == 3:
        target = shape(use.slots[3]) or ()
        return Local(lambda _, B: summed_to(B, target))
    first, second = _value(use, 0), _value(use, 1)
    wide = (shape(use.slots[slot]) or ())[1:]

    def inputs(seen: Seen) -> Tensor:
        return _rows((first(seen).unsqueeze(-1) * second(seen).unsqueeze(-2)).flatten(-2))

    return Linear(
        "bilinear", inputs, _row_cotangents, lambda G: torch.unflatten(G, -1, wide), 3 if 3 in use.slots else None
    )


def _prelu(use: Use, slot: int) -> Rule | None:
    """max(a, 0) + w·min(a, 0)"""
    if not _data(use, 0) or slot != 1:
        return None
    given, target = _value(use, 0), shape(use.slots[1]) or ()

    def gradient(seen: Seen, B: Tensor) -> Tensor:
        a = given(seen)
        G = B * a.clamp(max=0).unsqueeze(1)
        if target == (1,) or a.ndim < 3:  # one number, or a single axis of channels
            return summed_to(G, target)
        return G.flatten(4).sum((2, 4)) if G.ndim > 4 else G.sum(2)

    return Local(gradient)


RULES: dict[Any, Callable[[Use, int], Rule | None]] = {
    aten.linear.default: _linear,
    aten.matmul.default: _matmul,
    aten.mm.default: _matmul,
    aten.mv.default: _matmul,
    aten.addmm.default: _addmm,
    aten.conv1d.default: _convolution,
    aten.conv2d.default: _convolution,
    aten.conv3d.default: _convolution,
    aten.conv1d.padding: _convolution,
    aten.conv2d.padding: _convolution,
    aten.conv3d.padding: _convolution,
    aten.conv_transpose1d.default: _transposed_convolution,
    aten.conv_transpose2d.input: _transposed_convolution,
    aten.conv_transpose3d.input: _transposed_convolution,
    aten.layer_norm.default: _norm,
    aten.group_norm.default: _norm,
    aten.batch_norm.default: _norm,
    aten.instance_norm.default: _norm,
    aten.rms_norm.default: _norm,
    aten.prelu.default: _prelu,
    aten.mul.Tensor: _scaled,
    aten.add.Tensor: _added,
    aten.embedding.default: _embedding,
    aten.bilinear.default: _bilinear,
}
