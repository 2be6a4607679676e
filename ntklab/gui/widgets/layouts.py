"""Putting widgets into places and taking them out."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QAbstractSpinBox, QFormLayout, QFrame, QLayout, QScrollArea, QWidget


def discard(widget: QWidget) -> None:
    """Take ``widget`` off the screen now and delete it when Qt is ready."""
    widget.hide()
    widget.setParent(None)
    widget.deleteLater()


def clear(layout: QLayout) -> None:
    """Discard every widget of ``layout``."""
    while layout.count():
        item = layout.takeAt(0)
        widget = item.widget() if item is not None else None
        if widget is not None:
            discard(widget)


def swap(layout: QLayout, old: QWidget, new: QWidget) -> None:
    """Put ``new`` where ``old`` was, in the layout and in the order of Tab, and discard ``old``."""
    before = old.previousInFocusChain()
    while before is not None and before is not old and not _takes_tab(before):
        before = before.previousInFocusChain()
    layout.replaceWidget(old, new)
    if before is not None and before is not old:
        tab_after(before, new)
    discard(old)


def tab_after(before: QWidget, new: QWidget) -> None:
    """Let Tab go from ``before`` through what is inside ``new``, then on to where it went before."""
    for widget in new.findChildren(QWidget):
        if _takes_tab(widget) and widget is not before and widget.window() is before.window():
            QWidget.setTabOrder(before, widget)
            before = widget


def _takes_tab(widget: QWidget) -> bool:
    return bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus) and widget.focusProxy() is None


def scrolled(inside: QWidget) -> QScrollArea:
    """``inside`` in an area that scrolls up and down, never sideways."""
    area = QScrollArea(widgetResizable=True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidget(inside)
    return area


def form_layout(dialog: QWidget) -> QFormLayout:
    """Rows of a label and an input, with air around them."""
    unit = max(4, dialog.fontMetrics().height() // 4)
    form = QFormLayout(dialog)
    form.setContentsMargins(4 * unit, 4 * unit, 4 * unit, 3 * unit)
    form.setHorizontalSpacing(4 * unit)
    form.setVerticalSpacing(2 * unit)
    form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return form


def pad(box: QAbstractSpinBox) -> None:
    """Give the number in ``box`` the distance from the edge that style sheets no longer give (Qt 6.11)."""
    box.lineEdit().setTextMargins(box.fontMetrics().height() // 3, 0, 0, 0)


def rule() -> QFrame:
    """A hairline from left to right."""
    line = QFrame()
    line.setFrameShape(QFrame.Shape.NoFrame)
    line.setFixedHeight(1)
    line.setAutoFillBackground(True)
    line.setBackgroundRole(QPalette.ColorRole.Mid)
    return line


def ground(region: QWidget) -> None:
    """Give ``region`` the ground of a panel."""
    region.setAutoFillBackground(True)
    region.setBackgroundRole(QPalette.ColorRole.Base)
