"""A plot with its header: what the rest of the window uses."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, Qt, Signal, Slot
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QLabel, QMenu, QStackedLayout, QVBoxLayout, QWidget

from ntklab.figures.model import Figure, Heatmap
from ntklab.gui import theme
from ntklab.gui.plots.busy import BusyLine
from ntklab.gui.plots.canvas import Canvas
from ntklab.gui.plots.header import Header
from ntklab.gui.plots.heatmap import HeatmapContent
from ntklab.gui.plots.look import Look

_NOTHING = "Nothing to show yet."
_ROOMY = 20  # lines of text; a view that is at least as high spends one of them on its caption


class PlotView(QWidget):
    """Shows a figure of any type, read by mouse and keyboard, in the colours of the theme.

    ``clicked`` carries ("pair", i, j) in heat maps, with sample numbers; ("mode", k) in spectra, k from 0; ("sample",
    i) in planes, for training samples; ("x", value) in other curves.
    """

    hovered = Signal(str)
    clicked = Signal(object)
    export_requested = Signal(object)
    copy_requested = Signal(object)
    data_requested = Signal(object)
    maximise_requested = Signal()
    activated = Signal()  # by a click into the plot, or by the keyboard

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._figure: Figure | None = None
        self._note = ""
        self._header = Header(self)
        self._busy = BusyLine(self)
        self.canvas = Canvas(Look(theme.current(), self.devicePixelRatioF()), self)
        self._message = QLabel(_NOTHING, self)
        self._message.setProperty("role", "muted")
        self._message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._message.setWordWrap(True)
        self._message.setMargin(2 * self.fontMetrics().height())
        self._build()
        self._connect()
        self._wear(theme.current())
        self.show_message(_NOTHING)

    def _build(self) -> None:
        self.setAutoFillBackground(True)
        self.setFocusProxy(self.canvas)
        place = QWidget(self)
        self._stack = QStackedLayout(place)
        self._stack.addWidget(self._message)
        self._stack.addWidget(self.canvas)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._header)
        layout.addWidget(self._busy)
        layout.addWidget(place, 1)
        self._menu = QMenu(self)
        self._actions = {
            name: self._menu.addAction(title, getattr(self, f"_{name}"))
            for name, title in (("copy", "Copy picture"), ("export", "Export figure…"), ("data", "Save data…"))
        }
        self._menu.addSeparator()
        self._end_of_toggles = self._menu.addSeparator()
        self._actions["reset"] = self._menu.addAction("Show everything", self.canvas.fit)
        self._actions["maximise"] = self._menu.addAction("Maximise or restore", self.maximise_requested.emit)
        self._toggles: list[QAction] = []
        self._header.button.setMenu(self._menu)

    def _connect(self) -> None:
        self.canvas.hovered.connect(self.hovered)
        self.canvas.hovered.connect(self._describe)
        self.canvas.clicked.connect(self.clicked)
        self.canvas.entered.connect(self.activated)
        self.canvas.opened.connect(self.maximise_requested)
        self.canvas.menu_wanted.connect(self._open_menu)
        self._menu.aboutToShow.connect(self._fill_menu)
        theme.notifier().changed.connect(self._wear)

    # -- what is shown ---------------------------------------------------------------------------------------------

    @property
    def figure(self) -> Figure | None:
        """What is shown."""
        return self._figure

    def show_figure(self, figure: Figure | None) -> None:
        """Draw ``figure``; None empties the view. A newer state of the same thing keeps zoom and cursor."""
        if figure is None:
            self.show_message(_NOTHING)
            return
        self._figure = figure
        self._header.set_note(self._note)
        self._header.show_words(figure.title, figure.caption)
        self.canvas.setAccessibleName(figure.title)
        self.canvas.show_figure(figure)
        self._stack.setCurrentWidget(self.canvas)

    def show_message(self, text: str) -> None:
        """Say ``text`` in place of a figure: why there is none, and how to get one."""
        self._figure = None
        self._header.set_note("")
        self._header.show_words("", "")
        self._message.setText(text)
        self._stack.setCurrentWidget(self._message)
        self.canvas.shut()

    def update_heatmap_values(self, values: NDArray[np.floating]) -> None:
        """Renew the values of the heat map on screen (same shape); does nothing if there is none."""
        content = self.canvas.content
        if isinstance(content, HeatmapContent) and isinstance(self._figure, Heatmap):
            content.update_values(values)
            self._figure = content.figure

    def set_note(self, note: str) -> None:
        """Say ``note`` before the caption: why what is shown is not what it seems. An empty one says nothing."""
        self._note = note
        if self._figure is not None:
            self._header.set_note(note)

    def set_busy(self, busy: bool) -> None:
        """Whether a newer figure is being computed."""
        self._busy.set_busy(busy)

    def reset_view(self) -> None:
        """Show everything."""
        self.canvas.fit()

    # -- theme, menu -----------------------------------------------------------------------------------------------

    @Slot(object)
    def _wear(self, palette: theme.Palette) -> None:
        self._header.wear(palette)
        self._busy.wear(palette)
        colours = self.palette()
        colours.setColor(self.backgroundRole(), palette.panel)
        self.setPalette(colours)
        for name, which in (("copy", "copy"), ("export", "export"), ("data", "save"), ("reset", "reset"),
                            ("maximise", "maximize")):  # fmt: skip
            self._actions[name].setIcon(theme.icon(which))
        self.canvas.restyle(Look(palette, self.devicePixelRatioF()))

    def event(self, event: QEvent) -> bool:
        """Draw anew on a screen with other pixels."""
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self.canvas.restyle(Look(theme.current(), self.devicePixelRatioF()))
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Captions take a second line in high views only."""
        super().resizeEvent(event)
        self._header.set_roomy(self.height() >= _ROOMY * self.fontMetrics().height())

    @Slot()
    def _fill_menu(self) -> None:
        for action in self._toggles:
            self._menu.removeAction(action)
            action.deleteLater()
        content = self.canvas.content
        self._toggles = []
        for toggle in content.toggles() if content is not None else ():
            action = QAction(toggle.title, self._menu, checkable=True, checked=toggle.on)
            action.setData(toggle.id)
            action.toggled.connect(self._toggled)
            self._menu.insertAction(self._end_of_toggles, action)
            self._toggles.append(action)
        for name in ("copy", "export", "data", "reset"):
            self._actions[name].setEnabled(self._figure is not None)

    @Slot(bool)
    def _toggled(self, on: bool) -> None:
        sender = self.sender()
        if isinstance(sender, QAction):
            self.canvas.toggle(sender.data(), on)

    @Slot(QPoint)
    def _open_menu(self, at: QPoint) -> None:
        self._menu.popup(at)

    @Slot(str)
    def _describe(self, text: str) -> None:
        self.canvas.setAccessibleDescription(text)

    def _copy(self, *_: Any) -> None:
        self.copy_requested.emit(self._figure)

    def _export(self, *_: Any) -> None:
        self.export_requested.emit(self._figure)

    def _data(self, *_: Any) -> None:
        self.data_requested.emit(self._figure)
