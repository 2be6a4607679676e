"""A list to pick from that pops up under a button: grouped, searched by typing, with reasons for what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QColor, QFont, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QLabel,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from ntklab.gui import theme

Index = QModelIndex | QPersistentModelIndex
_ROW = int(Qt.ItemDataRole.UserRole)
_WIDE, _HIGH, _LEAST_HIGH = 26, 34, 8  # in heights of the font
_FORWARDED = (
    Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Return, Qt.Key.Key_Enter,
)  # fmt: skip


@dataclass(frozen=True)
class PickerRow:
    """One thing to pick, or (without an id) the heading of a group.

    ``note`` stands beside the title, ``about`` (HTML) under the list while the row is current; a row with a
    ``refusal``, which stands there instead, cannot be picked. ``words`` are searched too.
    """

    id: str
    title: str
    group: str = ""
    note: str = ""
    about: str = ""
    icon: str = ""
    colour: str = ""
    refusal: str = ""
    words: str = ""

    @property
    def heading(self) -> bool:
        """Whether this is the heading of a group."""
        return not self.id


def found(rows: Sequence[PickerRow], typed: str) -> tuple[PickerRow, ...]:
    """The rows that have every word of ``typed``, those whose title begins with it first, under headings by group.

    Groups of which nothing can be picked come last.
    """
    words = typed.casefold().split()
    hits = [row for row in rows if all(word in _searched(row) for word in words)]
    hits.sort(key=lambda row: _rank(row, typed.casefold().strip()))
    made: list[PickerRow] = []
    open_groups = {row.group for row in hits if not row.refusal}
    for group in sorted(dict.fromkeys(row.group for row in hits), key=lambda name: name not in open_groups):
        made.extend([PickerRow("", group)] if group else [])
        made.extend(row for row in hits if row.group == group)
    return tuple(made)


def _searched(row: PickerRow) -> str:
    return f"{row.title} {row.id} {row.group} {row.words}".casefold()


def _rank(row: PickerRow, typed: str) -> int:
    if not typed:
        return 0
    title = row.title.casefold()
    return 0 if title.startswith(typed) else 1 if typed in title or typed in row.id.casefold() else 2


class PickerModel(QAbstractListModel):
    """The rows that are found."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: tuple[PickerRow, ...] = ()

    def show(self, rows: tuple[PickerRow, ...]) -> None:
        """Replace all rows."""
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's own default)
        """Rows at the top; none under them."""
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text for readers, the row for the painter."""
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return row.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return escape(row.refusal) or row.about or None
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{row.title}, not available: {row.refusal}" if row.refusal else f"{row.title}, {row.note}"
        return row if role == _ROW else None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Headings are passed over; refused rows can be looked at, so that their reason can be read."""
        heading = not index.isValid() or self.rows[index.row()].heading
        return Qt.ItemFlag.NoItemFlags if heading else Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable


