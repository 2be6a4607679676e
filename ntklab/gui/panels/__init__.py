"""The regions of the window. Each reads the session, edits it through ``session.edits``, or emits a signal."""

from ntklab.gui.panels.experiment import ExperimentPanel
from ntklab.gui.panels.inspector import InspectorPanel
from ntklab.gui.panels.jobsbar import JobsBar
from ntklab.gui.panels.transport import TransportBar

__all__ = ["ExperimentPanel", "InspectorPanel", "JobsBar", "TransportBar"]
