"""One of the four views: a row of choices over a plot that is attached once the shell has painted."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from ntklab.figures.model import Figure
from ntklab.figures.views import Choice, View
from ntklab.gui.widgets import Segments, restyle

if TYPE_CHECKING:
    from ntklab.gui.plots import PlotView

OUTDATED = "of an earlier experiment"
LEAST_LINES = 12  # of text that a plot under a page wants
MOST_HEIGHT = 16_777_215  # QWIDGETSIZE_MAX


class ViewPanel(QWidget):
    """Shows the figures of one ``View``; the titles of others that share its place are tabs beside its own.

    Signals carry the view's id first; ``tab_pressed`` that of the view asked for.
    """

    choice_changed = Signal(str, str)
    activated = Signal(str)
    tab_pressed = Signal(str)
    clicked = Signal(object)
    hovered = Signal(str)
    maximise_requested = Signal(str)
    export_requested = Signal(object)
    copy_requested = Signal(object)
    data_requested = Signal(object)

    def __init__(self, view: View, parent: QWidget | None = None, *, sharing: tuple[View, ...] = ()) -> None:
        super().__init__(parent)
        self.view = view
        self.setObjectName(f"view-{view.id}")
        self.setAccessibleName(view.title)
        self.plot: PlotView | None = None
        self._choice = view.choices[0]
        self._figure: Figure | None = None
        self._outdated = False
        self._pages: dict[str, QWidget] = {}
        self._missing = ""
        self._title = QLabel(view.title.upper())
        self._stack = QStackedWidget(self)
        waiting = QLabel(view.title, alignment=Qt.AlignmentFlag.AlignCenter)
        waiting.setEnabled(False)
        self._stack.addWidget(waiting)
        entries = [(choice.id, choice.title, choice.group) for choice in view.choices]
        self._segments = Segments(entries, view.title, self)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        self._layout.addLayout(self._header(sharing or (view,)))
        self._layout.addWidget(self._stack, 1)

    def _header(self, sharing: tuple[View, ...]) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(12, 8, 8, 0)
        row.setSpacing(10)
        self._title.setProperty("role", "section")
        for view in sharing:
            row.addWidget(self._title if view is self.view else self._tab(view))
        self._segments.chosen.connect(self.choose)
        row.addWidget(self._segments, 1)
        return row

    def _tab(self, view: View) -> QToolButton:
        tab = QToolButton()
        tab.setText(view.title.upper())
        tab.setObjectName(f"tab-{view.id}")
        tab.setProperty("role", "tab")
        tab.setAccessibleName(f"Show {view.title}")
        tab.setToolTip(f"Show {view.title} here")
        tab.clicked.connect(partial(self._tab_clicked, view.id))
        return tab

    @property
    def choice(self) -> Choice:
        """What is shown."""
        return self._choice

    @property
    def figure(self) -> Figure | None:
        """The figure on screen."""
        return self._figure

    def add_page(self, choice_id: str, page: QWidget) -> None:
        """Show ``page`` where that choice is made: above its figure, or instead where there is no room for both."""
        self._pages[choice_id] = page
        self._layout.insertWidget(1, page, 1)
        self._share_room()

    def _share_room(self) -> None:
        """Give the page of the choice what it wants, and the plot the rest if that is enough."""
        page = self._pages.get(self._choice.id)
        for other in self._pages.values():
            other.setVisible(other is page)
        if page is None:
            self._stack.show()
            return
        wanted = page.sizeHint().height()
        both = self.height() - wanted >= LEAST_LINES * self.fontMetrics().height()
        page.setMaximumHeight(wanted if both else MOST_HEIGHT)
        self._stack.setVisible(both)

    def event(self, event: QEvent) -> bool:
        """A page, or this panel, has another size."""
        if event.type() in (QEvent.Type.LayoutRequest, QEvent.Type.Resize) and self._pages:
            self._share_room()
        return super().event(event)

    def attach(self, plot: PlotView) -> None:
        """Put the plot in; done after the first paint because it imports pyqtgraph."""
        self.plot = plot
        plot.activated.connect(self._plot_activated)
        plot.clicked.connect(self.clicked)
        plot.hovered.connect(self.hovered)
        plot.export_requested.connect(self.export_requested)
        plot.copy_requested.connect(self.copy_requested)
        plot.data_requested.connect(self.data_requested)
        plot.maximise_requested.connect(self._plot_double_clicked)
        self._stack.addWidget(plot)
        self._stack.setCurrentWidget(plot)
        self.set_outdated(self._outdated)
        self.show_figure(self._figure)

    def show_figure(self, figure: Figure | None) -> None:
        """Draw ``figure``, or say what to do to get one."""
        self._figure = figure
        self._share_room()
        if self.plot is None:
            return
        if figure is None:
            self.plot.show_message(self._missing or self._choice.waiting)
        else:
            self.plot.show_figure(figure)

    def set_missing(self, reason: str) -> None:
        """Why this network has nothing to show here; empty where it has, or may have."""
        if reason != self._missing:
            self._missing = reason
            if self._figure is None:
                self.show_figure(None)

    def set_outdated(self, outdated: bool) -> None:
        """Whether what is shown belongs to an experiment that was edited since."""
        self._outdated = outdated
        if self.plot is not None:
            self.plot.set_note(OUTDATED if outdated else "")

    def set_active(self, active: bool) -> None:
        """Whether export and the maths card follow this view; its title says so."""
        if active != self._title.property("active"):
            self._title.setProperty("active", active)
            restyle(self._title)

    @Slot(str)
    def choose(self, choice_id: str) -> None:
        """Show another choice, as if its button were pressed."""
        for choice in self.view.choices:
            if choice.id == choice_id:
                self._segments.check(choice_id)
                self._choice = choice
                self.choice_changed.emit(self.view.id, choice.id)

    def _tab_clicked(self, view_id: str, _checked: bool = False) -> None:
        self.tab_pressed.emit(view_id)

    @Slot()
    def _plot_activated(self) -> None:
        self.activated.emit(self.view.id)

    @Slot()
    def _plot_double_clicked(self) -> None:
        self.maximise_requested.emit(self.view.id)

    def mousePressEvent(self, event: Any) -> None:
        """A press anywhere makes this the active view."""
        self.activated.emit(self.view.id)
        super().mousePressEvent(event)
