"""Figures on screen. Imports pyqtgraph: the window does so after its first paint."""

from ntklab.gui.plots.view import PlotView

__all__ = ["PlotView"]