class _Delegate(QStyledItemDelegate):
    """Headings small and muted; rows with icon, title and note, pale where they are refused."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        row: PickerRow = index.data(_ROW)
        height = option.fontMetrics.height()
        return QSize(10 * height, round(height * (1.7 if row.heading else 1.65)))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row: PickerRow = index.data(_ROW)
        painter.save()
        if row.heading:
            _paint_heading(painter, option, row)
        else:
            _paint_row(painter, option, row)
        painter.restore()


def _paint_heading(painter: QPainter, option: QStyleOptionViewItem, row: PickerRow) -> None:
    unit = option.fontMetrics.height()
    font = QFont(option.font)
    font.setPixelSize(round(painter.fontInfo().pixelSize() * 0.86))
    font.setWeight(QFont.Weight.DemiBold)
    painter.setFont(font)
    painter.setPen(QColor(theme.current().muted))
    box = option.rect.adjusted(round(unit * 0.5), round(unit * 0.35), 0, 0)
    painter.drawText(box, int(_LEFT), row.title.upper())


def _paint_row(painter: QPainter, option: QStyleOptionViewItem, row: PickerRow) -> None:
    look, unit, rect = theme.current(), option.fontMetrics.height(), option.rect
    if option.state & QStyle.StateFlag.State_Selected:
        painter.fillRect(rect, QColor(look.selection))
    elif option.state & QStyle.StateFlag.State_MouseOver and not row.refusal:
        painter.fillRect(rect, QColor(look.hover))
    left = rect.left() + round(unit * 0.6)
    if row.icon:
        place = QRect(left, rect.center().y() - unit // 2, unit, unit)
        theme.icon(row.icon, look.disabled if row.refusal else row.colour or look.text).paint(painter, place)
        left += round(unit * 1.6)
    box = QRect(left, rect.top(), rect.right() - left - round(unit * 0.6), rect.height())
    painter.setPen(QColor(look.disabled if row.refusal else look.text))
    title = option.fontMetrics.elidedText(row.title, Qt.TextElideMode.ElideRight, box.width())
    painter.drawText(box, int(_LEFT), title)
    room = box.width() - option.fontMetrics.horizontalAdvance(title) - unit
    if row.note and room > 2 * unit:
        painter.setPen(QColor(look.disabled if row.refusal else look.muted))
        note = option.fontMetrics.elidedText(row.note, Qt.TextElideMode.ElideRight, room)
        painter.drawText(box, int(_RIGHT), note)


_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class Picker(QFrame):
    """``picked(id)`` says what was picked; the list is gone then. Typing searches, Escape closes.

    ``pop_up`` shows it under a widget with a ``title`` over the search.
    """

    picked = Signal(str)

    def __init__(self, placeholder: str, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setProperty("role", "card")
        self.setObjectName("picker")
        self._rows: tuple[PickerRow, ...] = ()
        self.title = QLabel()
        self.title.setProperty("role", "title")
        self.search = QLineEdit(placeholderText=placeholder, clearButtonEnabled=True)
        self.search.setObjectName("picker-search")
        self.search.setAccessibleName(placeholder)
        self.list = QListView()
        self.list.setMouseTracking(True)
        self.list.setObjectName("picker-list")
        self.list.setAccessibleName(placeholder)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.model = PickerModel(self)
        self.list.setModel(self.model)
        self.list.setItemDelegate(_Delegate(self.list))
        self.about = QLabel(wordWrap=True)
        self.about.setObjectName("picker-about")
        self.about.setTextFormat(Qt.TextFormat.RichText)
        self.about.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self._lay_out()
        self.search.textChanged.connect(self._find)
        self.search.installEventFilter(self)
        self.list.clicked.connect(self._pick)
        self.list.entered.connect(self.list.setCurrentIndex)
        self.list.selectionModel().currentChanged.connect(self._tell)

    def _lay_out(self) -> None:
        unit = self.fontMetrics().height()
        self.about.setFixedHeight(self.about.fontMetrics().lineSpacing() * 4 + 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(unit // 2, unit // 2, unit // 2, unit // 2)
        layout.setSpacing(unit // 3)
        for widget in (self.title, self.search):
            layout.addWidget(widget)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.about)

    def show_rows(self, rows: Sequence[PickerRow], *, title: str = "") -> None:
        """Offer ``rows``, the first that can be picked being current."""
        self._rows = tuple(rows)
        self.title.setText(title)
        self.title.setVisible(bool(title))
        self.search.clear()
        self._find("")

    def pop_up(self, under: QWidget) -> None:
        """Show the list under a widget, inside the screen, with the cursor in the search."""
        unit = self.fontMetrics().height()
        needed = sum(self.list.sizeHintForRow(row) for row in range(len(self.model.rows))) + 11 * unit
        self.resize(_WIDE * unit, min(max(needed, _LEAST_HIGH * unit), _HIGH * unit))
        screen = under.screen().availableGeometry()
        place = under.mapToGlobal(QPoint(0, under.height() + 2))
        x = min(max(place.x(), screen.left()), screen.right() - self.width())
        y = min(max(place.y(), screen.top()), screen.bottom() - self.height())
        self.move(x, y)
        self.show()
        self.search.setFocus()

    @property
    def current(self) -> PickerRow | None:
        """The row that Return would pick."""
        index = self.list.currentIndex()
        return self.model.rows[index.row()] if index.isValid() else None

    @Slot(str)
    def _find(self, typed: str) -> None:
        self.model.show(found(self._rows, typed))
        rows = self.model.rows
        first = next((at for at, row in enumerate(rows) if row.id and not row.refusal), None)
        first = next((at for at, row in enumerate(rows) if row.id), None) if first is None else first
        self.list.setCurrentIndex(QModelIndex() if first is None else self.model.index(first))
        if first is None:
            self.about.setText("Nothing has these words")
        elif not typed:
            self.list.scrollToTop()

    @Slot()
    def _tell(self) -> None:
        row = self.current
        self.about.setProperty("role", "error" if row and row.refusal else "muted")
        self.about.style().unpolish(self.about)
        self.about.style().polish(self.about)
        self.about.setText("" if row is None else escape(row.refusal) or row.about)

    @Slot(QModelIndex)
    def _pick(self, index: QModelIndex) -> None:
        row = self.model.rows[index.row()]
        if row.id and not row.refusal:
            self.close()
            self.picked.emit(row.id)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keys that move in the list, while the cursor stays in the search."""
        if watched is self.search and event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            key = Qt.Key(event.key())
            if key in _FORWARDED:
                self._key(key, event)
                return True
        return super().eventFilter(watched, event)

    def _key(self, key: Qt.Key, event: QKeyEvent) -> None:
        if key not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.list.keyPressEvent(event)
        elif self.list.currentIndex().isValid():
            self._pick(self.list.currentIndex())
