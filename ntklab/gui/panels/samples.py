"""Samples as a person sees them: pictures, or their first features."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from ntklab.gui.panels import readings
from ntklab.gui.widgets import ElidedLabel
from ntklab.session import Session


class Thumbnail(QWidget):
    """A small picture with hard pixels."""

    def __init__(self, image: QImage, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._image = image
        side = self.fontMetrics().height() * 4
        self.setFixedSize(QSize(side, side))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The picture, as large as it fits, in a hairline."""
        painter = QPainter(self)
        size = self._image.size().scaled(self.size() - QSize(2, 2), Qt.AspectRatioMode.KeepAspectRatio)
        rect = QRectF(
            (self.width() - size.width()) / 2, (self.height() - size.height()) / 2, size.width(), size.height()
        )
        painter.drawImage(rect, self._image)
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Mid), 1))
        painter.drawRect(rect)


def picture(session: Session, index: int) -> QImage | None:
    """Training sample ``index`` in shades of grey, brightest value white; None where samples are no pictures."""
    data = session.results.data
    if data is None or data.image_shape is None or index >= len(data.raw_train):
        return None
    values = data.raw_train[index].reshape(data.image_shape)
    low, high = float(values.min()), float(values.max())
    grey = np.ascontiguousarray((values - low) / ((high - low) or 1.0) * 255, dtype=np.uint8)
    height, width = grey.shape
    return QImage(grey.tobytes(), width, height, width, QImage.Format.Format_Grayscale8).copy()


class SampleView(QWidget):
    """One training sample: what it is, and how it looks."""

    def __init__(self, session: Session, index: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(f"sample-{index}")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        words = readings.sample_words(session, index)
        label = ElidedLabel(words)
        label.setToolTip(f"training sample {words}")
        layout.addWidget(label)
        image = picture(session, index)
        if image is not None:
            layout.addWidget(Thumbnail(image))
        else:
            layout.addLayout(self._features(session, index))
        layout.addStretch(1)

    def _features(self, session: Session, index: int) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(0, 1)
        for row, (name, value) in enumerate(readings.features(session, index)):
            words = ElidedLabel(name)
            words.setProperty("role", "muted")
            words.setToolTip(name)
            grid.addWidget(words, row, 0)
            grid.addWidget(QLabel(value), row, 1, Qt.AlignmentFlag.AlignRight)
        return grid
