"""The centre of the window: four views in two rows, one of which may take the whole place."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from ntklab.figures.model import Figure
from ntklab.figures.views import VIEWS
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

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.panels = {view.id: ViewPanel(view, self) for view in VIEWS}
        self.active = VIEWS[0].id
        self.panels[self.active].set_active(True)
        self._share = 0.5  # of the first column in the width
        self._rows = QSplitter(Qt.Orientation.Vertical, self)
        panels = list(self.panels.values())
        for start in range(0, len(panels), 2):
            row = Row(Qt.Orientation.Horizontal)
            for panel in panels[start : start + 2]:
                row.addWidget(panel)
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
        for panel in panels:
            panel.activated.connect(self._activated)
            panel.choice_changed.connect(self._choice_changed)
            panel.maximise_requested.connect(self._maximise)

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
        """Show all views again; whether one was maximised."""
        hidden = [panel for panel in self.panels.values() if panel.isHidden()]
        for panel in self.panels.values():
            panel.show()
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
        panels = list(self.panels.values())
        if any(panel.isHidden() for panel in panels):
            return
        for column in (panels[0::2], panels[1::2]):
            least = max(panel.minimumSizeHint().width() for panel in column)
            for panel in column:
                panel.setMinimumWidth(least)
        for row in self._row_splitters():
            first = round(self._share * row.width())
            row.setSizes([first, row.width() - row.handleWidth() - first])

    @Slot(str)
    def _maximise(self, view: str) -> None:
        if self.restore():
            return
        self._activated(view)
        chosen = self.panels[view]
        for panel in self.panels.values():
            panel.setVisible(panel is chosen)
        for splitter in self._row_splitters():
            splitter.setVisible(splitter.isAncestorOf(chosen))

    @Slot(str)
    def _activated(self, view: str) -> None:
        self.panels[self.active].set_active(False)
        self.active = view
        self.panels[view].set_active(True)
        self.active_changed.emit(view, self.panels[view].choice.id)

    @Slot(str, str)
    def _choice_changed(self, view: str, _choice: str) -> None:
        self._activated(view)
