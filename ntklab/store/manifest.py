"""What a stored kernel is: its layout, the request it answers, where it comes from, and the hashes of its metadata."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from ntklab.errors import FileError, SpecError
from ntklab.files import write_atomically
from ntklab.results import Provenance
from ntklab.store import overview
from ntklab.store.chunks import DamagedError, read_small
from ntklab.store.layout import Layout, array_metadata

SCHEMA = 1
NAME = "manifest.json"
_LARGEST = 2**20  # bytes of a manifest or of zarr's metadata
_GROUP = {"attributes": {}, "zarr_format": 3, "node_type": "group"}
Scalar = str | int | float | bool | None
Fingerprint = Mapping[str, Scalar]


class _Version(msgspec.Struct):
    schema: int


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``fingerprint`` names what the numbers depend on; ``about`` and ``error`` are those of the ``Gram``.

    ``complete`` says that all tiles were there once. ``files`` has the SHA-256 of each metadata file, ``checksum`` that
    of all the rest of the manifest.
    """

    schema: int
    layout: Layout
    fingerprint: dict[str, Scalar]
    about: Provenance
    error: float | None
    complete: bool
    files: dict[str, str]
    checksum: str = ""

    def sealed(self) -> Manifest:
        """The same with the checksum that belongs to it."""
        bare = msgspec.structs.replace(self, checksum="")
        return msgspec.structs.replace(self, checksum=_sha(msgspec.json.encode(bare, order="deterministic")))


def metadata(layout: Layout) -> dict[str, dict[str, Any]]:
    """zarr's metadata files of a stored kernel, by their path in the folder."""
    n1, n2 = layout.shape[:2]
    small = overview.size(n1, n2)
    files = {
        "zarr.json": _GROUP,
        "kernel/zarr.json": layout.zarr(),
        "overview/zarr.json": array_metadata(small, small, "float32", ("i", "j")),
    }
    return files | ({"mean/zarr.json": layout.matrix.zarr()} if layout.kept else {})


def create(folder: Path, layout: Layout, fingerprint: Fingerprint, about: Provenance) -> Manifest:
    """Write the metadata and then the manifest, so that a folder with a manifest is whole. Raises ``FileError``."""
    hashes = {}
    for name, content in metadata(layout).items():
        text = _text(content)
        write_atomically(folder / name, text)
        hashes[name] = _sha(text)
    return save(folder, Manifest(SCHEMA, layout, dict(fingerprint), about, None, False, hashes))


def save(folder: Path, manifest: Manifest) -> Manifest:
    """Write ``manifest``, sealed."""
    sealed = manifest.sealed()
    write_atomically(folder / NAME, msgspec.json.format(msgspec.json.encode(sealed), indent=2))
    return sealed


def load(folder: Path) -> Manifest:
    """The manifest of ``folder``, checked, with the metadata of its arrays: ours to the letter, as they were written.

    Raises ``FileError`` for a folder that is no stored kernel, that is damaged, linked to other places or of a newer
    schema.
    """
    if not (folder / NAME).is_file():
        raise FileError(f"{folder}: is no stored kernel, it has no {NAME}; choose the folder that was given as store")
    content = read_small(folder / NAME, _LARGEST)
    manifest = _decoded(folder, content)
    if manifest.sealed().checksum != manifest.checksum:
        raise DamagedError(f"{folder / NAME}: the checksum does not fit the content; compute the kernel again")
    expected = metadata(manifest.layout)
    if set(expected) != set(manifest.files):
        raise DamagedError(f"{folder / NAME}: names other files than a stored kernel has; compute the kernel again")
    for name, wanted in expected.items():
        _check_metadata(folder / name, wanted, manifest.files[name])
    return manifest


def differences(asked: Fingerprint, stored: Fingerprint) -> str:
    """What differs between two requests: "dtype 'float64' (stored 'float32')"."""
    names = [name for name in {**stored, **asked} if asked.get(name) != stored.get(name)]
    return ", ".join(f"{name} {_short(asked.get(name))} (stored {_short(stored.get(name))})" for name in names)


def _decoded(folder: Path, content: bytes) -> Manifest:
    remedy = "compute the kernel again, into another folder"
    try:
        version = msgspec.json.decode(content, type=_Version).schema
        if version > SCHEMA:
            raise FileError(
                f"{folder}: was stored by a newer version (schema {version}, this one reads {SCHEMA}); update ntklab"
            )
        return msgspec.json.decode(content, type=Manifest)
    except (msgspec.MsgspecError, SpecError, UnicodeDecodeError, RecursionError) as error:
        raise DamagedError(f"{folder / NAME}: is damaged: {error}; {remedy}") from error


def _check_metadata(path: Path, wanted: dict[str, Any], sha: str) -> None:
    if path.parent.is_symlink():
        raise DamagedError(f"{path.parent}: is a link; a stored kernel has plain folders only")
    content = read_small(path, _LARGEST)
    if _sha(content) != sha or content != _text(wanted):
        raise DamagedError(f"{path}: is not what was written; compute the kernel again, into another folder")


def _text(metadata: dict[str, Any]) -> bytes:
    return json.dumps(metadata, indent=2).encode()


def _short(value: Scalar) -> str:
    text = repr(value)
    return text if len(text) <= 24 else text[:16] + "…'"


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
