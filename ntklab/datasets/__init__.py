"""Data sets: from a spec to numbers. Real, synthetic, and the user's own files."""

from ntklab.datasets.load import check_count, load
from ntklab.datasets.readers import columns

__all__ = ["check_count", "columns", "load"]
