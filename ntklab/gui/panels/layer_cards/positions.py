"""Cards of layers without weights between positions: pools, flatten, norms, resizing, slices, arrays, graphs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ntklab.gui.panels.layer_cards.card import (
    CONVOLUTIONS,
    NEURAL_TANGENTS,
    POSITIONS,
    STRIDE,
    LayerCard,
    Sign,
    both,
    field,
    strided,
)
from ntklab.gui.panels.words import axis_names, shape_text
from ntklab.spec import nested_shape
from ntklab.spec.transitions import Shape, axis_numbers

_POOL_SIGNS = (Sign("Δ", "window", lambda layer, _: shape_text(layer.window)), STRIDE)


def _pool(layer: Any) -> LayerCard:
    mean = type(layer).__name__ == "AvgPool"
    one, two = ("^1⁄_{|Δ|} ", "^1⁄_{|Δ|²} ") if mean else ("", "")
    edges = " At edges only positions inside count." if getattr(layer, "normalize_edges", False) else ""
    return LayerCard(
        f"z_p = {one}Σ_{{δ∈Δ}} x_{{{strided(layer)}+δ}}",
        both(f"K_{{pp′}} ← {two}Σ_{{δ,δ′}} K_{{{strided(layer)}+δ, {strided(layer, 'p′')}+δ′}}"),
        f"No weights: the {'mean' if mean else 'sum'} over a window, of both samples on their own.{edges}",
        _POOL_SIGNS,
        CONVOLUTIONS,
    )


def _global_pool(layer: Any) -> LayerCard:
    mean = type(layer).__name__ == "GlobalAvgPool"
    one, two = ("^1⁄_{n_p} ", "^1⁄_{n_p²} ") if mean else ("", "")
    return LayerCard(
        f"z = {one}Σ_p x_p",
        both(f"K ← {two}Σ_{{p,p′}} K_{{pp′}}"),
        "All pairs of positions count, so the kernel does not care where things are.",
        (POSITIONS,),
        CONVOLUTIONS,
    )


def _flatten(_: Any) -> LayerCard:
    return LayerCard(
        "z = (x_1, x_2, …)",
        both("K ← ^1⁄_{n_p} Σ_p K_{pp}"),
        "Every position keeps weights of its own in the next layer, so each meets only itself.",
        (POSITIONS,),
        CONVOLUTIONS,
    )


def _layer_norm(_: Any) -> LayerCard:
    return LayerCard(
        "z = x / √(ε + mean x²)",
        both("K_{pp′} ← K_{pp′} / √((ε + q_p)(ε + q′_{p′}))"),
        "q is the mean of the variances over the axes. In the limit the mean over channels is 0, and no scale or shift "
        "is learned. It must stand behind a layer with weights, where units are Gaussian.",
        (Sign("q", "mean over", _norm_axes), Sign("ε", "epsilon", field("eps"))),
        f"{NEURAL_TANGENTS}; Yang 2019, arXiv:1910.12478",
    )


def _norm_axes(layer: Any, before: Shape) -> str:
    names = axis_names(len(before))
    try:
        return ", ".join(names[axis - 1] for axis in sorted(axis_numbers(layer.axis, before)))
    except ValueError:
        return ", ".join(map(str, layer.axis))


def _resized(layer: Any, before: Shape) -> str:
    sizes = zip(before[:-1], layer.shape[1:-1], strict=False)
    return shape_text(tuple(size if new == -1 else new for size, new in sizes))


def _linear(formula: str, rule: str, text: str, *signs: Sign, reference: str = NEURAL_TANGENTS) -> LayerCard:
    return LayerCard(formula, both(rule), text, signs, reference)


_RESIZE = _linear(
    "z_p = Σ_r R_{pr} x_r", "K_{pp′} ← Σ_{r,r′} R_{pr} R_{p′r′} K_{rr′}",
    "R interpolates between positions, the same for every sample.",
    Sign("R", "method", lambda layer, _: layer.method), Sign("", "to", _resized),
)  # fmt: skip
_INDEX = _linear(
    "z_p = x_{i(p)}", "K_{pp′} ← K_{i(p), i(p′)}", "Keeps the positions of the slices and forgets the others."
)
_DOT = _linear(
    "z_p = Σ_r B_{pr} x_r", "K_{pp′} ← Σ_{r,r′} B_{pr} B_{p′r′} K_{rr′}",
    "B is the same for every sample; axes that it does not name stay as they are.",
    Sign("B", "array", lambda layer, _: shape_text(nested_shape(layer.array)) or "a number"),
)  # fmt: skip
_AGGREGATE = _linear(
    "z_p = Σ_r A_{rp} x_r", "K_{pp′} ← Σ_{r,r′} A_{rp} A′_{r′p′} K_{rr′}",
    "Each sample brings a graph of its own: A for x, A′ for x′. The pattern is given with the data.",
    reference="Du et al. 2019, arXiv:1905.13192",
)  # fmt: skip

CARDS: dict[str, Callable[[Any], LayerCard]] = {
    "AvgPool": _pool, "SumPool": _pool, "GlobalAvgPool": _global_pool, "GlobalSumPool": _global_pool,
    "Flatten": _flatten, "LayerNorm": _layer_norm, "ImageResize": lambda _: _RESIZE, "Index": lambda _: _INDEX,
    "DotGeneral": lambda _: _DOT, "Aggregate": lambda _: _AGGREGATE,
}  # fmt: skip
