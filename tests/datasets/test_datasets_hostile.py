"""Damaged and hostile files: one error of ours or good data, within bounded memory, and nothing else."""

import gzip
import pickle
import struct
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest

from ntklab.datasets import columns, load
from ntklab.errors import DataError, NtkLabError
from ntklab.results import Data
from ntklab.spec import Dataset
from ntklab.spec.dataset import File

RNG = np.random.default_rng(0)


def make_npy(path):
    np.save(path, np.column_stack([RNG.normal(size=(12, 2)), np.arange(12) % 2]))


def make_npz(path):
    np.savez(path, X=RNG.normal(size=(12, 2)), y=np.arange(12) % 2)


def make_packed_npz(path):
    np.savez_compressed(path, X=np.round(RNG.normal(size=(12, 2)), 1), y=np.array(["a", "b"])[np.arange(12) % 2])


def make_csv(path):
    rows = "\n".join(f"{a:.3f},{b:.3f},{'ab'[i % 2]}" for i, (a, b) in enumerate(RNG.normal(size=(12, 2))))
    path.write_text("u,v,w\n" + rows + "\n")


def make_idx(path):
    path.write_bytes(b"\0\0\x08\x02" + struct.pack(">II", 12, 2) + RNG.integers(1, 256, 24, dtype=np.uint8).tobytes())


def make_gz(path):
    make_idx(path)
    path.write_bytes(gzip.compress(path.read_bytes()))


FORMS = {
    ".npy": make_npy,
    ".npz": make_npz,
    "packed.npz": make_packed_npz,
    ".csv": make_csv,
    ".idx": make_idx,
    ".gz": make_gz,
}


def outcome(attempt):
    try:
        return attempt()
    except NtkLabError as error:
        return error


def try_to_load(path, labels) -> None:
    """Good data or one of our errors, on one line and naming a file."""
    source = File(path=str(path), labels=str(labels) if path.suffix in (".idx", ".gz") else None)
    found = [
        outcome(lambda: columns(path)),
        outcome(lambda: load(Dataset(source=source, n_train=8, n_test=4, scaling="none"))),
    ]
    for error in (part for part in found if isinstance(part, NtkLabError)):
        assert "\n" not in str(error)
        assert path.name in str(error)
    for data in (part for part in found if isinstance(part, Data)):
        assert np.isfinite(data.X_train).all()
        assert np.isfinite(data.Y_train).all()
        assert data.X_train.shape[0] == data.Y_train.shape[0] == 8


@pytest.fixture
def labels(tmp_path):
    path = tmp_path / "labels.npy"
    np.save(path, np.arange(12) % 2)
    return path


def variants(whole: bytes, count: int):
    """Truncations, bit flips, and header bytes replaced."""
    for length in RNG.integers(0, len(whole), count):
        yield whole[:length]
    for _ in range(count):
        changed = bytearray(whole)
        for place in RNG.integers(0, len(whole), RNG.integers(1, 4)):
            changed[place] ^= 1 << RNG.integers(0, 8)
        yield bytes(changed)
    for _ in range(count):
        changed = bytearray(whole)
        changed[RNG.integers(0, min(len(whole), 150))] = RNG.choice([0, 1, 0x28, 0x30, 0x39, 0x7F, 0x80, 0xFF])
        yield bytes(changed)
    for _ in range(count):
        start, stop = sorted(RNG.integers(0, len(whole), 2))
        yield whole[:start] + whole[stop:] + RNG.bytes(int(RNG.integers(0, 9)))


@pytest.mark.parametrize("form", FORMS)
def test_damage_is_an_error_of_ours_or_good_data(tmp_path, labels, form):
    path = tmp_path / f"data{form}"
    FORMS[form](path)
    try_to_load(path, labels)
    whole = path.read_bytes()
    for damaged in variants(whole, 60):
        path.write_bytes(damaged)
        try_to_load(path, labels)


@pytest.mark.parametrize("form", ["packed.npz", ".gz", ".npz"])
def test_a_flipped_bit_under_a_checksum_is_never_silent(tmp_path, labels, form):
    path = tmp_path / f"data{form}"
    FORMS[form](path)
    source = File(path=str(path), labels=str(labels) if form == ".gz" else None)
    dataset = Dataset(source=source, n_train=8, n_test=4, scaling="none")
    whole, good = path.read_bytes(), load(dataset)
    for place in RNG.integers(0, len(whole), 80):
        changed = bytearray(whole)
        changed[place] ^= 1 << RNG.integers(0, 8)
        path.write_bytes(bytes(changed))
        data = outcome(lambda: load(dataset))
        if isinstance(data, Data):
            np.testing.assert_array_equal(data.X_train, good.X_train)
            np.testing.assert_array_equal(data.Y_train, good.Y_train)


