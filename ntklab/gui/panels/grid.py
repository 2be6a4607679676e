"""The centre of the window: four places in two rows, one of which may take all the room. Views may share a place."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter, QStackedWidget, QVBoxLayout, QWidget

from ntklab.figures.model import Figure
from ntklab.figures.views import VIEWS, View
from ntklab.gui.panels.view import ViewPanel


class Row(QSplitter):
    """Views side by side; ``resized`` comes when it has another width."""

    resized = Signal()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Tell."""
        super().resizeEvent(event)
        self.resized.emit()


class ViewGrid(QWidget):
    """Holds the ``ViewPanel`` of each row of ``VIEWS`` and knows which is active."""

    active_changed = Signal(str, str)  # view, choice
    raised = Signal(str)  # the view that is now seen in its place

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.panels: dict[str, ViewPanel] = {}
        self._places = [self._place(sharing) for sharing in _sharing(VIEWS)]
        self.active = VIEWS[0].id
        self.panels[self.active].set_active(True)
        self._share = 0.5  # of the first column in the width
        self._rows = QSplitter(Qt.Orientation.Vertical, self)
        for start in range(0, len(self._places), 2):
            row = Row(Qt.Orientation.Horizontal)
            for place in self._places[start : start + 2]:
                row.addWidget(place)
                row.setStretchFactor(row.count() - 1, 1)
            row.setChildrenCollapsible(False)
            self._rows.addWidget(row)
            self._rows.setStretchFactor(self._rows.count() - 1, 1)
        self._rows.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._rows)
        for row in self._row_splitters():
            row.splitterMoved.connect(self._column_moved)
            row.resized.connect(self._align_rows)

    def _place(self, sharing: tuple[View, ...]) -> QStackedWidget:
        """A place with the panels of the views that share it, the first in sight."""
        place = QStackedWidget(self)
        for view in sharing:
            panel = self.panels[view.id] = ViewPanel(view, sharing=sharing)
            panel.activated.connect(self._activated)
            panel.choice_changed.connect(self._choice_changed)
            panel.maximise_requested.connect(self._maximise)
            panel.tab_pressed.connect(self._tab_pressed)
            place.addWidget(panel)
        return place

    def sees(self, view: str) -> bool:
        """Whether ``view`` is in sight in its place."""
        return any(place.currentWidget() is self.panels[view] for place in self._places)

    def active_figure(self) -> Figure | None:
        """What the active view shows."""
        return self.panels[self.active].figure

    def show_choice(self, view: str, choice: str) -> None:
        """Make ``choice`` what ``view`` shows, and that view the active one."""
        self.panels[view].choose(choice)

    def equalise(self) -> None:
        """Give all views the same room."""
        self.restore()
        self._share = 0.5
        self._rows.setSizes([1000] * self._rows.count())
        self._align_rows()

    def toggle_maximised(self) -> None:
        """Give the active view the whole place, or give it back."""
        if not self.restore():
            self._maximise(self.active)

    def restore(self) -> bool:
        """Show all places again; whether one had all the room."""
        hidden = [place for place in self._places if place.isHidden()]
        for place in self._places:
            place.show()
        for splitter in self._row_splitters():
            splitter.show()
        return bool(hidden)

    def _row_splitters(self) -> list[Row]:
        return [row for i in range(self._rows.count()) if isinstance(row := self._rows.widget(i), Row)]

    @Slot()
    def _column_moved(self) -> None:
        row = self.sender()
        if isinstance(row, Row):
            self._share = row.sizes()[0] / max(row.width() - row.handleWidth(), 1)
            self._align_rows()

    @Slot()
    def _align_rows(self) -> None:
        """Columns have the same edges in every row: the same share of the width, and the same least widths."""
        if any(place.isHidden() for place in self._places):
            return
        for column in (self._places[0::2], self._places[1::2]):
            least = max(place.minimumSizeHint().width() for place in column)
            for place in column:
                place.setMinimumWidth(least)
        for row in self._row_splitters():
            first = round(self._share * row.width())
            row.setSizes([first, row.width() - row.handleWidth() - first])

    @Slot(str)
    def _maximise(self, view: str) -> None:
        if self.restore():
            return
        self._activated(view)
        chosen = self._place_of(view)
        for place in self._places:
            place.setVisible(place is chosen)
        for splitter in self._row_splitters():
            splitter.setVisible(splitter.isAncestorOf(chosen))

    def _place_of(self, view: str) -> QStackedWidget:
        return next(place for place in self._places if place.isAncestorOf(self.panels[view]))

    @Slot(str)
    def _tab_pressed(self, view: str) -> None:
        self._activated(view)
        self.panels[view].setFocus()

    @Slot(str)
    def _activated(self, view: str) -> None:
        self.panels[self.active].set_active(False)
        self.active = view
        self.panels[view].set_active(True)
        self._raise(view)
        self.active_changed.emit(view, self.panels[view].choice.id)

    def _raise(self, view: str) -> None:
        if not self.sees(view):
            self._place_of(view).setCurrentWidget(self.panels[view])
            self.raised.emit(view)

    @Slot(str, str)
    def _choice_changed(self, view: str, _choice: str) -> None:
        self._activated(view)


def _sharing(views: tuple[View, ...]) -> list[tuple[View, ...]]:
    """Views by place, in order."""
    found = {view.id: [view] for view in views if not view.beside}
    for view in views:
        if view.beside:
            found[view.beside].append(view)
    return [tuple(sharing) for sharing in found.values()]
