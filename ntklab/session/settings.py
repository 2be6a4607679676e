"""What the user has set for all sessions, in one small JSON file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import msgspec

from ntklab.errors import FileError
from ntklab.files import set_aside, write_atomically
from ntklab.session.files import read_text
from ntklab.session.glance import settings_path
from ntklab.spec import Spec
from ntklab.spec.base import Count
from ntklab.spec.kernel import Bytes
from ntklab.spec.reading import read_spec


class Settings(Spec, frozen=True):
    """``memory`` is the default budget in bytes and ``threads`` the number of computing threads, None for automatic.

    ``geometry`` is the window's layout as the window writes it; ``folder`` is where files were last opened or saved.
    ``trusted`` names the Python files that the user has allowed to run, each as its sha256 and its path.
    """

    theme: Literal["system", "light", "dark"] = "system"
    memory: Bytes | None = None
    threads: Count | None = None
    geometry: str = ""
    folder: str = ""
    trusted: tuple[str, ...] = ()


def load_settings(path: Path | str | None = None) -> Settings:
    """The stored settings, or the defaults where there are none or none that can be read."""
    return read_settings(path)[0]


def read_settings(path: Path | str | None = None) -> tuple[Settings, str]:
    """The settings, and why they are the defaults (empty when they are not, or when there is no file yet).

    A file that cannot be read is kept aside with the suffix ``.bad``. Settings of a newer version are dropped.
    """
    file = Path(path) if path is not None else settings_path()
    if not file.exists():
        return Settings(), ""
    try:
        raw = json.loads(read_text(file))
        if isinstance(raw, dict):
            raw = {name: raw[name] for name in Settings.__struct_fields__ if name in raw}
        settings: Settings = read_spec(raw, (Settings,), ("settings",))
        return settings, ""
    except (FileError, ValueError, RecursionError) as error:
        kept = set_aside(file)
        where = f" and the old file is {kept}" if kept else ""
        return Settings(), f"{error}; the defaults are used{where}"


def save_settings(settings: Settings, path: Path | str | None = None) -> str:
    """Store ``settings``; an empty text, or the reason why they could not be stored. Never raises."""
    try:
        text = json.dumps(msgspec.to_builtins(settings), indent=2, ensure_ascii=False) + "\n"
        write_atomically(Path(path) if path is not None else settings_path(), text.encode())
    except FileError as error:
        return f"settings: {error}"
    return ""
