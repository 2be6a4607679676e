"""What to draw: pure functions from results to figures as data, one module a view.

The window's renderers and the exporters draw the same figures; colours come from ``colours`` for both.
"""

from typing import TYPE_CHECKING

from ntklab.lazy import lazily

if TYPE_CHECKING:
    from ntklab.figures.dynamics import alignment, drift, losses, outputs
    from ntklab.figures.functions import eigenfunction, function
    from ntklab.figures.heatmaps import difference, kernel, stored
    from ntklab.figures.model import Axis, Curves, Figure, Heatmap, Norm, Plane, Points, Rule, Series, Shade
    from ntklab.figures.monte_carlo import monte_carlo_error, monte_carlo_mean, z_histogram, z_scores
    from ntklab.figures.phase import correlation_map, depth_correlation, depth_diagonals, phase_diagram
    from ntklab.figures.spectra import power, spectrum
    from ntklab.figures.widths import convergence

__all__ = [
    "Axis",
    "Curves",
    "Figure",
    "Heatmap",
    "Norm",
    "Plane",
    "Points",
    "Rule",
    "Series",
    "Shade",
    "alignment",
    "convergence",
    "correlation_map",
    "depth_correlation",
    "depth_diagonals",
    "difference",
    "drift",
    "eigenfunction",
    "function",
    "kernel",
    "losses",
    "monte_carlo_error",
    "monte_carlo_mean",
    "outputs",
    "phase_diagram",
    "power",
    "spectrum",
    "stored",
    "z_histogram",
    "z_scores",
]

__getattr__ = lazily(
    __name__,
    {
        "dynamics": (
            "alignment",
            "drift",
            "losses",
            "outputs",
        ),
        "functions": (
            "eigenfunction",
            "function",
        ),
        "heatmaps": (
            "difference",
            "kernel",
            "stored",
        ),
        "model": (
            "Axis",
            "Curves",
            "Figure",
            "Heatmap",
            "Norm",
            "Plane",
            "Points",
            "Rule",
            "Series",
            "Shade",
        ),
        "monte_carlo": (
            "monte_carlo_error",
            "monte_carlo_mean",
            "z_histogram",
            "z_scores",
        ),
        "phase": (
            "correlation_map",
            "depth_correlation",
            "depth_diagonals",
            "phase_diagram",
        ),
        "spectra": (
            "power",
            "spectrum",
        ),
        "widths": ("convergence",),
    },
)
