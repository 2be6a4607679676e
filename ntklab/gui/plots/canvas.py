"""The surface of a plot: page, data and cursor in one scene, operated by mouse and keyboard."""

from __future__ import annotations

from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QPoint, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QGraphicsScene, QWidget

from ntklab.figures.model import Bars, Curves, Figure, Heatmap, Maps, Norm, Plane
from ntklab.gui.plots import keys
from ntklab.gui.plots.bars import BarsContent
from ntklab.gui.plots.content import Content, Reading, Scale
from ntklab.gui.plots.curves import CurvesContent
from ntklab.gui.plots.grip import Grip
from ntklab.gui.plots.heatmap import HeatmapContent
from ntklab.gui.plots.look import Look
from ntklab.gui.plots.maps import MapsContent
from ntklab.gui.plots.overlay import Overlay
from ntklab.gui.plots.page import Page, Span
from ntklab.gui.plots.paper import Paper
from ntklab.gui.plots.places import arrange
from ntklab.gui.plots.plane import PlaneContent

pg.setConfigOptions(imageAxisOrder="row-major", background=None, antialias=True)

CONTENTS: dict[type[Any], type[Content[Any]]] = {
    Heatmap: HeatmapContent, Curves: CurvesContent, Plane: PlaneContent, Bars: BarsContent, Maps: MapsContent,
}  # fmt: skip

_KEYBOARD = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.ShortcutFocusReason)


