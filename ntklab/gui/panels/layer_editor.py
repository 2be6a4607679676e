"""The fields of one layer."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from ntklab.gui.panels.fields import FieldForm, shown
from ntklab.gui.panels.outline import Line
from ntklab.gui.widgets import swap
from ntklab.session import Session, edits
from ntklab.spec import Dense, caption, type_row


class LayerEditor(QWidget):
    """Edits the layer of a line; empty for None."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("layer-editor")
        self._session = session
        self._kind: tuple[object, ...] = ()
        self._path: tuple[int, ...] = ()
        self.title = QLabel()
        self.title.setProperty("role", "title")
        self.formula = QLabel(wordWrap=True)
        self.formula.setProperty("role", "muted")
        self.form = FieldForm((), self._commit)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(6)
        for widget in (self.title, self.formula, self.form):
            self._layout.addWidget(widget)

    def show_line(self, line: Line | None) -> None:
        """Show the layer of ``line``."""
        self.setVisible(line is not None and line.layer is not None)
        if line is None or line.layer is None:
            self._kind = ()
            return
        self._path = line.path
        row = type_row(line.layer)
        if self._kind != (row.name, line.path):
            self._kind = (row.name, line.path)
            self._make_form(row.fields)
        self.title.setText(f"Layer {line.path[-1] + 1}: {line.title}")
        self.formula.setText(row.formula)
        self.formula.setVisible(not isinstance(line.layer, Dense))
        self.form.show_spec(line.layer)
        if "s" in self.form.editors:
            self.form.editors["s"].setVisible(getattr(line.layer, "param", "") == "standard")

    def _make_form(self, rows: Any) -> None:
        fresh = FieldForm(rows, self._commit)
        swap(self._layout, self.form, fresh)
        self.form = fresh

    def _commit(self, name: str, value: Any, merge: str | None) -> None:
        experiment = edits.edit_layer(self._session.experiment, self._path, name, value)
        label = self.form.editors[name].row.label
        words = caption(edits.layer_at(self._session.experiment, self._path))
        self._session.edit(experiment, f"{words}: {label} {shown(value)}", merge=merge)
