"""Whether a folder can take a kernel."""

from __future__ import annotations

import shutil
from pathlib import Path

from ntklab.errors import FileError
from ntklab.files import check_folder
from ntklab.store import manifest
from ntklab.store.layout import Layout
from ntklab.store.manifest import Fingerprint, Manifest
from ntklab.store.reading import is_stored

_OURS = {"lock", "zarr.json", "kernel", "mean", "overview"}  # there without a manifest where a start was cut short


def require_space(folder: Path, needed: int) -> None:
    """Raise ``FileError`` if the disk of ``folder``, which need not be there yet, has no room for ``needed`` bytes."""
    there = next(place for place in (folder, *folder.absolute().parents) if place.is_dir())
    if shutil.disk_usage(there).free < needed:
        raise no_space(folder, needed)


def no_space(folder: Path, needed: int) -> FileError:
    """What to say of a full disk."""
    there = next(place for place in (folder, *folder.absolute().parents) if place.is_dir())
    free = shutil.disk_usage(there).free
    return FileError(
        f"cannot store the kernel in {folder}: it needs {readable(needed)} more, {readable(free)} are free; free some "
        "space and run it again, which goes on from here, or choose another folder"
    )


def check_content(folder: Path) -> None:
    """Raise ``FileError`` unless ``folder`` is new, empty or a stored kernel."""
    check_folder(folder)
    if is_stored(folder) or not folder.is_dir():
        return
    names = (path.name for path in folder.iterdir())
    others = sorted(name for name in names if name not in _OURS and not name.startswith("."))
    if others:
        raise FileError(f"{folder}: holds other files, such as {others[0]}; choose an empty or a new folder")


def check_request(folder: Path, made: Manifest, layout: Layout, fingerprint: Fingerprint) -> None:
    """Raise ``FileError`` if the kernel in ``folder`` is that of another request."""
    what = manifest.differences(_named(layout, fingerprint), _named(made.layout, made.fingerprint))
    if what:
        raise FileError(
            f"{folder}: holds the kernel of another request: {what}; choose another folder, or delete this one"
        )


def clear(folder: Path) -> None:
    """Remove what unfinished writings have left behind."""
    for place in (folder, *(folder / name for name in ("kernel", "mean", "overview"))):
        for path in place.iterdir() if place.is_dir() and not place.is_symlink() else ():
            if path.name.startswith((".c.", ".manifest-", ".zarr-")):
                path.unlink(missing_ok=True)


def readable(count: int) -> str:
    """Bytes in a unit that suits them."""
    size, units = float(count), ["TiB", "GiB", "MiB", "KiB"]
    unit = "bytes"
    while size >= 1024 and units:
        size, unit = size / 1024, units.pop()
    return f"{size:.4g} {unit}"


def _named(layout: Layout, fingerprint: Fingerprint) -> Fingerprint:
    """All that two requests must agree in; the edge of the tiles is none of it."""
    shape = " × ".join(map(str, layout.shape))
    return {
        "shape": shape,
        "dtype": layout.dtype,
        "outputs": layout.outputs,
        "symmetric": layout.symmetric,
        **fingerprint,
    }
