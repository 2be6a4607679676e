"""From plain or Python values to checked ones: the one place that decides what is accepted and says why not."""

from __future__ import annotations

import math
import re
from typing import Any

import msgspec

from ntklab.spec.faults import DEEPEST, PlacedError, complaint, guess, suggestion
from ntklab.spec.kinds import Field, Kind, fields
from ntklab.spec.nested import DEEPEST_ARRAY, nested_shape

Place = tuple[str, ...]

LARGEST_NUMBER = 1e15  # its square still is a float32; nothing in the field is nearly as large

NONE = "none"  # stands in lists for no value, in TOML, which has no null

# What the entries of a list are called, level by level.
_NOUNS: dict[str, tuple[str, ...]] = {"layers": ("layer",), "branches": ("branch", "layer")}


def read_field(raw: Any, field: Field, owner: Place) -> Any:
    """``raw`` as the value of ``field`` of the spec at the place ``owner``.

    Takes what JSON and TOML hold, specs as they are, lists for tuples, and numpy numbers and arrays. Raises
    ``PlacedError`` (a ``SpecError``) naming the place, what was given and the remedy, where there is none the default.
    """
    kind, place = field.kind, (*owner, field.name)
    if raw is None and kind.optional:
        return None
    advice = kind.remedy or _default_advice(field)
    if kind.nested:
        return _read_nested(raw, kind, place, advice)
    if kind.entry is not None:
        nouns = _NOUNS.get(field.name, ())
        return _read_list(raw, kind, place, advice, stem=owner if nouns else place, nouns=nouns)
    return _read_one(raw, kind, place, advice)


def _read_one(raw: Any, kind: Kind, place: Place, advice: str) -> Any:
    if kind.specs:
        return read_spec(raw, kind.specs, place)
    return _read_choice(raw, kind, place, advice) if kind.choices else _read_scalar(raw, kind, place, advice)


def read_spec(raw: Any, classes: tuple[type[msgspec.Struct], ...], place: Place) -> Any:
    """``raw`` as a value of one of ``classes``: such a value itself, or a table of its fields."""
    if isinstance(raw, classes):
        return raw
    if len(place) > DEEPEST:
        raise PlacedError(place[:3], "branches are nested too deep; use fewer levels")
    if not isinstance(raw, dict):
        raise complaint(place, "expected a table of fields", raw, _table_advice(raw, classes))
    cls = classes[0] if len(classes) == 1 else _chosen(raw, classes, place)
    tag = cls.__struct_config__.tag
    place = (*place[:-1], f"{place[-1]} ({tag})") if tag else place
    _check_names(raw, cls, place)
    values = {field.name: read_field(raw[field.name], field, place) for field in fields(cls) if field.name in raw}
    try:
        return cls(**values)
    except PlacedError as fault:  # a rule about several fields
        raise fault.moved(place) from None


def _chosen(raw: dict[str, Any], classes: tuple[type[msgspec.Struct], ...], place: Place) -> type[msgspec.Struct]:
    known = {cls.__name__: cls for cls in classes}
    if "type" not in raw:
        raise complaint(place, "the type is missing", raw, f'add "type": one of {", ".join(known)}')
    name = raw["type"]
    if not isinstance(name, str) or name not in known:
        raise complaint(place, "unknown type", name, suggestion(name, list(known)))
    return known[name]


def _table_advice(raw: Any, classes: tuple[type[msgspec.Struct], ...]) -> str:
    if not any(cls.__struct_config__.tag for cls in classes):
        return "write {…}"
    near = guess(raw, [cls.__name__ for cls in classes])
    return f'write {{"type": "{near[0]}"}}' if near else 'write {"type": …}'


def _check_names(raw: dict[str, Any], cls: type[msgspec.Struct], place: Place) -> None:
    names = list(cls.__struct_fields__)
    known = {*names, *getattr(cls, "ignored", ()), *(("type",) if cls.__struct_config__.tag else ())}
    for name in raw:
        if name not in known:
            raise PlacedError(place, f"there is no field {name!r}; {suggestion(name, names)}")
    for field in fields(cls):
        if field.required and field.name not in raw:
            advice = field.kind.remedy or f"give {field.kind.expected()}"
            raise PlacedError(place, f"the field {field.name!r} is missing; {advice}")


