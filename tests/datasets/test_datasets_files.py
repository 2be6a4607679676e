"""The user's own files: each form read back, and what is said about those that cannot be."""

import gzip
import os
import struct
import zipfile

import numpy as np
import pytest

from ntklab.datasets import columns, load
from ntklab.datasets.readers import read
from ntklab.errors import DataError, FileError
from ntklab.spec import Dataset
from ntklab.spec.dataset import File

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
LABELS = np.arange(40) % 4


def load_file(path, **fields):
    source = File(
        path=str(path), **{name: fields.pop(name) for name in tuple(fields) if name in File.__struct_fields__}
    )
    return load(Dataset(source=source, **{"n_train": 30, "n_test": 10, "scaling": "none", **fields}))


def write(path, content):
    path.write_bytes(content) if isinstance(content, bytes) else path.write_text(content, encoding="utf-8")
    return path


def idx(values, code=0x08, dtype=">u1") -> bytes:
    values = np.asarray(values)
    return struct.pack(">BBBB", 0, 0, code, values.ndim) + struct.pack(f">{values.ndim}I", *values.shape) + (
        values.astype(dtype).tobytes()
    )  # fmt: skip


def in_source_order(path, **fields):
    samples = read(File(path=str(path), **fields))
    return samples.X, samples.labels if samples.values is None else samples.values[:, 0]


# ---------------------------------------------------------------- arrays


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("names", [("X", "y"), ("x_train", "y_train"), ("images", "labels"), ("arr_0", "arr_1")])
def test_npz_by_its_usual_names(tmp_path, save, names):
    save(tmp_path / "a.npz", **dict(zip(names, (X, LABELS), strict=True)))
    found, labels = in_source_order(tmp_path / "a.npz")
    np.testing.assert_array_equal(found, X)
    np.testing.assert_array_equal(labels, LABELS)
    assert columns(tmp_path / "a.npz") == names


def test_npz_by_names_that_are_given(tmp_path):
    np.savez(tmp_path / "a.npz", inputs_a=X, inputs_b=2 * X, t=X[:, 0])
    found, values = in_source_order(tmp_path / "a.npz", features="inputs_b", target="t")
    np.testing.assert_array_equal(found, 2 * X)
    np.testing.assert_array_equal(values, X[:, 0])
    with pytest.raises(DataError, match=r"no array 'u'; name one as target; the arrays are: inputs_a, inputs_b, t"):
        in_source_order(tmp_path / "a.npz", features="inputs_b", target="u")
    with pytest.raises(DataError, match=r"not clear which array holds the features"):
        in_source_order(tmp_path / "a.npz")


@pytest.mark.parametrize("dtype", ["u1", "<i4", ">i4", "f2", "<f4", ">f8", "?", "g"])
def test_npy_of_any_numbers_with_the_last_column_as_target(tmp_path, dtype):
    table = np.column_stack([np.abs(X) * 3, LABELS]).astype(dtype)
    np.save(tmp_path / "a.npy", table)
    found, labels = in_source_order(tmp_path / "a.npy")
    np.testing.assert_array_equal(found, table[:, :-1].astype(float))
    np.testing.assert_array_equal(labels, table[:, -1])
    assert columns(tmp_path / "a.npy") == ()


def test_npy_in_fortran_order(tmp_path):
    np.save(tmp_path / "a.npy", np.asfortranarray(np.column_stack([X, LABELS])))
    np.testing.assert_array_equal(in_source_order(tmp_path / "a.npy")[0], X)


def test_npy_with_a_file_of_labels(tmp_path):
    np.save(tmp_path / "a.npy", X.reshape(40, 3, 1))
    np.save(tmp_path / "b.npy", np.array(["ant", "bee"])[LABELS % 2])
    data = load_file(tmp_path / "a.npy", labels=str(tmp_path / "b.npy"))
    assert data.class_names == ("ant", "bee")
    assert data.image_shape == (3, 1)


