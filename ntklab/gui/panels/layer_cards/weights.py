"""Cards of layers with weights: dense layers, convolutions, self-attention."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ntklab.gui.panels.layer_cards.card import (
    CONVOLUTIONS,
    JACOT,
    NEURAL_TANGENTS,
    POSITIONS,
    SIGMA_B,
    SIGMA_W,
    STRIDE,
    LayerCard,
    Sign,
    strided,
)
from ntklab.gui.widgets.numbers import integer, number
from ntklab.spec.transitions import Shape

_HRON = "Hron et al. 2020, arXiv:2006.10540"
_MEAN = "A[{}]_{{pp′}}"  # of a kernel over the positions that a convolution sees together


def _fan_in(layer: Any, before: Shape) -> str:
    return integer(before[-1] * math.prod(getattr(layer, "kernel", ())))


def _theta(layer: Any, mean: str, new: str) -> str:
    """The NTK behind weights: what comes from below, and what the weights of the layer add."""
    if layer.param == "standard":
        one = "" if layer.b_std is None else " + 1"
        return f"{new} ← σ_W² {mean.format('Θ')} + n_{{in}} {mean.format('K')}{one}"
    return f"{new} ← σ_W² {mean.format('Θ')} + {new.replace('Θ', 'K')}"


def _forward(layer: Any, product: str) -> str:
    standard = layer.param == "standard"
    bias = "" if layer.b_std is None else " + b" if standard else " + σ_b b"
    return f"{'' if standard else '(σ_W/√n_{in}) '}{product}{bias}"


def _plus_bias(layer: Any) -> str:
    return "" if layer.b_std is None else " + σ_b²"


def _about(layer: Any, text: str) -> str:
    drawn = {
        "standard": " Weights are drawn with variance σ_W²/n_in, so Θ grows with the width.",
        "mup": " µP divides a read-out by another √n_in; these are the kernels of √n_in·f.",
    }.get(layer.param, " All W and b are drawn from N(0, 1).")
    return text + drawn


def _dense(layer: Any) -> LayerCard:
    return LayerCard(
        f"z = {_forward(layer, 'W x')}",
        f"K ← σ_W² K{_plus_bias(layer)}\n{_theta(layer, '{}', 'Θ')}",
        _about(layer, "Every unit sees every channel, at each position alike. In Θ, K is the new one."),
        (Sign("n_{in}", "fan-in", _fan_in), SIGMA_W, SIGMA_B),
        f"{JACOT}; Lee et al. 2018, arXiv:1711.00165",
    )


_CONV_SIGNS = (
    Sign("n_{in}", "channels × kernel", _fan_in),
    Sign("|Δ|", "kernel positions", lambda layer, _: integer(math.prod(layer.kernel))),
    STRIDE,
    SIGMA_W,
    SIGMA_B,
)


def _conv(layer: Any) -> LayerCard:
    one, two = strided(layer), strided(layer, "p′")
    return LayerCard(
        f"z_p = {_forward(layer, f'Σ_{{δ∈Δ}} W_δ x_{{{one}+δ}}')}",
        f"A[K]_{{pp′}} = ^1⁄_{{|Δ|}} Σ_δ K_{{{one}+δ, {two}+δ}}\nK_{{pp′}} ← σ_W² A[K]_{{pp′}}{_plus_bias(layer)}\n"
        f"{_theta(layer, _MEAN, 'Θ_{pp′}')}",
        _about(layer, "One filter slides over all positions, so K needs all pairs of them, moved together."),
        _CONV_SIGNS,
        CONVOLUTIONS,
    )


def _conv_transpose(layer: Any) -> LayerCard:
    one, two = ("(p−δ)/s", "(p′−δ)/s") if strided(layer) != "p" else ("p−δ", "p′−δ")
    return LayerCard(
        f"z_p = {_forward(layer, f'Σ_{{δ∈Δ}} W_δ x_{{{one}}}')}",
        f"A[K]_{{pp′}} = ^1⁄_{{|Δ|}} Σ_δ K_{{{one}, {two}}}\nK_{{pp′}} ← σ_W² A[K]_{{pp′}}{_plus_bias(layer)}\n"
        f"{_theta(layer, _MEAN, 'Θ_{pp′}')}",
        _about(layer, "The gradient of a convolution: each position is spread over the kernel. Only whole ones count."),
        _CONV_SIGNS,
        NEURAL_TANGENTS,
    )


def _conv_local(layer: Any) -> LayerCard:
    at = strided(layer)
    return LayerCard(
        f"z_p = {_forward(layer, f'Σ_{{δ∈Δ}} W_{{p,δ}} x_{{{at}+δ}}')}".replace(" b", " b_p"),
        f"A[K]_{{pp}} = ^1⁄_{{|Δ|}} Σ_δ K_{{{at}+δ, {at}+δ}}\nK_{{pp}} ← σ_W² A[K]_{{pp}}{_plus_bias(layer)}\n"
        f"{_theta(layer, 'A[{}]_{{pp}}', 'Θ_{pp}')}\nK_{{pp′}} = Θ_{{pp′}} = 0 for p ≠ p′",
        _about(layer, "A convolution with weights of its own at each position: different positions share nothing."),
        _CONV_SIGNS,
        CONVOLUTIONS,
    )


_ZETA = {
    "SOFTMAX": "softmax", "IDENTITY": "identity", "RELU": "ReLU", "ABS": "absolute value",
    "FLAT": "1 / length",
}  # fmt: skip
_ATTENTION_SIGNS = (
    Sign("ζ", "mechanism, over r", lambda layer, _: _ZETA[layer.mechanism]),
    Sign("σ_Q σ_K", "query × key", lambda layer, _: number(layer.W_query_std * layer.W_key_std)),
    Sign("σ_V σ_O", "value × output", lambda layer, _: number(layer.W_value_std * layer.W_out_std)),
    SIGMA_B,
    Sign("R", "positional embedding", lambda layer, _: _embedding(layer)),
    POSITIONS,
)


def _embedding(layer: Any) -> str:
    if layer.pos_emb_type == "NONE":
        return ""
    how = {"SUM": "added", "CONCAT": "joined"}[layer.pos_emb_type]
    return f"{how}, W_std {number(layer.W_pos_emb_std, 3)}"


def _attention(layer: Any) -> LayerCard:
    limit, text = _tied(layer) if layer.linear_scaling else _untied(layer)
    return LayerCard("z = Σ_h ζ(Q_h(x) K_h(x)ᵀ) V_h(x) O_h", limit, text, _ATTENTION_SIGNS, _HRON)


def _tied(layer: Any) -> tuple[str, str]:
    inner = {"NONE": "K(x, x)", "SUM": "(K(x, x) + R)", "CONCAT": "(K(x, x) with R)"}[layer.pos_emb_type]
    bias = _plus_bias(layer)
    limit = (
        f"G_{{pr}} = ζ(σ_Q σ_K {inner}_{{pr}})\nK ← σ_V² σ_O² G K G′ᵀ{bias}\n"
        f"Θ ← σ_V² σ_O² G Θ G′ᵀ + 2 σ_V² σ_O² G K G′ᵀ{bias}"
    )
    return limit, (
        "Queries are tied to keys and scores divided by the key channels, so in the limit attention weights G depend "
        "on each sample alone. Values and outputs train; keys carry no part of Θ."
    )


def _untied(layer: Any) -> tuple[str, str]:
    limit = f"K_{{pp′}} ← (σ_Q σ_K σ_V σ_O)² K_{{pp′}} Σ_{{rr′}} K_{{rr′}}²{_plus_bias(layer)}"
    return limit, (
        "Scores divided by the root of the key channels stay random in the limit; only the mechanism identity has a "
        "closed form. Θ follows by the product rule."
    )


CARDS: dict[str, Callable[[Any], LayerCard]] = {
    "Dense": _dense, "Conv": _conv, "ConvTranspose": _conv_transpose, "ConvLocal": _conv_local,
    "SelfAttention": _attention,
}  # fmt: skip
