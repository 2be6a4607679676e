"""Taking hold of the colour bar with the mouse."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import QPointF, QRectF

from ntklab.figures.model import Norm
from ntklab.gui.plots.levels import pulled


class HasBar(Protocol):
    """What the grip needs to know of a canvas."""

    def bar(self) -> QRectF | None:
        """Place of the colour bar, where there is one whose colours can be chosen."""

    def norm(self) -> Norm | None:
        """The norm in use."""

    def recolour(self, norm: Norm | None) -> None:
        """Use another; None goes back to the figure's."""


class Grip:
    """Follows a pull at the colour bar of ``canvas``."""

    def __init__(self, canvas: HasBar) -> None:
        self._canvas = canvas
        self._held: tuple[float, Norm] | None = None  # share of the bar where it was taken hold of, and its norm then

    @property
    def held(self) -> bool:
        """Whether the bar is being pulled at."""
        return self._held is not None

    def over(self, at: QPointF) -> bool:
        """Whether there is something to take hold of at ``at``."""
        bar = self._canvas.bar()
        return bar is not None and bar.contains(at)

    def take(self, at: QPointF) -> bool:
        """Take hold, if ``at`` is on the bar."""
        norm = self._canvas.norm()
        if norm is not None and self.over(at):
            self._held = (self._share(at), norm)
        return self.held

    def pull(self, at: QPointF) -> None:
        """Bring the value that is held to ``at``."""
        if self._held is not None:
            start, norm = self._held
            self._canvas.recolour(pulled(norm, start, self._share(at)))

    def release(self) -> None:
        """Let go."""
        self._held = None

    def _share(self, at: QPointF) -> float:
        bar = self._canvas.bar() or QRectF(0, 0, 1, 1)
        return (bar.bottom() - at.y()) / bar.height()