def test_one_hot_rows_are_classes_and_other_matrices_values(tmp_path):
    np.savez(tmp_path / "a.npz", X=X, y=np.eye(4)[LABELS])
    np.testing.assert_array_equal(read(File(path=str(tmp_path / "a.npz"))).labels, LABELS)
    np.savez(tmp_path / "b.npz", X=X, y=X[:, :2])
    assert load_file(tmp_path / "b.npz").Y_train.shape == (30, 2)


# ---------------------------------------------------------------- tables


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_tables_of_any_delimiter(tmp_path, delimiter, header, mark, end):
    lines = [["a", "b", "c", "kind"]] if header else []
    lines += [
        [*map(repr, map(float, row)), ["cat", "dog", "eel", "fox"][label]] for row, label in zip(X, LABELS, strict=True)
    ]
    path = write(tmp_path / "a.csv", mark + end.join(delimiter.join(line) for line in lines) + end)
    found, labels = in_source_order(path)
    np.testing.assert_array_equal(found, X)
    np.testing.assert_array_equal(labels, LABELS)
    assert columns(path) == (("a", "b", "c", "kind") if header else ("column 1", "column 2", "column 3", "column 4"))
    assert read(File(path=str(path))).class_names == ("cat", "dog", "eel", "fox")


def test_columns_by_name(tmp_path):
    path = write(tmp_path / "a.csv", "age,name,size\n1,x,5.5\n2,y,6.25\n3,x,7\n")
    found, values = in_source_order(path, features="age", target="size")
    np.testing.assert_array_equal(found, [[1], [2], [3]])
    np.testing.assert_array_equal(values, [5.5, 6.25, 7])
    found, labels = in_source_order(path, features="size, age", target="name")
    np.testing.assert_array_equal(found[0], [5.5, 1])
    np.testing.assert_array_equal(labels, [0, 1, 0])


def test_quoted_cells_blank_lines_and_decimal_commas(tmp_path):
    path = write(tmp_path / "a.csv", '"a;1";b;t\n\n1,5;"2,5";1,25\n\n3;4;2,5\n')
    found, values = in_source_order(path)
    np.testing.assert_array_equal(found, [[1.5, 2.5], [3, 4]])
    np.testing.assert_array_equal(values, [1.25, 2.5])
    assert columns(path) == ("a;1", "b", "t")


def test_the_row_numbers_of_pandas_are_left_out(tmp_path):
    path = write(tmp_path / "a.csv", ",a,t\n0,5,1.5\n1,6,2.5\n")
    samples = read(File(path=str(path)))
    np.testing.assert_array_equal(samples.X, [[5], [6]])
    assert any("row numbers" in note for note in samples.notes)


TABLES = {
    "a missing feature": ("a,b,t\n1,2,3\n4,,6\n", r"line 3, column 'b': the value is missing, got ''; fill it"),
    "a feature marked NA": ("a,b,t\n1,2,3\n4,NA,6\n", r"line 3, column 'b': the value is missing, got 'NA'"),
    "a feature that is NaN": ("1,2,3\nnan,5,6\n", r"line 2, column 'column 1': the value is missing"),
    "an infinite feature": ("1,2,3\n1e999,5,6\n", r"line 2, column 'column 1': expected a finite number, got '1e999'"),
    "a missing target": ("a,t\n1,2\n3,?\n", r"line 3, column 't': the value is missing"),
    "words as features": ("a,b,t\n1,x,3\n4,y,6\n", r"line 2, column 'b': expected a finite number, got 'x'; choose"),
    "a short line": ("1,2,3\n4,5,6\n7,8\n", r"line 3 has 2 cells, the first has 3; mend"),
    "a single column": ("1\n2\n3\n", r"no column left to learn from"),
    "an open quote": ('1,2,3\n4,"5,6\n', r"damaged"),
    "only blank lines": ("\n\n \n", r"no rows"),
    "too many words": ("1,a\n2,b\n3,c\n", r"3 different values in 3 samples, too many for classes"),
}


