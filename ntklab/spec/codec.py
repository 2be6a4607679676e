"""Specs as dictionaries, JSON and TOML, with a schema version and a content hash."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from difflib import get_close_matches
from typing import Any, Self

import msgspec
import tomli_w

from ntklab.errors import SpecError
from ntklab.spec.base import Spec, complaint, field_types, remedy
from ntklab.spec.layers import LAYER_TYPES

SCHEMA = 1
_PATH = re.compile(r"\.([A-Za-z_]\w*)|\[(\d+)\]")


class Document(Spec, frozen=True):
    """A spec that stands alone in a file: it has a schema version and a content hash."""

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> Self:
        """Read the form that ``to_dict`` writes. Raises ``SpecError`` naming the place of the first fault."""
        if not isinstance(raw, dict):
            raise complaint(cls.__name__, "expected a table of fields", raw, "write {…} with the fields of the spec")
        body = {key: value for key, value in raw.items() if key != "schema"}
        _check_schema(raw.get("schema", SCHEMA))
        _check_layer_names(body)
        try:
            return msgspec.convert(body, cls)
        except msgspec.ValidationError as error:
            raise _located(error, body, cls) from None

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read JSON text. Raises ``SpecError``."""
        try:
            raw = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise SpecError(f"{cls.__name__}: this is not JSON: {error}; check the file") from None
        return cls.from_dict(raw)

    @classmethod
    def from_toml(cls, text: str) -> Self:
        """Read TOML text; a field that is absent and may be None is None. Raises ``SpecError``."""
        try:
            raw = tomllib.loads(text)
        except (ValueError, RecursionError) as error:
            raise SpecError(f"{cls.__name__}: this is not TOML: {error}; check the file") from None
        return cls.from_dict(raw)

    def to_dict(self) -> dict[str, Any]:
        """Plain dictionaries, lists and numbers, every field written out, with the schema version first."""
        return {"schema": SCHEMA, **msgspec.to_builtins(self, builtin_types=())}

    def to_json(self) -> str:
        """Indented JSON that ``from_json`` reads back to an equal value."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"

    def to_toml(self) -> str:
        """TOML that ``from_toml`` reads back to an equal value; fields that are None are left out."""
        return tomli_w.dumps(_without_none(self.to_dict()))

    def content_hash(self) -> str:
        """64 hexadecimal digits that are equal exactly when the specs are (sha256 of the canonical JSON)."""
        text = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(part) for key, part in value.items() if part is not None}
    if isinstance(value, list | tuple):
        return [_without_none(part) for part in value]
    return value


def _check_schema(schema: Any) -> None:
    if not isinstance(schema, int) or schema < 1:
        raise complaint("schema", "expected a whole number of at least 1", schema, f"this version writes {SCHEMA}")
    if schema > SCHEMA:
        raise complaint("schema", f"this version reads schema {SCHEMA} and older", schema, "install a newer ntklab")


def _check_layer_names(raw: Any) -> None:
    """Unknown layer types get an error that names the layer and its nearest known relatives."""
    layers = raw.get("layers") if isinstance(raw, dict) else None
    if isinstance(raw, dict) and isinstance(raw.get("architecture"), dict):
        _check_layer_names(raw["architecture"])
    _check_stack(layers, "layer")


def _check_stack(layers: Any, where: str) -> None:
    for position, layer in enumerate(layers if isinstance(layers, list | tuple) else [], start=1):
        if not isinstance(layer, dict):
            continue
        kind = layer.get("type")
        if kind not in LAYER_TYPES:
            near = get_close_matches(str(kind), LAYER_TYPES, n=3, cutoff=0.5)
            hint = f"did you mean {' or '.join(near)}?" if near else f"known types: {', '.join(LAYER_TYPES)}"
            raise complaint(f"{where} {position}", "unknown type", kind, hint)
        for number, branch in enumerate(layer.get("branches") or [], start=1):
            _check_stack(branch, f"{where} {position} ({kind}), branch {number}, layer")


def _located(error: msgspec.ValidationError, raw: Any, cls: type[Spec]) -> SpecError:
    reason, _, path = str(error).partition(" - at `$")
    if reason.startswith(tuple(f"{name}." for name in _spec_names())) or "; " in reason:
        return SpecError(f"{_place(path.rstrip('`'), raw)}{reason}")
    steps = [name or int(index) for name, index in _PATH.findall(path)]
    value = _walk(raw, steps)
    place = _place(path.rstrip("`"), raw) or cls.__name__ + ": "
    return complaint(place.rstrip(": "), reason, value, _advice(raw, steps, cls))


def _spec_names() -> list[str]:
    names: list[str] = []
    stack: list[type] = [Spec]
    while stack:
        children: list[type] = stack.pop().__subclasses__()
        stack.extend(children)
        names.extend(child.__name__ for child in children)
    return names


def _place(path: str, raw: Any) -> str:
    """``.layers[1].width`` as ``layer 2 (Dense), width: ``."""
    words: list[str] = []
    value = raw
    for name, index in _PATH.findall(path):
        value = _walk(value, [name or int(index)])
        if index and words:
            kind = f" ({value['type']})" if isinstance(value, dict) and "type" in value else ""
            words[-1] = f"{words[-1].removesuffix('es') if words[-1] == 'branches' else words[-1].removesuffix('s')}"
            words[-1] += f" {int(index) + 1}{kind}"
        elif name:
            words.append(name)
    return ", ".join(words) + ": " if words else ""


def _walk(value: Any, steps: list[Any]) -> Any:
    for step in steps:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _advice(raw: Any, steps: list[Any], cls: type[Spec]) -> str:
    """The remedy of the field at ``steps``, found through the type tags on the way."""
    owner, name = cls, None
    value = raw
    for step in steps:
        if isinstance(value, dict) and value.get("type") in LAYER_TYPES:
            owner = LAYER_TYPES[value["type"]]
        name = step if isinstance(step, str) else name
        value = _walk(value, [step])
    types = field_types(owner)
    return remedy(types[name]) if name in types else "see the fields of the spec in the manual"
