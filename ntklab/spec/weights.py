"""What layers share: widths, how weights are scaled, windows over the spatial axes."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from ntklab.spec.base import Count

Width = Annotated[
    int,
    msgspec.Meta(
        ge=1,
        le=10_000_000,
        extra={"remedy": "give a width of at least 1; for the limit use the infinite kernel"},
    ),
]

Parameterisation = Literal["ntk", "standard", "mup"]

Axis = Annotated[int, msgspec.Meta(ge=-8, le=8)]

Sizes = Annotated[tuple[Count, ...], msgspec.Meta(min_length=1, max_length=3)]

Padding = Literal["SAME", "VALID", "CIRCULAR"]
