"""Damaged and hostile folders: one error of ours or the very kernel, within bounded memory, and nothing else."""

import hashlib
import json
import os
import shutil
import tracemalloc

import msgspec
import numpy as np
import pytest
from store_tools import files, kernel, put, start, stored

from ntklab.errors import FileError, NtkLabError
from ntklab.store import manifest, open_kernel

OPTIONS = {"outputs": "full", "edge": 3}
VALUES = kernel(7, outputs="full")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "K"
    stored(folder, VALUES, **OPTIONS)
    return folder


@pytest.fixture
def folder(whole, tmp_path):
    """A copy to damage."""
    return shutil.copytree(whole, tmp_path / "K")


def everything(folder):
    """All that a reader can see of a stored kernel."""
    gram = open_kernel(folder)
    parts = gram.values, gram.matrix, gram.operator, gram.values.overview
    return (*(np.asarray(part).tobytes() for part in parts), gram.health, gram.error, gram.provenance, gram.symmetric)


def check(folder, expected):
    """One error that names the folder, or everything as it was; and a resumed run mends it or says why not."""
    assert outcome(everything, folder) in (expected, None)
    assert outcome(mended, folder) in (expected, None)


def mended(folder):
    with start(folder, VALUES, **OPTIONS) as store:
        put(store, VALUES)
        store.finish(store._manifest.about, error=store._manifest.error)
    return everything(folder)


def outcome(attempt, folder):
    """What it returns, or None for an error of ours that names the folder."""
    try:
        return attempt(folder)
    except NtkLabError as error:
        if str(folder) not in str(error):
            raise
        return None


@pytest.fixture(scope="module")
def expected(whole):
    return everything(whole)


def flips(content, rng):
    for _ in range(6):
        damaged = bytearray(content)
        damaged[rng.integers(len(content))] ^= 1 << rng.integers(8)
        yield damaged


def truncations(content, rng):
    for stop in {0, 1, len(content) - 1, *rng.integers(len(content), size=3).tolist()}:
        yield content[:stop]


def headers(content, rng):
    for count in (1, 4, 16):
        yield rng.bytes(count) + content[count:]
        yield content[:-count] + rng.bytes(count)


def additions(content, rng):
    yield content + b"\0"
    yield rng.bytes(40) + content
    yield content + content


@pytest.mark.parametrize("damage", [flips, truncations, headers, additions])
def test_damage_to_any_file_is_an_error_or_does_no_harm(folder, whole, expected, damage):
    rng = np.random.default_rng(0)
    names = [name for name in files(folder) if not name.startswith(("kernel/c", "mean/c"))]
    for name in [*names, "kernel/c.0.1.0.0", "kernel/c.2.2.0.0", "mean/c.0.1"]:
        for content in damage((whole / name).read_bytes(), rng):
            shutil.rmtree(folder)
            shutil.copytree(whole, folder)
            (folder / name).write_bytes(content)
            check(folder, expected)


@pytest.mark.parametrize("kind", ["gone", "link", "folder", "pipe", "elsewhere"])
def test_files_that_are_none_are_refused(folder, whole, expected, kind):
    for name in files(folder):
        shutil.rmtree(folder)
        shutil.copytree(whole, folder)
        path = folder / name
        path.unlink()
        if kind == "link":
            path.symlink_to(whole / name)
        elif kind == "elsewhere":
            path.symlink_to("/dev/zero")
        elif kind == "folder":
            path.mkdir()
        elif kind == "pipe":
            os.mkfifo(path)
        with pytest.raises(NtkLabError, match=r"K"):
            everything(folder)
        if kind == "gone":
            check(folder, expected)


@pytest.mark.parametrize("name", ["kernel", "mean", "overview"])
def test_folders_that_lead_elsewhere_are_refused(folder, whole, name):
    shutil.rmtree(folder / name)
    (folder / name).symlink_to(whole / name)
    with pytest.raises(FileError, match="is a link"):
        open_kernel(folder)
    with pytest.raises(FileError, match="is a link"):
        start(folder, VALUES, **OPTIONS)


