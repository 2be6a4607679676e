"""Sizes as people write them: 2GB, 85mm; lists of numbers."""

from __future__ import annotations

import argparse
import re

_BYTES = {"": 1, "b": 1, "k": 1000, "kb": 1000, "m": 10**6, "mb": 10**6, "g": 10**9, "gb": 10**9, "t": 10**12,
          "tb": 10**12, "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}  # fmt: skip
_MILLIMETRES = {"": 1.0, "mm": 1.0, "cm": 10.0, "in": 25.4, "pt": 25.4 / 72}
_POINTS = {"": 1.0, "pt": 1.0}


def memory(text: str) -> int:
    """Bytes of "2GB", "512MiB" or a bare number of bytes."""
    return int(_read(text, _BYTES, "a size such as 2GB or 512MiB"))


def length(text: str) -> float:
    """Millimetres of "85mm", "8.5cm", "3.35in" or a bare number of millimetres."""
    return _read(text, _MILLIMETRES, "a length such as 85mm or 3.35in")


def points(text: str) -> float:
    """Points of "8pt" or a bare number."""
    return _read(text, _POINTS, "a text size such as 8pt")


def whole_numbers(text: str) -> tuple[int, ...]:
    """The numbers of "128,256,512"."""
    if not re.fullmatch(r"\s*\d+(\s*,\s*\d+)*\s*", text):
        raise argparse.ArgumentTypeError(f"expected whole numbers such as 128,256,512, got {text!r}")
    return tuple(int(part) for part in text.split(","))


def _read(text: str, units: dict[str, float] | dict[str, int], what: str) -> float:
    match = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([a-zA-Z]*)\s*", text)
    if match is None or match[2].lower() not in units or float(match[1]) == 0:
        raise argparse.ArgumentTypeError(f"expected {what}, got {text!r}")
    return float(match[1]) * units[match[2].lower()]


def names(text: str) -> tuple[str, ...]:
    """Names as "0,2.branches.0.1" lists them."""
    return tuple(name.strip() for name in text.split(",") if name.strip())
