"""Results, figures, experiments and reports as files. matplotlib and h5py are imported when first needed."""

from ntklab.export.array_files import arrays, check_arrays_path
from ntklab.export.contents import metadata, origin
from ntklab.export.plots import Page, figure, figure_bytes, figure_formats, suffix_format
from ntklab.export.reports import report, reporting
from ntklab.export.scripts import script

__all__ = [
    "Page",
    "arrays",
    "check_arrays_path",
    "figure",
    "figure_bytes",
    "figure_formats",
    "metadata",
    "origin",
    "report",
    "reporting",
    "script",
    "suffix_format",
]
