"""How a command looks in the palette: icon, title, what it does, and its shortcut at the right."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QFont, QIcon, QPainter, QPalette
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

HELP, SHORTCUT = Qt.ItemDataRole.UserRole + 1, Qt.ItemDataRole.UserRole + 2
_SMALL = 11 / 13
_LEFT, _RIGHT = (side | Qt.AlignmentFlag.AlignVCenter for side in (Qt.AlignmentFlag.AlignLeft,
                                                                   Qt.AlignmentFlag.AlignRight))  # fmt: skip

Index = QModelIndex | QPersistentModelIndex


class CommandRow(QStyledItemDelegate):
    """Two lines a command. Items hold the title as text, ``HELP`` and ``SHORTCUT``."""

    def sizeHint(self, option: QStyleOptionViewItem, _index: Index) -> QSize:
        """Room for two lines."""
        return QSize(0, round(option.fontMetrics.height() * 2.7))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """The ground in the style of the list, then the words."""
        self.initStyleOption(option, index)
        option.text, option.icon = "", QIcon()
        style = option.widget.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter, option.widget)
        unit = option.fontMetrics.height() // 4
        enabled = bool(option.state & QStyle.StateFlag.State_Enabled)
        room = option.rect.adjusted(2 * unit, unit, -3 * unit, -unit)
        icon = index.data(Qt.ItemDataRole.DecorationRole)
        side = option.fontMetrics.height()
        if isinstance(icon, QIcon):
            icon.paint(painter, QRect(room.left(), room.top(), side, room.height()),
                       mode=QIcon.Mode.Normal if enabled else QIcon.Mode.Disabled)  # fmt: skip
        room.setLeft(room.left() + side + 3 * unit)
        painter.save()
        group = QPalette.ColorGroup.Active if enabled else QPalette.ColorGroup.Disabled
        self._words(painter, option, index, room, group)
        painter.restore()

    def _words(self, painter: QPainter, option: QStyleOptionViewItem, index: Index, room: QRect,
               group: QPalette.ColorGroup) -> None:  # fmt: skip
        upper = QRect(room.left(), room.top(), room.width(), room.height() // 2)
        painter.setFont(option.font)
        painter.setPen(option.palette.color(group, QPalette.ColorRole.WindowText))
        painter.drawText(upper, _LEFT, index.data(Qt.ItemDataRole.DisplayRole))
        quiet = group if group == QPalette.ColorGroup.Disabled else QPalette.ColorGroup.Active
        painter.setPen(option.palette.color(quiet, QPalette.ColorRole.PlaceholderText))
        painter.drawText(upper, _RIGHT, index.data(SHORTCUT))
        small = QFont(option.font)
        small.setPixelSize(round(option.fontMetrics.height() * 0.76 * _SMALL) or 1)
        painter.setFont(small)
        painter.drawText(upper.translated(0, room.height() - upper.height()), _LEFT, index.data(HELP))
