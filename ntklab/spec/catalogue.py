"""Every layer, data source and field as a row: forms, menus, help and the command line are made from these.

Kinds, limits, choices and defaults are read off the structs, formulas off their docstrings, words off ``notes``.
"""

from __future__ import annotations

import types
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from ntklab.spec.base import field_types
from ntklab.spec.dataset import SOURCE_TYPES
from ntklab.spec.layers import LAYER_TYPES, Branch
from ntklab.spec.notes import CAPTIONS, NOTES, TITLES, Note

Kind = Literal["int", "float", "bool", "choice", "text", "path", "ints", "floats", "spec"]
_SCALARS: dict[Any, Kind] = {bool: "bool", int: "int", float: "float", str: "text"}
_MANY: dict[Kind, Kind] = {"int": "ints", "float": "floats"}


@dataclass(frozen=True)
class FieldRow:
    """One field of a spec and how to edit it.

    ``kind`` "ints" and "floats" are tuples (of ``length`` numbers, None for any), whose numbers keep the limits;
    "spec" is a layer, source or other spec. ``open_minimum`` and ``open_maximum`` exclude the limit itself.
    ``required`` fields have no ``default``. An ``optional`` field may be None, which means ``none``; ``start`` is a
    good first value when it is given one. ``usual`` is a range for sliders, on a logarithmic scale where ``log``.
    """

    name: str
    label: str
    kind: Kind
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
    kinds = field_types(cls)
    return tuple(_field_row(cls, field, kinds[field.name]) for field in msgspec.structs.fields(cls))


def type_row(spec: msgspec.Struct | type[msgspec.Struct] | str) -> TypeRow:
    """The row of a layer or source: the value, its class or its name. Raises ``KeyError`` for anything else."""
    if isinstance(spec, str):
        return _ROWS[spec]
    return _ROWS[(spec if isinstance(spec, type) else type(spec)).__name__]


def caption(layer: msgspec.Struct) -> str:
    """A layer in a few words: "Dense 512", "ReLU", "tanh"."""
    if isinstance(layer, Branch):
        residual = layer.merge == "sum" and () in layer.branches
        return TITLES["Branch"][0] if residual else f"Branches ({layer.merge})"
    name = type(layer).__name__
    return CAPTIONS.get(name, TITLES[name][0]).format(**msgspec.structs.asdict(layer))


def _type_row(name: str, cls: type[msgspec.Struct]) -> TypeRow:
    title, group = TITLES[name]
    text = (cls.__doc__ or "").replace("``", "")
    paragraphs = [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]
    return TypeRow(name, cls, title, group, paragraphs[0], "\n\n".join(paragraphs), field_rows(cls))


def _field_row(cls: type[msgspec.Struct], field: Any, annotation: Any) -> FieldRow:
    note: Note = NOTES[f"{cls.__name__}.{field.name}"]
    plain, optional = _without_none(annotation)
    inner, length, many = _element(plain)
    kind, choices = _kind(inner)
    return FieldRow(
        name=field.name, label=note.label, kind=_MANY.get(kind, "spec") if many else kind, tooltip=note.tooltip,
        default=None if field.required else field.default, required=field.required, optional=optional,
        none=note.none, start=note.start, choices=choices, length=length, usual=note.usual,
        step=note.step or 1.0, log=note.log, **_limits(inner),
    )  # fmt: skip


def _without_none(annotation: Any) -> tuple[Any, bool]:
    """The annotation without None, and whether it had it."""
    parts = get_args(annotation)
    if get_origin(annotation) not in (Union, types.UnionType) or type(None) not in parts:
        return annotation, False
    rest = tuple(part for part in parts if part is not type(None))
    return (rest[0] if len(rest) == 1 else Union[rest]), True  # noqa: UP007 (built at run time)


def _element(annotation: Any) -> tuple[Any, int | None, bool]:
    """Of a tuple: the annotation of its elements, how many (None for any) and True; of others: itself, None, False."""
    bare = get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
    if get_origin(bare) is not tuple:
        return annotation, None, False
    parts = get_args(bare)
    return parts[0], None if parts[-1] is Ellipsis else len(parts), True


def _kind(annotation: Any) -> tuple[Kind, tuple[str, ...]]:
    bare = get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
    if get_origin(bare) is Literal:
        return "choice", get_args(bare)
    if any((meta.extra or {}).get("path") for meta in _metas(annotation)):
        return "path", ()
    return _SCALARS.get(bare, "spec"), ()


def _metas(annotation: Any) -> list[msgspec.Meta]:
    parts = get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()
    return [part for part in parts if isinstance(part, msgspec.Meta)]


def _limits(annotation: Any) -> dict[str, Any]:
    limits: dict[str, Any] = {}
    for meta in _metas(annotation):
        if meta.gt is not None or meta.ge is not None:
            limits.update(minimum=meta.ge if meta.gt is None else meta.gt, open_minimum=meta.gt is not None)
        if meta.lt is not None or meta.le is not None:
            limits.update(maximum=meta.le if meta.lt is None else meta.lt, open_maximum=meta.lt is not None)
    return limits


LAYER_ROWS: tuple[TypeRow, ...] = tuple(_type_row(name, cls) for name, cls in LAYER_TYPES.items())
SOURCE_ROWS: tuple[TypeRow, ...] = tuple(_type_row(name, cls) for name, cls in SOURCE_TYPES.items())
_ROWS = {row.name: row for row in (*LAYER_ROWS, *SOURCE_ROWS)}
