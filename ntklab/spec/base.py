"""The base of every spec: a frozen value that is checked when made, whether by a constructor or from a file."""

from __future__ import annotations

import math
from functools import cache
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec

from ntklab.errors import SpecError

Positive = Annotated[float, msgspec.Meta(gt=0, extra={"remedy": "give a number above 0"})]
NonNegative = Annotated[float, msgspec.Meta(ge=0, extra={"remedy": "give 0 or a number above it"})]
Fraction = Annotated[float, msgspec.Meta(gt=0, le=1, extra={"remedy": "give a number above 0 and at most 1"})]
Count = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1, extra={"remedy": "give a whole number of at least 1"})]
Seed = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1, extra={"remedy": "give a whole number of at least 0"})]


class Spec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A frozen value whose fields are checked against their annotations on every construction.

    Raises ``SpecError`` naming the class, the field, what was given and the remedy. A subclass adds rules that concern
    several fields in ``check``.
    """

    def __post_init__(self) -> None:
        for name, kind in field_types(type(self)).items():
            given = getattr(self, name)
            checked = _checked(type(self).__name__, name, given, kind)
            if checked is not given:
                msgspec.structs.force_setattr(self, name, checked)
        self.check()

    def check(self) -> None:
        """Rules that concern several fields; raises ``SpecError``."""

    def replace(self, **changes: Any) -> Any:
        """A copy with ``changes``, checked again."""
        return msgspec.structs.replace(self, **changes)


@cache
def field_types(cls: type) -> dict[str, Any]:
    """The annotated type of each field of a spec class, constraints included."""
    hints = get_type_hints(cls, include_extras=True)
    return {name: hints[name] for name in cls.__struct_fields__}  # type: ignore[attr-defined]


def remedy(kind: Any) -> str:
    """The advice attached to an annotated type, or an empty string."""
    if get_origin(kind) is Annotated:
        for meta in get_args(kind)[1:]:
            if isinstance(meta, msgspec.Meta) and meta.extra and "remedy" in meta.extra:
                return str(meta.extra["remedy"])
    for part in get_args(kind):
        if get_origin(part) is Annotated and (advice := remedy(part)):
            return advice
    return ""


def complaint(where: str, reason: str, given: Any, advice: str) -> SpecError:
    """The one form of a spec error: where, what is wrong, what was given, what to do."""
    shown = repr(given)
    shown = shown if len(shown) <= 80 else shown[:77] + "…"
    reason = reason[:1].lower() + reason[1:].replace("`", "")
    return SpecError(f"{where}: {reason}, got {shown}" + (f"; {advice}" if advice else ""))


def _checked(owner: str, name: str, given: Any, kind: Any) -> Any:
    value = given.item() if hasattr(given, "item") and not isinstance(given, msgspec.Struct) else given
    try:
        checked = msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise complaint(f"{owner}.{name}", str(error).split(" - at ")[0], given, remedy(kind)) from None
    if not _finite(checked):
        raise complaint(f"{owner}.{name}", "expected a finite number", given, remedy(kind) or "give a finite number")
    return checked


def _finite(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, tuple):
        return all(_finite(part) for part in value)
    return True
