"""The factors of any module that can be exported: its graph of operations, run for many samples at once."""

from ntklab.kernels.empirical.routes.graph.route import Graph

__all__ = ["Graph"]
