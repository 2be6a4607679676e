"""Where a result comes from: enough to compute it again, and to state its conventions beside it."""

from __future__ import annotations

import platform
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any


@cache
def versions() -> tuple[tuple[str, str], ...]:
    """Versions of Python and of the packages that results depend on, without importing them."""
    from importlib import metadata  # 30 ms that a start need not wait for

    found = [("python", platform.python_version())]
    for package in ("ntklab", "numpy", "scipy", "torch", "scikit-learn"):
        try:
            found.append((package, metadata.version(package)))
        except metadata.PackageNotFoundError:
            continue
    return tuple(found)


@dataclass(frozen=True)
class Provenance:
    """Conventions and origin of a result. ``parameterisation`` is "ntk", "standard" or "mixed"; None where it has none.

    ``spec`` is the content hash of the request, ``notes`` whatever a reader must know (approximations, ridge, scale).
    """

    kind: str
    parameterisation: str | None = None
    dtype: str = "float64"
    device: str = "cpu"
    seed: int | None = None
    outputs: str | None = None
    spec: str = ""
    route: str = ""
    seconds: float | None = field(default=None, compare=False)
    versions: tuple[tuple[str, str], ...] = field(default_factory=versions, compare=False)
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values for the metadata of files."""
        return {**asdict(self), "versions": dict(self.versions), "notes": list(self.notes)}
