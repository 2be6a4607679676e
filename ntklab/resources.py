"""Finding the files shipped with the package: icons, starter results, examples, help."""

from __future__ import annotations

import sys
from pathlib import Path

from ntklab.errors import FileError


def resource(name: str) -> Path:
    """Path of the shipped file or folder ``name`` (``"starter/experiment.json"``).

    Looks where each form of the package keeps them: beside the package in a checkout, inside it in an installed
    wheel, and below the unpacked folder of a frozen bundle. Raises ``FileError`` if it is in none of them.
    """
    for root in _roots():
        if (root / name).exists():
            return root / name
    raise FileError(f"the shipped file {name!r} is missing; reinstall ntklab")


def _roots() -> list[Path]:
    package = Path(__file__).resolve().parent
    roots = [package / "_resources", package.parent / "resources"]
    bundle = getattr(sys, "_MEIPASS", None)
    return [Path(bundle) / "ntklab" / "_resources", *roots] if bundle else roots
