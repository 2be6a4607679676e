"""Editors of spec fields, made from the rows of the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from ntklab.errors import SpecError
from ntklab.gui.panels.editors import make_editor, scale_of, show_list
from ntklab.gui.widgets import InlineError, NumberEdit, SizesEdit, ValueEdit, ValueSlider
from ntklab.gui.widgets.numbers import plain
from ntklab.session import Session
from ntklab.spec import Experiment, FieldRow

# Takes (field, value, merge key) and edits the document; raises ``SpecError`` if that cannot be.
Commit = Callable[[str, Any, str | None], None]
LABEL_SAMPLE = "Training samples"
VALUE_DIGITS = 9
_NO_LIMIT = 16_777_215  # QWIDGETSIZE_MAX


class FieldEditor(QWidget):
    """One field: label, slider where a range is usual, input, and under them what is wrong with the last input.

    A refused input stays as the user left it, until Escape or until the document's value changes.
    """

    def __init__(
        self, row: FieldRow, commit: Commit, *, made: QWidget | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.row = row
        self._commit = commit
        self._value: Any = row.default
        self._drag = 0
        self.setObjectName(f"field-{row.name}")
        self.label = QLabel(row.label)
        self.input: Any = make_editor(row) if made is None else made
        self.slider = _slider(row)
        self.error = InlineError()
        self._extras = QHBoxLayout()
        self._lay_out()
        self._name()
        self._connect()
        if not row.required:
            self.show_value(row.default)

    def _lay_out(self) -> None:
        metrics = self.fontMetrics()
        crowded = isinstance(self.input, SizesEdit) and len(self.input.boxes) > 2
        self.label.setMinimumWidth(metrics.horizontalAdvance("Kernel size" if crowded else LABEL_SAMPLE) + 4)
        self.label.setBuddy(self.input)
        line = QHBoxLayout()
        line.setSpacing(6)
        line.addWidget(self.label)
        if self.slider is not None:
            line.addWidget(self.slider, 1)
        line.addWidget(self.input, 0 if self.slider is not None else 1)
        self._extras.setSpacing(2)
        line.addLayout(self._extras)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(line)
        layout.addWidget(self.error)

    def _name(self) -> None:
        row = self.row
        tooltip = f"{row.tooltip}. Leave empty for {row.none}" if row.optional and row.none else row.tooltip
        self.input.setObjectName(f"input-{row.name}")
        for widget in (self.label, self.input, *([self.slider] if self.slider else [])):
            widget.setToolTip(tooltip)
            widget.setAccessibleName(row.label)
        if hasattr(self.input, "set_names"):
            self.input.set_names(row.label, tooltip)
        if self.slider is not None:
            self.slider.setObjectName(f"slider-{row.name}")
            self.slider.setAccessibleName(f"{row.label}, slider")

    def _connect(self) -> None:
        if isinstance(self.input, QCheckBox):
            self.input.clicked.connect(self._typed)
        else:
            self.input.committed.connect(self._typed)
        if isinstance(self.input, ValueEdit | SizesEdit):
            self.input.problem.connect(self._refused)
            self.input.reverted.connect(self._forgiven)
        if isinstance(self.input, NumberEdit | SizesEdit):
            self.input.stepped.connect(self._stepped)
            self.input.editingFinished.connect(self._step_ended)
        if self.slider is not None:
            self.slider.moved.connect(self._stepped)
            self.slider.sliderReleased.connect(self._step_ended)

    def add_extra(self, widget: QWidget) -> None:
        """Put a small ``widget`` at the end of the line."""
        self._extras.addWidget(widget)

    def show_value(self, value: Any) -> None:
        """Show the document's ``value``; what the user typed and was refused stays while the document is the same."""
        refused = not self.error.isHidden() and value == self._value
        self._value = value
        if refused:
            return
        self.error.say("")
        self._show(value)

    def _show(self, value: Any) -> None:
        if isinstance(self.input, QCheckBox):
            self.input.setChecked(bool(value))
        else:
            self.input.show_value(value)
        if self.slider is not None:
            self.slider.setVisible(value is not None)
            self._share_line(value is not None)
            if value is not None:
                self.slider.show_value(value)

    def _share_line(self, shared: bool) -> None:
        """Give the input a narrow column beside the slider, or the whole line without it."""
        width = self.fontMetrics().horizontalAdvance("0") * VALUE_DIGITS
        policy = QSizePolicy.Policy.Fixed if shared else QSizePolicy.Policy.Expanding
        self.input.setSizePolicy(policy, QSizePolicy.Policy.Fixed)
        self.input.setMinimumWidth(width)
        self.input.setMaximumWidth(width if shared else _NO_LIMIT)

    @Slot(object)
    def _typed(self, value: Any) -> None:
        self._send(value, None)

    @Slot(object)
    def _stepped(self, value: Any) -> None:
        self._send(value, f"{id(self)}.{self.row.name}.{self._drag}")

    @Slot()
    def _step_ended(self) -> None:
        self._drag += 1

    def _send(self, value: Any, merge: str | None) -> None:
        try:
            self._commit(self.row.name, value, merge)
        except SpecError as error:
            if merge is not None:
                self._show_tried(value)
            self._refused(str(error))
            return
        if not self.error.isHidden():  # the same value as before, typed instead of a refused one
            self._forgiven()
            self._show(self._value)

    def _show_tried(self, value: Any) -> None:
        if isinstance(self.input, NumberEdit):
            self.input.setText(plain(value))

    @Slot(str)
    def _refused(self, reason: str) -> None:
        if isinstance(self.input, ValueEdit | SizesEdit):
            self.input.reject()
        else:
            self._show(self._value)
        self.error.say(reason)

    @Slot()
    def _forgiven(self) -> None:
        self.error.say("")