@pytest.mark.parametrize("case", TABLES)
def test_what_is_wrong_with_a_table(tmp_path, case):
    content, words = TABLES[case]
    path = write(tmp_path / "bad.csv", content)
    with pytest.raises(DataError, match=words) as caught:
        load_file(path, n_train=1, n_test=1)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_columns_that_are_not_there_twice_or_both(tmp_path):
    path = write(tmp_path / "a.csv", "a,b,b,t\n1,2,3,4\n5,6,7,8\n")
    for fields, words in (
        ({"features": "a, z"}, "no column 'z'; choose among: a, b, b, t"),
        ({"features": "b"}, "2 columns 'b'"),
        ({"target": "a", "features": "a"}, "both a feature and the target"),
    ):
        with pytest.raises(DataError, match=words):
            load_file(path, **fields)


def test_text_that_is_not_utf8(tmp_path):
    path = write(tmp_path / "a.csv", "größe,t\n1,2\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"not UTF-8 text.*save it as UTF-8"):
        columns(path)


# ---------------------------------------------------------------- classes or numbers


@pytest.mark.parametrize(
    ("y", "task", "classes"),
    [
        (np.arange(40) % 4, "auto", ("0", "1", "2", "3")),
        (np.arange(40) % 4 + 0.0, "auto", ("0", "1", "2", "3")),
        (np.arange(40) % 2 == 0, "auto", ("0", "1")),
        (-(np.arange(40) % 2), "auto", ("-1", "0")),
        (np.arange(40) % 4, "regression", ()),
        (np.arange(40) % 20, "auto", ()),
        (np.arange(40) % 20, "classes", tuple(map(str, range(20)))),
        (X[:, 0], "auto", ()),
        (1e300 * (np.arange(40) % 2), "auto", ()),
        (np.array([b"b", b"a"])[LABELS % 2], "auto", ("a", "b")),
    ],
)
def test_whether_a_target_is_classes(tmp_path, y, task, classes):
    np.savez(tmp_path / "a.npz", X=X, y=y)
    samples = read(File(path=str(tmp_path / "a.npz"), task=task))
    assert samples.class_names == classes
    assert (samples.values is None) == bool(classes)


@pytest.mark.parametrize(
    ("y", "task", "words"),
    [
        (X[:, 0], "classes", "classes are words or whole numbers"),
        (X[:, :2], "classes", "not one-hot"),
        (np.array(["a", "b"])[LABELS % 2], "regression", "holds words"),
        (np.where(LABELS == 3, np.nan, 1.0), "auto", "target of row 3"),
        (np.where(np.eye(40)[:, :2], np.inf, 0.5), "auto", "target 0 of row 0"),
        (np.zeros((40, 0)), "auto", r"shape \(40, 0\)"),
        (np.zeros((40, 2, 2)), "auto", r"shape \(40, 2, 2\)"),
        (np.zeros((40, 2), "U1"), "auto", r"shape \(40, 2\)"),
        (np.zeros(39), "auto", "40 samples and 39 labels"),
        (np.zeros(()), "auto", "single number"),
    ],
)
def test_targets_that_cannot_be_used(tmp_path, y, task, words):
    np.savez(tmp_path / "a.npz", X=X, y=y)
    with pytest.raises(DataError, match=words):
        load_file(tmp_path / "a.npz", task=task)


@pytest.mark.parametrize(
    ("features", "words"),
    [
        (np.where(X > 2, np.nan, X), r"row \d+, column \d \(counting from 0\) is nan"),
        (X.astype(str), "not numbers"),
        (X.astype(complex), "not numbers or words"),
        (X.astype(object), "not numbers or words"),
        (np.zeros((0, 3)), "no samples"),
        (np.zeros((40, 0)), "no samples"),
        (np.float64(3), "no samples"),
        (np.zeros(40, dtype=[("a", "f8")]), "not numbers or words"),
    ],
)
def test_features_that_cannot_be_used(tmp_path, features, words):
    np.savez(tmp_path / "a.npz", X=features, y=LABELS)
    with pytest.raises(DataError, match=words):
        load_file(tmp_path / "a.npz")


# ---------------------------------------------------------------- IDX


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("naming", ["{}-{}-idx{}-ubyte", "{}-{}.idx{}-ubyte"])
def test_mnist_with_its_labels_beside_it(tmp_path, packed, naming):
    pictures = RNG.integers(0, 256, (40, 5, 4))
    suffix, pack = (".gz", gzip.compress) if packed else ("", bytes)
    path = write(tmp_path / (naming.format("train", "images", 3) + suffix), pack(idx(pictures)))
    write(tmp_path / (naming.format("train", "labels", 1) + suffix), pack(idx(LABELS)))
    found, labels = in_source_order(path)
    np.testing.assert_array_equal(found, pictures.reshape(40, 20))
    np.testing.assert_array_equal(labels, LABELS)
    data = load_file(path, classes=(1, 3), n_train=15, n_test=5)
    assert data.image_shape == (5, 4)
    assert data.class_names == ("1", "3")
    assert columns(path) == ()


@pytest.mark.parametrize(("code", "dtype"), [(0x09, ">i1"), (0x0B, ">i2"), (0x0C, ">i4"), (0x0D, ">f4"), (0x0E, ">f8")])
def test_idx_of_other_numbers_with_labels_given(tmp_path, code, dtype):
    values = (X * 10).astype(dtype)
    path = write(tmp_path / "a.idx", idx(values, code, dtype))
    labels = write(tmp_path / "b", idx(LABELS))
    np.testing.assert_array_equal(in_source_order(path, labels=str(labels))[0], values)


def test_idx_without_labels(tmp_path):
    with pytest.raises(DataError, match=r"no labels; give the file of labels"):
        load_file(write(tmp_path / "a.idx", idx(LABELS)))


def test_a_fault_in_the_labels_names_the_file_of_labels(tmp_path):
    images = write(tmp_path / "train-images-idx3-ubyte", idx(np.zeros((40, 2, 2))))
    labels = write(tmp_path / "train-labels-idx1-ubyte", idx(LABELS)[:-3])
    with pytest.raises(DataError, match=r"train-labels-idx1-ubyte: its header says"):
        load_file(images)
    with pytest.raises(DataError, match=r"train-labels-idx1-ubyte: its header says"):
        load_file(images, labels=str(labels))


# ---------------------------------------------------------------- the file itself


def test_a_file_that_is_not_there(tmp_path):
    for path in (tmp_path / "none.csv", tmp_path / "none"):
        with pytest.raises(FileError, match=rf"cannot read {path}: no such file or directory; choose another file"):
            load_file(path)


def test_folders_pipes_and_empty_files(tmp_path):
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(FileError, match="it is a folder"):
        load_file(tmp_path / "folder.npz")
    os.mkfifo(tmp_path / "pipe.npy")
    with pytest.raises(FileError, match="not a regular file"):
        load_file(tmp_path / "pipe.npy")
    with pytest.raises(DataError, match="empty"):
        load_file(write(tmp_path / "empty.csv", b""))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.jpg", b"\xff\xd8\xff\xe0", "form of this file is not known; choose an .npz, .npy, .csv or IDX"),
        ("a.npy", b"hello", "damaged or not what its name says"),
        ("a.npz", b"hello", "damaged or not what its name says"),
        ("a.gz", gzip.compress(b"hello"), "does not begin like an IDX file"),
        ("a.gz", gzip.compress(gzip.compress(idx(LABELS))), "does not begin like an IDX file"),
        ("a.idx", b"\0\0\x08\x03\0\0", "ends within its header"),
    ],
)
def test_files_that_are_something_else(tmp_path, name, content, words):
    with pytest.raises(DataError, match=words):
        load_file(write(tmp_path / name, content))


def test_a_path_with_strange_characters_stays_on_one_line(tmp_path):
    for path in (tmp_path / "a\nb.csv", f"{tmp_path}/a\0b.csv", "~nobody-of-this-name/a.csv"):
        with pytest.raises((DataError, FileError)) as caught:
            load_file(path)
        assert "\n" not in str(caught.value)


def test_an_encrypted_or_oddly_compressed_npz(tmp_path):
    np.save(tmp_path / "X.npy", X)
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_LZMA) as archive:
        archive.write(tmp_path / "X.npy", "X.npy")
        archive.write(tmp_path / "X.npy", "y.npy")
    with pytest.raises(DataError, match="compressed in an unusual way"):
        load_file(tmp_path / "a.npz")
