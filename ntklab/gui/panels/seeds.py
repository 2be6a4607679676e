"""A dice beside a seed."""

from __future__ import annotations

from ntklab.gui.panels.fields import FieldEditor
from ntklab.gui.widgets import IconButton, ValueEdit


def add_dice(editor: FieldEditor, tooltip: str) -> IconButton:
    """A button at the end of a seed's line that goes on to the next seed."""
    button = IconButton("dice", tooltip, object_name=f"dice-{editor.row.name}")

    def roll() -> None:
        assert isinstance(editor.input, ValueEdit)
        editor.input.committed.emit(editor.input.value + 1)

    button.clicked.connect(roll)
    editor.add_extra(button)
    return button
