"""Where depth leads a network of infinite width: its phase, the diagram around it, and profiles against depth."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntklab.results.provenance import Provenance

Array = NDArray[np.float64]

NEAR_CRITICAL = 1e-3  # of χ₁ from 1: depth scales beyond 1000 layers count as critical


@dataclass(frozen=True)
class Regime:
    """One setting of a plain stack, and what becomes of its units with depth.

    ``variance`` q* may be 0 or infinite: it vanishes or grows for ever. ``chi1`` is W_std² E φ'² there: what a layer
    multiplies squared gradients and small differences with. ``correlation`` c* is what two inputs end at, NaN where
    they keep what they have; ``slope`` that of the correlation map there.
    """

    name: str
    W_std: float
    b_std: float
    variance: float
    chi1: float
    correlation: float
    slope: float

    @property
    def word(self) -> str:
        """ordered, critical or chaotic; unbounded where the variance grows for ever.

        Ordered: inputs become alike and gradients vanish (χ₁ < 1). Chaotic: inputs part and gradients explode (χ₁ > 1).
        """
        if abs(self.chi1 - 1) <= NEAR_CRITICAL:
            return "critical"
        if math.isinf(self.variance):
            return "unbounded"
        return "chaotic" if self.chi1 > 1 or self.correlation < 1 else "ordered"

    @property
    def correlation_depth(self) -> float:
        """ξ = 1/|log slope| layers in which the distance from c* shrinks e-fold; infinite where it shrinks slower."""
        return depth_scale(self.slope)

    @property
    def gradient_depth(self) -> float:
        """1/|log χ₁| layers in which squared gradients shrink or grow e-fold."""
        return depth_scale(self.chi1)


def depth_scale(factor: float) -> float:
    """1/|log ``factor``|: layers to an e-fold change; infinite at 1, 0 at 0 and infinity."""
    if factor <= 0 or math.isinf(factor):
        return 0.0
    log = abs(math.log(factor))
    return 1 / log if log > 1e-6 else math.inf


@dataclass(frozen=True, eq=False)
class Phase:
    """The phase of a network, as that of a plain stack of its most frequent activation and deviations.

    Rows of the arrays (P, …) are the network's own setting first and then references with the same b_std, called
    ``names``: ordered, critical and chaotic (or unbounded), as far as they exist.

    - ``W_std`` … ``slope`` (P,): see ``Regime``.
    - ``grid_W_std`` (w,), ``grid_b_std`` (b,), ``grid_chi1`` (b, w): the diagram. ``critical_line`` and
      ``diverging_line`` (2, m) are W_std and b_std where χ₁ = 1, and from where the variance grows for ever.
    - ``map_from`` (m,) and ``map_to`` (P, m): the correlation map at q*.
    - ``variance_profile``, ``tangent_profile``, ``correlation_profile`` (P, D): q, Θ(x, x) and c in layers 1 … D for
      two inputs with the mean variance ``input_variance`` and mean correlation ``input_correlation`` of the samples.
    - ``layer_variance``, ``layer_tangent``, ``layer_correlation`` (K,): mean q, Θ(x, x) and c of samples behind each of
      the network's own layers with weights, called ``layers``; empty where a layer has no rule.

    ``pairs`` of ``total`` activations of the network are of this kind; ``beside`` names what a plain stack leaves out.
    ``depth_to_width`` Σ 1/n and ``spread``, the relative standard deviation of the output variance between drawn
    networks, are None where the network is no plain stack.
    """

    activation: str
    names: tuple[str, ...]
    W_std: Array
    b_std: Array
    variance: Array
    chi1: Array
    correlation: Array
    slope: Array
    grid_W_std: Array
    grid_b_std: Array
    grid_chi1: Array
    critical_line: Array
    diverging_line: Array
    map_from: Array
    map_to: Array
    variance_profile: Array
    tangent_profile: Array
    correlation_profile: Array
    layers: tuple[str, ...]
    layer_variance: Array
    layer_tangent: Array
    layer_correlation: Array
    input_variance: float
    input_correlation: float
    pairs: int
    total: int
    beside: tuple[str, ...]
    depth_to_width: float | None
    spread: float | None
    provenance: Provenance

    @property
    def here(self) -> Regime:
        """That of the network itself."""
        return self.regime(0)

    @property
    def regimes(self) -> tuple[Regime, ...]:
        """All rows."""
        return tuple(self.regime(row) for row in range(len(self.names)))

    def regime(self, row: int) -> Regime:
        """One row."""
        parts = (self.W_std, self.b_std, self.variance, self.chi1, self.correlation, self.slope)
        return Regime(self.names[row], *(float(part[row]) for part in parts))
