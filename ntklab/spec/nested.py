"""Arrays of any rank inside specs: a number, or lists of lists of numbers; and how people type them."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any

import msgspec

from ntklab.spec.faults import complaint

Nested = Annotated[
    float | tuple[Any, ...], msgspec.Meta(extra={"nested": True, "words": "a number or lists of lists of numbers"})
]

DEEPEST_ARRAY = 8  # axes


def nested_shape(array: float | tuple[Any, ...]) -> tuple[int, ...]:
    """The size of each axis of ``array``, which is rectangular: () for a number, (2, 3) for 2 lists of 3."""
    return (len(array), *nested_shape(array[0])) if isinstance(array, tuple) else ()


def parse_nested(text: str) -> Any:
    """What a person typed for an array or for lists of lists: "2.5", "[1, −1]", "[[none, none, 2]]", "((1,), (0,))".

    Raises ``SpecError`` for anything else.
    """
    plain = text.translate(str.maketrans("−()", "-[]")).replace("None", "null").replace("none", "null")
    try:
        return json.loads(re.sub(r",\s*\]", "]", plain))
    except (ValueError, RecursionError):
        raise complaint("array", "expected numbers in brackets", text, "write [1, 2] or [[1, 2], [3, 4]]") from None


def show_nested(value: Any) -> str:
    """The text that ``parse_nested`` reads back."""
    if isinstance(value, tuple | list):
        return f"[{', '.join(show_nested(part) for part in value)}]"
    return "none" if value is None else f"{value:g}" if float(f"{value:g}") == value else repr(value)
