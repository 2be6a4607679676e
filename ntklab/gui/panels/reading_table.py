"""Readings as rows: a name, and a value for each kernel."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QWidget

from ntklab.gui.panels.readings import Badge, Reading
from ntklab.gui.widgets import clear, discard

_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class ReadingTable(QWidget):
    """Shows readings; rows are made once and only their texts change while names stay the same."""

    def __init__(self, headings: tuple[str, ...] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names: tuple[str, ...] = ()
        self._values: list[list[QLabel]] = []
        self._labels: list[QLabel] = []
        self._headings = headings
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(5)
        self._grid.setColumnStretch(0, 1)

    def show_readings(self, readings: tuple[Reading, ...]) -> None:
        """Show ``readings`` in their order."""
        shape = tuple(f"{reading.name}/{len(reading.values)}" for reading in readings)
        if shape != self._names:
            self._make(readings)
            self._names = shape
        for label, labels, reading in zip(self._labels, self._values, readings, strict=True):
            for part, text in zip(labels, reading.values, strict=True):
                if part.text() != text:
                    part.setText(text)
                part.setToolTip(reading.tooltip)
            label.setToolTip(reading.tooltip)

    def texts(self) -> dict[str, tuple[str, ...]]:
        """What is shown, by name."""
        pairs = zip(self._labels, self._values, strict=True)
        return {label.text(): tuple(part.text() for part in parts) for label, parts in pairs}

    def _make(self, readings: tuple[Reading, ...]) -> None:
        clear(self._grid)
        self._labels, self._values = [], []
        for column, heading in enumerate(self._headings, start=1):
            self._grid.addWidget(_label(heading, "muted", _RIGHT), 0, column)
        for row, reading in enumerate(readings, start=1):
            name = _label(reading.name, "muted")
            name.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._grid.addWidget(name, row, 0)
            self._labels.append(name)
            self._values.append(self._value_labels(row, reading))

    def _value_labels(self, row: int, reading: Reading) -> list[QLabel]:
        labels = []
        span = max(len(self._headings), 1) if len(reading.values) == 1 else 1
        for column in range(len(reading.values)):
            label = _label("", reading.tone or "plain", _RIGHT)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            label.setAccessibleName(reading.name)
            self._grid.addWidget(label, row, column + 1, 1, span)
            labels.append(label)
        return labels


class BadgeRow(QWidget):
    """Health badges of a kernel in one line."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = title
        self._shown: tuple[Badge, ...] = ()
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(6)
        self._layout.addWidget(_label(title, "muted"), 1)
        self.labels: list[QLabel] = []

    def _small(self) -> QFont:
        font = self.font()
        font.setPixelSize(round(self.fontInfo().pixelSize() * 0.86))
        return font

    def show_badges(self, badges: tuple[Badge, ...]) -> None:
        """Show ``badges``; hide without any."""
        self.setVisible(bool(badges))
        if badges == self._shown:
            return
        self._shown = badges
        for label in self.labels:
            discard(label)
        self.labels = []
        for badge in badges:
            label = _label(badge.text, badge.tone)
            label.setFont(self._small())
            label.setToolTip(f"{self._title}: {badge.tooltip}")
            label.setAccessibleName(f"{self._title} {badge.text}")
            self._layout.addWidget(label)
            self.labels.append(label)


def _label(text: str, role: str, alignment: Qt.AlignmentFlag | None = None) -> QLabel:
    label = QLabel(text, textFormat=Qt.TextFormat.PlainText)
    label.setProperty("role", role)
    if alignment is not None:
        label.setAlignment(alignment)
    return label
