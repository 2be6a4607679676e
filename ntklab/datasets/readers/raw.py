"""What a reader finds in a file, before it is known which samples are wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

Target = NDArray[Any] | Sequence[str]


@dataclass(frozen=True, eq=False)
class Raw:
    """Features ``X`` (n, …), what to predict ``y`` (n, …) or words, None if the file has none."""

    X: NDArray[Any]
    y: Target | None
    feature_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
