"""Text tables: comma, semicolon or tab between the cells, with or without a line of names."""

from __future__ import annotations

import csv
import io
import math
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

import numpy as np

from ntklab.datasets.readers.border import open_file, refuse, shown
from ntklab.datasets.readers.raw import Raw, Target
from ntklab.errors import DataError
from ntklab.spec.dataset import File

MAX_TEXT = 2**28  # bytes of a text table
MAX_ROW = 2**22  # characters of one row
MAX_ROWS = 2_000_000
DELIMITERS = "\t;,"
MISSING = {"", "?", "na", "n/a", "nan", "null"}


@dataclass(frozen=True)
class Layout:
    """How the table at ``path`` is written. Columns without a name are called by their number, from 1.

    ``unnamed`` are the columns without a name in a line of names: row numbers, as pandas writes them.
    """

    path: Path
    delimiter: str
    names: tuple[str, ...]
    header: bool
    unnamed: tuple[int, ...] = ()


@dataclass(frozen=True)
class Cell:
    """One cell, for messages."""

    layout: Layout
    line: int
    column: int
    text: str

    def refuse(self) -> DataError:
        """The error for a cell that is missing or not a number."""
        text = self.text if len(self.text) <= 40 else self.text[:37] + "…"
        what, remedy = "expected a finite number", "choose numeric columns as features, or mend that cell"
        if is_missing(self.text):
            what, remedy = "the value is missing", "fill it or remove the line"
        where = f"line {self.line}, column {self.layout.names[self.column]!r}"
        return refuse(self.layout.path, f"{where}: {what}, got {text!r}", remedy)


def table_columns(path: Path) -> tuple[str, ...]:
    """Names of the columns of a text table."""
    with open_file(path) as stream, _as_text(stream) as text:
        return _layout(text, path).names


def read_table(path: Path, source: File) -> Raw:
    """Columns ``source.features`` (default: all others) and ``source.target`` (default: the last)."""
    with open_file(path) as stream, _as_text(stream) as text:
        if path.stat().st_size > MAX_TEXT:
            raise refuse(path, f"a text table of more than {MAX_TEXT >> 20} MB", "save it as .npy or .npz")
        layout = _layout(text, path)
        features, target = _choose(layout, source)
        text.seek(0)
        numbers, words = _read(text, layout, features, target)
    X = np.frombuffer(numbers, np.float64).reshape(-1, len(features))
    names = tuple(layout.names[column] for column in features)
    return Raw(
        X, None if target is None else _as_target(words, layout.delimiter), names, _notes(layout, features, target)
    )


def is_number(text: str) -> bool:
    """Whether ``text`` is a finite number."""
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def is_missing(text: str) -> bool:
    """Whether ``text`` is one of the usual marks of a missing value."""
    return text.strip().lower() in MISSING


def _read(
    text: io.TextIOWrapper, layout: Layout, features: list[int], target: int | None
) -> tuple[array[float], list[str]]:
    """Cells of the features, row by row, and those of the target as they are written."""
    numbers, words = array("d"), list[str]()
    seen: dict[str, str] = {}  # one string object for each different cell
    for count, (line, row) in enumerate(_rows(text, layout.delimiter, layout.path, skip=layout.header), start=1):
        if len(row) != len(layout.names):
            raise refuse(layout.path, f"line {line} has {len(row)} cells, the first has {len(layout.names)}",
                         "mend that line")  # fmt: skip
        if count > MAX_ROWS:
            raise refuse(layout.path, f"a text table of more than {MAX_ROWS} rows", "save it as .npy or .npz")
        numbers.extend(_numbers(row, features, line, layout))
        if target is not None:
            word = " ".join(row[target].split())
            if is_missing(word):
                raise Cell(layout, line, target, row[target]).refuse()
            words.append(seen.setdefault(word, word))
    return numbers, words


def _numbers(row: list[str], features: list[int], line: int, layout: Layout) -> list[float]:
    cells = _with_points([row[column] for column in features], layout.delimiter)
    try:
        found = list(map(float, cells))
        if all(map(math.isfinite, found)):
            return found
    except ValueError:
        pass
    place = next(place for place, cell in enumerate(cells) if not is_number(cell))
    raise Cell(layout, line, features[place], row[features[place]]).refuse()


def _with_points(cells: list[str], delimiter: str) -> list[str]:
    """Tables with semicolons may write 1,5 for 1.5."""
    return [cell.replace(",", ".") for cell in cells] if delimiter == ";" else cells


