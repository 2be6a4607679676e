"""The layers as a list: colour by group, name, key parameters, shape and size; drag to reorder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QMimeData,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPalette
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from ntklab.gui import theme
from ntklab.gui.panels.outline import Line, shape_text
from ntklab.gui.widgets.numbers import integer, short

MIME = "application/x-ntklab-layer"
_ROLE = int(Qt.ItemDataRole.UserRole)
_ALT = Qt.KeyboardModifier.AltModifier
Index = QModelIndex | QPersistentModelIndex
Path = tuple[int, ...]


class LayerModel(QAbstractListModel):
    """The lines of an outline. ``dropped(source, target)`` asks for a move within one stack."""

    dropped = Signal(object, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.lines: tuple[Line, ...] = ()

    def show(self, lines: tuple[Line, ...]) -> None:
        """Replace all lines."""
        self.beginResetModel()
        self.lines = lines
        self.endResetModel()

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
            return f"{line.title}, {line.note}, output {shape_text(line.shape)}, {line.parameters} parameters"
        return line if role == _ROLE else None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Layers can be picked up, all but the read-out and an identity."""
        if not index.isValid():
            return Qt.ItemFlag.ItemIsDropEnabled
        line = self.lines[index.row()]
        flags = Qt.ItemFlag.ItemIsEnabled
        if line.layer is not None:
            flags |= Qt.ItemFlag.ItemIsSelectable
        if line.layer is not None and not line.readout:
            flags |= Qt.ItemFlag.ItemIsDragEnabled
        return flags

    def supportedDropActions(self) -> Qt.DropAction:
        """Moves alone."""
        return Qt.DropAction.MoveAction

    def mimeTypes(self) -> list[str]:
        """Our own."""
        return [MIME]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        """The row that is dragged."""
        data = QMimeData()
        data.setData(MIME, str(indexes[0].row()).encode())
        return data

    def canDropMimeData(self, data: QMimeData, _action: Qt.DropAction, row: int, _column: int, parent: Index) -> bool:
        """Between the layers of the same stack."""
        return data.hasFormat(MIME) and self._target(data, row, parent) is not None

    def dropMimeData(self, data: QMimeData, _action: Qt.DropAction, row: int, _column: int, parent: Index) -> bool:
        """Ask for the move; the document answers with a new outline, so the view must not remove anything."""
        target = self._target(data, row, parent)
        if target is not None:
            self.dropped.emit(*target)
        return False

    def _target(self, data: QMimeData, row: int, parent: Index) -> tuple[Path, Path] | None:
        source = self.lines[int(bytes(data.data(MIME).data()).decode())].path
        at = row if row >= 0 else parent.row() if parent.isValid() else len(self.lines)
        return drop_target(self.lines, source, at)


def drop_target(lines: tuple[Line, ...], source: Path, at: int) -> tuple[Path, Path] | None:
    """Where the layer at ``source`` goes when dropped before line ``at``: (source, path after its removal)."""
    stack = source[:-1]
    behind = [line.path for line in lines[:at] if line.path[:-1] == stack and line.layer is not None]
    inside = at < len(lines) and lines[at].path[: len(stack)] == stack
    if not behind and not inside:
        return None
    place = behind[-1][-1] + 1 if behind else 0
    place -= place > source[-1]
    return (source, (*stack, place)) if place != source[-1] else None


def tooltip(line: Line) -> str:
    """A line in full."""
    size = f"{integer(line.parameters)} parameters" if line.parameters else "no parameters"
    return f"{line.title}: {line.note}\noutput {shape_text(line.shape)}, {size}" if line.note else (
        f"{line.title}\noutput {shape_text(line.shape)}, {size}"
    )  # fmt: skip


