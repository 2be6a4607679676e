"""Mean field theory of infinitely wide stacks: fixed points, the phase diagram, and profiles against depth."""

from ntklab.kernels.infinite.phase.depth import Profile, profile
from ntklab.kernels.infinite.phase.diagram import (
    critical_line,
    critical_weight,
    diverging_line,
    ranges,
    susceptibilities,
)
from ntklab.kernels.infinite.phase.dominant import Dominant, dominant
from ntklab.kernels.infinite.phase.fixed_points import (
    correlation_slope,
    fixed_correlation,
    fixed_variance,
    susceptibility,
)
from ntklab.kernels.infinite.phase.maps import Maps, maps_of
from ntklab.kernels.infinite.phase.spread import Hidden, Spread, hidden_layers, spread
from ntklab.kernels.infinite.phase.walk import LayerWalk, walk

__all__ = [
    "Dominant",
    "Hidden",
    "LayerWalk",
    "Maps",
    "Profile",
    "Spread",
    "correlation_slope",
    "critical_line",
    "critical_weight",
    "diverging_line",
    "dominant",
    "fixed_correlation",
    "fixed_variance",
    "hidden_layers",
    "maps_of",
    "profile",
    "ranges",
    "spread",
    "susceptibilities",
    "susceptibility",
    "walk",
]
