"""What layers are called in a few signs: key parameters, shapes, names of icons. No Qt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ntklab.gui.widgets.numbers import number, plain, root_text
from ntklab.spec import Branch, Layer, type_row
from ntklab.spec.transitions import Shape

PARAMETERISATION_TITLES = {"ntk": "NTK", "standard": "standard", "mup": "µP"}
_AXES: dict[int, tuple[str, ...]] = {
    1: ("features",),
    2: ("position", "channels"),
    3: ("height", "width", "channels"),
    4: ("x", "y", "z", "channels"),
}
_MERGE_ICONS = {"sum": "layers/Branch"}


def axis_names(rank: int) -> tuple[str, ...]:
    """What the axes of a sample with ``rank`` axes are called."""
    return _AXES.get(rank) or (*(f"axis {number}" for number in range(1, rank)), "channels")


def shape_text(shape: Shape | None) -> str:
    """A sample's shape: 512 or 8×8×1; a dash where it is not known."""
    return "—" if shape is None else "×".join(str(size) for size in shape)


def flow_text(before: Shape | None, after: Shape | None) -> str:
    """What a layer does to the shape: 28×28×64 → 14×14×64."""
    return shape_text(after) if before is None else f"{shape_text(before)} → {shape_text(after)}"


def layer_icon(layer: Layer) -> str:
    """The name of the icon of a layer."""
    if isinstance(layer, Branch):
        return "layers/Branch" if layer.merge == "sum" and () in layer.branches else "layers/Branches"
    return f"layers/{type(layer).__name__}"


def key_parameters(layer: Layer) -> str:
    """The parameters of a layer that its title does not tell, in a few signs."""
    make = _NOTES.get(type(layer).__name__, _fields)
    return " · ".join(part for part in make(layer) if part)


def _weights(layer: Any) -> list[str]:
    bias = "no bias" if layer.b_std is None else f"b {number(layer.b_std, 3)}"
    param = "" if layer.param == "ntk" else PARAMETERISATION_TITLES[layer.param]
    return [f"W {root_text(layer.W_std) or number(layer.W_std, 3)}", bias, param]


def _window(layer: Any) -> list[str]:
    stride: Shape = layer.stride or ()
    same = len(set(stride)) == 1
    strides = "" if set(stride) <= {1} else f"stride {stride[0] if same else shape_text(stride)}"
    return [strides, layer.padding.lower()]


def _attention(layer: Any) -> list[str]:
    embedding = "" if layer.pos_emb_type == "NONE" else f"positions {layer.pos_emb_type.lower()}"
    return [f"{layer.n_heads} heads × {layer.n_chan_val}", embedding]


def _norm(layer: Any) -> list[str]:
    return ["over channels"] if set(layer.axis) == {-1} else [f"over axes {', '.join(map(str, layer.axis))}"]


def _slices(layer: Any) -> list[str]:
    return [slices_text(layer.slices[1:-1])]


def slices_text(slices: tuple[tuple[int | None, int | None, int | None], ...]) -> str:
    """Slices as NumPy writes them: "1:5, ::2"."""
    return ", ".join(_slice(*part) for part in slices)


def _slice(start: int | None, stop: int | None, step: int | None) -> str:
    text = f"{'' if start is None else start}:{'' if stop is None else stop}"
    return text if step is None else f"{text}:{step}"


def _fields(layer: Layer) -> list[str]:
    rows = [row for row in type_row(layer).fields if row.kind in ("int", "float")]
    return [f"{row.name} {plain(getattr(layer, row.name))}" for row in rows]


_NOTES: dict[str, Callable[[Any], list[str]]] = {
    "Dense": _weights,
    "Conv": lambda layer: [*_weights(layer), *_window(layer)],
    "ConvTranspose": lambda layer: [*_weights(layer), *_window(layer)],
    "ConvLocal": lambda layer: [*_weights(layer), *_window(layer)],
    "AvgPool": _window,
    "SumPool": _window,
    "SelfAttention": _attention,
    "LayerNorm": _norm,
    "ImageResize": lambda layer: [layer.method],
    "Index": _slices,
    "Aggregate": lambda layer: [f"axes {', '.join(map(str, layer.axis))}"],
    "Dropout": lambda layer: [f"keeps {number(layer.keep_rate, 3)}", layer.mode],
    "Branch": lambda layer: [f"{len(layer.branches)} branches", layer.merge],
}
