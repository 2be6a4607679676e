"""How samples are read: as vectors, sequences, images or volumes."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ntklab.errors import SpecError
from ntklab.gui.panels.words import axis_names
from ntklab.gui.widgets import Choice, InlineError, SizesEdit, swap
from ntklab.spec import Input, lay_out

_KINDS = (
    ("vector", "vector", "One row of features"),
    ("sequence", "sequence", "Positions with channels: for 1-D convolutions, attention, graphs"),
    ("image", "image", "Height × width × channels"),
    ("volume", "volume", "Three axes and channels"),
)
_HELP = "How the features of a sample are read; the data stays as it is"


class InputEditor(QWidget):
    """``commit(given)`` sets the input of the network. The sizes always hold as many numbers as the data has."""

    def __init__(self, commit: Callable[[Input], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("input-editor")
        self._commit = commit
        self._input = Input()
        self.kind = Choice(_KINDS)
        self.kind.setObjectName("input-kind")
        self.kind.setAccessibleName("Layout of samples")
        self.kind.setToolTip(_HELP)
        self.sizes = SizesEdit(("features",))
        self.error = InlineError()
        self.note = QLabel(wordWrap=True)
        self.note.setProperty("role", "muted")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(self._labelled("Layout", self.kind))
        self._line = self._labelled("Sizes", self.sizes)
        layout.addLayout(self._line)
        layout.addWidget(self.error)
        layout.addWidget(self.note)
        self.kind.committed.connect(self._choose)

    def _labelled(self, title: str, widget: QWidget) -> QHBoxLayout:
        label = QLabel(title)
        label.setMinimumWidth(self.fontMetrics().horizontalAdvance("Layout") + 4)
        line = QHBoxLayout()
        line.setSpacing(6)
        line.addWidget(label)
        line.addWidget(widget, 1)
        return line

    def show_input(self, given: Input) -> None:
        """Show the layout of samples."""
        if given.kind != self._input.kind or len(self.sizes.boxes) != len(given.shape):
            self._make_sizes(len(given.shape))
        elif given == self._input and not self.error.isHidden():
            return
        self._input = given
        self.kind.show_value(given.kind)
        self.sizes.show_value(given.shape)
        self.error.say("")
        self.note.setText(f"{' · '.join(axis_names(len(given.shape)))}: {prod(given.shape)} numbers, as the data has")
        self.note.setVisible(len(given.shape) > 1)

    def _make_sizes(self, rank: int) -> None:
        fresh = SizesEdit(axis_names(rank))
        fresh.setObjectName("input-sizes")
        fresh.set_names("Size", _HELP)
        fresh.link.setChecked(False)
        fresh.link.hide()
        fresh.committed.connect(self._resize)
        fresh.stepped.connect(self._resize)
        fresh.problem.connect(self.error.say)
        fresh.reverted.connect(self._forgive)
        swap(self._line, self.sizes, fresh)
        self.sizes = fresh

    @Slot(object)
    def _choose(self, kind: str) -> None:
        try:
            self._commit(lay_out(kind, prod(self._input.shape)))
        except SpecError as error:
            self.kind.show_value(self._input.kind)
            self.error.say(str(error))

    @Slot(object)
    def _resize(self, sizes: tuple[int, ...]) -> None:
        try:
            self._commit(Input(self._input.kind, followed(self._input.shape, sizes)))
        except ValueError as error:
            self.sizes.reject()
            self.error.say(str(error))

    @Slot()
    def _forgive(self) -> None:
        self.error.say("")


def followed(before: tuple[int, ...], sizes: tuple[int, ...]) -> tuple[int, ...]:
    """``sizes`` with one other than the changed one made to hold as many numbers as ``before``.

    The neighbour behind gives way, or the first where the last one was changed. Raises ``ValueError``.
    """
    total = prod(before)
    changed = next((axis for axis, (old, new) in enumerate(zip(before, sizes, strict=True)) if old != new), None)
    if changed is None or prod(sizes) == total:
        return sizes
    for step in range(1, len(sizes)):
        other = (changed + step) % len(sizes)
        rest = prod(size for axis, size in enumerate(sizes) if axis != other)
        if rest and total % rest == 0:
            return (*sizes[:other], total // rest, *sizes[other + 1 :])
    divisors = [str(size) for size in range(1, total + 1) if total % size == 0]
    some = ", ".join(divisors if len(divisors) <= 8 else [*divisors[:7], "…"])
    raise ValueError(f"expected a size that divides {total}, the numbers of a sample, got {sizes[changed]}; use {some}")
