"""The interface between a canvas and what it shows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QGraphicsItem

from ntklab.figures.model import Bars, Curves, Heatmap, Maps, Norm, Plane
from ntklab.gui.plots.look import Look
from ntklab.gui.plots.page import Page, Span

F = TypeVar("F", Heatmap, Curves, Plane, Bars, Maps)


@dataclass(frozen=True)
class Reading:
    """What the cursor is on: a sentence in real units, what a click there means, and where it is drawn.

    ``cell`` is the outlined region in view coordinates; without one a ring is drawn around (``x``, ``y``). ``key`` is
    the content's own name for the place.
    """

    text: str
    pick: tuple[Any, ...] | None
    x: float
    y: float
    cell: Span | None = None
    key: tuple[int, ...] = ()


@dataclass(frozen=True)
class Toggle:
    """A choice about the display that the corner menu offers."""

    id: str
    title: str
    on: bool


@dataclass(frozen=True)
class Scale:
    """Pixels per unit of the view coordinates."""

    x: float
    y: float


class Content(ABC, Generic[F]):
    """Draws figures of one type into a view box and answers what is where.

    ``show`` and ``restyle`` change ``items`` in place; the canvas asks for ``page`` and ``bounds`` afterwards.
    """

    locked = False  # both axes keep the same scale
    scale = Scale(1.0, 1.0)  # of the view; the canvas keeps it up to date

    def __init__(self, look: Look, owner: QObject) -> None:
        self.look = look
        self.owner = owner

    @abstractmethod
    def items(self) -> tuple[QGraphicsItem, ...]:
        """What to put into the view box; called once after each ``show`` that returned True."""

    @abstractmethod
    def show(self, figure: F) -> bool:
        """Take ``figure``; whether the set of items has changed."""

    @abstractmethod
    def continues(self, figure: F) -> bool:
        """Whether ``figure`` is a newer state of what is shown, so that zoom and cursor stay."""

    @abstractmethod
    def restyle(self, look: Look) -> None:
        """Draw in another palette."""

    @abstractmethod
    def page(self) -> Page:
        """Axes, legend and colour bar."""

    @abstractmethod
    def bounds(self) -> Span:
        """The range that shows everything."""

    @abstractmethod
    def read(self, x: float, y: float) -> Reading | None:
        """What is at or nearest to (``x``, ``y``)."""

    @abstractmethod
    def move(self, reading: Reading, right: int, down: int) -> Reading | None:
        """The neighbour of ``reading`` so many places further; None at the edge."""

    def reread(self, reading: Reading) -> Reading | None:
        """``reading`` with the present values; None if its place is gone."""
        return self.move(reading, 0, 0)

    def looked_at(self, span: Span, width: float) -> None:
        """The visible range is ``span`` on ``width`` pixels."""

    def toggles(self) -> tuple[Toggle, ...]:
        """What the menu can switch."""
        return ()

    def toggle(self, which: str, on: bool) -> None:
        """Switch one of ``toggles``."""
        raise KeyError(f"there is no choice {which!r} to set to {on}")

    @property
    def norm(self) -> Norm | None:
        """How values become colours; None where the user has no say in it."""
        return None

    def recolour(self, norm: Norm | None) -> None:
        """Use the user's ``norm``; None goes back to the figure's."""
        raise TypeError(f"there are no colours to set to {norm}")

    def close(self) -> None:
        """Stop what is under way; the items are about to go."""
