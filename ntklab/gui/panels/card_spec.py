"""What a maths card says, as data. No Qt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ntklab.session import Session

Value = Callable[[Session], str]


@dataclass(frozen=True)
class Symbol:
    """A symbol as it stands in the formula (see ``widgets.maths``), what it means, and its present value."""

    sign: str
    meaning: str
    value: Value


@dataclass(frozen=True)
class CardSpec:
    """``formula`` is written for ``widgets.maths``; ``text`` says what it is about; ``reference`` who found it."""

    id: str
    title: str
    formula: str
    text: str
    symbols: tuple[Symbol, ...]
    reference: str

    def rows(self, session: Session) -> tuple[tuple[str, str, str], ...]:
        """Symbol, meaning, value."""
        return tuple((symbol.sign, symbol.meaning, symbol.value(session)) for symbol in self.symbols)
