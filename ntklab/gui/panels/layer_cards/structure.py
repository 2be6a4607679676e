"""Cards of dropout and of branches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ntklab.gui.panels.layer_cards.card import NEURAL_TANGENTS, LayerCard, Sign, field
from ntklab.gui.widgets.numbers import integer
from ntklab.spec import Branch


def _dropout(layer: Any) -> LayerCard:
    if layer.mode == "test":
        return LayerCard("z = x", "K ← K\nΘ ← Θ", "In test mode nothing happens.", (), NEURAL_TANGENTS)
    return LayerCard(
        "z = m x / r,  m ∼ Bernoulli(r)",
        "K(x, x) ← K(x, x) / r\nΘ(x, x) ← Θ(x, x) / r",
        "Only where a sample meets itself at the same position: a ridge that follows the data. All other entries stay.",
        (Sign("r", "keep rate", field("keep_rate")),),
        f"{NEURAL_TANGENTS}; Schoenholz et al. 2017, arXiv:1611.01232",
    )


_MERGES: dict[str, tuple[str, str, str]] = {
    "sum": ("z = Σ_j f_j(x)", "K ← Σ_j K_j\nΘ ← Σ_j Θ_j",
            "Branches have weights of their own, so kernels add. A skip connection adds the kernel that came in."),
    "prod": ("z = Π_j f_j(x)", "K ← Π_j K_j\nΘ ← Σ_j Θ_j Π_{i≠j} K_i",
             "Kernels multiply; Θ follows by the product rule."),
    "concat": ("z = (f_1(x), f_2(x), …)", "K ← Σ_j (n_j/n) K_j\nΘ ← Σ_j (n_j/n) Θ_j",
               "Side by side along channels: the mean of the kernels, weighted by width. Along a spatial axis the "
               "kernels stand as blocks, with 0 between branches."),
}  # fmt: skip


def _branch(layer: Branch) -> LayerCard:
    formula, limit, text = _MERGES[layer.merge]
    if layer.merge == "sum" and () in layer.branches and len(layer.branches) == 2:
        formula, limit = "z = x + f(x)", "K ← K + K_f\nΘ ← Θ + Θ_f"
    signs = (Sign("j", "branches", lambda block, _: integer(len(block.branches))),)
    return LayerCard(
        formula, limit, text, signs, "He et al. 2016, arXiv:1603.05027; Yang, Schoenholz 2017, arXiv:1712.08969"
    )


CARDS: dict[str, Callable[[Any], LayerCard]] = {"Dropout": _dropout, "Branch": _branch}
