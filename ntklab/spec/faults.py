"""What is wrong with a spec, and where in it."""

from __future__ import annotations

import reprlib
from difflib import get_close_matches
from typing import Any

from ntklab.errors import SpecError

DEEPEST = 70  # words of a place; branches nested deeper than half of this are refused before they exhaust the stack

_ROOT = "experiment"  # goes without saying when there is more to say
_short = reprlib.Repr()
_short.maxlevel, _short.maxstring, _short.maxother = 2, 60, 60


class PlacedError(SpecError):
    """A ``SpecError`` that knows its place, so that whoever reads a larger spec can say where in that it lies."""

    def __init__(self, place: tuple[str, ...], text: str) -> None:
        self.place, self.text = place, text
        shown = place[1:] if len(place) > 1 and place[0] == _ROOT else place
        super().__init__(f"{', '.join(shown)}: {text}")

    def inside(self, place: tuple[str, ...]) -> PlacedError:
        """The same fault, seen from outside: ``place`` comes before its own."""
        return PlacedError((*place, *self.place), self.text)

    def moved(self, place: tuple[str, ...]) -> PlacedError:
        """The same fault with ``place`` instead of the first word of its own (the type that complained)."""
        return PlacedError((*place, *self.place[1:]), self.text)

    def __reduce__(self) -> tuple[Any, ...]:
        return PlacedError, (self.place, self.text)


def complaint(place: str | tuple[str, ...], reason: str, given: Any, advice: str = "") -> PlacedError:
    """The one form of a fault: where, what is wrong, what was given, what to do."""
    words = (place,) if isinstance(place, str) else place
    return PlacedError(words, f"{reason}, got {shown(given)}" + (f"; {advice}" if advice else ""))


def suggestion(name: Any, known: list[str]) -> str:
    """The known names nearest to ``name``, and all of them."""
    near = guess(name, known)
    question = f"did you mean {' or '.join(near)}? " if near else ""
    return f"{question}known: {', '.join(known)}" if known else "there are none"


def guess(name: Any, known: list[str]) -> list[str]:
    """Up to three known names near to ``name``, the nearest first."""
    if not isinstance(name, str):
        return []
    lower = {one.lower(): one for one in known}
    return [lower[match] for match in get_close_matches(name.lower(), lower, n=3, cutoff=0.6)]


def shown(value: Any) -> str:
    """``value`` in at most about 80 characters, whatever it is."""
    if value is None:
        return "none"
    try:
        text = _short.repr(value)
    except ValueError:  # Python prints no integer of more than 4,300 digits
        return f"a number of about {int(value.bit_length() * 0.30103)} digits"
    return text if len(text) <= 80 else text[:77] + "…"
