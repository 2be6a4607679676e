"""What to draw: pure functions from results to figures as data, one module a view.

The window's renderers and the exporters draw the same figures; colours come from ``colours`` for both.
"""

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
