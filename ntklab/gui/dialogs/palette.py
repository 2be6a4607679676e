"""The command palette: every action by name."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QEvent, QObject, Qt, Slot
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QDialog, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from ntklab.gui.actions.table import ACTIONS, ActionRow
from ntklab.gui.dialogs.command_row import HELP, SHORTCUT, CommandRow

_MOVES = (Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_PageDown, Qt.Key.Key_PageUp)


class CommandPalette(QDialog):
    """Type to narrow, arrows to move, Enter to run."""

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Find a command")
        self.setObjectName("command-palette")
        self._actions = actions
        self.search = QLineEdit(placeholderText="Type a command…", clearButtonEnabled=True)
        self.search.setAccessibleName("Command")
        self.list = QListWidget()
        self.list.setUniformItemSizes(True)
        self.list.setItemDelegate(CommandRow(self.list))
        layout = QVBoxLayout(self)
        layout.addWidget(self.search)
        layout.addWidget(self.list)
        self.resize(34 * self.fontMetrics().averageCharWidth() * 2, 22 * self.fontMetrics().height())
        self.search.textChanged.connect(self._narrow)
        self.search.returnPressed.connect(self._run)
        self.search.installEventFilter(self)
        self.list.itemActivated.connect(self._run)
        self._narrow("")

    @Slot(str)
    def _narrow(self, text: str) -> None:
        self.list.clear()
        for row in matching(text):
            action = self._actions[row.id]
            shortcut = (
                action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
                if not action.shortcut().isEmpty()
                else ""
            )
            item = QListWidgetItem(action.icon(), row.title)
            item.setData(Qt.ItemDataRole.UserRole, row.id)
            item.setData(HELP, row.help)
            item.setData(SHORTCUT, shortcut)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{row.title}. {row.help}. {shortcut}")
            if not action.isEnabled():
                item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsEnabled)
            self.list.addItem(item)
        self.list.setCurrentRow(0)

    @Slot()
    def _run(self) -> None:
        item = self.list.currentItem()
        if item is not None and item.flags() & Qt.ItemFlag.ItemIsEnabled:
            self.accept()
            self._actions[item.data(Qt.ItemDataRole.UserRole)].trigger()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Arrow keys in the search field move through the list."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and event.key() in _MOVES:
            self.list.event(event)
            return True
        return super().eventFilter(watched, event)


def matching(text: str) -> list[ActionRow]:
    """Rows whose title, menu or help has every word of ``text``; matches in the title come first."""
    words = text.lower().split()
    rows = [row for row in ACTIONS if all(w in f"{row.title} {row.menu} {row.help}".lower() for w in words)]
    return sorted(rows, key=lambda row: not all(word in row.title.lower() for word in words))
