"""What the network learns: source, samples, classes, scaling, targets."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from ntklab.errors import SpecError
from ntklab.gui.panels.classes import ClassChips
from ntklab.gui.panels.fields import FieldForm, committer
from ntklab.gui.panels.seeds import add_dice
from ntklab.gui.panels.watching import watch
from ntklab.gui.widgets import HEADING, Choice, IconButton, InlineError, swap
from ntklab.gui.widgets.choice import Row
from ntklab.session import Session, edits
from ntklab.spec import SOURCE_ROWS, Dataset, class_count, field_rows, type_row

FILE = "File"
_ROWS = field_rows(Dataset)


class DataPanel(QWidget):
    """Edits ``experiment.dataset``. ``file_requested`` asks the window for a file of the user's."""

    file_requested = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.setObjectName("data-panel")
        self.source = Choice(_source_rows())
        self.source.setObjectName("source")
        self.source.setAccessibleName("Data source")
        self.source.setToolTip("Where the samples come from")
        self.formula = QLabel(wordWrap=True)
        self.formula.setProperty("role", "muted")
        self.error = InlineError()
        self.classes = ClassChips()
        self.classes.committed.connect(self._choose_classes)
        self.source_form = QWidget()
        self._source_type = ""
        self.form = FieldForm(_ROWS, committer(session, edits.set_dataset, _ROWS))
        add_dice(self.form.editors["seed"], "Draw other samples: the next seed")
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(6)
        for widget in (self.source, self.formula, self.error, self.source_form, self.classes, self.form):
            self._layout.addWidget(widget)
        self.source.committed.connect(self._choose_source)
        watch(self, session, experiment=self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the document."""
        dataset = self._session.experiment.dataset
        row = type_row(dataset.source)
        self.source.show_value(row.name)
        self.formula.setText(row.formula)
        self.error.say("")
        self._show_source_fields(row.name, dataset)
        self._show_classes(dataset)
        self.form.show_spec(dataset)

    def _show_source_fields(self, name: str, dataset: Dataset) -> None:
        if name != self._source_type:
            self._source_type = name
            fresh = self._source_fields(name)
            swap(self._layout, self.source_form, fresh)
            self.source_form = fresh
        if isinstance(self.source_form, FieldForm):
            self.source_form.show_spec(dataset.source)

    def _source_fields(self, name: str) -> FieldForm:
        rows = type_row(name).fields

        def change(experiment: Any, **fields: Any) -> Any:
            return edits.set_source(experiment, type(experiment.dataset.source).__name__, **fields)

        form = FieldForm(rows, committer(self._session, change, rows))
        form.setVisible(bool(rows))
        if name == FILE:
            button = IconButton("open", "Choose the file", object_name="choose-file")
            button.clicked.connect(self.file_requested)
            form.editors["path"].add_extra(button)
        return form

    def _show_classes(self, dataset: Dataset) -> None:
        count = class_count(dataset.source)
        few = count is not None and count > 2
        self.classes.setVisible(few)
        self.form.editors["classes"].setVisible(type(dataset.source).__name__ == FILE)
        if few and count is not None:
            self.classes.show_classes(count, dataset.classes)

    @Slot(object)
    def _choose_source(self, name: str) -> None:
        if name == FILE and self._source_type != FILE:
            self.source.show_value(self._source_type)
            self.file_requested.emit()
            return
        try:
            changed = edits.set_source(self._session.experiment, name)
        except SpecError as error:
            self.source.show_value(self._source_type)
            self.error.say(str(error))
            return
        self._session.edit(changed, f"learn {type_row(name).title.lower()}")

    @Slot(object)
    def _choose_classes(self, classes: tuple[int, ...] | None) -> None:
        try:
            changed = edits.set_dataset(self._session.experiment, classes=classes)
        except SpecError as error:
            self._show_classes(self._session.experiment.dataset)
            self.classes.error.say(str(error))
            return
        names = "all" if classes is None else ", ".join(str(number) for number in classes)
        self._session.edit(changed, f"classes {names}")


def _source_rows() -> list[Row]:
    rows: list[Row] = []
    for group, members in groupby(SOURCE_ROWS, key=lambda row: row.group):
        rows.append((HEADING, group, ""))
        rows.extend((row.name, f"{row.title}…" if row.name == FILE else row.title, row.formula) for row in members)
    return rows