def _as_text(stream: IO[bytes]) -> io.TextIOWrapper:
    return io.TextIOWrapper(stream, "utf-8-sig", newline="")


def _rows(text: io.TextIOWrapper, delimiter: str, path: Path, *, skip: bool = False) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of each row that is not blank, without the first if ``skip``."""
    taken = 0

    def lines() -> Iterator[str]:
        nonlocal taken
        while line := text.readline(MAX_ROW):
            taken += len(line)
            if taken >= MAX_ROW:
                raise refuse(path, f"a row of more than {MAX_ROW} characters", "check the quotes and line ends")
            yield line

    reader = csv.reader(lines(), delimiter=delimiter, strict=True)
    for row in reader:
        taken = 0
        if len(row) > 1 or (row and row[0].strip()):
            if not skip:
                yield reader.line_num, row
            skip = False


def _layout(text: io.TextIOWrapper, path: Path) -> Layout:
    """The delimiter that cuts the first rows into equally many cells, and whether the first row holds names."""
    delimiter, first = next(_cuts(text, path), (",", []))
    first = first or _first_rows(text, ",", path)
    if not first:
        raise refuse(path, "the table has no rows", "choose another file")
    header = _is_header([_with_points(row, delimiter) for row in first[:2]])
    cells = [" ".join(cell.split()) for cell in first[0]] if header else [""] * len(first[0])
    names = tuple(shown(cell) if cell else f"column {number + 1}" for number, cell in enumerate(cells))
    unnamed = tuple(number for number, cell in enumerate(cells) if header and not cell)
    return Layout(path, delimiter, names, header, unnamed)


def _cuts(text: io.TextIOWrapper, path: Path) -> Iterator[tuple[str, list[list[str]]]]:
    """Each delimiter that cuts the first rows into the same number of cells, more than one, and those rows."""
    for delimiter in DELIMITERS:
        try:
            first = _first_rows(text, delimiter, path)
        except csv.Error:
            continue  # quotes that make no sense with this delimiter
        if first and len(first[0]) > 1 and len({len(row) for row in first}) == 1:
            yield delimiter, first


def _first_rows(text: io.TextIOWrapper, delimiter: str, path: Path) -> list[list[str]]:
    text.seek(0)
    return [row for _, row in islice(_rows(text, delimiter, path), 10)]


def _is_header(first: list[list[str]]) -> bool:
    """Names stand above numbers: some cell of the first row is a word and the one below it a number."""
    if len(first) < 2:
        return False
    pairs = zip(*first, strict=False)
    return any(not is_number(top) and not is_missing(top) and is_number(below) for top, below in pairs)


def _choose(layout: Layout, source: File) -> tuple[list[int], int | None]:
    target: int | None = None
    if not source.labels:
        target = len(layout.names) - 1 if source.target is None else _column(layout, source.target)
    if source.features is None:
        features = [number for number in range(len(layout.names)) if number not in (target, *layout.unnamed)]
    elif source.features in layout.names:
        features = [_column(layout, source.features)]
    else:
        features = [_column(layout, name.strip()) for name in source.features.split(",")]
    if not features:
        raise refuse(layout.path, "there is no column left to learn from", "give a table of two columns or more")
    if target is not None and target in features:
        both = layout.names[target]
        raise refuse(layout.path, f"the column {both!r} is both a feature and the target", "leave it out of one")
    return features, target


def _column(layout: Layout, name: str) -> int:
    count = layout.names.count(name)
    if count != 1:
        listed = ", ".join(layout.names[:10]) + (", …" if len(layout.names) > 10 else "")
        what = f"there are {count} columns {name!r}" if count else f"there is no column {name!r}"
        raise refuse(layout.path, what, f"choose among: {listed}")
    return layout.names.index(name)


def _as_target(words: list[str], delimiter: str) -> Target:
    """Numbers if all of them are, else the words."""
    numbers = _with_points(words, delimiter)
    return np.asarray(list(map(float, numbers))) if all(map(is_number, numbers)) else words


def _notes(layout: Layout, features: list[int], target: int | None) -> tuple[str, ...]:
    notes = []
    if target is not None:
        notes.append(f"target: {layout.names[target]}")
    left = [number for number in layout.unnamed if number not in features and number != target]
    if left:
        notes.append(f"left out as row numbers: {', '.join(layout.names[number] for number in left)} (no name)")
    return tuple(notes)
