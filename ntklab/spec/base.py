"""The base of every spec: a frozen value that is checked when made, whether by a constructor or from a file."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import msgspec

from ntklab.spec.faults import PlacedError
from ntklab.spec.kinds import fields
from ntklab.spec.reading import read_field

Positive = Annotated[float, msgspec.Meta(gt=0)]
NonNegative = Annotated[float, msgspec.Meta(ge=0)]
Fraction = Annotated[float, msgspec.Meta(gt=0, le=1)]
Count = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
Seed = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class Spec(msgspec.Struct, frozen=True):
    """A frozen value whose fields are checked against their annotations on every construction.

    Raises ``SpecError`` naming the class, the field, what was given and the remedy. A subclass adds rules that concern
    several fields in ``check``. ``word`` is what messages call the class (default: its name), and ``ignored`` names
    fields of files that mean nothing here.
    """

    word: ClassVar[str] = ""
    ignored: ClassVar[frozenset[str]] = frozenset()

    def __post_init__(self) -> None:
        place = (self.word or type(self).__name__,)
        for field in fields(type(self)):
            given = getattr(self, field.name)
            value = read_field(given, field, place)
            if value is not given:
                msgspec.structs.force_setattr(self, field.name, value)
        try:
            self.check()
        except PlacedError as fault:
            raise fault.inside(place) from None

    def check(self) -> None:
        """Rules that concern several fields; raises ``PlacedError`` with a place inside this spec."""

    def replace(self, **changes: Any) -> Any:
        """A copy with ``changes``, checked again."""
        return msgspec.structs.replace(self, **changes)
