"""From the first paint to the confirmed starter experiment, in slices that never hold the event loop for long."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Slot

if TYPE_CHECKING:
    from ntklab.gui.window import Window
    from ntklab.results import Run
    from ntklab.session import Session, Settings
    from ntklab.spec import Experiment

HINT = "Drag the width on the left: the finite kernel goes to the analytic one, which is infinitely wide."
LOST = "The laboratory did not end as it should last time. The experiment of then was kept."

# What the regions import, each a slice of 5 to 30 ms (numpy: 90), lowest first.
BEFORE_REGIONS = (
    "numpy",
    "msgspec",
    "ntklab.results",
    "ntklab.spec",
    "ntklab.figures.views",
    "ntklab.session.session",
    "ntklab.gui.starter",
    "ntklab.session.journal",
    "ntklab.gui.laboratory",
    "ntklab.gui.widgets",
    "ntklab.gui.panels.diagram",
    "ntklab.gui.panels.experiment",
    "ntklab.gui.panels.inspector",
    "ntklab.gui.panels.grid",
    "ntklab.gui.actions.build",
    "ntklab.gui.wiring",
)
# What the plots import: parts of pyqtgraph's own imports first, because it is one piece of 150 ms.
BEFORE_PLOTS = (
    "numpy.typing",
    "multiprocessing.connection",
    "PySide6.QtTest",
    "PySide6.QtSvg",
    "pydoc",
    "pyqtgraph",
    "ntklab.gui.plots.look",
    "ntklab.gui.plots",
)


class StartUp(QObject):
    """Furnishes the window, attaches the plots, shows the stored starter result, has it computed, compares the two."""

    def __init__(self, window: Window, session: Session | None, settings: Settings | None, *, reset: bool) -> None:
        super().__init__(window)
        self._window = window
        self._given = session, settings, reset
        self._slices = self._work()
        self._stored: Run | None = None
        self._lost: Experiment | None = None
        window.first_painted.connect(self._later)

    def stop(self) -> None:
        """Do no more."""
        self._slices = iter(())

    @Slot()
    def _later(self) -> None:
        QTimer.singleShot(0, self._next)

    @Slot()
    def _next(self) -> None:
        if next(self._slices, None) is not None:
            self._later()

    def _work(self) -> Iterator[str]:
        yield from _imports(BEFORE_REGIONS)
        yield from self._furnish()
        yield from _imports(BEFORE_PLOTS)
        self._window.laboratory.preload()  # not before: an import would wait for it at the linker's lock
        yield from self._attach_plots()
        yield from self._begin()

    def _furnish(self) -> Iterator[str]:
        from ntklab.gui.starter import starter_experiment
        from ntklab.session import Session
        from ntklab.session.settings import read_settings

        session, settings, reset = self._given
        stored, trouble = (settings, "") if settings is not None else read_settings()
        yield from self._window.furnish(session or Session(starter_experiment()), stored, reset=reset)
        if trouble:
            self._window.say_error(trouble)

    def _attach_plots(self) -> Iterator[str]:
        from ntklab.gui.plots import PlotView

        for panel in self._window.views.panels.values():
            panel.attach(PlotView())
            yield panel.view.id

    def _begin(self) -> Iterator[str]:
        from ntklab.gui import starter
        from ntklab.gui.actions.build import refresh_icons
        from ntklab.session.environment import pair_warning

        window = self._window
        if window.session.experiment == starter.starter_experiment():
            window.laboratory.computed.connect(self._compare)
            self._show_stored()
            yield "stored result"
            yield from window.laboratory.draw_all()
        self._offer_lost()
        if warning := pair_warning():
            window.say_error(warning)
        yield "plots"
        window.plots_ready.emit()
        yield "plots on screen"
        refresh_icons(window.actions_by_id)
        window.laboratory.warm_up(window.settings.threads)

    def _show_stored(self) -> None:
        from ntklab.errors import FileError
        from ntklab.gui import starter

        try:
            self._stored = starter.stored_run()
        except FileError as error:
            self._window.say_error(str(error))
            return
        for part in ("data", "empirical", "ntk", "nngp", "empirical_spectrum", "ntk_spectrum", "trajectory"):
            self._window.session.put(part, getattr(self._stored, part))
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
        from ntklab.gui import starter

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


def _imports(modules: tuple[str, ...]) -> Iterator[str]:
    for module in modules:
        import_module(module)
        yield module
