"""What people are told about a field, and the groups that layers and data sources stand in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Note:
    """About one field. ``none`` says what no value means; ``start`` is the value to begin with when it gets one.

    ``usual`` is the range of a slider, ``step`` that of a spin box, ``log`` whether equal ratios look equal.
    """

    label: str
    tooltip: str
    usual: tuple[float, float] | None = None
    step: float | None = None
    log: bool = False
    none: str = ""
    start: Any = None


WEIGHTS, ACTIVATIONS, STRUCTURE = "Weights", "Activations", "Structure"
CONVOLUTION, POOLING, NORMALISATION = "Convolution", "Pooling", "Normalisation"
ATTENTION, POSITIONS = "Attention", "Positions"
BUNDLED, SYNTHETIC, FILES = "Real data", "Synthetic", "Your files"
