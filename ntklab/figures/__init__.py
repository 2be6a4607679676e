"""What to draw: pure functions from results to figures as data, one module a view.

The window's renderers and the exporters draw the same figures; colours come from ``colours`` for both.
"""

from typing import TYPE_CHECKING

from ntklab.lazy import lazily

if TYPE_CHECKING:
    from ntklab.figures.dynamics import alignment, drift, losses, outputs
    from ntklab.figures.functions import eigenfunction, function
    from ntklab.figures.heatmaps import difference, kernel
    from ntklab.figures.model import Axis, Curves, Figure, Heatmap, Norm, Plane, Points, Rule, Series, Shade
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
    "difference",
    "drift",
    "eigenfunction",
    "function",
    "kernel",
    "losses",
    "outputs",
    "power",
    "spectrum",
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
        "spectra": (
            "power",
            "spectrum",
        ),
        "widths": ("convergence",),
    },
)
