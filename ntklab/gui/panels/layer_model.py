"""The lines of an outline as a list that views and screen readers can read."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QWidget

from ntklab.gui.panels.outline import Line
from ntklab.gui.panels.words import flow_text
from ntklab.gui.widgets.numbers import integer
from ntklab.session.sketches import Path

LINE_ROLE = int(Qt.ItemDataRole.UserRole)
Index = QModelIndex | QPersistentModelIndex


class LayerModel(QAbstractListModel):
    """The lines of an outline, one row each."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.lines: tuple[Line, ...] = ()

    def show(self, lines: tuple[Line, ...]) -> None:
        """Replace all lines."""
        self.beginResetModel()
        self.lines = lines
        self.endResetModel()

    def row_of(self, path: Path | None) -> int | None:
        """The row of the line at ``path``."""
        return next((row for row, line in enumerate(self.lines) if line.path == path), None)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's own default)
        """Lines at the top; none under them."""
        return 0 if parent.isValid() else len(self.lines)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text for readers (also those that cannot see), the line for the painter."""
        line = self.lines[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return line.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return tooltip(line)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return spoken(line)
        return line if role == LINE_ROLE else None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """All lines can be chosen."""
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable


def tooltip(line: Line) -> str:
    """A line in full."""
    if line.kind == "input":
        return f"Each sample is read as {_article(line.note)} {line.note}: {flow_text(None, line.shape)}"
    if line.kind == "identity":
        return "This branch passes its input on. Drop a layer here to put it into the branch"
    parts = [f"{line.title}: {line.note}" if line.note else line.title, flow_text(line.before, line.shape)]
    if line.parameters:
        parts.append(f"{integer(line.parameters)} parameters")
    if line.fault:
        parts.append(line.fault)
    return "\n".join(parts)


def _article(word: str) -> str:
    return "an" if word[:1] in "aeiou" else "a"


def spoken(line: Line) -> str:
    """A line for screen readers, with how deep in branches it is."""
    level = f", level {line.depth + 1}" if line.depth else ""
    folded = {None: "", True: ", folded", False: ", unfolded"}[line.folded]
    fault = f", does not fit: {line.fault}" if line.fault else ""
    return (
        f"{line.title}, {line.note}, output {flow_text(None, line.shape)}, {line.parameters} parameters"
        f"{level}{folded}{fault}"
    )