def npy(shape: str, descr: str = "'<f8'", body: bytes = b"") -> bytes:
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + body


def zip_of(member: bytes, claimed: int | None = None, name: str = "X.npy") -> bytes:
    """A zip of one deflated member, whose size may be a lie."""
    packed = zlib.compress(member, 9)[2:-4]
    size = len(member) if claimed is None else claimed
    fields = (20, 0, 8, 0, 0x21, zlib.crc32(member), len(packed), size, len(name), 0)
    local = struct.pack("<4s5H3L2H", b"PK\3\4", *fields) + name.encode() + packed
    central = struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, *fields, 0, 0, 0, 0, 0) + name.encode()
    return local + central + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(central), len(local), 0)


ZEROS = bytes(70_000_000)
BOMBS = {
    "2^40 numbers in a header": ("a.npy", npy("(1099511627776, 2)"), "header says shape"),
    "2^40 empty words": ("a.npy", npy("(1099511627776,)", "'S0'"), "not numbers or words"),
    "negative lengths": ("a.npy", npy("(-4, -2)", body=bytes(64)), "header says shape"),
    "a product that wraps around": ("a.npy", npy("(4294967296, 4294967296)"), "header says shape"),
    "a number of many digits": ("a.npy", npy(f"({'9' * 5000}, 2)"), "damaged"),
    "nesting": ("a.npy", npy("(" * 9000), "damaged"),
    "a header of 4 GB": ("a.npy", b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + b"{" * 64, "header of 4294967295 bytes"),
    "an object array": ("a.npy", npy("(2,)", "'|O'", pickle.dumps([1, 2])), "not numbers or words"),
    "a member that unfolds 1000 times": ("a.npz", zip_of(npy("(70000000,)", "'|u1'", ZEROS)), "claim to unfold"),
    "a member of 8 GB": ("a.npz", zip_of(npy("(8589934592,)", "'|u1'"), claimed=2**32 - 2), "more than the 2 GB"),
    "a member larger than it says": ("a.npz", zip_of(npy("(9,)", "'|u1'", ZEROS), claimed=75), "CRC|header says"),
    "an IDX file of 2^40": ("a.idx", b"\0\0\x08\x02" + struct.pack(">II", 2**20, 2**20), "header says shape"),
    "a gzip that unfolds 1000 times": (
        "a.gz", gzip.compress(b"\0\0\x08\x02" + struct.pack(">II", 7_000, 10_000) + ZEROS), "claim to unfold"
    ),
    "a gzip of 4 GB": ("a.gz", gzip.compress(b"\0\0\x08\x01" + struct.pack(">I", 2**32 - 1)), "more than the 2 GB"),
    "a gzip longer than it says": (
        "a.gz", gzip.compress(b"\0\0\x08\x01" + struct.pack(">I", 4) + ZEROS), "does not fit"
    ),
    "a line without an end": ("a.csv", b"," * 6_000_000, "row of more than"),
    "a row of many quoted lines": ("a.csv", b'"\n",' * 1_500_000, "row of more than"),
    "a cell of many digits": ("a.csv", b"1," + b"9" * 200_000 + b"\n", "damaged"),
}  # fmt: skip


@pytest.mark.parametrize("case", BOMBS)
def test_bombs_and_lies_are_refused_in_little_memory(tmp_path, case):
    name, content, words = BOMBS[case]
    path = tmp_path / name
    path.write_bytes(content)
    np.save(tmp_path / "labels.npy", np.arange(4))
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=words) as caught:
            load(Dataset(source=File(path=str(path), labels=str(tmp_path / "labels.npy")), n_train=1, n_test=1))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < 500
    assert peak < 100 * 2**20


def test_a_pickle_is_never_opened(tmp_path):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("the pickle ran",))

    np.save(tmp_path / "a.npy", np.array([Trap(), Trap()], dtype=object), allow_pickle=True)
    with zipfile.ZipFile(tmp_path / "b.npz", "w") as archive:
        archive.write(tmp_path / "a.npy", "X.npy")
        archive.write(tmp_path / "a.npy", "y.npy")
    for name in ("a.npy", "b.npz"):
        with pytest.raises(DataError, match="not numbers or words"):
            load(Dataset(source=File(path=str(tmp_path / name)), n_train=1, n_test=1))


def test_names_that_leave_the_archive_are_only_names(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        for name in ("../../evil.npy", "X.npy", "y.npy"):
            archive.writestr(name, npy("(4, 1)", "'|u1'", b"\0\1\0\1"))
    data = load(Dataset(source=File(path=str(tmp_path / "a.npz")), n_train=2, n_test=2, scaling="none"))
    assert data.X_train.shape == (2, 1)
    assert sorted(part.name for part in tmp_path.iterdir()) == ["a.npz"]
