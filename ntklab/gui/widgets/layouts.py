"""Putting widgets into places and taking them out."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLayout, QScrollArea, QWidget


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
    """Put ``new`` where ``old`` was, and discard that."""
    layout.replaceWidget(old, new)
    discard(old)


def scrolled(inside: QWidget) -> QScrollArea:
    """``inside`` in an area that scrolls up and down, never sideways."""
    area = QScrollArea(widgetResizable=True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidget(inside)
    return area
