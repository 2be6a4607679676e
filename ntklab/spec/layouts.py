"""How the features of a sample are read: as a vector, a sequence, an image or a volume of equal sides."""

from __future__ import annotations

from math import prod

from ntklab.spec.architecture import RANKS, Input
from ntklab.spec.faults import complaint


def lay_out(kind: str, features: int, channels: int | None = None) -> Input:
    """An input of ``kind`` that ``features`` numbers fill, channels last.

    Images and volumes have equal sides, with ``channels`` if given and possible, else 1 or 3. Sequences have
    ``channels`` a position; without, they are the rows of a square image where there is one, else one number a
    position. Raises ``SpecError`` where the features fill no image or volume.
    """
    if kind == "vector":
        return Input("vector", (features,))
    if kind == "sequence":
        return Input("sequence", _sequence(features, channels))
    axes = RANKS[kind] - 1
    for width in (channels, 1, 3):
        side = None if width is None else _side(features, axes, width)
        if side is not None and width is not None:
            return Input(kind, (*axes * (side,), width))  # type: ignore[arg-type]
    sides = "squares" if axes == 2 else "cubes"
    reason = f"expected features that fill {sides} of 1 or 3 channels for the kind {kind!r}"
    raise complaint(("architecture", "input", "shape"), reason, features, "use a network on vectors or sequences")


def _sequence(features: int, channels: int | None) -> tuple[int, int]:
    if channels is not None and features % channels == 0:
        return features // channels, channels
    for width in (1, 3):
        side = _side(features, 2, width)
        if side is not None and side > 1:
            return side, side * width
    return features, 1


def _side(features: int, axes: int, channels: int) -> int | None:
    """The side of the square or cube with ``features`` numbers in ``channels``; None if there is none."""
    side = round((features / channels) ** (1 / axes))
    return side if prod(axes * (side,)) * channels == features else None


def refilled(given: Input, features: int) -> Input:
    """``given`` if ``features`` fill it, else an input of its kind that they fill. Raises ``SpecError``."""
    if prod(given.shape) == features:
        return given
    return lay_out(given.kind, features, None if given.kind == "vector" else given.shape[-1])
