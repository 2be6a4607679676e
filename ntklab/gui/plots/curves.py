"""Series on common axes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QGraphicsItem

from ntklab.figures.model import Axis, Curves, Series
from ntklab.gui.plots.content import Content, Reading, Toggle
from ntklab.gui.plots.look import Look
from ntklab.gui.plots.page import AxisPage, Entry, Guide, Page, Span
from ntklab.gui.plots.reduce import Array, extent, padded, thinned, transformed
from ntklab.gui.plots.strokes import BandItem, LineItem
from ntklab.gui.plots.text import exact

_MANY = 64  # dots beyond which they shrink
_LEAST_DOT = 0.62
_FILLED = 0.3  # opacity of bands that are areas


@dataclass(frozen=True, eq=False)
class Drawn:
    """The items of one series, and its points in view coordinates."""

    band: BandItem | None
    line: LineItem | None
    dots: pg.ScatterPlotItem | None

    def items(self) -> list[QGraphicsItem]:
        """Back to front."""
        return [item for item in (self.band, self.line, self.dots) if item is not None]


class CurvesContent(Content[Curves]):
    """Lines, dots and bands with guides."""

    def __init__(self, look: Look, owner: QObject) -> None:
        super().__init__(look, owner)
        self._figure: Curves | None = None
        self._drawn: list[Drawn] = []
        self._points: list[tuple[Array, Array]] = []
        self._scales: dict[str, bool] = {}  # axis: logarithmic, where the user chose
        self._view: tuple[Span, float] | None = None  # what the lines were last thinned for
        self._whole: list[bool] = []  # whether the line has all its points

    @property
    def figure(self) -> Curves:
        """What is shown."""
        assert self._figure is not None
        return self._figure

    def items(self) -> tuple[QGraphicsItem, ...]:
        for level, drawn in enumerate(self._drawn):
            for item, base in ((drawn.band, -100), (drawn.line, 0), (drawn.dots, 100)):
                if item is not None:
                    item.setZValue(base + level)
        return tuple(item for drawn in self._drawn for item in drawn.items())

    # -- taking a figure -------------------------------------------------------------------------------------------

    def show(self, figure: Curves) -> bool:
        old = self._figure
        if old is None or not self.continues(figure):
            self._scales = {}
        self._figure = figure
        changed = old is None or list(map(_kind, old.series)) != list(map(_kind, figure.series))
        if changed:
            self._drawn = [_new(series) for series in figure.series]
        if changed or old is None or list(map(_style, old.series)) != list(map(_style, figure.series)):
            self.restyle(self.look)
        self._place()
        return changed

    def continues(self, figure: Curves) -> bool:
        old = self._figure
        return old is not None and (old.title, old.x.label, old.y.label) == (
            figure.title,
            figure.x.label,
            figure.y.label,
        )

    def _log(self, name: str) -> bool:
        axis: Axis = getattr(self.figure, name)
        return self._scales.get(name, axis.scale == "log")

    def _place(self) -> None:
        """Put all points where they belong on the present scales."""
        log_x, log_y = self._log("x"), self._log("y")
        self._points = [(transformed(s.x, log_x), transformed(s.y, log_y)) for s in self.figure.series]
        for series, drawn, (x, y) in zip(self.figure.series, self._drawn, self._points, strict=True):
            if drawn.dots is not None:
                good = np.isfinite(x) & np.isfinite(y)
                drawn.dots.setData(x=x[good], y=y[good], size=self._dot_size(series), pxMode=True)
            if drawn.band is not None and series.low is not None and series.high is not None:
                drawn.band.set_band(x, transformed(series.low, log_y), transformed(series.high, log_y))
        self._view = None

    def _dot_size(self, series: Series) -> float:
        crowd = math.sqrt(_MANY / max(series.x.size, _MANY))
        return self.look.dot(series.weight) * max(crowd, _LEAST_DOT)

    def looked_at(self, span: Span, width: float) -> None:
        if (span, width) == self._view:
            return
        if self._view is None:
            self._whole = [False] * len(self._drawn)
        self._view = (span, width)
        for number, (drawn, (x, y)) in enumerate(zip(self._drawn, self._points, strict=True)):
            if drawn.line is None:
                continue
            xs, ys = thinned(x, y, span.x0, span.x1, width)
            if xs is not x or not self._whole[number]:
                drawn.line.set_points(xs, ys)
            self._whole[number] = xs is x

    # -- style -----------------------------------------------------------------------------------------------------

    def restyle(self, look: Look) -> None:
        self.look = look
        for series, drawn in zip(self.figure.series, self._drawn, strict=True):
            if drawn.line is not None:
                drawn.line.set_pen(look.pen(series.role, series.weight, series.mark))
            if drawn.band is not None:
                drawn.band.set_brush(look.brush(series.role, round(255 * series.fill)))
            if drawn.dots is not None:
                drawn.dots.setPen(None)
                drawn.dots.setBrush(look.brush(series.role, 255 if series.x.size <= _MANY else 190))
                drawn.dots.setSymbol(look.symbol(series.role))

    # -- page ------------------------------------------------------------------------------------------------------

    def page(self) -> Page:
        f = self.figure
        named = [_entry(series) for series in f.series if series.legend]
        return Page(
            x=AxisPage(f.x.title, self._log("x")),
            y=AxisPage(f.y.title, self._log("y")),
            entries=tuple(named) if len(named) > 1 else (),
            guides=self._guides(),
        )

    def _guides(self) -> tuple[Guide, ...]:
        rules = [Guide(r.axis, *(self._position(r.axis, r.at),) * 2, r.label) for r in self.figure.rules]
        shades = [Guide(s.axis, self._position(s.axis, s.low), self._position(s.axis, s.high), s.label)
                  for s in self.figure.shades]  # fmt: skip
        return tuple(g for g in (*shades, *rules) if math.isfinite(g.low) and math.isfinite(g.high))

    def _position(self, axis: str, at: float) -> float:
        if not self._log(axis):
            return at
        return math.log10(at) if at > 0 else -400.0  # below every double

    def bounds(self) -> Span:
        x0, x1 = self._range("x", [x[np.isfinite(y)] for x, y in self._points], 0.025)
        ys = [y for _, y in self._points]
        ys += [
            transformed(edge, self._log("y"))
            for s in self.figure.series
            for edge in (s.low, s.high)
            if edge is not None
        ]
        y0, y1 = self._range("y", ys, 0.06)
        return Span(x0, x1, y0, y1)

    def _range(self, name: str, arrays: list[Array], share: float) -> tuple[float, float]:
        axis: Axis = getattr(self.figure, name)
        log = self._log(name)
        if axis.limits is not None:
            low, high = (self._position(name, end) for end in axis.limits)
            if low < high and low > -400.0:
                return low, high
        rules = [self._position(name, r.at) for r in self.figure.rules if r.axis == name]
        rules = [at for at in rules if math.isfinite(at) and at > -400.0]
        return padded(extent([*arrays, np.array(rules)]), share, log=log)

    # -- cursor ----------------------------------------------------------------------------------------------------

    def read(self, x: float, y: float) -> Reading | None:
        best: tuple[float, int, int] | None = None
        for number, (xs, ys) in enumerate(self._points):
            index = _nearest(((xs - x) * self.scale.x) ** 2 + ((ys - y) * self.scale.y) ** 2)
            if index is None:
                continue
            distance = float(((xs[index] - x) * self.scale.x) ** 2 + ((ys[index] - y) * self.scale.y) ** 2)
            if best is None or distance < best[0]:
                best = (distance, number, index)
        return None if best is None else self._at(best[1], best[2])

    def move(self, reading: Reading, right: int, down: int) -> Reading | None:
        number, index = reading.key
        if number >= len(self._points):
            return None
        if down:
            return self._other(number, reading, down)
        xs, ys = self._points[number]
        good = np.flatnonzero(np.isfinite(xs) & np.isfinite(ys))
        if good.size == 0:
            return None
        place = int(np.searchsorted(good, min(index, int(good[-1])))) + right
        return self._at(number, int(good[min(max(place, 0), good.size - 1)]))

    def _other(self, number: int, reading: Reading, down: int) -> Reading | None:
        """The curve above or below at about the same x."""
        here: list[tuple[float, int, int]] = []
        for other, (xs, ys) in enumerate(self._points):
            index = _nearest(np.where(np.isfinite(ys), np.abs(xs - reading.x), np.nan))
            if index is not None:
                here.append((float(ys[index]), other, index))
        here.sort(reverse=True)
        place = next((k for k, (_, other, _) in enumerate(here) if other == number), None)
        if place is None:
            return None
        _, other, index = here[min(max(place + int(math.copysign(1, down)), 0), len(here) - 1)]
        return self._at(other, index)

    def _at(self, number: int, index: int) -> Reading:
        f, series = self.figure, self.figure.series[number]
        x, y = float(series.x[index]), float(series.y[index])
        text = f"{f.x.label} = {exact(x)}   {f.y.label} = {exact(y)}"
        if series.low is not None and series.high is not None:
            text += f" ({exact(series.low[index])} to {exact(series.high[index])})"
        text += f"   {series.name}" if series.name else ""
        pick = ("mode", round(x) - 1) if f.x.label.startswith("mode") else ("x", x)
        vx, vy = self._points[number]
        return Reading(text, pick, float(vx[index]), float(vy[index]), key=(number, index))

    # -- scales ----------------------------------------------------------------------------------------------------

    def toggles(self) -> tuple[Toggle, ...]:
        found = []
        for name in ("x", "y"):
            if self._log(name) or getattr(self.figure, name).scale == "log" or self._can_be_log(name):
                found.append(Toggle(name, f"Logarithmic {name} axis", self._log(name)))
        return tuple(found)

    def _can_be_log(self, name: str) -> bool:
        """All values positive, but for a first x of 0."""
        values: list[NDArray[Any]] = [getattr(s, name) for s in self.figure.series]
        together = np.concatenate(values) if values else np.empty(0)
        finite = together[np.isfinite(together)]
        return bool(finite.size and finite.max() > 0 and (finite.min() > 0 or (name == "x" and finite.min() == 0)))

    def toggle(self, which: str, on: bool) -> None:
        self._scales[which] = on
        self._place()


def _kind(series: Series) -> tuple[bool, bool, bool]:
    """Which items a series needs: band, line, dots."""
    return (
        series.low is not None and series.high is not None,
        series.mark != "dots",
        series.mark in ("dots", "line+dots"),
    )


def _style(series: Series) -> tuple[Any, ...]:
    return series.role, series.mark, series.weight, series.fill, series.x.size <= _MANY


def _new(series: Series) -> Drawn:
    band, line, dots = _kind(series)
    return Drawn(
        BandItem() if band else None,
        LineItem() if line else None,
        pg.ScatterPlotItem(antialias=True) if dots else None,
    )


def _entry(series: Series) -> Entry:
    _, line, dots = _kind(series)
    if series.fill > _FILLED:
        return Entry(series.legend, series.role, line=False, block=True)
    return Entry(series.legend, series.role, line, dots, series.mark, series.weight)


def _nearest(distance: Array) -> int | None:
    """Position of the least; None if all are NaN or there are none."""
    if distance.size == 0 or bool(np.isnan(distance).all()):
        return None
    return int(np.nanargmin(distance))
