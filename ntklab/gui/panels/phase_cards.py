"""Maths cards of the phase view: where depth leads a network, in formulas with the present numbers. No Qt."""

from __future__ import annotations

import math
from collections.abc import Callable

from ntklab.gui.panels.card_spec import CardSpec, Symbol, Value
from ntklab.gui.widgets.numbers import number, percent
from ntklab.results import Phase
from ntklab.session import Session


def _phase(read: Callable[[Phase], str]) -> Value:
    def value(session: Session) -> str:
        found = session.results.phase
        return "—" if found is None else read(found)

    return value


def _correlation(found: Phase) -> str:
    """c*, or that there is none: every correlation stays."""
    c = found.here.correlation
    return "stays" if math.isnan(c) else number(c, 3)


def _layers(depth: float) -> str:
    return "∞" if math.isinf(depth) else f"{number(depth, 3)} layers"


def _spread(found: Phase) -> str:
    return "—" if found.spread is None or math.isnan(found.spread) else f"±{percent(found.spread)}"


_SIGMA_W = Symbol("σ_W", "W_std", _phase(lambda p: number(p.here.W_std, 3)))
_SIGMA_B = Symbol("σ_b", "b_std", _phase(lambda p: number(p.here.b_std, 3)))
_Q = Symbol("q*", "variance", _phase(lambda p: number(p.here.variance, 3)))
_CHI = Symbol("χ_1", "gain", _phase(lambda p: number(p.here.chi1, 4)))
_C = Symbol("c*", "correlation", _phase(_correlation))
_WORD = Symbol("phase", "", _phase(lambda p: p.here.word))
_GRADIENT = Symbol("ξ_∇", "1/|log χ₁|", _phase(lambda p: _layers(p.here.gradient_depth)))
_XI = Symbol("ξ", "1/|log F′(c*)|", _phase(lambda p: _layers(p.here.correlation_depth)))
_RATIO = Symbol("Σ 1/n", "depth/width", _phase(lambda p: number(p.depth_to_width, 2)))
_SPREAD = Symbol("δq/q", "between networks", _phase(_spread))
_FOUNDERS = "Poole et al. 2016, arXiv:1606.05340; Schoenholz et al. 2017, arXiv:1611.01232"

PHASE_CARDS: tuple[CardSpec, ...] = (
    CardSpec(
        "phase", "Order and chaos", "q* = σ_W² !E[φ(√q* z)²] + σ_b²\nχ_1 = σ_W² !E[φ′(√q* z)²]\nz ∼ !N(0, 1)",
        "Each layer multiplies small differences and squared gradients with χ₁. Below 1 depth makes inputs alike and "
        "gradients vanish, above 1 both explode; deep networks train near 1. Click the diagram to try a setting.",
        (_WORD, _CHI, _Q, _C, _GRADIENT, _SIGMA_W, _SIGMA_B, _RATIO, _SPREAD),
        f"{_FOUNDERS}; δq/q: Hanin, Nica 2020, arXiv:1812.05994",
    ),
    CardSpec(
        "correlation-map", "Correlation map", "q* F(c) = σ_W² !E[φ(u)φ(v)] + σ_b²\nc* = F(c*),  F′(1) = χ_1",
        "What a layer makes of the correlation of two inputs. It is convex, so it meets the diagonal at 1 and, where "
        "χ₁ > 1, once more: there all pairs of inputs end.",
        (_WORD, _C, _XI, _CHI, _Q),
        _FOUNDERS,
    ),
    CardSpec(
        "depth-diagonal", "Diagonals with depth",
        "q ← σ_W² !E[φ²] + σ_b²\nΘ ← χ Θ + q,  χ = σ_W² !E[φ′²]",
        "On the critical line Θ(x, x) grows like the depth, in the chaotic phase like χ₁ to its power, in the ordered "
        "phase it settles: the last layers alone are left to train.",
        (_WORD, _CHI, _GRADIENT, _Q),
        "Xiao et al. 2020, arXiv:1912.13053; Jacot et al. 2018, arXiv:1806.07572",
    ),
    CardSpec(
        "depth-correlation", "Correlation with depth", "c_{l+1} = F(c_l)\n|c_l − c*| ∼ e^{−l/ξ}",
        "Inputs can be told apart only as long as their correlation has not settled: some ξ layers deep, deeper near "
        "the critical line.",
        (_WORD, _C, _XI, _CHI),
        _FOUNDERS,
    ),
)  # fmt: skip
