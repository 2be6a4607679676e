"""The fields of what is chosen in the list of layers, and its maths card."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ntklab.gui.panels.fields import FieldForm, shown
from ntklab.gui.panels.input_editor import InputEditor
from ntklab.gui.panels.layer_cards import layer_card
from ntklab.gui.panels.layer_inputs import layer_inputs
from ntklab.gui.panels.outline import Line
from ntklab.gui.panels.words import flow_text
from ntklab.gui.panels.workbench import Workbench
from ntklab.gui.widgets import Card, IconButton, maths, swap
from ntklab.gui.widgets.numbers import integer
from ntklab.session import sketches
from ntklab.spec import Input, Layer, caption, type_row
from ntklab.spec.transitions import Shape

# Fields that mean something only with certain values of others.
_embedded = lambda layer: layer.pos_emb_type != "NONE"  # noqa: E731
_SHOWN: dict[str, Callable[[Any], bool]] = {
    "s": lambda layer: layer.param == "standard",
    "Branch.axis": lambda layer: layer.merge == "concat",
    "pos_emb_decay": _embedded,
    "pos_emb_p_norm": lambda layer: _embedded(layer) and layer.pos_emb_decay is not None,
    "n_chan_pos_emb": lambda layer: layer.pos_emb_type == "CONCAT",
    "W_pos_emb_std": _embedded,
    "val_pos_emb": _embedded,
    "antialias": lambda layer: layer.method != "nearest",
}


class LayerEditor(QWidget):
    """Edits the layer of a line through the workbench; empty for None."""

    def __init__(self, bench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("layer-editor")
        self._bench = bench
        self._kind: tuple[object, ...] = ()
        self._line: Line | None = None
        self.title = QLabel(wordWrap=True)
        self.title.setProperty("role", "title")
        self.help = IconButton("help", "Formula and kernel of this layer (F1)", object_name="layer-help")
        self.help.setCheckable(True)
        self.flow = QLabel(wordWrap=True)
        self.flow.setProperty("role", "muted")
        self.formula = QLabel(wordWrap=True)
        self.formula.setTextFormat(Qt.TextFormat.RichText)
        self.input = InputEditor(self._set_input)
        self.form = FieldForm((), self._commit)
        self.card = Card()
        self.card.setObjectName("layer-card")
        self._lay_out()
        self.help.toggled.connect(self._show_card)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(self.help, 0, Qt.AlignmentFlag.AlignTop)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(6)
        self._layout.addLayout(head)
        for widget in (self.flow, self.formula, self.input, self.form, self.card):
            self._layout.addWidget(widget)
        self.card.hide()

    def show_line(self, line: Line | None) -> None:
        """Show what ``line`` is."""
        self._line = line
        self.setVisible(line is not None)
        if line is None:
            self._kind = ()
            return
        self.input.setVisible(line.kind == "input")
        self.title.setText(_title(line))
        size = f" · {integer(line.parameters)} parameters" if line.parameters else ""
        self.flow.setText(_about(line) or f"{flow_text(line.before, line.shape)}{size}")
        if line.kind == "input":
            self.input.show_input(self._bench.sketch.input)
        self._show_fields(line)
        self._show_card()

    def _show_fields(self, line: Line) -> None:
        layer = line.layer
        self.form.setVisible(layer is not None)
        self.formula.setVisible(layer is not None)
        if layer is None:
            self._kind = ()
            return
        kind = (type(layer).__name__, line.target, line.before)
        if self._kind != kind:
            self._kind = kind
            self._make_form(layer, line.before)
        self.form.show_spec(layer)
        for name, editor in self.form.editors.items():
            rule = _SHOWN.get(f"{type(layer).__name__}.{name}") or _SHOWN.get(name)
            editor.setVisible(rule is None or rule(layer))

    def _make_form(self, layer: Layer, before: Shape | None) -> None:
        fresh = FieldForm(type_row(layer).fields, self._commit, inputs=layer_inputs(layer, before))
        swap(self._layout, self.form, fresh)
        self.form = fresh

    @Slot()
    def toggle_card(self) -> None:
        """Show the maths card, or put it away."""
        self.help.toggle()

    @Slot()
    def focus_first(self) -> None:
        """Put the cursor into the first field."""
        first: Any = self.input.kind if self.input.isVisible() else None
        if first is None and self.form.editors:
            field = next(iter(self.form.editors.values())).input
            first = getattr(field, "boxes", [field])[0]
        if first is not None:
            first.setFocus(Qt.FocusReason.TabFocusReason)

    @Slot()
    def _show_card(self) -> None:
        line = self._line
        layer = None if line is None else line.layer
        self.help.setVisible(layer is not None)
        self.card.setVisible(layer is not None and self.help.isChecked())
        if line is None or layer is None:
            return
        card = layer_card(layer)
        self.formula.setText(maths(card.formula))
        self.formula.setVisible(not self.help.isChecked())
        if self.help.isChecked():
            rows = card.rows(layer, line.before or (1,))
            row = type_row(layer)
            title = f"{caption(layer) if row.name == 'Numerical' else row.title} at infinite width"
            self.card.show_card(
                title, card.formula, text=card.text, rows=rows, reference=card.reference, more=card.limit
            )

    def _commit(self, name: str, value: Any, merge: str | None) -> None:
        assert self._line is not None
        path = self._line.target
        label = self.form.editors[name].row.label
        words = caption(sketches.layer_at(self._bench.sketch, path))
        self._bench.edit(path, name, value, label=f"{words}: {label} {shown(value)}", merge=merge)

    def _set_input(self, given: Input) -> None:
        self._bench.set_input(given)


def _title(line: Line) -> str:
    if line.kind == "input":
        return "Input"
    if line.kind == "identity":
        return "Identity"
    what = "Block" if line.folded is not None or line.kind == "merge" else "Layer"
    assert line.layer is not None
    title = caption(line.layer) if line.kind == "merge" else line.title
    *_, number = line.target
    branch = f"Branch {line.target[-2] + 1}, {what.lower()}" if len(line.target) > 1 else what
    return f"{branch} {number + 1}: {title}"


def _about(line: Line) -> str:
    return {
        "input": "How the features of each sample are read",
        "identity": "A branch without layers passes its input on. Add a layer (Insert) or drop one here",
    }.get(line.kind, "")
