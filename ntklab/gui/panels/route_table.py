"""By which rule each layer is treated, as a small window beside the button that asks for it."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QVBoxLayout, QWidget

from ntklab.gui.widgets import clear, ground, rule, scrolled
from ntklab.gui.widgets.numbers import integer, percent
from ntklab.progress import Forecast, LayerForecast
from ntklab.spec import Architecture
from ntklab.spec.titles import layer_title

_MOST_LINES, _MOST_LETTERS = 24, 60
_HEADS = ("Layer", "Rule", "Parameters", "Work", "Why")


class RouteTable(QFrame):
    """Shows the layers of a forecast, and the way of the whole above them. Escape or a click elsewhere closes it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("route-table")
        self.setProperty("role", "card")
        self.title = QLabel(wordWrap=True)
        self.title.setProperty("role", "muted")
        self._inside = QWidget()
        self._grid = QGridLayout(self._inside)
        self._grid.setHorizontalSpacing(16)
        self._grid.setVerticalSpacing(3)
        ground(self._inside)
        self._area = scrolled(self._inside)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 10, 12, 10)
        layout.addWidget(self.title)
        layout.addWidget(rule())
        layout.addWidget(self._area, 1)

    def show_forecast(self, forecast: Forecast, architecture: Architecture | None = None) -> None:
        """Take over how the work of ``forecast`` goes; layers are called as in ``architecture``."""
        self.title.setText(forecast.route or "No finite-width kernel is part of this")
        clear(self._grid)
        rows = [cells(layer, f"{number} {layer_title(architecture, layer.name)}")
                for number, layer in enumerate(forecast.layers, start=1)]  # fmt: skip
        used = [column for column in range(len(_HEADS)) if any(row[column] for row in rows)]
        for line, row in enumerate([_HEADS, *rows]):
            for place, column in enumerate(used):
                label = QLabel(row[column], wordWrap=column == len(_HEADS) - 1)
                label.setProperty("role", "caption" if line == 0 else "muted" if column > 0 else "")
                if _HEADS[column] in ("Parameters", "Work"):
                    label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
                self._grid.addWidget(label, line, place, Qt.AlignmentFlag.AlignTop)
        self._grid.setRowStretch(len(rows) + 1, 1)

    def open_above(self, button: QWidget) -> None:
        """Show it over ``button``, as large as its lines need."""
        metrics = self.fontMetrics()
        self.title.setFixedWidth(_MOST_LETTERS * metrics.averageCharWidth())
        wanted = self._inside.sizeHint()
        height = min(wanted.height(), _MOST_LINES * metrics.height())
        self._area.setMinimumSize(wanted.width() + 2 * metrics.height(), height)
        self.adjustSize()
        corner = button.mapToGlobal(QPoint(0, 0))
        self.move(corner.x(), max(corner.y() - self.height() - 4, 0))
        self.show()
        self.setFocus(Qt.FocusReason.PopupFocusReason)


def cells(layer: LayerForecast, name: str) -> tuple[str, str, str, str, str]:
    """Its name, rule, number of parameters, share of the work, and why it is not the fastest rule."""
    count = integer(layer.parameters) if layer.parameters else ""
    share = percent(layer.share) if layer.share else ""
    return name, layer.rule, count, share, layer.why
