"""What the window needs of the settings before its first paint, without the library that checks them (50 ms)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import platformdirs


@dataclass(frozen=True)
class Glance:
    """The theme, and the layout as the window wrote it; the defaults for what is missing or of no use."""

    theme: Literal["system", "light", "dark"] = "system"
    geometry: str = ""


def settings_path() -> Path:
    """Where settings live on this system."""
    return platformdirs.user_config_path("ntklab", appauthor=False) / "settings.json"


def glance(path: Path | None = None) -> Glance:
    """Look into the settings file; what is wrong with it is said later, by ``settings.read_settings``."""
    try:
        raw = json.loads((path or settings_path()).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return Glance()
    raw = raw if isinstance(raw, dict) else {}
    theme, geometry = raw.get("theme"), raw.get("geometry")
    return Glance(
        theme if theme in ("light", "dark") else "system",
        geometry if isinstance(geometry, str) else "",
    )
