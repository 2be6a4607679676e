"""The input that suits each kind of field: a table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtWidgets import QCheckBox, QWidget

from ntklab.gui.widgets import Choice, NumberEdit, Scale, ValueEdit
from ntklab.gui.widgets.numbers import parse_number, plain
from ntklab.spec import FieldRow, parse_nested, show_nested

# What the choices of a field are called, where their names in files are not words.
CHOICE_LABELS: dict[str, str] = {
    "unit_norm": "unit norm",
    "one_hot": "one-hot",
    "sign": "±1",
    "auto": "automatic",
    "half_mse": "half MSE",
    "torch_mse": "torch MSE",
    "ntk": "NTK",
    "mup": "µP",
    "SAME": "same (zeros)",
    "VALID": "valid (none)",
    "CIRCULAR": "circular",
    "concat": "side by side",
    "prod": "product",
    "SOFTMAX": "softmax",
    "IDENTITY": "identity",
    "RELU": "ReLU",
    "ABS": "absolute value",
    "FLAT": "flat (1/length)",
    "NONE": "none",
    "SUM": "added",
    "CONCAT": "joined",
    "exp_neg_half_d": "exp(−d/2)",
    "inv_1_plus_d2": "1/(1 + d²)",
    "lhs": "left",
    "rhs": "right",
}


def make_editor(row: FieldRow) -> Any:
    """An input for ``row``: it has ``show_value(value)`` and the signal ``committed(value)``; a bool is a check box."""
    return _MAKERS[row.kind](row)


def scale_of(row: FieldRow) -> Scale:
    """The scale of a numeric field: its usual range where it has one."""
    low, high = row.usual or (row.minimum or 0.0, row.maximum or 1.0)
    return Scale(low, high, integer=row.kind == "int", log=row.log, step=row.step)


def _number(row: FieldRow) -> QWidget:
    return NumberEdit(scale_of(row), limits=(row.minimum, row.maximum), none=_none(row), start=row.start)


def _choice(row: FieldRow) -> QWidget:
    none = [(None, row.none or "none", "")] if row.optional else []
    return Choice([*none, *((value, CHOICE_LABELS.get(value, value), "") for value in row.choices)])


def _text(row: FieldRow) -> QWidget:
    return ValueEdit(str.strip, str, none=_none(row), tail=row.kind == "path")


def _numbers(row: FieldRow) -> QWidget:
    return ValueEdit(
        lambda text: parse_list(text, integer=row.kind == "ints", length=row.length), show_list, none=_none(row)
    )


def _nested(row: FieldRow) -> QWidget:
    return ValueEdit(parse_nested, show_nested, none=_none(row))


def _none(row: FieldRow) -> str:
    return (row.none or "none") if row.optional else ""


def parse_list(text: str, *, integer: bool, length: int | None = None) -> tuple[int | float, ...]:
    """Numbers separated by commas or spaces. Raises ``ValueError`` with the remedy."""
    numbers = tuple(parse_number(part, integer=integer) for part in text.replace(",", " ").replace(";", " ").split())
    if length is not None and len(numbers) != length:
        raise ValueError(f"expected {length} numbers, got {len(numbers)}; separate them by commas")
    return numbers


def show_list(values: tuple[float, ...]) -> str:
    """Numbers separated by commas."""
    return ", ".join(plain(value) for value in values)


_MAKERS: dict[str, Callable[[FieldRow], QWidget]] = {
    "int": _number,
    "float": _number,
    "bool": lambda _row: QCheckBox(),
    "choice": _choice,
    "text": _text,
    "path": _text,
    "ints": _numbers,
    "floats": _numbers,
    "nested": _nested,
}
