"""Kernel matrices: row i down, column j to the right."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QGraphicsItem

from ntklab.errors import FileError
from ntklab.figures.model import Heatmap, Norm
from ntklab.figures.pyramid import Pyramid, build
from ntklab.figures.zoom import StoredPyramid, overall
from ntklab.gui.plots.content import Content, Reading, Toggle
from ntklab.gui.plots.look import Look
from ntklab.gui.plots.matrix import MatrixItem, growing, preview
from ntklab.gui.plots.norm import LOG_SPAN
from ntklab.gui.plots.page import AxisPage, Bar, Page, Span
from ntklab.gui.plots.reader import PieceReader
from ntklab.gui.plots.text import exact
from ntklab.results.stored import StoredValues

_AT_ONCE = 1 << 20  # entries whose pyramid is built without pausing: about 2 ms


class HeatmapContent(Content[Heatmap]):
    """One matrix with its colour bar."""

    locked = True

    def __init__(self, look: Look, owner: QObject) -> None:
        super().__init__(look, owner)
        self.matrix = MatrixItem(self._painted)
        self._reader: PieceReader | None = None
        self._figure: Heatmap | None = None
        self._logarithmic: bool | None = None  # None: as the figure says
        self._chosen: Norm | None = None  # levels set by hand
        self._work: Generator[None, None, Pyramid] | None = None
        self._timer = QTimer(owner)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._grow)

    @property
    def figure(self) -> Heatmap:
        """What is shown."""
        assert self._figure is not None
        return self._figure

    @property
    def loading(self) -> bool:
        """Whether a large matrix is still being prepared, or pieces of it are read from the disk."""
        return self._work is not None or (self._reader is not None and self._reader.reading)

    def items(self) -> tuple[QGraphicsItem, ...]:
        return (self.matrix,)

    def show(self, figure: Heatmap) -> bool:
        first, same_values = self._figure is None, self._figure is not None and self._figure.values is figure.values
        same_shape = self._figure is not None and self._figure.values.shape == figure.values.shape
        if not self.continues(figure) or (self._figure and self._figure.title != figure.title):
            self._chosen = None
        self._figure = figure
        if self._logarithmic and not self._can_be_log():
            self._logarithmic = None
        if not same_values:
            self._load(figure.values, keep=same_shape)
        self._colour()
        return first

    def _load(self, values: NDArray[np.floating], *, keep: bool) -> None:
        """Start on the pyramid; big ones show a preview (or, with ``keep``, the old values) until it is ready."""
        self._stop()
        if isinstance(values, StoredValues):
            pyramid = StoredPyramid(values)
            self._reader = PieceReader(pyramid, self.matrix.renew, self.owner)
            self.matrix.set_pyramid(pyramid)
            return
        if values.size <= _AT_ONCE:
            self.matrix.set_pyramid(build(values))
            return
        if not keep:
            self.matrix.set_pyramid(preview(values))
        self._work = growing(values)
        self._timer.start()

    def _grow(self) -> None:
        if self._work is None:
            self._timer.stop()
            return
        try:
            next(self._work)
        except StopIteration as end:
            self._work = None
            self._timer.stop()
            self.matrix.set_pyramid(end.value)

    def close(self) -> None:
        self._stop()
        self._timer.deleteLater()

    def _stop(self) -> None:
        """Prepare nothing more of what was shown."""
        self._work = None
        self._timer.stop()
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _painted(self) -> None:
        if self._reader is not None:
            self._reader.wake()

    def update_values(self, values: NDArray[np.floating]) -> None:
        """Replace the values, keeping everything else."""
        self.show(replace(self.figure, values=values))

    def continues(self, figure: Heatmap) -> bool:
        return self._figure is not None and self._figure.values.shape == figure.values.shape

    def restyle(self, look: Look) -> None:
        self.look = look
        self._colour()

    def _colour(self) -> None:
        self.matrix.set_colours(self.norm, self.look.table(self.figure.colours))

    # -- norm ------------------------------------------------------------------------------------------------------

    @property
    def norm(self) -> Norm:
        """The user's, else the figure's on the chosen scale."""
        if self._chosen is not None:
            return self._chosen
        norm = self.figure.norm
        if self._logarithmic is None or self._logarithmic == (norm.kind == "log"):
            return norm
        if not self._logarithmic:
            return Norm("linear", norm.low, norm.high)
        low = norm.low if norm.low > norm.high * LOG_SPAN else self._smallest_positive()
        return Norm("log", max(low, norm.high * LOG_SPAN), norm.high)

    def recolour(self, norm: Norm | None) -> None:
        self._chosen = norm
        self._colour()

    def _smallest_positive(self) -> float:
        values = overall(self.figure.values)
        step = max(1, max(values.shape) // 256)
        part = values[::step, ::step]
        positive = part[part > 0]
        return float(positive.min()) if positive.size else 0.0

    def _can_be_log(self) -> bool:
        return self.figure.norm.kind != "symmetric" and self.figure.norm.high > 0

    def toggles(self) -> tuple[Toggle, ...]:
        if not self._can_be_log():
            return ()
        return (Toggle("colours", "Logarithmic colours", self.norm.kind == "log"),)

    def toggle(self, which: str, on: bool) -> None:
        if which != "colours":
            super().toggle(which, on)
        self._logarithmic, self._chosen = on, None
        self._colour()

    # -- page ------------------------------------------------------------------------------------------------------

    def page(self) -> Page:
        f = self.figure
        h, w = f.values.shape
        return Page(
            x=AxisPage(
                f.x.title, groups=f.groups if h == w else (), names=_names(f.columns, w), ordered=_ordered(f.columns)
            ),
            y=AxisPage(f.y.title, groups=f.groups, names=_names(f.rows, h), ordered=_ordered(f.rows)),
            bar=Bar(self.norm, f.colours, f.value_label),
            ratio=w / h if h and w else 1.0,
            grid=False,
            inverted=True,
        )

    def bounds(self) -> Span:
        h, w = self.figure.values.shape
        return Span(0, max(w, 1), 0, max(h, 1))

    # -- cursor ----------------------------------------------------------------------------------------------------

    def read(self, x: float, y: float) -> Reading | None:
        return self._at(int(np.floor(y)), int(np.floor(x)))

    def move(self, reading: Reading, right: int, down: int) -> Reading | None:
        i, j = reading.key
        return self._at(i + down, j + right)

    def _at(self, i: int, j: int) -> Reading | None:
        f = self.figure
        h, w = f.values.shape
        if not (0 <= i < h and 0 <= j < w):
            return None
        row, column = _number(f.rows, i), _number(f.columns, j)
        words = _words(f.values, i, j)
        text = f"i = {row}{self._group(i)}   j = {column}{self._group(j)}   {_symbol(f.value_label)} = {words}"
        return Reading(text, ("pair", row, column), j + 0.5, i + 0.5, Span(j, j + 1, i, i + 1), (i, j))

    def _group(self, position: int) -> str:
        for start, stop, name in self.figure.groups:
            if start <= position < stop:
                return f" ({name})"
        return ""


def _words(values: NDArray[np.floating], i: int, j: int) -> str:
    """An entry for a reader."""
    try:
        value = values[i, j]
    except FileError:
        return "damaged on disk"
    return exact(value) if np.isfinite(value) else ("not computed" if np.isnan(value) else str(value))


def _ordered(numbers: NDArray[np.intp] | None) -> bool:
    return numbers is None or bool((np.diff(numbers) > 0).all())


def _names(numbers: NDArray[np.intp] | None, count: int) -> Any:
    return range(count) if numbers is None else tuple(map(int, numbers))


def _number(numbers: NDArray[np.intp] | None, position: int) -> int:
    return position if numbers is None else int(numbers[position])


def _symbol(label: str) -> str:
    """ "Θ_emp(i, j)" without its arguments, which the read-out gives."""
    return label.replace("(i, j)", "").strip()
