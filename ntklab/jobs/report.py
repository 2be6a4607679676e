"""An exception as one line for the user and a text that can be copied into a bug report."""

from __future__ import annotations

import os
import platform
import traceback
from dataclasses import dataclass

from ntklab.errors import NtkLabError

_PACKAGES = ("ntklab", "numpy", "scipy", "torch", "scikit-learn", "PySide6-Essentials", "pyqtgraph")


@dataclass(frozen=True)
class Report:
    """``message`` is one line for the user; ``details`` has the versions, the platform and the traceback."""

    message: str
    details: str


def report(error: BaseException, doing: str = "") -> Report:
    """Describe ``error``, met while ``doing`` (the title of a job or an action).

    The messages of ``NtkLabError`` are written for the user and shown as they are; anything else is "Unexpected".
    """
    message = _message(error)
    heading = f"{doing}: {message}" if doing else message
    trace = "".join(traceback.format_exception(error))
    return Report(message, "\n".join([heading, "", *_surroundings(), "", trace]))


def _message(error: BaseException) -> str:
    if isinstance(error, NtkLabError):
        return str(error)
    text = " ".join(str(error).split())
    kind = type(error).__name__
    return f"Unexpected {kind}: {text}" if text else f"Unexpected {kind}"


def _surroundings() -> list[str]:
    from importlib import metadata  # 30 ms that only a failure waits for

    lines = [f"Python {platform.python_version()} on {platform.platform()}, {os.cpu_count()} CPUs"]
    for package in _PACKAGES:
        try:
            lines.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            lines.append(f"{package} is not installed")
    return lines
