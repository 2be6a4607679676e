"""Whether the installed PySide6 and pyqtgraph are a pair that was tested together, found without importing them."""

from __future__ import annotations

import sys

# Release series of (PySide6, pyqtgraph) on which the window's tests and the redraw soak pass.
TESTED_PAIRS: tuple[tuple[str, str], ...] = (("6.10", "0.14"), ("6.11", "0.14"))
_PACKAGES = (("PySide6-Essentials", "PySide6"), ("pyqtgraph",))


def installed_pair() -> tuple[str | None, str | None]:
    """Versions of PySide6 and pyqtgraph; None where one is not installed."""
    pyside, pyqtgraph = (_version(names) for names in _PACKAGES)
    return pyside, pyqtgraph


def pair_warning(pair: tuple[str | None, str | None] | None = None, python: tuple[int, int] | None = None) -> str:
    """One line on what may go wrong with ``pair`` (the installed one) and what to do; empty for a tested pair."""
    pyside, pyqtgraph = pair or installed_pair()
    python = python or sys.version_info[:2]
    if pyside is None or pyqtgraph is None:
        lacking = "PySide6-Essentials" if pyside is None else "pyqtgraph"
        return f"{lacking} is not installed, so there is no window; install ntklab with its dependencies"
    if _series(pyside) == "6.12" and python <= (3, 11):
        return (
            f"PySide6 {pyside} on Python {python[0]}.{python[1]} is known to abort after seconds of redrawing; "
            "install 'PySide6-Essentials>=6.10,<6.12'"
        )
    if (_series(pyside), _series(pyqtgraph)) in TESTED_PAIRS:
        return ""
    tested = " or ".join(f"{a} with {b}" for a, b in TESTED_PAIRS)
    return f"PySide6 {pyside} with pyqtgraph {pyqtgraph} was not tested together; tested: {tested}"


def _series(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _version(names: tuple[str, ...]) -> str | None:
    from importlib import metadata

    for name in names:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return None
