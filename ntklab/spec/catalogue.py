"""Every layer, data source and field as a row: forms, menus, help and the command line are made from these.

Kinds, limits, choices and defaults are read off the structs, formulas off their docstrings, words off ``notes``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import msgspec

from ntklab.spec.dataset import SOURCE_TYPES
from ntklab.spec.kinds import Field, Kind, fields
from ntklab.spec.layer_notes import CAPTIONS
from ntklab.spec.layers import LAYER_TYPES, Branch
from ntklab.spec.note import Note
from ntklab.spec.notes import NOTES, TITLES

Editor = Literal["int", "float", "bool", "choice", "text", "path", "ints", "floats", "nested", "spec"]
_ONE: dict[Any, Editor] = {bool: "bool", int: "int", float: "float", str: "text"}
_MANY: dict[Any, Editor] = {int: "ints", float: "floats"}


@dataclass(frozen=True)
class FieldRow:
    """One field of a spec and how to edit it.

    ``kind`` "ints" and "floats" are tuples (of ``length`` numbers, None for any), whose numbers keep the limits;
    "nested" is an array or a tuple of tuples, typed and shown with ``parse_nested`` and ``show_nested``;
    "spec" is a layer, source or other spec. ``open_minimum`` and ``open_maximum`` exclude the limit itself.
    ``required`` fields have no ``default``. An ``optional`` field may be None, which means ``none``; ``start`` is a
    good first value when it is given one. ``usual`` is a range for sliders, on a logarithmic scale where ``log``.
    """

    name: str
    label: str
    kind: Editor
    tooltip: str
    default: Any = None
    required: bool = False
    optional: bool = False
    none: str = ""
    start: Any = None
    minimum: float | None = None
    maximum: float | None = None
    open_minimum: bool = False
    open_maximum: bool = False
    choices: tuple[str, ...] = ()
    length: int | None = None
    usual: tuple[float, float] | None = None
    step: float = 1.0
    log: bool = False


@dataclass(frozen=True)
class TypeRow:
    """One layer or source type. ``name`` is its type in files, ``formula`` the first line of its ``help``."""

    name: str
    cls: type[msgspec.Struct]
    title: str
    group: str
    formula: str
    help: str
    fields: tuple[FieldRow, ...]


@cache
def field_rows(cls: type[msgspec.Struct]) -> tuple[FieldRow, ...]:
    """A row for each field of a spec class, in order."""
    return tuple(_field_row(cls, field) for field in fields(cls))


def type_row(spec: msgspec.Struct | type[msgspec.Struct] | str) -> TypeRow:
    """The row of a layer or source: the value, its class or its name. Raises ``KeyError`` for anything else."""
    if isinstance(spec, str):
        return _ROWS[spec]
    return _ROWS[(spec if isinstance(spec, type) else type(spec)).__name__]


def caption(layer: msgspec.Struct) -> str:
    """A layer in a few words: "Dense 512", "Conv 3×3, 64", "ReLU", "tanh"."""
    if isinstance(layer, Branch):
        residual = layer.merge == "sum" and () in layer.branches
        return TITLES["Branch"][0] if residual else f"Branches ({layer.merge})"
    name = type(layer).__name__
    return CAPTIONS.get(name, TITLES[name][0]).format(
        **{k: _short(v) for k, v in msgspec.structs.asdict(layer).items()}
    )


def _short(value: Any) -> Any:
    """Sizes as people write them: 3×3; no size is –. Functions without their modules and digests."""
    if isinstance(value, tuple):
        return "×".join("–" if part == -1 else str(part) for part in value)
    if isinstance(value, str) and "." in value:
        return value.split("@")[0].rpartition(".")[2]
    return value.lower() if isinstance(value, str) and value.isupper() else value


def _type_row(name: str, cls: type[msgspec.Struct]) -> TypeRow:
    title, group = TITLES[name]
    text = (cls.__doc__ or "").replace("``", "")
    paragraphs = [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]
    return TypeRow(name, cls, title, group, paragraphs[0], "\n\n".join(paragraphs), field_rows(cls))


def _field_row(cls: type[msgspec.Struct], field: Field) -> FieldRow:
    note: Note = NOTES[f"{cls.__name__}.{field.name}"]
    kind = field.kind
    numbers = kind.entry or kind
    return FieldRow(
        name=field.name, label=note.label, kind=_editor(kind), tooltip=note.tooltip,
        default=field.default, required=field.required, optional=kind.optional,
        none=note.none, start=note.start, minimum=numbers.minimum, open_minimum=numbers.open_minimum,
        maximum=numbers.maximum, open_maximum=numbers.open_maximum, choices=kind.choices, length=kind.length,
        usual=note.usual, step=note.step or 1.0, log=note.log,
    )  # fmt: skip


def _editor(kind: Kind) -> Editor:
    if kind.nested:
        return "nested"
    if kind.entry is not None:
        return _MANY.get(kind.entry.scalar) or ("spec" if _leaf(kind).specs else "nested")
    if kind.choices:
        return "choice"
    return "path" if kind.path else _ONE.get(kind.scalar, "spec")


def _leaf(kind: Kind) -> Kind:
    return kind if kind.entry is None else _leaf(kind.entry)


LAYER_ROWS: tuple[TypeRow, ...] = tuple(_type_row(name, cls) for name, cls in LAYER_TYPES.items())
SOURCE_ROWS: tuple[TypeRow, ...] = tuple(_type_row(name, cls) for name, cls in SOURCE_TYPES.items())
_ROWS = {row.name: row for row in (*LAYER_ROWS, *SOURCE_ROWS)}
