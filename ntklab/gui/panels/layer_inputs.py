"""Inputs for the fields of layers whose meaning depends on what comes in: windows, axes, slices, sizes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtWidgets import QWidget

from ntklab.gui.panels.branches import BranchesEdit
from ntklab.gui.panels.words import axis_names, slices_text
from ntklab.gui.widgets import Chips, Choice, SizesEdit, ValueEdit
from ntklab.gui.widgets.numbers import parse_number
from ntklab.spec import Layer
from ntklab.spec.transitions import Shape

_OPEN = (None, None, None)


def layer_inputs(layer: Layer, before: Shape | None) -> dict[str, QWidget]:
    """Inputs by field, for ``layer`` on samples of shape ``before`` (None: as its own fields suggest)."""
    shape = before or _guessed(layer)
    names = {name: make for (kind, name), make in _MAKERS.items() if kind in ("", type(layer).__name__)}
    return {name: make(shape) for name, make in names.items() if name in type(layer).__struct_fields__}


def _guessed(layer: Any) -> Shape:
    sizes = getattr(layer, "kernel", None) or getattr(layer, "window", None) or (1,)
    return (*sizes, 1)


def _windows(shape: Shape) -> QWidget:
    """One size for each spatial axis; those of a layer that was made for more or fewer axes are cut or repeated."""
    rank = max(len(shape) - 1, 1)
    return SizesEdit(_spatial(shape), split=lambda sizes: (*sizes, *rank * (sizes[-1],))[:rank])


def _strides(shape: Shape) -> QWidget:
    """Steps; an empty box is 1."""
    names = _spatial(shape)
    rank = len(names)

    def split(stride: Any) -> tuple[int | None, ...]:
        return tuple(None for _ in names) if stride is None else (*stride, *rank * (stride[-1],))[:rank]

    def join(sizes: tuple[int | None, ...]) -> Any:
        return None if set(sizes) <= {None, 1} else tuple(size or 1 for size in sizes)

    return SizesEdit(names, blank=tuple("1" for _ in names), split=split, join=join)


def _resizing(shape: Shape) -> QWidget:
    """Spatial sizes; an empty box keeps the size that comes in."""
    names = _spatial(shape)

    def split(sizes: tuple[int, ...]) -> tuple[int | None, ...]:
        given = (*sizes[1:-1], *(-1 for _ in names))[: len(names)]
        return tuple(None if size == -1 else size for size in given)

    def join(sizes: tuple[int | None, ...]) -> tuple[int, ...]:
        return (-1, *(-1 if size is None else size for size in sizes), -1)

    return SizesEdit(names, blank=tuple(str(size) for size in shape[:-1] or (1,)), split=split, join=join)


class AxesEdit(Chips):
    """Axes of the network's values as buttons with their names; batch is axis 0, and −1 stands for channels."""

    def __init__(self, shape: Shape, *, channels: bool) -> None:
        names = axis_names(len(shape))
        self._rank = len(shape)
        spatial = [(number, name) for number, name in enumerate(names[:-1], start=1)]
        super().__init__([*spatial, *([(-1, names[-1])] if channels else [])], fixed={-1} if channels else set())

    def show_value(self, values: Any) -> None:
        """Show which axes are taken, however they are counted."""
        counted = (value + self._rank + 1 if value < 0 else value for value in values)
        super().show_value([-1 if value == self._rank else value for value in counted])


class AxisChoice(Choice):
    """One axis by its name; channels are None."""

    def __init__(self, shape: Shape) -> None:
        names = axis_names(len(shape))
        self._rank = len(shape)
        super().__init__([(None, names[-1], ""), *((n, name, "") for n, name in enumerate(names[:-1], start=1))])

    def show_value(self, value: Any) -> None:
        """Show the axis, however it is counted."""
        counted = value + self._rank + 1 if value is not None and value < 0 else value
        super().show_value(None if counted == self._rank else counted)


def _slices(shape: Shape) -> QWidget:
    """Slices of the spatial axes as NumPy writes them: "1:5, ::2"."""
    names = _spatial(shape)
    return ValueEdit(lambda text: parse_slices(text, names), lambda value: slices_text(value[1:-1]))


def parse_slices(text: str, names: tuple[str, ...]) -> tuple[Any, ...]:
    """The slices of ``text``, one for each of ``names``, with open ones for batch and channels.

    Raises ``ValueError`` with the remedy.
    """
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != len(names):
        raise ValueError(
            f"expected {len(names)} slice{'s' * (len(names) > 1)} ({', '.join(names)}), got {len(parts)}; write "
            f"{', '.join('::2' for _ in names)} for every second position"
        )
    return (_OPEN, *(_parse_slice(part) for part in parts), _OPEN)


def _parse_slice(text: str) -> tuple[int | None, int | None, int | None]:
    numbers = [part.strip() for part in text.split(":")]
    if not 2 <= len(numbers) <= 3:
        raise ValueError(f"expected a slice, got {text!r}; write start:stop or start:stop:step, and : for all")
    given = [int(parse_number(number, integer=True)) if number else None for number in numbers]
    start, stop, step = (*given, None)[:3]
    return start, stop, step


def _spatial(shape: Shape) -> tuple[str, ...]:
    return axis_names(len(shape))[:-1] or ("position",)


_MAKERS: dict[tuple[str, str], Callable[[Shape], QWidget]] = {
    ("", "kernel"): _windows,
    ("", "window"): _windows,
    ("", "stride"): _strides,
    ("ImageResize", "shape"): _resizing,
    ("Index", "slices"): _slices,
    ("LayerNorm", "axis"): lambda shape: AxesEdit(shape, channels=True),
    ("Aggregate", "axis"): lambda shape: AxesEdit(shape, channels=False),
    ("Branch", "axis"): AxisChoice,
    ("Branch", "branches"): lambda _shape: BranchesEdit(),
}
