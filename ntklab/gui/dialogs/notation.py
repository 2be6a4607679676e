"""The notation page, offline."""

from __future__ import annotations

from PySide6.QtGui import QColor, QTextCursor, QTextDocument, QTextTable
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

from ntklab.gui import theme
from ntklab.resources import resource


class NotationDialog(QDialog):
    """Symbols, conventions and units; stays open beside the window."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Notation and conventions")
        page = QTextBrowser()
        page.setMarkdown(resource("notation.md").read_text(encoding="utf-8"))
        _typeset(page.document(), self.fontMetrics().height())
        page.setFrameShape(QTextBrowser.Shape.NoFrame)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(page)
        layout.addWidget(buttons)
        self.resize(96 * self.fontMetrics().averageCharWidth(), 36 * self.fontMetrics().height())


def _typeset(document: QTextDocument, line: int) -> None:
    """Headings with air above them, and tables of quiet lines."""
    document.setDocumentMargin(line)
    block = document.begin()
    while block.isValid():
        if block.blockFormat().headingLevel():
            layout = block.blockFormat()
            layout.setTopMargin(line if block.blockNumber() else 0)
            layout.setBottomMargin(line // 2)
            QTextCursor(block).setBlockFormat(layout)
        block = block.next()
    for frame in document.rootFrame().childFrames():
        if isinstance(frame, QTextTable):
            form = frame.format()
            form.setBorderBrush(QColor(theme.current().border))
            form.setBorderCollapse(True)
            form.setCellPadding(line // 3)
            frame.setFormat(form)
