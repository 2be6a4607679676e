"""Results, figures, experiments and reports as files."""

from ntklab.export.array_files import arrays
from ntklab.export.plots import figure, figure_bytes, figure_formats
from ntklab.export.scripts import script

__all__ = ["arrays", "figure", "figure_bytes", "figure_formats", "script"]