def forge(folder, change, metadata=None):
    """Rewrite the manifest, and zarr's metadata, with all checksums right."""
    content = json.loads((folder / "manifest.json").read_text())
    change(content)
    for name, new in (metadata or {}).items():
        (folder / name).write_text(new)
        content["files"][name] = hashlib.sha256(new.encode()).hexdigest()
    try:
        sealed = msgspec.json.encode(msgspec.convert(content, manifest.Manifest).sealed())
    except (msgspec.ValidationError, NtkLabError):
        sealed = json.dumps(content).encode()
    (folder / "manifest.json").write_bytes(sealed)


def lay(**changes):
    return lambda content: content["layout"].update(changes)


BOMBS = {
    "huge": lay(shape=[2**40, 2**40, 2, 2]),
    "many outputs": lay(shape=[7, 7, 2**60, 2**60]),
    "negative": lay(shape=[-7, -7, 2, 2]),
    "large tiles": lay(shape=[2**24, 2**24, 2, 2], edge=2**24),
    "many tiles": lay(shape=[2**24, 2**24, 2, 2], edge=1),
    "larger": lay(shape=[5000, 5000, 2, 2], edge=2000),
    "dtype": lay(dtype="object"),
    "wrong dtype": lay(dtype="float64"),
    "path": lambda content: content["files"].update({"../../x": "0" * 64}),
    "newer": lambda content: content.update(schema=2),
    "digits": lay(edge=int("9" * 4000)),
    "words": lambda content: content["about"].update(notes=["x" * 2**21]),
}


@pytest.mark.parametrize("case", BOMBS)
def test_manifests_that_lie_are_one_error_in_little_memory(folder, case):
    forge(folder, BOMBS[case])
    tracemalloc.start()
    with pytest.raises(FileError) as caught:
        everything(folder)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert str(folder) in str(caught.value)
    assert len(str(caught.value)) < 1000
    assert peak < 200e6
    if case == "newer":
        assert "newer version (schema 2, this one reads 1); update ntklab" in str(caught.value)


@pytest.mark.parametrize(
    "text", ["[" * 200_000, '{"schema":' * 100_000, '{"schema": ' + "9" * 100_000 + "}", "\xff", "null", ""]
)
@pytest.mark.parametrize("name", ["manifest.json", "kernel/zarr.json"])
def test_deep_and_long_json_is_one_error(folder, text, name):
    if name == "manifest.json":
        (folder / name).write_text(text)
    else:
        forge(folder, dict, {name: text})
    with pytest.raises(FileError, match=name):
        open_kernel(folder)


def test_only_our_own_metadata_is_read(folder):
    for key, value in (
        ("codecs", [{"name": "zstd"}]), ("data_type", "float64"), ("shape", [2**40, 2**40, 2, 2]),
        ("chunk_key_encoding", {"name": "v2"}), ("fill_value", 0), ("extra", 1), ("storage_transformers", [{}]),
    ):  # fmt: skip
        content = open_kernel(folder).values._tiles.layout.zarr() | {key: value}
        before = (folder / "kernel/zarr.json").read_text()
        forge(folder, dict, {"kernel/zarr.json": json.dumps(content)})
        with pytest.raises(FileError, match=r"zarr\.json: is not what was written"):
            open_kernel(folder)
        forge(folder, dict, {"kernel/zarr.json": before})
    open_kernel(folder)


def test_large_files_are_not_read(folder):
    for name in ("manifest.json", "kernel/zarr.json", "kernel/c.0.0.0.0", "overview/c.0.0", "mean/c.0.0", "tiles.log"):
        before = (folder / name).read_bytes()
        with (folder / name).open("r+b") as file:
            file.truncate(2**28 if name == "tiles.log" else 2**35)  # holes: takes no room on the disk
        tracemalloc.start()
        assert outcome(everything, folder) is None
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 200e6
        (folder / name).write_bytes(before)