class LayerDelegate(QStyledItemDelegate):
    """Paints a line: a bar in the colour of the group, name and shape; under them parameters."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Ground by state, then text."""
        line: Line = index.data(_ROLE)
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        palette: QPalette = option.palette
        look = theme.current()
        painter.save()
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, QColor(look.selection))
        elif state & QStyle.StateFlag.State_MouseOver and line.layer is not None:
            painter.fillRect(rect, QColor(look.hover))
        height = option.fontMetrics.height()
        left = rect.left() + round(height * (0.5 + 0.9 * line.depth))
        painter.fillRect(QRect(left, rect.top() + 4, 3, rect.height() - 8), group_colour(line))
        box = QRect(left + round(height * 0.6), rect.top(), rect.right() - left - round(height * 1.1), rect.height())
        self._paint_text(painter, line, box, palette, height)
        painter.restore()

    def _paint_text(self, painter: QPainter, line: Line, box: QRect, palette: QPalette, height: int) -> None:
        two = _two_lines(line)
        top = QRect(box.left(), box.top() + (round(height * 0.25) if two else 0), box.width(),
                    round(height * 1.1) if two else box.height())  # fmt: skip
        painter.setPen(palette.color(QPalette.ColorRole.PlaceholderText))
        shape = shape_text(line.shape)
        painter.drawText(top, _RIGHT, shape)
        left = top.adjusted(0, 0, -painter.fontMetrics().horizontalAdvance(shape) - 8, 0)
        if not two and line.note:
            note = painter.fontMetrics().horizontalAdvance(line.title) + 8
            painter.drawText(left.adjusted(note, 0, 0, 0), _LEFT, _elided(painter, line.note, left.width() - note))
        if line.layer is not None:
            painter.setPen(palette.color(QPalette.ColorRole.WindowText))
        painter.drawText(left, _LEFT, _elided(painter, line.title, left.width()))
        if two:
            self._paint_second(painter, line, box, palette, height)

    def _paint_second(self, painter: QPainter, line: Line, box: QRect, palette: QPalette, height: int) -> None:
        font = painter.font()
        font.setPixelSize(round(painter.fontInfo().pixelSize() * 0.86))
        painter.setFont(font)
        painter.setPen(palette.color(QPalette.ColorRole.PlaceholderText))
        under = QRect(box.left(), box.top() + round(height * 1.3), box.width(), round(height * 1.1))
        size = f"{short(line.parameters)} params" if line.parameters else ""
        painter.drawText(under, _RIGHT, size)
        room = under.width() - painter.fontMetrics().horizontalAdvance(size) - 8
        painter.drawText(under, _LEFT, _elided(painter, line.note, room))

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Two lines for what has parameters to train, else one."""
        height = option.fontMetrics.height()
        line: Line = index.data(_ROLE)
        return QSize(10 * height, round(height * (2.6 if _two_lines(line) else 1.7)))


_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)


def _two_lines(line: Line) -> bool:
    return line.parameters > 0


def _elided(painter: QPainter, text: str, width: int) -> str:
    return painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, max(width, 0))


def group_colour(line: Line) -> QColor:
    """The colour of a line's group in the present theme."""
    look = theme.current()
    table = {"Weights": look.accent, "Activations": look.warning, "Structure": look.ok}
    return QColor(table.get(line.group, look.border))


class LayerList(QListView):
    """As high as its lines, up to ``MOST_LINES`` of them. Del, Insert and Alt+arrows are told as signals."""

    remove_requested = Signal()
    add_requested = Signal()
    move_requested = Signal(int)
    chosen = Signal(object)
    MOST_LINES = 10

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._showing = False
        self.setObjectName("layers")
        self.setAccessibleName("Layers")
        self.lines = LayerModel(self)
        self.setModel(self.lines)
        self.setItemDelegate(LayerDelegate(self))
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.setDragDropOverwriteMode(False)
        self.setMouseTracking(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setUniformItemSizes(False)
        self.selectionModel().currentChanged.connect(self._current_changed)

    def show_lines(self, lines: tuple[Line, ...], current: Path | None) -> None:
        """Show ``lines`` with the one at ``current`` chosen, without a signal."""
        self._showing = True
        if lines != self.lines.lines:
            self.lines.show(lines)
            self._fit_height()
        rows = [row for row, line in enumerate(lines) if line.path == current and line.layer is not None]
        self.setCurrentIndex(self.lines.index(rows[0]) if rows else QModelIndex())
        self._showing = False

    def _fit_height(self) -> None:
        option = QStyleOptionViewItem()
        option.fontMetrics = self.fontMetrics()
        delegate = self.itemDelegate()
        heights = [delegate.sizeHint(option, self.lines.index(row)).height() for row in range(self.lines.rowCount())]
        self.setFixedHeight(sum(heights[: self.MOST_LINES]) + 2 * self.frameWidth() + 4)

    def _current_changed(self, current: QModelIndex, _previous: QModelIndex) -> None:
        if current.isValid() and not self._showing:
            self.chosen.emit(self.lines.lines[current.row()].path)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys that edit the list, then those of every list."""
        key, alt = Qt.Key(event.key()), event.modifiers() == _ALT
        if key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.remove_requested.emit()
        elif key == Qt.Key.Key_Insert:
            self.add_requested.emit()
        elif alt and key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.move_requested.emit(-1 if key == Qt.Key.Key_Up else 1)
        else:
            super().keyPressEvent(event)