class Canvas(pg.GraphicsView):
    """Shows one figure at a time."""

    hovered = Signal(str)
    clicked = Signal(object)
    opened = Signal()  # double click
    entered = Signal()  # the keyboard is here now
    menu_wanted = Signal(QPoint)  # global position

    def __init__(self, look: Look, parent: QWidget | None = None) -> None:
        super().__init__(parent, background=None)
        self.setCentralItem(None)
        self.look = look
        self.content: Content[Any] | None = None
        self._fitted = True
        self._busy = False  # laying out, so that changes of range are our own
        self._least_left = 0.0
        self._grip = Grip(self)
        self.view = pg.ViewBox(enableMenu=False, defaultPadding=0)
        self.view.disableAutoRange()
        self.scene().setItemIndexMethod(QGraphicsScene.ItemIndexMethod.NoIndex)  # a handful of items
        self.paper = Paper(look)
        self.overlay = Overlay(self.paper)
        for item in (self.paper, self.view, self.overlay):
            self.scene().addItem(item)
        self.view.sigRangeChanged.connect(self._range_changed)
        self.view.sigRangeChangedManually.connect(self._range_chosen)
        self.scene().sigMouseClicked.connect(self._mouse_clicked)
        self.setBackground(look.ground)

    # -- what is shown ---------------------------------------------------------------------------------------------

    def show_figure(self, figure: Figure) -> None:
        """Draw ``figure``; zoom and cursor stay if it is a newer state of the same thing."""
        kind = CONTENTS[type(figure)]
        if type(self.content) is not kind:
            self._replace(kind(self.look, self))
        assert self.content is not None
        if not self.content.continues(figure):
            self._fitted, self._least_left = True, 0.0
            self._read(None)
        if self.content.show(figure):
            self._put_items()
        self._lay()
        if self.overlay.reading is not None:
            self._read(self.content.reread(self.overlay.reading))

    def restyle(self, look: Look) -> None:
        """Draw in another palette."""
        self.look = look
        self.paper.wear(look)
        self.setBackground(look.ground)
        if self.content is not None:
            self.content.restyle(look)
        self._lay()

    def fit(self) -> None:
        """Show everything, in the figure's own colours."""
        self._fitted, self._least_left = True, 0.0
        self.recolour(None)

    def recolour(self, norm: Norm | None) -> None:
        """Use ``norm`` where the colours can be chosen; None goes back to the figure's."""
        if self.content is not None and self.norm() is not None:
            self.content.recolour(norm)
        self._lay()

    def toggle(self, which: str, on: bool) -> None:
        """Switch one of the content's toggles."""
        if self.content is not None:
            self.content.toggle(which, on)
            self._read(None)
            self.fit()

    def shut(self) -> None:
        """Let go of the content."""
        self._replace(None)

    def _replace(self, content: Content[Any] | None) -> None:
        if self.content is not None:
            self.content.close()
            self.view.clear()
        self._read(None)
        self.content = content
        self._fitted, self._least_left = True, 0.0

    def _put_items(self) -> None:
        assert self.content is not None
        self.view.clear()
        for item in self.content.items():
            self.view.addItem(item, ignoreBounds=True)

    # -- geometry --------------------------------------------------------------------------------------------------

    def span(self) -> Span:
        """The visible range."""
        (x0, x1), (y0, y1) = self.view.viewRange()
        return Span(x0, x1, y0, y1)

    def _lay(self) -> None:
        """Arrange the page for the present size and range."""
        if self.content is None or self._busy or self.width() < 8 or self.height() < 8:
            return
        self._busy = True
        page, span = self.content.page(), self.content.bounds() if self._fitted else self.span()
        places = arrange(page, span, QSizeF(self.width(), self.height()), self.look, self._least_left)
        self._least_left = places.left if not self._fitted else 0.0
        self.view.invertY(page.inverted)
        self.view.setAspectLocked(False)
        self.view.setGeometry(places.plot)
        self.view.setRange(xRange=(span.x0, span.x1), yRange=(span.y0, span.y1), padding=0, disableAutoRange=False)
        if self.content.locked:
            self.view.setAspectLocked(True, ratio=None)
        self.content.scale = Scale(places.plot.width() / ((span.x1 - span.x0) or 1.0),
                                   places.plot.height() / ((span.y1 - span.y0) or 1.0))  # fmt: skip
        self.content.looked_at(span, places.plot.width())
        self.overlay.renew()
        self.paper.lay(page, span, places, QRectF(0, 0, self.width(), self.height()))
        self._busy = False

    def _range_changed(self, *_: Any) -> None:
        if not self._busy:
            self._lay()

    def _range_chosen(self, *_: Any) -> None:
        """The user has panned or zoomed: stay on what there is."""
        if self.content is None:
            return
        self._fitted = False
        span, whole = self.span(), self.content.bounds()
        if span.x1 - span.x0 >= whole.x1 - whole.x0 and span.y1 - span.y0 >= whole.y1 - whole.y0:
            self.fit()
        elif self.content.locked:
            self.show_span(span.within(whole))
        else:
            self._lay()

    def show_span(self, span: Span) -> None:
        """Show this range."""
        self._fitted = False
        self._busy = True
        self.view.setRange(xRange=(span.x0, span.x1), yRange=(span.y0, span.y1), padding=0)
        self._busy = False
        self._lay()

    def zoom(self, factor: float) -> None:
        """Show ``factor`` of the visible range, around the cursor or the middle."""
        span, reading = self.span(), self.overlay.reading
        x = reading.x if reading else (span.x0 + span.x1) / 2
        y = reading.y if reading else (span.y0 + span.y1) / 2
        self.show_span(span.scaled(factor, x, y))
        self._range_chosen()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Arrange anew."""
        super().resizeEvent(event)
        if hasattr(self, "overlay"):  # the base class resizes while it is being made
            self._lay()

    # -- cursor ----------------------------------------------------------------------------------------------------

    def _read(self, reading: Reading | None) -> None:
        if reading is None and self.overlay.reading is None:
            return
        self.overlay.point_at(reading)
        self.hovered.emit(reading.text if reading else "")

    def reading_at(self, x: float, y: float) -> Reading | None:
        """What is at pixel (``x``, ``y``)."""
        plot, span = self.paper.places.plot, self.paper.span
        if self.content is None or not plot.contains(x, y):
            return None
        right, down = (x - plot.left()) / plot.width(), (y - plot.top()) / plot.height()
        if not self.paper.page.inverted:
            down = 1 - down
        return self.content.read(span.x0 + right * (span.x1 - span.x0), span.y0 + down * (span.y1 - span.y0))

    def read_at(self, x: float, y: float) -> None:
        """Put the cursor on what is at pixel (``x``, ``y``)."""
        self._read(self.reading_at(x, y))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Read what is under the mouse, or pull at the colour bar."""
        if self._grip.held:
            self._grip.pull(event.position())
            return
        super().mouseMoveEvent(event)
        if event.buttons() == Qt.MouseButton.NoButton:
            self.read_at(event.position().x(), event.position().y())
            over = self._grip.over(event.position())
            self.viewport().setCursor(Qt.CursorShape.SizeVerCursor if over else Qt.CursorShape.ArrowCursor)

    # -- colour bar ------------------------------------------------------------------------------------------------

    def norm(self) -> Norm | None:
        """How values become colours; None where that is fixed or there are none."""
        return None if self.content is None else self.content.norm

    def bar(self) -> QRectF | None:
        """Place of the colour bar; None where the colours are fixed."""
        return self.paper.places.bar if self.norm() is not None else None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the colour bar, or leave the press to the view."""
        if event.button() != Qt.MouseButton.LeftButton or not self._grip.take(event.position()):
            super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        if self._grip.held:
            self._grip.release()
        else:
            super().mouseReleaseEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """On the colour bar: the figure's own colours again."""
        if self._grip.over(event.position()):
            self.recolour(None)
        else:
            super().mouseDoubleClickEvent(event)

    def leaveEvent(self, event: Any) -> None:
        """Nothing is under the mouse any more."""
        super().leaveEvent(event)
        self._read(None)

    def _mouse_clicked(self, event: Any) -> None:
        if event.button() == Qt.MouseButton.RightButton:
            self.menu_wanted.emit(event.screenPos().toPoint())
        elif event.button() == Qt.MouseButton.LeftButton and event.double():
            self.opened.emit()
        elif event.button() == Qt.MouseButton.LeftButton:
            position = event.scenePos()
            self.read_at(position.x(), position.y())
            self.pick()

    def pick(self) -> None:
        """Click where the cursor is."""
        reading = self.overlay.reading
        if reading is not None and reading.pick is not None:
            self.clicked.emit(reading.pick)

    # -- keyboard --------------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """See ``keys``."""
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        event.setAccepted(keys.press(self, Qt.Key(event.key()), shift=shift))

    def step(self, right: int, down: int) -> None:
        """Move the cursor so many places, or put it in the middle."""
        if self.content is None:
            return
        reading = self.overlay.reading
        if reading is None:
            middle = self.paper.places.plot.center()
            moved = self.reading_at(middle.x(), middle.y())
        else:
            moved = self.content.move(reading, right, down)
        if moved is not None:
            self._follow(moved)
            self._read(moved)

    def _follow(self, reading: Reading) -> None:
        """Bring the cursor into view."""
        span = self.span()
        moved = span.reaching(reading.x, reading.y)
        if moved != span:
            self.show_span(moved)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The menu key; the mouse's right button may also be the start of a zoom and waits for its release."""
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            self.menu_wanted.emit(self.mapToGlobal(self.rect().topRight()))
        event.accept()

    # -- focus -----------------------------------------------------------------------------------------------------

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show where the keyboard is."""
        super().focusInEvent(event)
        self.overlay.ring(event.reason() in _KEYBOARD)
        self.entered.emit()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """The keyboard has gone."""
        super().focusOutEvent(event)
        self.overlay.ring(False)

    def page(self) -> Page:
        """What stands around the data now."""
        return self.paper.page
