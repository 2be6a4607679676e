"""What a maths card of a layer holds, and what many cards share. No Qt.

K is the NNGP kernel and Θ the NTK of what goes in; p is a position of x, p′ one of x′ (see the notation page).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ntklab.gui.panels.words import shape_text
from ntklab.gui.widgets.numbers import integer, number
from ntklab.spec import Layer
from ntklab.spec.transitions import Shape

Reader = Callable[[Any, Shape], str]

JACOT = "Jacot, Gabriel, Hongler 2018, arXiv:1806.07572"
CONVOLUTIONS = "Novak et al. 2019, arXiv:1810.05148; Arora et al. 2019, arXiv:1904.11955"
NEURAL_TANGENTS = "Novak et al. 2020, arXiv:1912.02803"


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


def field(name: str, digits: int = 4) -> Reader:
    """Reads a number off a layer."""
    return lambda layer, _: number(getattr(layer, name), digits)


def both(rule: str) -> str:
    """A rule for K that holds for Θ too."""
    return f"{rule}\nΘ likewise"


def strided(layer: Any, position: str = "p") -> str:
    """A position times the stride of ``layer``."""
    return f"s {position}" if layer.stride and set(layer.stride) != {1} else position


def _bias(layer: Any, _: Shape) -> str:
    return "no bias" if layer.b_std is None else number(layer.b_std)


SIGMA_W = Sign("σ_W", "W_std", field("W_std"))
SIGMA_B = Sign("σ_b", "b_std", _bias)
STRIDE = Sign("s", "stride", lambda layer, _: shape_text(layer.stride) if layer.stride else "")
POSITIONS = Sign("n_p", "positions", lambda _, before: integer(math.prod(before[:-1])))
