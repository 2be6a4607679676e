"""Points of the plane, over a field where there is one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject
from PySide6.QtGui import QBrush, QColor
from PySide6.QtWidgets import QGraphicsItem

from ntklab.figures.model import Norm, Plane, Points
from ntklab.figures.pyramid import build
from ntklab.gui.plots.content import Content, Reading
from ntklab.gui.plots.look import Look
from ntklab.gui.plots.matrix import MatrixItem
from ntklab.gui.plots.norm import quantise
from ntklab.gui.plots.page import AxisPage, Bar, Entry, Page, Span
from ntklab.gui.plots.reduce import extent, padded
from ntklab.gui.plots.stamps import Paint, Stamps, StampsItem, stamps
from ntklab.gui.plots.strokes import LineItem
from ntklab.gui.plots.text import exact

_MANY = 150
_LEVELS = 51  # colours of points: fewer than of fields, but more than an eye tells apart on a dot
_GRAB = 1.0  # em around a point within which a cursor over a field means the point
_FIELD = -1  # stands for the number of a cloud in the key of a reading
_FLATTEST, _TALLEST = 2.5, 0.5  # width over height of planes with equal scales


class PlaneContent(Content[Plane]):
    """Clouds of points coloured by class or by value."""

    def __init__(self, look: Look, owner: QObject) -> None:
        super().__init__(look, owner)
        self._figure: Plane | None = None
        self._field: MatrixItem | None = None
        self._lines: list[LineItem] = []
        self._clouds: list[StampsItem] = []
        self._made: dict[tuple[Any, ...], Stamps] = {}

    @property
    def figure(self) -> Plane:
        """What is shown."""
        assert self._figure is not None
        return self._figure

    @property
    def locked(self) -> bool:  # type: ignore[override]
        """Whether both axes have one scale."""
        return self.figure.equal

    def items(self) -> tuple[QGraphicsItem, ...]:
        over: tuple[QGraphicsItem, ...] = (*self._lines, *self._clouds)
        for level, item in enumerate(over):
            item.setZValue(1 + level)
        return (*((self._field,) if self._field else ()), *over)

    def show(self, figure: Plane) -> bool:
        old, self._figure = self._figure, figure
        with_field = figure.field_values is not None
        changed = old is None or _parts(old) != _parts(figure)
        if changed:
            self._lines = [LineItem() for _ in figure.lines]
            self._clouds = [StampsItem() for _ in figure.points]
            self._field = MatrixItem() if with_field else None
        if self._field is not None and figure.field_values is not None:
            self._field.set_pyramid(build(figure.field_values))
            self._field.place(figure.extent)
        self._paint()
        return changed

    def continues(self, figure: Plane) -> bool:
        old = self._figure
        return old is not None and (old.title, old.x, old.y) == (figure.title, figure.x, figure.y)

    def restyle(self, look: Look) -> None:
        self.look = look
        self._made = {}
        self._paint()

    def _paint(self) -> None:
        look, figure = self.look, self.figure
        if self._field is not None:
            self._field.set_colours(figure.norm or Norm("linear", 0, 1), look.table(figure.colours))
        for series, line in zip(figure.lines, self._lines, strict=True):
            line.set_pen(look.pen(series.role, series.weight, series.mark))
            line.set_points(np.asarray(series.x, np.float64), np.asarray(series.y, np.float64))
        for points, cloud in zip(figure.points, self._clouds, strict=True):
            good = np.isfinite(points.x) & np.isfinite(points.y)
            cloud.set_points(points.x[good], points.y[good], self._levels(points)[good], self._stamps(points))

    def _size(self, points: Points) -> float:
        total = sum(p.x.size for p in self.figure.points)
        return self.look.dot(points.weight) * (1.25 if total <= _MANY else 1.0 if total <= 8 * _MANY else 0.75)

    def _valued(self, points: Points) -> bool:
        return points.values is not None and self.figure.norm is not None

    def _levels(self, points: Points) -> NDArray[np.intp]:
        """(n,): the marker of each point: 0 for values that are missing, else 1 … ``_LEVELS`` by value."""
        if points.values is None or self.figure.norm is None:
            return np.zeros(points.x.size, dtype=np.intp)
        indices = quantise(np.asarray(points.values), self.figure.norm).astype(np.intp)
        return np.where(indices == 0, 0, 1 + (indices - 1) * _LEVELS // 255)

    def _stamps(self, points: Points) -> Stamps:
        """The markers of ``points``, drawn once a look."""
        size, colours, valued = self._size(points), self.figure.colours, self._valued(points)
        key = (points.role, size, points.hollow, colours if valued else None)
        if key not in self._made:
            paints = self._value_paints(points.hollow) if valued else [self._class_paint(points)]
            self._made[key] = stamps(self.look.symbol(points.role), size, paints, self.look.density)
        return self._made[key]

    def _class_paint(self, points: Points) -> Paint:
        look = self.look
        if points.hollow:
            return look.rim(look.colour(points.role), 1.6), QBrush(look.ground)
        return look.rim(_faded(look.ground), 0.8), look.brush(points.role)

    def _value_paints(self, hollow: bool) -> list[Paint]:
        look, table = self.look, self.look.table(self.figure.colours)
        middles = 1 + ((np.arange(_LEVELS) + 0.5) * 255 / _LEVELS).astype(int)
        colours = [int(table[index]) for index in (0, *middles)]
        if hollow:
            return [(look.rim(_mixed(colour, look.ink), 2.2), QBrush(look.ground)) for colour in colours]
        return [(look.rim(_faded(look.ink), 1.0), QBrush(QColor.fromRgb(colour))) for colour in colours]

    # -- page ------------------------------------------------------------------------------------------------------

    def page(self) -> Page:
        f = self.figure
        span = self.bounds()
        valued = any(p.values is not None for p in f.points) or f.field_values is not None
        return Page(
            x=AxisPage(f.x.title),
            y=AxisPage(f.y.title),
            entries=self._entries(),
            bar=Bar(f.norm, f.colours, f.value_label) if f.norm is not None and valued else None,
            ratio=(span.x1 - span.x0) / (span.y1 - span.y0) if f.equal else None,
        )

    def _entries(self) -> tuple[Entry, ...]:
        """One a class: what small and hollow points are is in the caption, and without classes that is all."""
        lines = [Entry(line.legend, line.role, mark=line.mark, weight=line.weight)
                 for line in self.figure.lines if line.legend]  # fmt: skip
        if not lines and not any(points.in_legend for points in self.figure.points):
            return ()
        found = {(entry.name, str(entry.role)): entry for entry in lines}
        for points in self.figure.points:
            name = points.name.split(", ")[0]
            neutral = points.values is not None
            found.setdefault((name, points.role), Entry(name, points.role, line=False, dots=True, neutral=neutral))
        return tuple(found.values()) if len(found) > 1 else ()

    def bounds(self) -> Span:
        f = self.figure
        fx0, fx1, fy0, fy1 = f.extent
        tight = f.field_values is not None
        frame: list[NDArray[np.floating]] = [np.array([fx0, fx1]), np.array([fy0, fy1])] if tight else [np.empty(0)] * 2
        x0, x1 = padded(extent([frame[0], *(p.x for p in f.points)]), 0.0 if tight else 0.06)
        y0, y1 = padded(extent([frame[1], *(p.y for p in f.points)]), 0.0 if tight else 0.06)
        (x0, x1), (y0, y1) = f.x.limits or (x0, x1), f.y.limits or (y0, y1)
        if f.equal:
            x0, x1 = _widened(x0, x1, (y1 - y0) * _TALLEST)
            y0, y1 = _widened(y0, y1, (x1 - x0) / _FLATTEST)
        return Span(x0, x1, y0, y1)

    # -- cursor ----------------------------------------------------------------------------------------------------

    def read(self, x: float, y: float) -> Reading | None:
        """The nearest point; where there is a field, only a near one, and else the entry of the field."""
        best: tuple[float, int, int] | None = None
        for number, points in enumerate(self.figure.points):
            distance = ((points.x - x) * self.scale.x) ** 2 + ((points.y - y) * self.scale.y) ** 2
            if distance.size and not bool(np.isnan(distance).all()):
                index = int(np.nanargmin(distance))
                if best is None or distance[index] < best[0]:
                    best = (float(distance[index]), number, index)
        if best is None or best[0] > (_GRAB * self.look.em) ** 2:
            cell = self._cell_at(x, y)
            if cell is not None:
                return self._cell(*cell)
        return None if best is None else self._at(best[1], best[2])

    def _cell_at(self, x: float, y: float) -> tuple[int, int] | None:
        """Row and column of the field's entry there; None outside of it."""
        values, (x0, x1, y0, y1) = self.figure.field_values, self.figure.extent
        if values is None or not (x0 <= x <= x1 and y0 <= y <= y1):
            return None
        rows, columns = values.shape
        return min(int((y1 - y) / (y1 - y0) * rows), rows - 1), min(int((x - x0) / (x1 - x0) * columns), columns - 1)

    def _cell(self, row: int, column: int) -> Reading | None:
        f, values = self.figure, self.figure.field_values
        if values is None or not (0 <= row < values.shape[0] and 0 <= column < values.shape[1]):
            return None
        (rows, columns), (x0, x1, y0, y1) = values.shape, f.extent
        width, height = (x1 - x0) / columns, (y1 - y0) / rows
        left, top = x0 + column * width, y1 - row * height
        x, y = left + width / 2, top - height / 2
        text = f"{f.x.label} = {exact(x)}   {f.y.label} = {exact(y)}   {f.value_label or 'value'} = "
        text += exact(values[row, column])
        span = Span(left, left + width, top - height, top)
        return Reading(text, ("at", x, y), x, y, cell=span, key=(_FIELD, row, column))

    def move(self, reading: Reading, right: int, down: int) -> Reading | None:
        """The nearest point in that direction (within 45° of it), or the neighbouring entry of the field."""
        if reading.key[0] == _FIELD:
            return self._cell(reading.key[1] + down, reading.key[2] + right)
        if reading.key[0] >= len(self.figure.points) or reading.key[1] >= self.figure.points[reading.key[0]].x.size:
            return None
        if not right and not down:
            return self._at(*reading.key)
        best: tuple[float, int, int] | None = None
        for number, points in enumerate(self.figure.points):
            dx, dy = (points.x - reading.x) * self.scale.x, (points.y - reading.y) * self.scale.y
            along, across = (dx * np.sign(right), dy) if right else (-dy * np.sign(down), dx)
            ahead = np.where((along > 0) & (np.abs(across) <= along), along**2 + 4 * across**2, np.inf)
            if ahead.size and np.isfinite(ahead).any():
                index = int(ahead.argmin())
                if best is None or ahead[index] < best[0]:
                    best = (float(ahead[index]), number, index)
        return None if best is None else self._at(best[1], best[2])

    def _at(self, number: int, index: int) -> Reading:
        f, points = self.figure, self.figure.points[number]
        x, y = float(points.x[index]), float(points.y[index])
        text = f"{f.x.label} = {exact(x)}   {f.y.label} = {exact(y)}"
        if points.values is not None:
            text += f"   {f.value_label or 'value'} = {exact(points.values[index])}"
        sample = None if points.samples is None else int(points.samples[index])
        text += f"   {points.name}" if points.name else ""
        text += "" if sample is None else f"   sample {sample}"
        return Reading(text, None if sample is None else ("sample", sample), x, y, key=(number, index))


def _parts(figure: Plane) -> tuple[int, int, bool]:
    """What items a figure needs."""
    return len(figure.points), len(figure.lines), figure.field_values is not None


def _widened(low: float, high: float, least: float) -> tuple[float, float]:
    more = max(least - (high - low), 0.0) / 2
    return low - more, high + more


def _faded(colour: QColor) -> QColor:
    faded = QColor(colour)
    faded.setAlphaF(0.65)
    return faded


def _mixed(colour: int, ink: QColor) -> QColor:
    """``colour`` a third of the way to ``ink``: an outline must show where its value is near 0."""
    value = QColor.fromRgb(colour)
    parts = zip((value.red(), value.green(), value.blue()), (ink.red(), ink.green(), ink.blue()), strict=True)
    return QColor(*((2 * v + i) // 3 for v, i in parts))
