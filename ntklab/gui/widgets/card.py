"""A card that explains something: a formula, its symbols with their present values, and where it comes from."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from ntklab.gui.widgets.layouts import clear
from ntklab.gui.widgets.maths import maths

# (symbol as ``maths`` reads it, meaning, value)
CardRow = tuple[str, str, str]


class Card(QFrame):
    """Empty until ``show_card``. The values of the rows may be brought up to date with ``show_values``."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.setProperty("role", "card")
        self.title = _label("title")
        self.formula = _label("", rich=True)
        self.more = _label("", rich=True)
        self.text = _label("muted")
        self.reference = _label("muted")
        self.reference.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.formula.setObjectName("card-formula")
        font = self.formula.font()
        font.setPixelSize(round(self.fontInfo().pixelSize() * 1.1))
        for label in (self.formula, self.more):
            label.setFont(font)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.more.setObjectName("card-more")
        self._values: list[QLabel] = []
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 8, 10, 10)
        layout.setSpacing(8)
        layout.addWidget(self.title)
        layout.addWidget(self.formula)
        layout.addWidget(self.more)
        layout.addWidget(self.text)
        layout.addLayout(self._grid)
        layout.addWidget(self.reference)

    def show_card(
        self, title: str, formula: str, *, text: str, rows: tuple[CardRow, ...], reference: str, more: str = ""
    ) -> None:
        """Replace everything on the card; ``formula``, and ``more`` that follows from it, are written for ``maths``."""
        self.title.setText(title)
        self.formula.setText(maths(formula))
        self.more.setText(maths(more))
        self.more.setVisible(bool(more))
        self.text.setText(text)
        self.text.setVisible(bool(text))
        self.reference.setText(reference)
        self.reference.setVisible(bool(reference))
        self._values = []
        clear(self._grid)
        for index, (symbol, meaning, value) in enumerate(rows):
            self._add_row(index, symbol, meaning, value)

    def show_values(self, values: tuple[str, ...]) -> None:
        """New values of the rows, in their order."""
        for label, value in zip(self._values, values, strict=True):
            if label.text() != value:
                label.setText(value)

    def _add_row(self, index: int, symbol: str, meaning: str, value: str) -> None:
        name = _label("", rich=True)
        name.setText(maths(symbol))
        name.setWordWrap(False)
        words = _label("muted")
        words.setText(meaning)
        number = _label("value")
        number.setText(value)
        number.setWordWrap(False)
        number.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
        number.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        for column, label in enumerate((name, words, number)):
            self._grid.addWidget(label, index, column, Qt.AlignmentFlag.AlignTop)
        self._values.append(number)


def _label(role: str, *, rich: bool = False) -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.RichText if rich else Qt.TextFormat.PlainText)
    label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
    if role:
        label.setProperty("role", role)
    return label
