"""Maths cards of layers as a table: what each computes, and what it does to the kernels of infinite width. No Qt.

K is the NNGP kernel and Θ the NTK of what goes in (see the notation page); p and q are positions, q and q′ without a
position the variances K(x, x) and K(x′, x′). The rules are those of science by Jacot et al. 2018 and Novak et al. 2020,
and of the works that each card names.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ntklab.gui.panels.words import axis_names, shape_text
from ntklab.gui.widgets.numbers import integer, number
from ntklab.spec import Branch, Layer, is_activation
from ntklab.spec.transitions import Shape, axis_numbers

Reader = Callable[[Any, Shape], str]


@dataclass(frozen=True)
class Sign:
    """A symbol as it stands in the formulas (see ``widgets.maths``), what it means, and its value for a layer.

    ``value(layer, before)`` gets the shape of one sample that comes in; an empty text leaves the symbol out.
    """

    sign: str
    meaning: str
    value: Reader


@dataclass(frozen=True)
class LayerCard:
    """``formula`` is what the layer computes, ``limit`` what that does to the kernels; both written for ``maths``."""

    formula: str
    limit: str
    text: str
    signs: tuple[Sign, ...] = ()
    reference: str = ""

    def rows(self, layer: Layer, before: Shape) -> tuple[tuple[str, str, str], ...]:
        """Symbol, meaning, value for ``layer`` on samples of shape ``before``."""
        found = ((sign.sign, sign.meaning, sign.value(layer, before)) for sign in self.signs)
        return tuple(row for row in found if row[2])


def layer_card(layer: Layer) -> LayerCard:
    """The card of ``layer``, as its fields are."""
    make = _CARDS.get(type(layer).__name__, _activation)
    return make(layer)


_JACOT = "Jacot, Gabriel, Hongler 2018, arXiv:1806.07572"
_CONV = "Novak et al. 2019, arXiv:1810.05148; Arora et al. 2019, arXiv:1904.11955"
_NT = "Novak et al. 2020, arXiv:1912.02803"
_HRON = "Hron et al. 2020, arXiv:2006.10540"
_DUAL = "Daniely, Frostig, Singer 2016, arXiv:1602.05897"


def _field(name: str, digits: int = 4) -> Reader:
    return lambda layer, _: number(getattr(layer, name), digits)


def _bias(layer: Any, _: Shape) -> str:
    return "no bias" if layer.b_std is None else number(layer.b_std)


_SIGMA_W = Sign("σ_W", "W_std", _field("W_std"))
_SIGMA_B = Sign("σ_b", "b_std", _bias)
_P = Sign("P", "positions", lambda _, before: integer(math.prod(before[:-1])))


# -- layers with weights ----------------------------------------------------------------------------------------------


def _fan_in(layer: Any, before: Shape) -> str:
    return integer(before[-1] * math.prod(getattr(layer, "kernel", ())))


def _theta(layer: Any, mean: str, new: str) -> str:
    """The NTK behind weights: what comes from below, and what the weights of the layer add."""
    if layer.param == "standard":
        one = "" if layer.b_std is None else " + 1"
        return f"{new} ← σ_W² {mean.format('Θ')} + n {mean.format('K')}{one}"
    return f"{new} ← σ_W² {mean.format('Θ')} + {new.replace('Θ', 'K')}"


def _forward(layer: Any, product: str) -> str:
    bias = {True: "", False: " + b" if layer.param == "standard" else " + σ_b b"}[layer.b_std is None]
    factor = "" if layer.param == "standard" else "(σ_W/√n) "
    return f"{factor}{product}{bias}"


def _plus_bias(layer: Any) -> str:
    return "" if layer.b_std is None else " + σ_b²"


def _about(layer: Any, text: str) -> str:
    drawn = {
        "standard": " Weights are drawn with variance σ_W²/n, so Θ grows with n.",
        "mup": " µP divides a read-out by another √n; these are the kernels of √n f.",
    }.get(layer.param, " All W and b are drawn from N(0, 1).")
    return text + drawn


def _dense(layer: Any) -> LayerCard:
    return LayerCard(
        f"z = {_forward(layer, 'W x')}",
        f"K ← σ_W² K{_plus_bias(layer)}\n{_theta(layer, '{}', 'Θ')}",
        _about(layer, "Every unit sees every channel, at each position alike. In Θ, K is the new one."),
        (Sign("n", "fan-in", _fan_in), _SIGMA_W, _SIGMA_B),
        f"{_JACOT}; Lee et al. 2018, arXiv:1711.00165",
    )


def _strided(layer: Any) -> str:
    return "s p" if layer.stride and set(layer.stride) != {1} else "p"


_CONV_SIGNS = (
    Sign("n", "fan-in: channels × kernel", _fan_in),
    Sign("k", "kernel positions", lambda layer, _: integer(math.prod(layer.kernel))),
    Sign("s", "stride", lambda layer, _: shape_text(layer.stride) if layer.stride else ""),
    _SIGMA_W,
    _SIGMA_B,
)


def _conv(layer: Any) -> LayerCard:
    at = _strided(layer)
    mean = "A[{}]_{{pq}}"
    return LayerCard(
        f"z_p = {_forward(layer, f'Σ_δ W_δ x_{{{at}+δ}}')}",
        f"A[K]_{{pq}} = ^1⁄_k Σ_δ K_{{{at}+δ, {at.replace('p', 'q')}+δ}}\nK_{{pq}} ← σ_W² A[K]_{{pq}}"
        f"{_plus_bias(layer)}\n{_theta(layer, mean, 'Θ_{pq}')}",
        _about(layer, "One filter slides over all positions, so K needs all pairs of them, moved together."),
        _CONV_SIGNS,
        _CONV,
    )


def _conv_transpose(layer: Any) -> LayerCard:
    mean = "A[{}]_{{pq}}"
    return LayerCard(
        f"z_p = {_forward(layer, 'Σ_{s r+δ=p} W_δ x_r')}",
        f"A[K]_{{pq}} = ^1⁄_k Σ_δ K_{{(p−δ)/s, (q−δ)/s}}\nK_{{pq}} ← σ_W² A[K]_{{pq}}"
        f"{_plus_bias(layer)}\n{_theta(layer, mean, 'Θ_{pq}')}",
        _about(layer, "The gradient of a convolution: each position is spread over the kernel. Only whole positions "
                      "(p−δ)/s count."),
        _CONV_SIGNS,
        _NT,
    )  # fmt: skip


def _conv_local(layer: Any) -> LayerCard:
    at = _strided(layer)
    return LayerCard(
        f"z_p = {_forward(layer, f'Σ_δ W_{{p,δ}} x_{{{at}+δ}}')}".replace(" b", " b_p"),
        f"K_{{pp}} ← ^{{σ_W²}}⁄_k Σ_δ K_{{{at}+δ, {at}+δ}}{_plus_bias(layer)}\n"
        f"{_theta(layer, 'A[{}]_{{pp}}', 'Θ_{pp}')}\nK_{{pq}} = Θ_{{pq}} = 0 for p ≠ q",
        _about(layer, "A convolution with weights of its own at each position: different positions share nothing. A is "
                      "the mean over the kernel."),
        _CONV_SIGNS,
        _CONV,
    )  # fmt: skip


# -- attention --------------------------------------------------------------------------------------------------------

_ZETA = {
    "SOFTMAX": "softmax over r", "IDENTITY": "identity", "RELU": "ReLU", "ABS": "absolute value",
    "FLAT": "1 / length",
}  # fmt: skip
_ATTENTION_SIGNS = (
    Sign("ζ", "mechanism", lambda layer, _: _ZETA[layer.mechanism]),
    Sign("σ_Q σ_K", "query × key", lambda layer, _: number(layer.W_query_std * layer.W_key_std)),
    Sign("σ_V σ_O", "value × output", lambda layer, _: number(layer.W_value_std * layer.W_out_std)),
    _SIGMA_B,
    Sign("R", "positional embedding", lambda layer, _: _embedding(layer)),
    _P,
)


def _embedding(layer: Any) -> str:
    if layer.pos_emb_type == "NONE":
        return ""
    how = {"SUM": "added", "CONCAT": "joined"}[layer.pos_emb_type]
    return f"{how}, W_std {number(layer.W_pos_emb_std, 3)}"


def _attention(layer: Any) -> LayerCard:
    score = "σ_Q σ_K K(x, x)" if layer.pos_emb_type == "NONE" else "σ_Q σ_K (K(x, x) & R)"
    score = score.replace(" & ", " + " if layer.pos_emb_type == "SUM" else " with ")
    bias = _plus_bias(layer)
    if layer.linear_scaling:
        limit = f"G = ζ({score})\nK ← σ_V² σ_O² G K G′ᵀ{bias}\nΘ ← σ_V² σ_O² G Θ G′ᵀ + 2 σ_V² σ_O² G K G′ᵀ{bias}"
        text = (
            "Queries are tied to keys and scores divided by the key channels, so in the limit the attention weights G "
            "depend on each sample alone. Values and outputs train; keys carry no part of Θ."
        )
    else:
        limit = f"K_{{pq}} ← (σ_Q σ_K σ_V σ_O)² K_{{pq}} Σ_{{rs}} K_{{rs}}²{bias}"
        text = (
            "Scores divided by the root of the key channels stay random in the limit; only the mechanism identity has "
            "a closed form. Θ follows by the product rule."
        )
    return LayerCard(
        "z = Σ_h ζ(Q_h(x) K_h(x)ᵀ) V_h(x) O_h", limit, text, _ATTENTION_SIGNS, _HRON
    )  # fmt: skip


# -- pools and maps between positions ---------------------------------------------------------------------------------


def _both(rule: str) -> str:
    """A rule for K that holds for Θ too."""
    return f"{rule}\nΘ likewise"


def _window(layer: Any, _: Shape) -> str:
    return shape_text(layer.window)


_POOL_SIGNS = (
    Sign("w", "window", _window),
    Sign("s", "stride", lambda layer, _: shape_text(layer.stride) if layer.stride else ""),
)


def _pool(layer: Any) -> LayerCard:
    mean = type(layer).__name__ == "AvgPool"
    at, one, two = _strided(layer), "^1⁄_{|w|} " if mean else "", "^1⁄_{|w|²} " if mean else ""
    edges = " At edges only positions inside count." if getattr(layer, "normalize_edges", False) else ""
    return LayerCard(
        f"z_p = {one}Σ_{{δ ∈ w}} x_{{{at}+δ}}",
        _both(f"K_{{pq}} ← {two}Σ_{{δ, δ′}} K_{{{at}+δ, {at.replace('p', 'q')}+δ′}}"),
        f"No weights: the {'mean' if mean else 'sum'} over a window, of both samples on their own.{edges}",
        _POOL_SIGNS,
        _CONV,
    )


def _global_pool(layer: Any) -> LayerCard:
    mean = type(layer).__name__ == "GlobalAvgPool"
    one, two = ("^1⁄_P ", "^1⁄_{P²} ") if mean else ("", "")
    return LayerCard(
        f"z = {one}Σ_p x_p",
        _both(f"K ← {two}Σ_{{p, q}} K_{{pq}}"),
        "All pairs of positions count, so the kernel does not care where things are.",
        (_P,),
        _CONV,
    )


def _flatten(_: Any) -> LayerCard:
    return LayerCard(
        "z = (x_1, …, x_P)",
        _both("K ← ^1⁄_P Σ_p K_{pp}"),
        "Every position keeps weights of its own in the next layer, so each meets only itself.",
        (_P,),
        _CONV,
    )


def _layer_norm(_: Any) -> LayerCard:
    return LayerCard(
        "z = x / √(ε + mean x²)",
        _both("K_{pq} ← K_{pq} / √((ε + v_p)(ε + v′_q))"),
        "v is the mean of the variances over the axes. In the limit the mean over channels is 0, and no scale or shift "
        "is learned. It must stand behind a layer with weights, where units are Gaussian.",
        (
            Sign("v", "mean over", _norm_axes),
            Sign("ε", "epsilon", _field("eps")),
        ),
        f"{_NT}; Yang 2019, arXiv:1910.12478",
    )


def _norm_axes(layer: Any, before: Shape) -> str:
    names = axis_names(len(before))
    try:
        return ", ".join(names[axis - 1] for axis in sorted(axis_numbers(layer.axis, before)))
    except ValueError:
        return ", ".join(map(str, layer.axis))


def _linear_map(formula: str, rule: str, text: str, *signs: Sign, reference: str = _NT) -> Callable[[Any], LayerCard]:
    made = LayerCard(formula, _both(rule), text, signs, reference)
    return lambda _: made


_RESIZE = _linear_map(
    "z_p = Σ_r R_{pr} x_r", "K_{pq} ← Σ_{r, t} R_{pr} R_{qt} K_{rt}",
    "R interpolates between positions, the same for every sample.",
    Sign("R", "method", lambda layer, _: layer.method),
    Sign("", "to", lambda layer, before: shape_text(tuple(
        size if new == -1 else new for size, new in zip(before[:-1], layer.shape[1:-1], strict=False)))),
)  # fmt: skip
_INDEX = _linear_map(
    "z_p = x_{i(p)}", "K_{pq} ← K_{i(p), i(q)}", "Keeps the positions of the slices and forgets the others."
)
_DOT = _linear_map(
    "z_p = Σ_r A_{pr} x_r", "K_{pq} ← Σ_{r, t} A_{pr} A_{qt} K_{rt}",
    "A is the same for every sample; what it does not name stays as it is.",
    Sign("A", "array", lambda layer, _: shape_text(_array_shape(layer.array)) or "a number"),
)  # fmt: skip
_AGGREGATE = _linear_map(
    "z_j = Σ_i A_{ij} x_i", "K_{jl} ← Σ_{i, k} A_{ij} A′_{kl} K_{ik}",
    "Each sample brings a graph of its own: A for x, A′ for x′. The pattern is given with the data.",
    reference="Du et al. 2019, arXiv:1905.13192",
)  # fmt: skip


def _array_shape(array: Any) -> Shape:
    return (len(array), *_array_shape(array[0])) if isinstance(array, tuple) and array else ()


# -- structure --------------------------------------------------------------------------------------------------------


def _dropout(layer: Any) -> LayerCard:
    if layer.mode == "test":
        return LayerCard("z = x", "K ← K\nΘ ← Θ", "In test mode nothing happens.", (), _NT)
    return LayerCard(
        "z = m x / r,  m ∼ Bernoulli(r)",
        "K(x, x) ← K(x, x) / r\nΘ(x, x) ← Θ(x, x) / r",
        "Only where a sample meets itself at the same position: a ridge that follows the data. All other entries stay.",
        (Sign("r", "keep rate", _field("keep_rate")),),
        f"{_NT}; Schoenholz et al. 2017, arXiv:1611.01232",
    )


_MERGES: dict[str, tuple[str, str, str]] = {
    "sum": ("z = Σ_b f_b(x)", "K ← Σ_b K_b\nΘ ← Σ_b Θ_b",
            "Branches have weights of their own, so kernels add. A skip connection adds the kernel that came in."),
    "prod": ("z = Π_b f_b(x)", "K ← Π_b K_b\nΘ ← Σ_b Θ_b Π_{c≠b} K_c",
             "Kernels multiply; Θ follows by the product rule."),
    "concat": ("z = (f_1(x), f_2(x), …)", "K ← Σ_b ^{n_b}⁄_n K_b\nΘ ← Σ_b ^{n_b}⁄_n Θ_b",
               "Side by side along channels: the mean of the kernels, weighted by width. Along a spatial axis the "
               "kernels stand as blocks, with 0 between branches."),
}  # fmt: skip


def _branch(layer: Branch) -> LayerCard:
    formula, limit, text = _MERGES[layer.merge]
    residual = layer.merge == "sum" and () in layer.branches and len(layer.branches) == 2
    if residual:
        formula, limit = "z = x + f(x)", "K ← K + K_f\nΘ ← Θ + Θ_f"
    signs = (Sign("b", "branches", lambda block, _: integer(len(block.branches))),)
    return LayerCard(
        formula, limit, text, signs, "He et al. 2016, arXiv:1603.05027; Yang, Schoenholz 2017, arXiv:1712.08969"
    )


# -- activations ------------------------------------------------------------------------------------------------------

_GAUSS = "(u, v) ∼ !N(0, [q, K; K, q′])"
_GENERAL = f"K ← !E[φ(u) φ(v)]\nΘ ← !E[φ′(u) φ′(v)] Θ\n{_GAUSS}"
_EXACT = "q and q′ are the variances K(x, x) and K(x′, x′)."


@dataclass(frozen=True)
class _Dual:
    """φ, the rule for the kernels (empty: the general one), the fields that stand in it, and who found it."""

    formula: str
    limit: str
    signs: tuple[tuple[str, str, str], ...] = ()
    text: str = _EXACT
    reference: str = _DUAL


_AB = (("a", "slope below 0", "a"), ("b", "slope above 0", "b"))
_KINKED = "κ = ½(a² + b²) − (a − b)² ϑ / 2π\nϑ = arccos(K / √(q q′))\nK ← κ K + (a − b)² √(q q′ − K²) / 2π\nΘ ← κ Θ"
_AMPLITUDE = (("a", "amplitude", "a"), ("b", "scale", "b"))
_WAVES = "E_± = exp(−½ b² (q + q′ ± 2K))\n"
_CHO = "Cho, Saul 2009 (arc-cosine kernels)"
_WILLIAMS = "Williams 1997 (computing with infinite networks)"

_DUALS: dict[str, _Dual] = {
    "Relu": _Dual(
        "φ(x) = max(x, 0)",
        "ϑ = arccos(K / √(q q′))\nK ← (1/2π) [√(q q′ − K²) + (π − ϑ) K]\nΘ ← (1/2π) (π − ϑ) Θ", reference=_CHO,
    ),
    "LeakyRelu": _Dual("φ(x) = max(x, 0) + a min(x, 0)",
                       "κ = ½(1 + a²) − (1 − a)² ϑ / 2π\nϑ = arccos(K / √(q q′))\n"
                       "K ← κ K + (1 − a)² √(q q′ − K²) / 2π\nΘ ← κ Θ",
                       (("a", "slope below 0", "alpha"),), reference=_CHO),
    "ABRelu": _Dual("φ(x) = b max(x, 0) + a min(x, 0)", _KINKED, _AB, reference=_CHO),
    "Abs": _Dual("φ(x) = |x|", "ϑ = arccos(K / √(q q′))\nK ← (2/π) [√(q q′ − K²) + (π/2 − ϑ) K]\n"
                 "Θ ← (1 − 2ϑ/π) Θ", reference=_CHO),
    "Erf": _Dual("φ(x) = a erf(b x) + c",
                 "D = (1 + 2b²q)(1 + 2b²q′)\nK ← a² (2/π) arcsin(2b²K / √D) + c²\nΘ ← a² 4b² / (π √(D − 4b⁴K²)) Θ",
                 (*_AMPLITUDE, ("c", "shift", "c")), reference=_WILLIAMS),
    "Sigmoid_like": _Dual("φ(x) = ½ erf(x / 2.402) + ½", "the rule of a erf(b x) + c with a = c = ½, b = 1/2.402",
                          text="The logistic function to within 0.02, with a closed form.", reference=_WILLIAMS),
    "Gelu": _Dual("φ(x) = x Φ(x)",
                  "P = (1 + q)(1 + q′),  D = P − K²\nt = arctan(K / √D)\n"
                  "K ← ¼ K + (1/2π) [(K² + q q′ D) / (P √D) + K t]\nΘ ← ∂K_{new}/∂K Θ",
                  reference="Tsuchida et al. 2021, arXiv:2002.08517"),
    "Sin": _Dual("φ(x) = a sin(b x + c)",
                 f"{_WAVES}K ← ½ a² (E_− − cos 2c E_+)\nΘ ← ½ a²b² (E_− + cos 2c E_+) Θ",
                 (*_AMPLITUDE, ("c", "phase", "c")), reference="Pearce et al. 2019, arXiv:1905.06076"),
    "Cos": _Dual("φ(x) = a cos(b x + c)",
                 f"{_WAVES}K ← ½ a² (E_− + cos 2c E_+)\nΘ ← ½ a²b² (E_− − cos 2c E_+) Θ",
                 (*_AMPLITUDE, ("c", "phase", "c")), reference="Pearce et al. 2019, arXiv:1905.06076"),
    "Rbf": _Dual("φ(x) = √2 sin(√(2γ) x + π/4)", "K ← exp(−γ (q + q′ − 2K))\nΘ ← 2γ exp(−γ (q + q′ − 2K)) Θ",
                 (("γ", "gamma", "gamma"),), reference="Rahimi, Recht 2007 (random features)"),
    "Gaussian": _Dual("φ(x) = a exp(b x²)",
                      "D = (1 − 2bq)(1 − 2bq′) − 4b²K²\nK ← a² D^{−1/2}\nΘ ← 4a²b² K D^{−3/2} Θ",
                      (("a", "amplitude", "a"), ("b", "exponent", "b")), reference=_WILLIAMS),
    "Exp": _Dual("φ(x) = a exp(b x)",
                 "K ← a² exp(½ b² (q + q′ + 2K))\nΘ ← a²b² exp(½ b² (q + q′ + 2K)) Θ", _AMPLITUDE),
    "Gabor": _Dual("φ(x) = exp(−x²) sin x", _GENERAL, text="The expectations have a closed form."),
    "Sign": _Dual("φ(x) = sign x", "K ← (2/π) arcsin(K / √(q q′))\nΘ ← 0",
                  text="Its derivative is 0 almost everywhere, so only the layers above train.", reference=_CHO),
    "Polynomial": _Dual("φ(x) = Σ_k c_k x^k", _GENERAL, text="The expectations are polynomials in K, q and q′."),
    "Monomial": _Dual("φ(x) = x^n", _GENERAL, (("n", "degree", "degree"),),
                      "The expectations are polynomials in K, q and q′."),
    "RectifiedMonomial": _Dual("φ(x) = x^n for x > 0, else 0", _GENERAL, (("n", "degree", "degree"),),
                               "The arc-cosine kernel of order n, in closed form.", _CHO),
    "Hermite": _Dual("φ(x) = h_n(x)", "K ← K^n\nΘ ← n K^{n−1} Θ", (("n", "degree", "degree"),),
                     "Orthonormal Hermite polynomials; what goes in must have variance 1."),
    "ExpNormalized": _Dual("no finite network",
                           "K ← √(q q′) exp(γ (K / √(q q′) + s))\nΘ ← γ exp(γ (K / √(q q′) + s)) Θ",
                           (("γ", "gamma", "gamma"), ("s", "shift", "shift")),
                           "A rule for kernels alone: there is no finite network to compare with."),
}  # fmt: skip
_FUNCTIONS = {
    "tanh": "φ(x) = tanh x", "sigmoid": "φ(x) = 1 / (1 + e^{−x})", "swish": "φ(x) = x / (1 + e^{−x})",
    "softplus": "φ(x) = log(1 + e^x)", "mish": "φ(x) = x tanh(log(1 + e^x))",
}  # fmt: skip


def _activation(layer: Any) -> LayerCard:
    assert is_activation(layer), f"{type(layer).__name__} has no card"
    dual = _DUALS[type(layer).__name__]
    signs = tuple(Sign(sign, meaning, _field(name)) for sign, meaning, name in dual.signs)
    return LayerCard(dual.formula, dual.limit, dual.text, signs, dual.reference)


def _numerical(layer: Any) -> LayerCard:
    text = "The expectations have no closed form and are integrated numerically; the result says how well."
    signs = (Sign("", "least nodes a dimension", _field("deg")),)
    return LayerCard(_FUNCTIONS.get(layer.fn, f"φ(x) = {layer.fn}(x)"), _GENERAL, text, signs, _DUAL)


_CARDS: dict[str, Callable[[Any], LayerCard]] = {
    "Dense": _dense, "Conv": _conv, "ConvTranspose": _conv_transpose, "ConvLocal": _conv_local,
    "SelfAttention": _attention, "AvgPool": _pool, "SumPool": _pool, "GlobalAvgPool": _global_pool,
    "GlobalSumPool": _global_pool, "LayerNorm": _layer_norm, "ImageResize": _RESIZE, "Index": _INDEX,
    "DotGeneral": _DOT, "Aggregate": _AGGREGATE, "Dropout": _dropout, "Flatten": _flatten, "Branch": _branch,
    "Numerical": _numerical,
}  # fmt: skip