class FieldForm(QWidget):
    """Editors of ``rows`` one under the other.

    ``commit(field, value, merge)`` edits the document or raises ``SpecError``. ``inputs`` are to be used instead of
    those that the kinds of their fields would get.
    """

    def __init__(
        self, rows: Iterable[FieldRow], commit: Commit, *, inputs: Mapping[str, QWidget] | None = None,
        parent: QWidget | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self.editors: dict[str, FieldEditor] = {}
        self._layout = layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        for row in rows:
            made = (inputs or {}).get(row.name)
            if row.kind != "spec" or made is not None:
                editor = FieldEditor(row, commit, made=made, parent=self)
                self.editors[row.name] = editor
                layout.addWidget(editor)

    def insert_after(self, field: str, widget: QWidget) -> None:
        """Put ``widget`` under the editor of ``field``."""
        self._layout.insertWidget(self._layout.indexOf(self.editors[field]) + 1, widget)

    def show_spec(self, spec: Any) -> None:
        """Show the fields of ``spec``."""
        for name, editor in self.editors.items():
            editor.show_value(getattr(spec, name))


def _slider(row: FieldRow) -> ValueSlider | None:
    usual = row.usual is not None and row.kind in ("int", "float")
    return ValueSlider(scale_of(row)) if usual else None


def committer(session: Session, change: Callable[..., Experiment], rows: Iterable[FieldRow]) -> Commit:
    """A ``Commit`` that edits ``session`` by ``change(experiment, **{field: value})`` and labels the step."""
    labels = {row.name: row.label for row in rows}

    def commit(name: str, value: Any, merge: str | None) -> None:
        label = f"{labels[name]} {shown(value)}"
        session.edit(change(session.experiment, **{name: value}), label[:1].lower() + label[1:], merge=merge)

    return commit


def shown(value: Any) -> str:
    """``value`` in the label of an undo step."""
    if isinstance(value, tuple):
        numbers = all(isinstance(part, int | float) for part in value)
        return show_list(value) if numbers else f"of {len(value)}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
