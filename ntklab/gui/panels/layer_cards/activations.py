"""Cards of activations: the function and its dual, the expectations that replace the kernels (a table)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ntklab.gui.panels.layer_cards.card import LayerCard, Sign, field
from ntklab.spec import caption

_DUAL = "Daniely, Frostig, Singer 2016, arXiv:1602.05897"
_GAUSS = "(u, v) ∼ !N(0, [q, K; K, q′])"
_GENERAL = f"K ← !E[φ(u) φ(v)]\nΘ ← !E[φ′(u) φ′(v)] Θ\n{_GAUSS}"
_INTEGRATED = "The expectations are integrated numerically, exactly at the kink; the result says how well."
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
_ANGLE = "ϑ = arccos(K / √(q q′))\n"
_KINKED = f"{_ANGLE}g = ½(a² + b²) − (a − b)² ϑ / 2π\nK ← g K + (a − b)² √(q q′ − K²) / 2π\nΘ ← g Θ"
_AMPLITUDE = (("a", "amplitude", "a"), ("b", "scale", "b"))
_WAVES = "E_± = exp(−½ b² (q + q′ ± 2K))\n"
_CHO = "Cho, Saul 2009 (arc-cosine kernels)"
_WILLIAMS = "Williams 1997 (computing with infinite networks)"

_DUALS: dict[str, _Dual] = {
    "Relu": _Dual(
        "φ(x) = max(x, 0)",
        f"{_ANGLE}K ← (1/2π) [√(q q′ − K²) + (π − ϑ) K]\nΘ ← (1/2π) (π − ϑ) Θ", reference=_CHO,
    ),
    "LeakyRelu": _Dual("φ(x) = max(x, 0) + a min(x, 0)",
                       f"{_ANGLE}g = ½(1 + a²) − (1 − a)² ϑ / 2π\n"
                       "K ← g K + (1 − a)² √(q q′ − K²) / 2π\nΘ ← g Θ",
                       (("a", "slope below 0", "alpha"),), reference=_CHO),
    "ABRelu": _Dual("φ(x) = b max(x, 0) + a min(x, 0)", _KINKED, _AB, reference=_CHO),
    "Abs": _Dual("φ(x) = |x|", f"{_ANGLE}K ← (2/π) [√(q q′ − K²) + (π/2 − ϑ) K]\n"
                 "Θ ← (1 − 2ϑ/π) Θ", reference=_CHO),
    "Elu": _Dual("φ(x) = x for x > 0, else a (exp(x) − 1)", _GENERAL, (("a", "scale below 0", "alpha"),), _INTEGRATED,
                 "Clevert, Unterthiner, Hochreiter 2016, arXiv:1511.07289"),
    "Selu": _Dual("φ(x) = λ x for x > 0, else λ a (exp(x) − 1)\nλ = 1.0507,  a = 1.6733", _GENERAL, (), _INTEGRATED,
                  "Klambauer et al. 2017, arXiv:1706.02515"),
    "Erf": _Dual("φ(x) = a erf(b x) + c",
                 "D = (1 + 2b²q)(1 + 2b²q′)\nK ← a² (2/π) arcsin(2b²K / √D) + c²\nΘ ← a² 4b² / (π √(D − 4b⁴K²)) Θ",
                 (*_AMPLITUDE, ("c", "shift", "c")), reference=_WILLIAMS),
    "Sigmoid_like": _Dual("φ(x) = ½ erf(x / 2.402) + ½", "the rule of a erf(b x) + c with a = c = ½, b = 1/2.402",
                          text="The logistic function to within 0.02, with a closed form.", reference=_WILLIAMS),
    "Gelu": _Dual("φ(x) = x Φ(x)",
                  "C = (1 + q)(1 + q′),  D = C − K²\nα = arctan(K / √D)\n"
                  "K ← ¼ K + (1/2π) [(K² + q q′ D) / (C √D) + K α]\nΘ ← ∂K_{new}/∂K Θ",
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
    "Polynomial": _Dual("φ(x) = Σ_i c_i x^i", _GENERAL, text="The expectations are polynomials in K, q and q′."),
    "Monomial": _Dual("φ(x) = x^m", _GENERAL, (("m", "degree", "degree"),),
                      "The expectations are polynomials in K, q and q′."),
    "RectifiedMonomial": _Dual("φ(x) = x^m for x > 0, else 0", _GENERAL, (("m", "degree", "degree"),),
                               "The arc-cosine kernel of order m, in closed form.", _CHO),
    "Hermite": _Dual("φ(x) = h_m(x)", "K ← K^m\nΘ ← m K^{m−1} Θ", (("m", "degree", "degree"),),
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


def activation_card(layer: Any) -> LayerCard:
    """The card of a pointwise layer. Raises ``KeyError`` for other layers."""
    name = type(layer).__name__
    if name == "Numerical":
        return _numerical(layer)
    if name == "Elementwise":
        return _elementwise(layer)
    dual = _DUALS[name]
    signs = tuple(Sign(sign, meaning, field(name)) for sign, meaning, name in dual.signs)
    return LayerCard(dual.formula, dual.limit, dual.text, signs, dual.reference)


def _numerical(layer: Any) -> LayerCard:
    text = "The expectations have no closed form and are integrated numerically; the result says how well."
    signs = (Sign("", "least nodes a dimension", field("deg")),)
    return LayerCard(_FUNCTIONS.get(layer.fn, f"φ(x) = {layer.fn}(x)"), _GENERAL, text, signs, _DUAL)


def _elementwise(layer: Any) -> LayerCard:
    text = (
        "Any pointwise function of torch, differentiated by torch. The expectations are integrated numerically between "
        "its kinks; the result says how well."
    )
    arguments = "".join(f", {number:g}" for number in layer.arguments)
    return LayerCard(f"φ(x) = {caption(layer)}(x{arguments})", _GENERAL, text, (), _DUAL)
