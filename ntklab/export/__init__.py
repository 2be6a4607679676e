"""Results, figures, experiments and reports as files."""

from ntklab.export.plots import figure, figure_bytes, figure_formats

__all__ = ["figure", "figure_bytes", "figure_formats"]