def _read_list(raw: Any, kind: Kind, place: Place, advice: str, *, stem: Place, nouns: tuple[str, ...]) -> Any:
    """Entries are named after ``stem``: "layer 2", "branch 1, layer 2", or "entry 2" without ``nouns``."""
    raw = raw.tolist() if hasattr(raw, "tolist") else raw
    fits = isinstance(raw, list | tuple) and (len(raw) == kind.length if kind.length else kind.allows(len(raw)))
    if not fits:
        raise complaint(place, f"expected {kind.expected()}", raw, advice or "write […]")
    inner = kind.entry
    assert inner is not None
    noun = nouns[0] if nouns else "entry"
    entries: list[Any] = []
    for number, part in enumerate(raw, start=1):
        here = (*stem, f"{noun} {number}")
        if inner.optional and (part is None or part == NONE):
            entries.append(None)
        elif inner.entry is None:
            entries.append(_read_one(part, inner, here, ""))
        else:
            entries.append(_read_list(part, inner, here, "", stem=here, nouns=nouns[1:]))
    return tuple(entries)


def _read_nested(raw: Any, kind: Kind, place: Place, advice: str) -> Any:
    """A number, or lists of lists of numbers as tuples: rectangular, without empty axes."""
    raw = raw.tolist() if hasattr(raw, "tolist") else raw
    if not isinstance(raw, list | tuple):
        return _read_scalar(raw, kind, place, advice)
    if not raw:
        raise complaint(place, "expected at least one number", raw, advice or "write […]")
    if len([word for word in place if word.startswith("entry ")]) >= DEEPEST_ARRAY:
        raise complaint(place, f"expected at most {DEEPEST_ARRAY} axes", raw, "use fewer brackets")
    entries = tuple(_read_nested(part, kind, (*place, f"entry {n}"), "") for n, part in enumerate(raw, start=1))
    shapes = {nested_shape(entry): None for entry in entries}
    if len(shapes) > 1:
        raise complaint(place, "expected entries of one shape", list(map(list, shapes)), "make lists equally long")
    return entries


def _read_choice(raw: Any, kind: Kind, place: Place, advice: str) -> Any:
    if isinstance(raw, str) and raw in kind.choices:
        return raw
    near = guess(raw, list(kind.choices))
    raise complaint(place, f"expected {kind.expected()}", raw, f"did you mean {near[0]!r}?" if near else advice)


def _read_scalar(raw: Any, kind: Kind, place: Place, advice: str) -> Any:
    given = raw.item() if hasattr(raw, "item") and getattr(raw, "size", 1) == 1 else raw
    value = _number(given) if kind.scalar is float else given
    if not _is_of(value, kind):
        raise complaint(place, f"expected {kind.expected(given)}", raw, advice)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise complaint(place, "expected a finite number", raw, advice)
        if abs(value) > LARGEST_NUMBER:
            raise complaint(place, f"expected a number of size {LARGEST_NUMBER:.0e} at most", raw, advice)
        return value + 0.0  # −0 becomes 0: equal specs are written alike
    if isinstance(value, str) and not _is_unicode(value):
        raise complaint(place, "expected text that can be written as UTF-8", raw, "remove the stray surrogates")
    return value


def _number(given: Any) -> Any:
    """A whole number as a float, if it is not too large for one."""
    if isinstance(given, int) and not isinstance(given, bool):
        try:
            return float(given)
        except OverflowError:
            return math.inf
    return given


def _is_of(value: Any, kind: Kind) -> bool:
    if not isinstance(value, kind.scalar or ()) or isinstance(value, bool) != (kind.scalar is bool):
        return False
    if isinstance(value, str):
        return kind.pattern is None or re.search(kind.pattern, value) is not None
    return isinstance(value, int | float) and kind.allows(value)


def _is_unicode(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _default_advice(field: Field) -> str:
    if field.required:
        return ""
    return "the default is none" if field.default is None else f"the default is {field.default!r}"
