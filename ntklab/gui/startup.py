"""What follows the first paint, in slices that never hold the event loop for long."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Slot

from ntklab.errors import FileError
from ntklab.gui import starter

if TYPE_CHECKING:
    from ntklab.gui.window import Window
    from ntklab.results import Run
    from ntklab.spec import Experiment

HINT = "Drag the width on the left: the finite kernel goes to the analytic one, which is infinitely wide."
LOST = "The laboratory did not end as it should last time. The experiment of then was kept."


class StartUp(QObject):
    """Imports the plots, shows the stored starter result, has torch imported in the worker, and compares the two."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window = window
        self._slices = self._work()
        self._stored: Run | None = None
        self._lost: Experiment | None = None
        window.first_painted.connect(self._next)
        window.laboratory.computed.connect(self._compare)

    @Slot()
    def _next(self) -> None:
        if next(self._slices, None) is not None:
            QTimer.singleShot(0, self._next)

    def _work(self) -> Iterator[str]:
        import pyqtgraph  # noqa: F401 (the longest import of the window; a slice of its own)

        yield "pyqtgraph"
        from ntklab.gui.plots import PlotView

        yield "plots"
        for panel in self._window.views.panels.values():
            panel.attach(PlotView())
            yield panel.view.id
        if self._window.session.experiment == starter.starter_experiment():
            self._show_stored()
            yield "stored result"
        self._offer_lost()
        yield "journal"
        self._window.plots_ready.emit()
        self._window.laboratory.warm_up(self._window.settings.threads)

    def _show_stored(self) -> None:
        try:
            self._stored = starter.stored_run()
        except FileError as error:
            self._window.say_error(str(error))
            return
        for part in ("data", "empirical", "ntk", "nngp", "empirical_spectrum", "ntk_spectrum", "trajectory"):
            self._window.session.put(part, getattr(self._stored, part))
        self._window.laboratory.draw_all()
        self._window.say("Stored result of the starter experiment; PyTorch is loading to compute it here")

    def _offer_lost(self) -> None:
        self._lost = self._window.journal.recover()
        if self._lost is not None and self._lost != self._window.session.experiment:
            self._window.banner.say(LOST, "Restore it")
            self._window.banner.acted.connect(self._restore)

    @Slot()
    def _restore(self) -> None:
        if self._lost is not None:
            self._window.session.edit(self._lost, "restore")
            self._window.banner.say("")
            self._lost = None

    def _hint(self) -> None:
        if self._lost is None:
            self._window.banner.say(HINT)
            self._window.experiment_panel.width_dragged.connect(self._window.banner.hide)
            self._window.experiment_panel.pulse_dial()

    @Slot()
    def _compare(self) -> None:
        if self._stored is None:
            return
        computed, stored, self._stored = self._window.run(), self._stored, None
        if computed.experiment != stored.experiment:
            return  # the user was faster than the import of torch
        difference = starter.largest_difference(stored, computed)
        if difference <= starter.TOLERANCE:
            self._window.say(f"✓ Recomputed here, equal to the stored result to {starter.TOLERANCE:.0e}")
            self._hint()
        else:
            self._window.say_error(f"Recomputed here, but {difference:.1e} away from the stored result (relative)")
        self._window.starter_confirmed.emit()
