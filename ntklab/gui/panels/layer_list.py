"""The layers as a list: drag to reorder, into branches and out of them; every edit has a key."""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPoint, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QAbstractItemView, QApplication, QListView, QStyleOptionViewItem, QWidget

from ntklab.gui.panels.layer_drag import Drag, paint_ghost, paint_slot
from ntklab.gui.panels.layer_model import LayerModel
from ntklab.gui.panels.layer_painter import LayerDelegate, chevron_span
from ntklab.gui.panels.outline import Line
from ntklab.gui.panels.slots import moves, slot_at
from ntklab.session.sketches import Path

_SCROLL_MS, _SCROLL_PX = 30, 6
_SHARE, _LEAST_LINES = 0.3, 5
_ALT = Qt.KeyboardModifier.AltModifier
_COPY = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
_STEPS = {Qt.Key.Key_Up: "up", Qt.Key.Key_Down: "down", Qt.Key.Key_Right: "in", Qt.Key.Key_Left: "out"}
_LEFT = Qt.MouseButton.LeftButton


class LayerList(QListView):
    """As high as its lines, up to a share of the window but for the first few.

    ``chosen(path)`` follows the current line, ``dropped(source, target)`` asks for a move before what stands at
    ``target`` now, ``step_requested`` for one by keys ("up", "down", "in", "out"), ``fold_requested(path)`` for a block
    to be folded or unfolded, ``menu_requested(path, position)`` for what can be done with a line.
    """

    chosen = Signal(object)
    dropped = Signal(object, object)
    step_requested = Signal(str)
    fold_requested = Signal(object)
    menu_requested = Signal(object, QPoint)
    remove_requested = Signal()
    add_requested = Signal()
    duplicate_requested = Signal()
    edit_requested = Signal()
    help_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._showing = False
        self._pressed: tuple[Line, QPoint] | None = None
        self.drag: Drag | None = None
        self.setObjectName("layers")
        self.setAccessibleName("Layers")
        self.lines = LayerModel(self)
        self.setModel(self.lines)
        self.setItemDelegate(LayerDelegate(self))
        self.setMouseTracking(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setUniformItemSizes(False)
        self._scroller = QTimer(self, interval=_SCROLL_MS)
        self._scroller.timeout.connect(self._scroll)
        self.selectionModel().currentChanged.connect(self._current_changed)
        self._keys = {
            Qt.Key.Key_Delete: self.remove_requested, Qt.Key.Key_Backspace: self.remove_requested,
            Qt.Key.Key_Insert: self.add_requested, Qt.Key.Key_Plus: self.add_requested,
            Qt.Key.Key_Return: self.edit_requested, Qt.Key.Key_Enter: self.edit_requested,
            Qt.Key.Key_F1: self.help_requested,
        }  # fmt: skip

    def show_lines(self, lines: tuple[Line, ...], current: Path | None) -> None:
        """Show ``lines`` with the one at ``current`` chosen, without a signal."""
        self._showing = True
        self._end_drag()
        if lines != self.lines.lines:
            top = self.verticalScrollBar().value()
            self.lines.show(lines)
            self._fit_height()
            self.verticalScrollBar().setValue(top)
        row = self.lines.row_of(current)
        self.setCurrentIndex(QModelIndex() if row is None else self.lines.index(row))
        self._showing = False

    def line_at(self, point: QPoint) -> Line | None:
        """The line under ``point``."""
        index = self.indexAt(point)
        return self.lines.lines[index.row()] if index.isValid() else None

    def _fit_height(self) -> None:
        option = QStyleOptionViewItem()
        option.fontMetrics = self.fontMetrics()
        delegate = self.itemDelegate()
        heights = [delegate.sizeHint(option, self.lines.index(row)).height() for row in range(self.lines.rowCount())]
        room = _SHARE * self.window().height() if self.isVisible() else math.inf
        shown = [height for at, height in enumerate(heights) if at < _LEAST_LINES or sum(heights[: at + 1]) <= room]
        self.setFixedHeight(sum(shown) + 2 * self.frameWidth() + 4)

    def showEvent(self, event: QShowEvent) -> None:
        """Follow the height of the window from now on."""
        super().showEvent(event)
        self.window().installEventFilter(self)
        self._fit_height()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The window has another size."""
        if event.type() == QEvent.Type.Resize and watched is self.window():
            self._fit_height()
        return super().eventFilter(watched, event)

    def _current_changed(self, current: QModelIndex, _previous: QModelIndex) -> None:
        if current.isValid() and not self._showing:
            self.chosen.emit(self.lines.lines[current.row()].path)

    # -- keys ------------------------------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        """Keep keys that mean something here from being shortcuts of the window."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            key, modifiers = Qt.Key(event.key()), event.modifiers()
            if (key in self._keys and not modifiers) or (key in _STEPS and modifiers == _ALT) or self._copies(event):
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys that edit the list, then those of every list."""
        key, modifiers = Qt.Key(event.key()), event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if self.drag is not None and key == Qt.Key.Key_Escape:
            self._end_drag()
        elif key in _STEPS and modifiers == _ALT:
            self.step_requested.emit(_STEPS[key])
        elif self._copies(event):
            self.duplicate_requested.emit()
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right) and not modifiers:
            self._fold_by_key(fold=key == Qt.Key.Key_Left)
        elif key in self._keys and not modifiers & ~Qt.KeyboardModifier.ShiftModifier:
            self._keys[key].emit()
        else:
            super().keyPressEvent(event)

    @staticmethod
    def _copies(event: QKeyEvent) -> bool:
        return event.key() == Qt.Key.Key_D and event.modifiers() == _COPY

    def _current(self) -> Line | None:
        index = self.currentIndex()
        return self.lines.lines[index.row()] if index.isValid() else None

    def _fold_by_key(self, *, fold: bool) -> None:
        """Left folds a block, and goes from inside it to its head; Right unfolds."""
        line = self._current()
        if line is None:
            return
        if line.folded is (not fold):
            self.fold_requested.emit(line.path)
        elif fold and (line.depth or line.kind == "merge"):
            head = line.target if line.kind == "merge" else line.path[:-2]
            self.chosen.emit(head)

    # -- mouse -----------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose a line, fold a block by its chevron, or take a layer up."""
        line = self.line_at(event.position().toPoint())
        if line is not None and event.button() == _LEFT and self._on_chevron(line, event.position().toPoint()):
            self.fold_requested.emit(line.path)
            return
        super().mousePressEvent(event)
        if line is not None and event.button() == _LEFT and line.kind == "layer":
            self._pressed = line, event.position().toPoint()

    def _on_chevron(self, line: Line, point: QPoint) -> bool:
        if line.folded is None:
            return False
        left, right = chevron_span(line, self.visualRect(self.indexAt(point)), self.fontMetrics())
        return left <= point.x() <= right

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag what was taken up."""
        if not event.buttons() & _LEFT:
            super().mouseMoveEvent(event)
            return
        point = event.position().toPoint()
        if self.drag is None and self._pressed is not None:
            line, start = self._pressed
            if (point - start).manhattanLength() >= QApplication.startDragDistance():
                self.drag = Drag(line, point)
                self.setCursor(Qt.CursorShape.ClosedHandCursor)
                self._scroller.start()
        if self.drag is not None:
            self._drag_to(point)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Drop."""
        super().mouseReleaseEvent(event)
        drag = self.drag
        self._end_drag()
        if drag is not None and drag.slot is not None:
            self.dropped.emit(drag.line.path, drag.slot.path)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Go to the fields of a layer; fold or unfold a block."""
        line = self.line_at(event.position().toPoint())
        if line is not None and line.folded is not None:
            self.fold_requested.emit(line.path)
        else:
            self.edit_requested.emit()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """What can be done with the line under the mouse, or with the current one."""
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        point = self.visualRect(self.currentIndex()).bottomLeft() if by_key else event.pos()
        line = self._current() if by_key else self.line_at(point)
        if line is not None:
            self.menu_requested.emit(line.path, self.viewport().mapToGlobal(point))

    def _drag_to(self, point: QPoint) -> None:
        assert self.drag is not None
        self.drag.at = point
        height = self.viewport().height()
        near = QPoint(self.viewport().width() // 2, min(max(point.y(), 0), height - 1))
        index = self.indexAt(near)
        row = index.row() if index.isValid() else len(self.lines.lines) - 1
        rect = self.visualRect(self.lines.index(row))
        slot = slot_at(self.lines.lines, row, upper=near.y() < rect.center().y())
        self.drag.slot = slot if slot is not None and moves(self.drag.line.path, slot) else None
        self.viewport().update()

    @Slot()
    def _scroll(self) -> None:
        """Go on scrolling while a layer is held at the upper or lower edge."""
        if self.drag is None:
            return
        y, height, edge = self.drag.at.y(), self.viewport().height(), self.fontMetrics().height()
        by = -_SCROLL_PX if y < edge else _SCROLL_PX if y > height - edge else 0
        bar = self.verticalScrollBar()
        if by and bar.minimum() < bar.value() + by <= bar.maximum() + _SCROLL_PX:
            bar.setValue(bar.value() + by)
            self._drag_to(self.drag.at)

    def _end_drag(self) -> None:
        self._pressed = None
        if self.drag is not None:
            self.drag = None
            self._scroller.stop()
            self.unsetCursor()
            self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The lines, and over them what is dragged."""
        super().paintEvent(event)
        if self.drag is None:
            return
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        unit = self.fontMetrics().height()
        if self.drag.slot is not None:
            row = self.visualRect(self.lines.index(max(self.drag.slot.row, 0)))
            paint_slot(painter, row, unit, self.drag.slot)
        paint_ghost(painter, self.drag, unit, self.viewport().rect())
        painter.end()
