"""What to draw: pure functions from results to figures as data, one module a view.

The window's renderers and the exporters draw the same figures; colours come from ``colours`` for both.
"""

from typing import TYPE_CHECKING

from ntklab.lazy import lazily

if TYPE_CHECKING:
    from ntklab.figures.dynamics import alignment, drift, losses, outputs
    from ntklab.figures.functions import eigenfunction, function
    from ntklab.figures.heatmaps import difference, kernel, stored
    from ntklab.figures.ledger import layer_map, layer_maps, layer_modes, layer_shares, layer_spectra
    from ntklab.figures.model import (
        Axis,
        Bar,
        Bars,
        Curves,
        Figure,
        Heatmap,
        Maps,
        Norm,
        Plane,
        Points,
        Rule,
        Series,
        Shade,
    )
    from ntklab.figures.monte_carlo import monte_carlo_error, monte_carlo_mean, z_histogram, z_scores
    from ntklab.figures.phase import correlation_map, depth_correlation, depth_diagonals, phase_diagram
    from ntklab.figures.spectra import power, spectrum
    from ntklab.figures.widths import convergence

__all__ = [
    "Axis",
    "Bar",
    "Bars",
    "Curves",
    "Figure",
    "Heatmap",
    "Maps",
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
    "layer_map",
    "layer_maps",
    "layer_modes",
    "layer_shares",
    "layer_spectra",
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
        "ledger": (
            "layer_map",
            "layer_maps",
            "layer_modes",
            "layer_shares",
            "layer_spectra",
        ),
        "model": (
            "Axis",
            "Bar",
            "Bars",
            "Curves",
            "Figure",
            "Heatmap",
            "Maps",
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
