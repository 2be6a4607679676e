"""One line of advice over a view, with an optional button, that the user can close."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from ntklab.gui.widgets.icon_button import IconButton


class Banner(QFrame):
    """Hidden until ``say``. ``acted`` fires when its button is pressed, ``closed`` when the user closes it."""

    acted = Signal()
    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        self.setProperty("role", "banner")
        self.label = QLabel(wordWrap=True)
        self.button = QPushButton()
        self.close_button = IconButton("close", "Close this message", object_name="banner-close")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 6, 6, 6)
        layout.addWidget(self.label, 1)
        layout.addWidget(self.button)
        layout.addWidget(self.close_button)
        self.button.clicked.connect(self.acted)
        self.close_button.clicked.connect(self._close)
        self.hide()

    def say(self, text: str, button: str = "") -> None:
        """Show ``text``, and a button if it has a title. An empty text hides the banner."""
        self.label.setText(text)
        self.button.setText(button)
        self.button.setVisible(bool(button))
        self.setVisible(bool(text))

    @Slot()
    def _close(self) -> None:
        self.hide()
        self.closed.emit()
