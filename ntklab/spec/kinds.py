"""What the annotations of fields allow, taken apart once, and put in words."""

from __future__ import annotations

import types
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

_WORDS = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}
_SMALL = 100_000  # limits beyond this are mentioned only to those who exceed them


@dataclass(frozen=True, eq=False)
class Kind:
    """One of: a ``scalar`` (bool, int, float, str), one of ``choices``, one of the ``specs``, a tuple of ``entry``, or
    ``nested``: a number, or a rectangular array as tuples of tuples of numbers.

    ``optional`` allows None beside it. A tuple has ``length`` entries, or any number (None) between the limits, which
    for numbers are those of the number itself; ``open_minimum`` and ``open_maximum`` exclude the limit. ``remedy`` is
    the advice and ``words`` the description that come with the annotation, ``path`` says that a text names a file.
    """

    optional: bool = False
    scalar: type | None = None
    choices: tuple[str, ...] = ()
    specs: tuple[type[msgspec.Struct], ...] = ()
    entry: Kind | None = None
    length: int | None = None
    minimum: float | None = None
    open_minimum: bool = False
    maximum: float | None = None
    open_maximum: bool = False
    pattern: str | None = None
    remedy: str = ""
    words: str = ""
    path: bool = False
    nested: bool = False

    def expected(self, given: Any = None) -> str:
        """What is allowed, in words: "a whole number of at least 1", "'ntk' or 'standard'", "a list of 2"."""
        return (self.words or self._words(given)) + (" or none" if self.optional else "")

    def _words(self, given: Any) -> str:
        if self.choices:
            *first, last = map(repr, self.choices)
            return f"{', '.join(first)} or {last}" if first else last
        if self.specs:
            return "a table of fields"
        if self.entry is not None:
            return f"a list of {self.length}" if self.length else f"a list {self._range(None)}".rstrip()
        assert self.scalar is not None
        return f"{_WORDS[self.scalar]} {self._range(given)}".rstrip()

    def _range(self, given: Any) -> str:
        low, high = self.minimum, self.maximum
        exceeds = isinstance(given, int | float) and not self.allows(given)
        if high is not None and high > _SMALL and not (exceeds and given > high):
            high = None
        if low is not None and low < -_SMALL and not exceeds:
            low = None
        if low is not None and high is not None and not self.open_minimum and not self.open_maximum:
            return f"from {low} to {high}" if self.entry is None else f"of {low} to {high}"
        parts = []
        if low is not None:
            parts.append(f"above {low}" if self.open_minimum else f"of at least {low}")
        if high is not None:
            parts.append(f"below {high}" if self.open_maximum else f"at most {high}")
        return " and ".join(parts)

    def allows(self, size: float) -> bool:
        """Whether ``size``, a number or the length of a tuple or text, keeps the limits (NaN does not)."""
        low = self.minimum is None or (size > self.minimum if self.open_minimum else size >= self.minimum)
        high = self.maximum is None or (size < self.maximum if self.open_maximum else size <= self.maximum)
        return low and high


@dataclass(frozen=True, eq=False)
class Field:
    """A field of a spec class; a ``required`` one has no ``default``."""

    name: str
    kind: Kind
    default: Any
    required: bool


@cache
def fields(cls: type[msgspec.Struct]) -> tuple[Field, ...]:
    """The fields of a spec class in order, read off its annotations once."""
    hints = get_type_hints(cls, include_extras=True)
    return tuple(
        Field(entry.name, kind_of(hints[entry.name]), None if entry.required else entry.default, entry.required)
        for entry in msgspec.structs.fields(cls)
    )


def kind_of(annotation: Any) -> Kind:
    """Take an annotation apart."""
    plain, optional = _without_none(annotation)
    bare, *rest = get_args(plain) if get_origin(plain) is Annotated else (plain,)
    facts: dict[str, Any] = {"optional": optional}
    for meta in rest:
        facts |= _constraints(meta)
    if facts.get("nested"):
        return Kind(scalar=float, **facts)
    if get_origin(bare) is Literal:
        return Kind(choices=get_args(bare), **facts)
    if get_origin(bare) is tuple:
        parts = get_args(bare)
        return Kind(entry=kind_of(parts[0]), length=None if parts[-1] is Ellipsis else len(parts), **facts)
    if bare in _WORDS:
        return Kind(scalar=bare, **facts)
    return Kind(specs=get_args(bare) if get_origin(bare) in _UNIONS else (bare,), **facts)


_UNIONS = (Union, types.UnionType)


def _without_none(annotation: Any) -> tuple[Any, bool]:
    parts = get_args(annotation)
    if get_origin(annotation) not in _UNIONS or type(None) not in parts:
        return annotation, False
    rest = tuple(part for part in parts if part is not type(None))
    return (rest[0] if len(rest) == 1 else Union[rest]), True  # noqa: UP007 (built at run time)


def _constraints(meta: msgspec.Meta) -> dict[str, Any]:
    low = next((limit for limit in (meta.gt, meta.ge, meta.min_length) if limit is not None), None)
    high = next((limit for limit in (meta.lt, meta.le, meta.max_length) if limit is not None), None)
    return {
        "minimum": low, "open_minimum": meta.gt is not None, "maximum": high, "open_maximum": meta.lt is not None,
        "pattern": meta.pattern, **(meta.extra or {}),
    }  # fmt: skip
