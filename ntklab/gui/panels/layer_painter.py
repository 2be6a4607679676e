"""Paints the lines of an outline: the way through the network with a glyph for each layer, its name, shape and size."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from ntklab.gui import theme
from ntklab.gui.panels.layer_model import LINE_ROLE, Index
from ntklab.gui.panels.outline import Line, Rail
from ntklab.gui.panels.words import shape_text
from ntklab.gui.widgets.numbers import short

_SMALL = 0.86  # of the second line in the first
_HEIGHTS = {"input": 1.75, "identity": 1.35, "merge": 1.55}  # in lines; others by what they say
_WEIGHTED = ("Weights", "Convolution", "Attention")


def group_colour(group: str) -> str:
    """The colour of a group of layers in the present theme: with weights, activations, the others."""
    look = theme.current()
    if group in _WEIGHTED:
        return look.accent
    return look.warning if group == "Activations" else look.ok if group else look.muted


class LayerDelegate(QStyledItemDelegate):
    """Paints a line."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Two lines of text for what has parameters to train or does not fit."""
        line: Line = index.data(LINE_ROLE)
        height = option.fontMetrics.height()
        lines = _HEIGHTS.get(line.kind, 2.6 if _two_lines(line) else 1.75)
        return QSize(10 * height, round(height * lines))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Ground by state, rails, glyph, then text."""
        line: Line = index.data(LINE_ROLE)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        _paint_ground(painter, option)
        geometry = Geometry(option.rect, option.fontMetrics.height())
        for rail in line.rails:
            _paint_rail(painter, geometry, rail)
        _paint_glyph(painter, geometry, line)
        _Text(painter, geometry, line).paint()
        painter.restore()


class Geometry:
    """Where things are in a row of the list."""

    def __init__(self, rect: QRect, unit: int) -> None:
        self.rect, self.unit = QRectF(rect), float(unit)

    def lane(self, number: int) -> float:
        """The centre of a lane, in pixels from the left."""
        return self.rect.left() + self.unit * (0.95 + 1.0 * number)

    @property
    def glyph(self) -> float:
        """Side of a glyph; whole pixels keep its lines sharp."""
        return 8.0 * round(self.unit / 8)

    def text_left(self, depth: int) -> float:
        """Where text begins."""
        return self.lane(depth) + self.unit * 0.9


def _paint_ground(painter: QPainter, option: QStyleOptionViewItem) -> None:
    look, state = theme.current(), option.state
    if state & QStyle.StateFlag.State_Selected:
        painter.fillRect(option.rect, QColor(look.selection))
    elif state & QStyle.StateFlag.State_MouseOver:
        painter.fillRect(option.rect, QColor(look.hover))


def _rail_pen(rail: Rail) -> QPen:
    look = theme.current()
    pen = QPen(QColor(look.accent if rail.style == "skip" else look.outline), 1.5)
    if rail.style == "bus":
        pen.setStyle(Qt.PenStyle.DotLine)
    return pen


def _paint_rail(painter: QPainter, geometry: Geometry, rail: Rail) -> None:
    rect, x = geometry.rect, geometry.lane(rail.lane)
    middle, gap = rect.center().y(), geometry.glyph / 2 + 1
    painter.setPen(_rail_pen(rail))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    ends = {"whole": (rect.top(), rect.bottom() + 1), "top": (rect.top(), middle - gap),
            "bottom": (middle + gap, rect.bottom() + 1)}.get(rail.piece)  # fmt: skip
    if ends is not None:
        painter.drawLine(QPointF(x, ends[0]), QPointF(x, ends[1]))
        return
    trunk, edge = geometry.lane(rail.lane - 1), rect.top() if rail.piece == "out" else rect.bottom() + 1
    path = QPainterPath(QPointF(trunk, edge))
    path.quadTo(QPointF(trunk, middle), QPointF(x - gap, middle))
    painter.drawPath(path)


def _paint_glyph(painter: QPainter, geometry: Geometry, line: Line) -> None:
    if not line.icon:
        return
    name, colour = ("warning", theme.current().error) if line.fault else (line.icon, group_colour(line.group))
    side = geometry.glyph
    left, top = geometry.lane(line.depth) - side / 2, geometry.rect.center().y() - side / 2
    theme.icon(name, colour).paint(painter, QRect(round(left), round(top), round(side), round(side)))


class _Text:
    """The words of one line: what it is at the left, shape and size at the right."""

    def __init__(self, painter: QPainter, geometry: Geometry, line: Line) -> None:
        self.painter, self.geometry, self.line = painter, geometry, line
        left = geometry.text_left(line.depth)
        right = geometry.rect.right() - geometry.unit * 0.5
        self.box = QRectF(left, geometry.rect.top(), right - left, geometry.rect.height())
        self.small = QFont(painter.font())
        self.small.setPixelSize(round(painter.fontInfo().pixelSize() * _SMALL))

    def paint(self) -> None:
        """One line of text, or two."""
        unit = self.geometry.unit
        if not _two_lines(self.line):
            self._first(self.box, note=self.line.note)
            return
        margin = (self.box.height() - 2.2 * unit) / 2
        self._first(QRectF(self.box.left(), self.box.top() + margin, self.box.width(), 1.15 * unit))
        self._second(QRectF(self.box.left(), self.box.top() + margin + 1.1 * unit, self.box.width(), 1.1 * unit))

    def _first(self, box: QRectF, note: str = "") -> None:
        look, line = theme.current(), self.line
        metrics = QFontMetrics(self.painter.font())
        shape = "" if line.kind == "identity" else shape_text(line.shape)
        same = line.before == line.shape
        self._write(box, shape, look.muted if same or line.shape is None else look.text, _RIGHT)
        room = box.width() - (metrics.horizontalAdvance(shape) + self.geometry.unit * 0.5 if shape else 0)
        title = metrics.elidedText(line.title, Qt.TextElideMode.ElideRight, max(int(room), 0))
        quiet = line.kind in ("identity", "merge")
        self._write(box, title, look.muted if quiet else look.text, _LEFT)
        used = metrics.horizontalAdvance(title)
        if line.folded is not None:
            self._chevron(QPointF(box.left() + used + 0.75 * self.geometry.unit, box.center().y()))
            used += round(1.2 * self.geometry.unit)
        left = room - used - self.geometry.unit * 0.5
        if note and left > 3 * self.geometry.unit:
            text = metrics.elidedText(note, Qt.TextElideMode.ElideRight, int(left))
            self._write(box.adjusted(used + self.geometry.unit * 0.5, 0, 0, 0), text, look.muted, _LEFT)

    def _second(self, box: QRectF) -> None:
        look, line = theme.current(), self.line
        self.painter.setFont(self.small)
        metrics = QFontMetrics(self.small)
        size = f"{short(line.parameters)} params" if line.parameters and not line.fault else ""
        self._write(box, size, look.muted, _RIGHT)
        room = box.width() - metrics.horizontalAdvance(size) - self.geometry.unit * 0.5
        text = metrics.elidedText(line.fault or line.note, Qt.TextElideMode.ElideRight, max(int(room), 0))
        self._write(box, text, look.error if line.fault else look.muted, _LEFT)

    def _write(self, box: QRectF, text: str, colour: str, flags: Qt.AlignmentFlag) -> None:
        self.painter.setPen(QColor(colour))
        self.painter.drawText(box, int(flags), text)

    def _chevron(self, centre: QPointF) -> None:
        size = self.geometry.unit * 0.2
        shape = ((-0.5, -1), (0.6, 0), (-0.5, 1)) if self.line.folded else ((-1, -0.6), (0, 0.5), (1, -0.6))
        self.painter.setPen(QPen(QColor(theme.current().muted), 1.5))
        self.painter.drawPolyline([centre + QPointF(x * size, y * size) for x, y in shape])


_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


def _two_lines(line: Line) -> bool:
    return line.kind in ("layer", "readout") and (bool(line.parameters) or bool(line.fault)) and line.folded is None


def chevron_span(line: Line, rect: QRect, metrics: QFontMetrics) -> tuple[float, float]:
    """Where in a row the chevron of a block can be clicked, from left to right."""
    geometry = Geometry(rect, metrics.height())
    left = geometry.text_left(line.depth) + metrics.horizontalAdvance(line.title)
    return left, left + 1.6 * geometry.unit
