"""Kernels estimated from finite networks, with error bars: for every architecture that can be drawn."""

from ntklab.kernels.monte_carlo.kernel import SEEDS, monte_carlo_kernel
from ntklab.kernels.monte_carlo.widths import WIDTHS

__all__ = ["SEEDS", "WIDTHS", "monte_carlo_kernel"]
