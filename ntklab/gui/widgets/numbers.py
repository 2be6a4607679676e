"""Numbers for readers and from writers: formatting, and parsing with a remedy."""

from __future__ import annotations

import math
import re

from ntklab.figures import captions

_THIN = "\N{NARROW NO-BREAK SPACE}"
_BYTES = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}
_AMOUNT = re.compile(r"(?P<number>[0-9.]+(?:e[+-]?\d+)?)\s*(?P<unit>[kmgt]?i?)b?", re.IGNORECASE)
_ROOT = re.compile(r"(?P<sign>-?)(?:√|sqrt)\s*\(?\s*(?P<inside>[0-9.]+)\s*\)?", re.IGNORECASE)


def number(value: float | None, digits: int = 4) -> str:
    """``value`` with ``digits`` significant digits: 0.01234, 418.3, 3.1×10⁵; a dash where there is none."""
    return "—" if value is None else captions.number(value, digits)


def integer(value: int) -> str:
    """``value`` in groups of three digits: 262 656."""
    return f"{value:,}".replace(",", _THIN).replace("-", "−")


def short(value: int) -> str:
    """``value`` in three digits at most: 512, 263k, 1.05M."""
    for size, letter in ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k")):
        if value >= 0.9995 * size and value >= 1000:
            return f"{value / size:.3g}{letter}"
    return str(value)


def percent(share: float) -> str:
    """A share of 1 in percent: 43.1 %, 0.02 %."""
    return f"{captions.number(100 * share, 3)}{_THIN}%"


def duration(seconds: float) -> str:
    """A time span: 0.3 s, 12 s, 3 min 20 s, 2 h 5 min."""
    if seconds < 1:
        return f"{max(seconds, 0.0):.1f}{_THIN}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}{_THIN}s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}{_THIN}min {rest}{_THIN}s" if rest else f"{minutes}{_THIN}min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}{_THIN}h {minutes}{_THIN}min"


def byte_text(amount: int) -> str:
    """An amount of memory: 1.5 MB, 2 GB; in binary units where it is a whole number of them: 512 MiB."""
    if amount < 1000:
        return f"{amount} B"
    whole = [unit for unit in _BYTES if unit.endswith("i") and amount % _BYTES[unit] == 0]
    fitting = [unit for unit in _BYTES if unit and not unit.endswith("i") and amount >= _BYTES[unit]]
    return min((_in_unit(amount, units[-1]) for units in (fitting, whole) if units), key=len)


def rounded(amount: int) -> int:
    """``amount`` to two significant digits."""
    return amount if amount < 100 else int(float(f"{amount:.1e}"))


def _in_unit(amount: int, unit: str) -> str:
    name = unit[0].upper() + unit[1:] if unit != "k" else unit
    return f"{amount / _BYTES[unit]:.4g} {name}B"


def parse_bytes(text: str) -> int:
    """Bytes from "2 GB", "512 MiB" or "1e9". Raises ``ValueError`` with the remedy."""
    match = _AMOUNT.fullmatch(text.strip())
    if match is None or (match["unit"].lower() not in _BYTES):
        raise ValueError(f"expected an amount of memory, got {text.strip()!r}; write it like 2 GB or 512 MiB")
    return round(_float(match["number"], text) * _BYTES[match["unit"].lower()])


def parse_number(text: str, *, integer: bool) -> int | float:
    """A number from what was typed: 512, 1e-3, √2. Raises ``ValueError`` with the remedy."""
    typed = text.strip().replace(_THIN, "").replace("−", "-")
    root = _ROOT.fullmatch(typed)
    if root is not None:
        value = math.sqrt(_float(root["inside"], text)) * (-1 if root["sign"] else 1)
    else:
        value = _float(typed, text)
    if not integer:
        return value
    if not math.isfinite(value) or value != math.floor(value):
        raise ValueError(f"expected a whole number, got {text.strip()!r}; leave out the fraction")
    return int(typed) if re.fullmatch(r"[+-]?\d+", typed) else int(value)


def _float(typed: str, text: str) -> float:
    try:
        return float(typed)
    except ValueError:
        hint = "write a dot for the decimal point" if "," in typed else "write it like 512, 0.5 or 1e-3"
        raise ValueError(f"expected a number, got {text.strip()!r}; {hint}") from None


def plain(value: float | None) -> str:
    """``value`` as one would type it, in at most five significant digits or as √2, √3; empty for None."""
    if value is None:
        return ""
    return str(value) if isinstance(value, int) else root_text(value) or f"{value:.5g}"


def root_text(value: float) -> str:
    """√2 or √3 where ``value`` is that; else empty."""
    whole = round(value * value)
    return f"√{whole}" if whole in (2, 3) and value > 0 and abs(value * value - whole) < 1e-12 else ""
