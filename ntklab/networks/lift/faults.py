"""How an operation without an infinite-width rule is refused: its module path, what is the matter, what to do."""

from __future__ import annotations

from typing import NoReturn

from ntklab.errors import SpecError


def place_of(path: str, kind: str) -> str:
    """What messages call a module: "layer2.0.conv1 (Conv2d)"; the outermost one has no path."""
    return f"{path} ({kind})" if path else kind


class LayoutError(SpecError):
    """Channels are not where an operation needs them: the input may be laid out otherwise than supposed."""


def refuse(place: str, reason: str, remedy: str) -> NoReturn:
    """Raises ``SpecError`` in the one form of this room."""
    raise SpecError(f"{place}: {reason}; {remedy}")


def listed(places: list[str] | tuple[str, ...], most: int = 4) -> str:
    """Up to ``most`` of ``places``, and how many there are."""
    more = f" and {len(places) - most} more" if len(places) > most else ""
    return ", ".join(places[:most]) + more
