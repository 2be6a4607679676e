"""Specs as dictionaries, JSON and TOML, with a schema version and a content hash."""

from __future__ import annotations

import hashlib
import json
import tomllib
from typing import Any, Self

import msgspec
import tomli_w

from ntklab.errors import SpecError
from ntklab.spec.base import Spec
from ntklab.spec.faults import complaint
from ntklab.spec.reading import NONE, read_spec

SCHEMA = 2  # the newest that is read; a document is written in the oldest that can say it
LARGEST = 4 * 2**20  # characters of a file; an experiment has a few thousand


class Document(Spec, frozen=True):
    """A spec that stands alone in a file: it has a schema version and a content hash."""

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> Self:
        """Read the form that ``to_dict`` writes. Raises ``SpecError`` naming the place of the first fault."""
        body = raw
        if isinstance(raw, dict):
            _check_schema(raw.get("schema", SCHEMA))
            body = {key: value for key, value in raw.items() if key != "schema"}
        return read_spec(body, (cls,), (cls.word,))  # type: ignore[no-any-return]

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read JSON text. Raises ``SpecError``."""
        _check_size(text, cls.word)
        try:
            raw = json.loads(text, object_pairs_hook=_table)
        except (ValueError, RecursionError) as error:
            raise SpecError(f"{cls.word}: cannot be read as JSON: {error}; check the file") from None
        return cls.from_dict(raw)

    @classmethod
    def from_toml(cls, text: str) -> Self:
        """Read TOML text; a field that is absent and may be None is None. Raises ``SpecError``."""
        _check_size(text, cls.word)
        try:
            raw = tomllib.loads(text)
        except (ValueError, RecursionError) as error:
            raise SpecError(f"{cls.word}: cannot be read as TOML: {error}; check the file") from None
        return cls.from_dict(raw)

    def to_dict(self) -> dict[str, Any]:
        """Plain dictionaries, lists and numbers, every field written out, with the schema version first."""
        return {"schema": self.schema, **msgspec.json.decode(msgspec.json.encode(self))}

    @property
    def schema(self) -> int:
        """The version that the document is written in: older programs say that they are too old for a later one."""
        return 1

    def to_json(self) -> str:
        """Indented JSON that ``from_json`` reads back to an equal value."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"

    def to_toml(self) -> str:
        """TOML that ``from_toml`` reads back to an equal value; fields that are None are left out, entries "none"."""
        return tomli_w.dumps(_without_none(self.to_dict()))

    def content_hash(self) -> str:
        """64 hexadecimal digits that are equal exactly when the specs are (sha256 of the canonical JSON)."""
        text = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(part) for key, part in value.items() if part is not None}
    if isinstance(value, list | tuple):
        return [NONE if part is None else _without_none(part) for part in value]
    return value


def _table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the field {twice!r} is given twice in one table")
    return table


def _check_size(text: str | bytes, word: str) -> None:
    if len(text) > LARGEST:
        raise SpecError(f"{word}: expected a text of at most {LARGEST // 2**20} MiB, got {len(text) / 2**20:.1f} MiB; "
                        "check the file")  # fmt: skip


def _check_schema(schema: Any) -> None:
    if not isinstance(schema, int) or schema < 1:
        raise complaint("schema", "expected a whole number of at least 1", schema, f"this version writes {SCHEMA}")
    if schema > SCHEMA:
        raise complaint("schema", f"this version reads schema {SCHEMA} and older", schema, "install a newer ntklab")
