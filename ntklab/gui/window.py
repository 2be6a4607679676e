"""The main window: regions, and the wires between panels, session and laboratory. No science, no files, no threads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QPaintEvent
from PySide6.QtWidgets import QDialog, QMainWindow, QSplitter, QVBoxLayout, QWidget

from ntklab.gui import theme
from ntklab.gui.actions.build import build_actions, build_menus, refresh_actions, refresh_icons
from ntklab.gui.bridge import Bridge
from ntklab.gui.collector import Collector
from ntklab.gui.laboratory import Laboratory
from ntklab.gui.panels.experiment import ExperimentPanel
from ntklab.gui.panels.grid import ViewGrid
from ntklab.gui.panels.inspector import InspectorPanel
from ntklab.gui.panels.jobsbar import JobsBar
from ntklab.gui.panels.transport import TransportBar
from ntklab.gui.startup import StartUp
from ntklab.gui.widgets import Banner
from ntklab.gui.wiring import wire
from ntklab.jobs import Report
from ntklab.results import Run
from ntklab.session import Change, Journal, Session, Settings, autosave, save_settings

LAYOUT_VERSION = 1
SIDES = (300, 860, 280)  # experiment, views, inspector: shares of the width at the design size
INSPECTOR_LEAST = 38  # characters
DESIGN_SIZE = (1440, 900)


class Window(QMainWindow):
    """One document, one window. ``first_painted`` fires once the shell is on screen."""

    first_painted = Signal()
    plots_ready = Signal()
    starter_confirmed = Signal()

    def __init__(self, session: Session, settings: Settings, *, reset: bool = False) -> None:
        super().__init__()
        self.session, self.settings = session, settings
        self.bridge = Bridge(self)
        self.laboratory = Laboratory(session, self.bridge, self)
        self.collector = Collector(self.bridge, self)
        self.journal = Journal()
        self.ended = True
        self.start_up = StartUp(self)
        self._painted = False
        self._build()
        self.actions_by_id = build_actions(self)
        build_menus(self.menuBar(), self.actions_by_id)
        wire(self)
        self._stop_autosave = autosave(session, self.journal, self.say_error)
        self._unsubscribe = session.subscribe(self._session_changed)
        theme.notifier().changed.connect(self._theme_changed)
        self.setAcceptDrops(True)
        if reset or not self._restore_layout():
            self.reset_layout()
        self.views.setFocus()
        self.refresh()

    def _build(self) -> None:
        self.transport = TransportBar(self)
        self.experiment_panel = ExperimentPanel(self.session, self)
        self.views = ViewGrid(self)
        self.inspector = InspectorPanel(self.session, self)
        self.jobs_bar = JobsBar(self)
        self.banner = Banner(self)
        self.sides = QSplitter(Qt.Orientation.Horizontal)
        for region in (self.experiment_panel, self.views, self.inspector):
            self.sides.addWidget(region)
        self.sides.setStretchFactor(0, 0)
        self.sides.setStretchFactor(1, 1)
        self.sides.setStretchFactor(2, 0)
        self.inspector.setMinimumWidth(INSPECTOR_LEAST * self.fontMetrics().averageCharWidth())
        self.sides.setCollapsible(1, False)
        central = QWidget()
        layout = QVBoxLayout(central)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.transport)
        layout.addWidget(self.banner)
        layout.addWidget(self.sides, 1)
        layout.addWidget(self.jobs_bar)
        self.setCentralWidget(central)

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
    def folder(self) -> str:
        """Where file dialogs start."""
        return self.settings.folder or str(Path.home())

    def remember_folder(self, path: Path) -> None:
        """File dialogs start where the last one ended."""
        self.apply_settings(self.settings.replace(folder=str(path.resolve().parent)))

    def apply_settings(self, settings: Settings) -> None:
        """Take ``settings`` on and store them."""
        if settings.theme != self.settings.theme:
            theme.apply(_application(), settings.theme)
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

    def paintEvent(self, event: QPaintEvent) -> None:
        """Tells when the shell is first on screen."""
        super().paintEvent(event)
        if not self._painted:
            self._painted = True
            QTimer.singleShot(0, self.first_painted.emit)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Cancel what runs, keep what must be kept, and go."""
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

    def _restore_layout(self) -> bool:
        parts = self.settings.geometry.split(" ")
        if len(parts) != 3 or parts[0] != str(LAYOUT_VERSION):
            return False
        geometry, state = (QByteArray.fromBase64(part.encode()) for part in parts[1:])
        return self.restoreGeometry(geometry) and self.sides.restoreState(state)  # Qt clamps to the screens there are

    def _session_changed(self, _change: Change) -> None:
        self.refresh()

    @Slot(object)
    def _theme_changed(self, palette: theme.Palette) -> None:
        refresh_icons(self.actions_by_id)
        self.transport.set_dark(palette.dark)


def _application() -> Any:
    from PySide6.QtWidgets import QApplication

    return QApplication.instance()
