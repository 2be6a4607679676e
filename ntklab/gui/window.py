"""The main window: regions, and the wires between panels, session and laboratory. No science, no files, no threads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QByteArray, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QAction, QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QDialog, QMainWindow, QSplitter, QVBoxLayout, QWidget

from ntklab.gui import theme
from ntklab.gui.shell import SIDES, Shell
from ntklab.gui.startup import StartUp

if TYPE_CHECKING:  # everything else is imported after the first paint
    from ntklab.gui.bridge import Bridge
    from ntklab.gui.collector import Collector
    from ntklab.gui.consent import Consent
    from ntklab.gui.laboratory import Laboratory
    from ntklab.gui.panels.experiment import ExperimentPanel
    from ntklab.gui.panels.grid import ViewGrid
    from ntklab.gui.panels.inspector import InspectorPanel
    from ntklab.gui.panels.jobsbar import JobsBar
    from ntklab.gui.panels.mixer import MixerPanel
    from ntklab.gui.panels.transport import TransportBar
    from ntklab.gui.widgets import Banner
    from ntklab.jobs import Report
    from ntklab.results import Run
    from ntklab.session import Change, Journal, Session, Settings

LAYOUT_VERSION = 1
INSPECTOR_LEAST = 38  # characters
DESIGN_SIZE = (1440, 900)


class Window(QMainWindow):
    """One document, one window. It starts as an empty shell; ``furnish`` builds the rest once that is on screen."""

    first_painted = Signal()
    plots_ready = Signal()
    starter_confirmed = Signal()

    session: Session
    settings: Settings
    bridge: Bridge
    consent: Consent
    laboratory: Laboratory
    collector: Collector
    journal: Journal
    transport: TransportBar
    experiment_panel: ExperimentPanel
    views: ViewGrid
    mixer: MixerPanel
    inspector: InspectorPanel
    jobs_bar: JobsBar
    banner: Banner
    sides: QSplitter
    actions_by_id: dict[str, QAction]

    def __init__(
        self,
        session: Session | None = None,
        settings: Settings | None = None,
        *,
        geometry: str = "",
        reset: bool = False,
        objects: Mapping[str, Any] | None = None,
    ) -> None:
        """``session`` None opens the starter experiment, ``settings`` None those stored: read after the first paint.

        ``geometry`` is the stored layout for the first paint; ``reset`` forgets it. ``objects`` are the torch modules
        that experiments may name, by their fingerprint.
        """
        super().__init__()
        self._objects = objects or {}
        self.ended = True
        self.furnished = False
        self._painted = False
        self.setWindowTitle("NTK Lab")
        self.resize(*DESIGN_SIZE)
        if layout := _layout(geometry if not reset else ""):
            self.restoreGeometry(layout[0])  # Qt clamps to the screens there are
        shell = Shell()
        shell.painted.connect(self._shell_painted)
        self.setCentralWidget(shell)
        self.start_up = StartUp(self, session, settings, reset=reset)

    def furnish(self, session: Session, settings: Settings, *, reset: bool = False) -> Iterator[str]:
        """Build the regions one by one, then put them in the place of the shell."""
        self.session, self.settings = session, settings
        self._found()
        yield "laboratory"
        yield from self._build_regions()
        yield from self._connect()
        self._arrange()
        layout = None if reset else _layout(settings.geometry)
        if layout is None or not self.sides.restoreState(layout[1]):
            self.sides.setSizes(list(SIDES))
            self.views.equalise()
        self.setAcceptDrops(True)
        self.furnished = True
        self.views.setFocus()
        self.refresh()
        yield "window"

    def _found(self) -> None:
        from ntklab.gui.bridge import Bridge
        from ntklab.gui.collector import Collector
        from ntklab.gui.consent import Consent
        from ntklab.gui.laboratory import Laboratory
        from ntklab.session import Journal

        self.bridge = Bridge(self)
        self.consent = Consent(self)
        self.laboratory = Laboratory(self.session, self.bridge, self.consent, self)
        self.collector = Collector(self.bridge, self)
        self.journal = Journal()

    def _build_regions(self) -> Iterator[str]:
        from ntklab.gui.panels.experiment import ExperimentPanel
        from ntklab.gui.panels.grid import ViewGrid
        from ntklab.gui.panels.inspector import InspectorPanel
        from ntklab.gui.panels.jobsbar import JobsBar
        from ntklab.gui.panels.mixer import MixerPanel
        from ntklab.gui.panels.transport import TransportBar
        from ntklab.gui.widgets import Banner

        self._central = QWidget(self)  # hidden until it is whole
        self.transport = TransportBar(self._central)
        yield "transport"
        self.experiment_panel = ExperimentPanel(self.session, self._central)
        yield "experiment"
        self.views = ViewGrid(self._central)
        self.mixer = MixerPanel(self.session)
        self.views.panels["layers"].add_page("mixer", self.mixer)
        yield "views"
        self.inspector = InspectorPanel(self.session, self._central)
        yield "inspector"
        self.jobs_bar = JobsBar(self._central)
        self.banner = Banner(self._central)
        yield "bars"

    def _connect(self) -> Iterator[str]:
        from ntklab.gui.actions.build import build_actions, build_menus
        from ntklab.gui.wiring import wire
        from ntklab.session import autosave

        self.actions_by_id = build_actions(self)
        yield "actions"
        build_menus(self.menuBar(), self.actions_by_id)
        wire(self)
        self._stop_autosave = autosave(self.session, self.journal, self.say_error)
        self._unsubscribe = self.session.subscribe(self._session_changed)
        theme.notifier().changed.connect(self._theme_changed)
        yield "wires"

    def _arrange(self) -> None:
        self.sides = QSplitter(Qt.Orientation.Horizontal, self._central)
        for region in (self.experiment_panel, self.views, self.inspector):
            self.sides.addWidget(region)
        self.sides.setStretchFactor(0, 0)
        self.sides.setStretchFactor(1, 1)
        self.sides.setStretchFactor(2, 0)
        self.inspector.setMinimumWidth(INSPECTOR_LEAST * self.fontMetrics().averageCharWidth())
        self.sides.setCollapsible(1, False)
        layout = QVBoxLayout(self._central)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.transport)
        layout.addWidget(self.banner)
        layout.addWidget(self.sides, 1)
        layout.addWidget(self.jobs_bar)
        self.setCentralWidget(self._central)

    # -- what actions and panels ask of the window -----------------------------------------------------------------

    @property
    def can_undo(self) -> bool:
        """For the undo action."""
        return self.session.can_undo

    @property
    def can_redo(self) -> bool:
        """For the redo action."""
        return self.session.can_redo

    @property
    def running(self) -> bool:
        """Whether anything runs that could be stopped."""
        return self.laboratory.running

    @property
    def has_figure(self) -> bool:
        """Whether the active view shows a figure."""
        return self.views.active_figure() is not None

    @property
    def has_results(self) -> bool:
        """Whether there is anything to export."""
        return self.session.results.data is not None

    @property
    def objects(self) -> Mapping[str, Any]:
        """The torch modules that were handed over, by their fingerprint."""
        return self._objects

    @property
    def can_sweep(self) -> bool:
        """Whether the network has a width that can be turned: one that is described and drawn."""
        experiment = self.session.experiment
        return experiment.model is None and experiment.checkpoint is None

    @property
    def folder(self) -> str:
        """Where file dialogs start."""
        return self.settings.folder or str(Path.home())

    def remember_folder(self, path: Path) -> None:
        """File dialogs start where the last one ended."""
        self.apply_settings(self.settings.replace(folder=str(path.resolve().parent)))

    def apply_settings(self, settings: Settings) -> None:
        """Take ``settings`` on and store them."""
        from ntklab.session import save_settings

        if settings.theme != self.settings.theme:
            app = QApplication.instance()
            assert isinstance(app, QApplication)
            theme.apply(app, settings.theme)
        self.settings = settings
        if trouble := save_settings(settings):
            self.say_error(trouble)

    def set_theme(self, scheme: str) -> None:
        """Wear another theme and keep it."""
        self.apply_settings(self.settings.replace(theme=scheme))

    def open_dialog(self, dialog: QDialog) -> None:
        """Show ``dialog`` beside the window; nothing waits for it."""
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.show()

    def say(self, text: str) -> None:
        """One line in the status area."""
        self.jobs_bar.set_message(text)

    def say_error(self, text: str) -> None:
        """An error that needs no report: a bad input and its remedy."""
        self.jobs_bar.show_error(text)

    def show_failure(self, report: Report) -> None:
        """An error with a report behind its details button."""
        self.jobs_bar.show_error(report.message, report)

    @Slot(object)
    def open_report(self, report: Report) -> None:
        """Everything about an error, to copy."""
        from ntklab.gui.dialogs.report import ReportDialog

        self.open_dialog(ReportDialog(report, self))

    def run(self) -> Run:
        """The results as one value for export."""
        found = self.session.run()
        assert found is not None, "export actions are disabled without results"
        return found

    # -- life ------------------------------------------------------------------------------------------------------

    @Slot()
    def _shell_painted(self) -> None:
        if not self._painted:
            self._painted = True
            QTimer.singleShot(0, self.first_painted.emit)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Cancel what runs, keep what must be kept, and go."""
        self.start_up.stop()
        if self.furnished:
            self._keep_layout()
            self._unsubscribe()
            self._stop_autosave()
            self.ended = self.laboratory.close()
            self.collector.close()
            self.journal.clear()
        super().closeEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Files may be dropped anywhere."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open what was dropped."""
        from ntklab.gui.actions.build import guarded
        from ntklab.gui.actions.file import open_path

        path = next(Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile())
        guarded(self, lambda: open_path(self, path))
        event.acceptProposedAction()

    def refresh(self) -> None:
        """Bring title and actions in line with the session."""
        from ntklab.gui.actions.build import refresh_actions

        name = self.session.experiment.name
        self.setWindowTitle(f"{name}{'*' if self.session.modified else ''} — NTK Lab")
        self.jobs_bar.set_saved(self._saved_words())
        refresh_actions(self, self.actions_by_id)

    def _saved_words(self) -> str:
        if self.session.path is None:
            return "autosaved" if self.session.can_undo else ""
        return "edited" if self.session.modified else f"saved as {self.session.path.name}"

    def reset_layout(self) -> None:
        """Every region gets its first size again."""
        self.resize(*DESIGN_SIZE)
        self.sides.setSizes(list(SIDES))
        self.views.equalise()

    def _keep_layout(self) -> None:
        state = bytes(self.sides.saveState().toBase64().data()).decode()
        geometry = bytes(self.saveGeometry().toBase64().data()).decode()
        self.apply_settings(self.settings.replace(geometry=f"{LAYOUT_VERSION} {geometry} {state}"))

    def _session_changed(self, _change: Change) -> None:
        self.refresh()

    @Slot(object)
    def _theme_changed(self, palette: theme.Palette) -> None:
        from ntklab.gui.actions.build import refresh_icons

        refresh_icons(self.actions_by_id)
        self.transport.set_dark(palette.dark)


def _layout(geometry: str) -> tuple[QByteArray, QByteArray] | None:
    """Geometry of the window and state of its sides as ``_keep_layout`` wrote them; None if it was another version."""
    parts = geometry.split(" ")
    if len(parts) != 3 or parts[0] != str(LAYOUT_VERSION):
        return None
    window, sides = (QByteArray.fromBase64(part.encode()) for part in parts[1:])
    return window, sides
