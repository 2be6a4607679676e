"""Files are written whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from ntklab.errors import FileError
from ntklab.files import set_aside, write_atomically


@pytest.mark.parametrize("flush", [True, False])
def test_bytes_and_writers(tmp_path: Path, flush: bool) -> None:
    path = tmp_path / "new" / "a.txt"
    assert write_atomically(path, b"one", flush=flush) == path
    assert path.read_bytes() == b"one"

    def write(temporary: Path) -> None:
        assert (temporary.parent, temporary.suffix) == (path.parent, ".txt")
        temporary.write_bytes(b"two")

    write_atomically(str(path), write, flush=flush)
    assert path.read_bytes() == b"two"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError("no"), OSError(28, "No space left on device")])
def test_a_failure_leaves_the_old_file_alone(tmp_path: Path, error: Exception) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")

    def write(temporary: Path) -> None:
        temporary.write_bytes(b"half")
        raise error

    with pytest.raises(FileError if isinstance(error, OSError) else ValueError) as caught:
        write_atomically(path, write)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
    if isinstance(error, OSError):
        assert str(path) in str(caught.value)
        assert "No space left on device; choose another folder" in str(caught.value)


def test_a_file_in_the_way_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileError, match="cannot write"):
        write_atomically(tmp_path / "file" / "a.txt", b"")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_permissions_are_those_of_an_ordinary_new_file(tmp_path: Path) -> None:
    ordinary = tmp_path / "ordinary"
    ordinary.write_bytes(b"")
    written = write_atomically(tmp_path / "written", b"")
    assert stat.S_IMODE(written.stat().st_mode) == stat.S_IMODE(ordinary.stat().st_mode)


def test_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    for content in (b"one", b"two"):
        path.write_bytes(content)
        assert set_aside(path) == tmp_path / "a.json.bad"
    assert (tmp_path / "a.json.bad").read_bytes() == b"two"
    assert set_aside(path) is None
