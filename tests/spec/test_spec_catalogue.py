"""The catalogue has a row for everything and says what the structs say."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ntklab.spec import (
    LAYER_ROWS,
    LAYER_TYPES,
    SOURCE_ROWS,
    SOURCE_TYPES,
    Architecture,
    AvgPool,
    Branch,
    Conv,
    ConvLocal,
    ConvTranspose,
    Dataset,
    Dense,
    DotGeneral,
    Dropout,
    Experiment,
    FieldRow,
    GlobalAvgPool,
    ImageResize,
    Index,
    Input,
    KernelRequest,
    LayerNorm,
    SelfAttention,
    Training,
    caption,
    field_rows,
    type_row,
)
from ntklab.spec.activations import Elementwise, Numerical, Polynomial, Relu
from ntklab.spec.kinds import fields
from ntklab.spec.layer_notes import CAPTIONS
from ntklab.spec.notes import NOTES, TITLES
from ntklab.spec.reading import read_field

GROUPS = {
    "Weights", "Convolution", "Attention", "Pooling", "Normalisation", "Positions", "Structure", "Activations",
}  # fmt: skip
PLAIN = (Input, Architecture, Dataset, KernelRequest, Training, Experiment)
TYPES = {**LAYER_TYPES, **SOURCE_TYPES}


def row(cls: type[msgspec.Struct], name: str) -> FieldRow:
    return next(row for row in field_rows(cls) if row.name == name)


def test_every_type_has_a_row() -> None:
    assert [row.name for row in LAYER_ROWS] == list(LAYER_TYPES)
    assert [row.name for row in SOURCE_ROWS] == list(SOURCE_TYPES)
    assert {row.group for row in LAYER_ROWS} == GROUPS
    for entry in (*LAYER_ROWS, *SOURCE_ROWS):
        assert entry.title
        assert entry.formula
        assert type_row(entry.name) is type_row(entry.cls) is entry


def test_words_are_about_things_that_exist() -> None:
    known = {f"{cls.__name__}.{name}" for cls in (*TYPES.values(), *PLAIN) for name in cls.__struct_fields__}
    assert set(NOTES) == known
    assert set(TITLES) == set(TYPES)
    assert set(CAPTIONS) <= set(LAYER_TYPES)
    assert all(note.tooltip and note.label for note in NOTES.values())


@pytest.mark.parametrize(
    ("cls", "name", "expected"),
    [
        (Dense, "width", {"kind": "int", "minimum": 1, "open_minimum": False, "required": True, "log": True}),
        (Dense, "W_std", {"kind": "float", "minimum": 0, "open_minimum": True, "default": 1.0, "maximum": None}),
        (Dense, "b_std", {"kind": "float", "optional": True, "none": "no bias", "default": None, "minimum": 0}),
        (Dense, "param", {"kind": "choice", "choices": ("ntk", "standard", "mup"), "default": "ntk"}),
        (Dense, "s", {"kind": "floats", "length": 2, "minimum": 0, "open_minimum": True}),
        (Dropout, "keep_rate", {"minimum": 0, "open_minimum": True, "maximum": 1, "open_maximum": False}),
        (Polynomial, "coef", {"kind": "floats", "length": None, "default": (0.0, 1.0)}),
        (Conv, "kernel", {"kind": "ints", "length": None, "minimum": 1, "required": True, "optional": False}),
        (Conv, "stride", {"kind": "ints", "optional": True, "none": "1 everywhere", "start": (2, 2)}),
        (ConvTranspose, "channels", {"kind": "int", "minimum": 1, "log": True}),
        (AvgPool, "padding", {"kind": "choice", "choices": ("SAME", "VALID", "CIRCULAR"), "default": "VALID"}),
        (Index, "slices", {"kind": "nested", "required": True}),
        (DotGeneral, "array", {"kind": "nested", "required": True}),
        (DotGeneral, "dimension_numbers", {"kind": "nested", "default": (((), ()), ((), ()))}),
        (SelfAttention, "n_chan_pos_emb", {"kind": "int", "optional": True, "none": "as the input"}),
        (SelfAttention, "pos_emb_decay", {"kind": "choice", "optional": True, "none": "uncorrelated"}),
        (LayerNorm, "axis", {"kind": "ints", "default": (-1,)}),
        (Branch, "branches", {"kind": "spec", "required": True}),
        (Branch, "axis", {"kind": "int", "optional": True, "none": "channels"}),
        (SOURCE_TYPES["File"], "path", {"kind": "path", "required": True}),
        (SOURCE_TYPES["File"], "labels", {"kind": "path", "optional": True}),
        (SOURCE_TYPES["File"], "target", {"kind": "text", "optional": True}),
        (LAYER_TYPES["ExpNormalized"], "do_clip", {"kind": "bool", "default": False}),
        (Dataset, "classes", {"kind": "ints", "optional": True, "length": None}),
        (Dataset, "source", {"kind": "spec"}),
        (Training, "momentum", {"minimum": 0, "maximum": 1, "open_maximum": True}),
        (Training, "learning_rate", {"optional": True, "minimum": 0, "open_minimum": True}),
        (Input, "shape", {"kind": "ints", "minimum": 1}),
    ],
)
def test_rows_say_what_the_structs_say(cls: type[msgspec.Struct], name: str, expected: dict[str, Any]) -> None:
    found = row(cls, name)
    assert {key: getattr(found, key) for key in expected} == expected


@pytest.mark.parametrize("cls", [*TYPES.values(), *PLAIN])
def test_suggested_values_are_accepted(cls: type[msgspec.Struct]) -> None:
    """Defaults, first values and the ends of the sliders all pass the checks of the fields."""
    for entry, field in zip(field_rows(cls), fields(cls), strict=True):
        assert entry.optional == bool(entry.none)
        values = [entry.default] * (not entry.required) + [entry.start] * entry.optional
        ends = [int(end) if entry.kind in ("int", "ints") else end for end in entry.usual or ()]
        values += [(end,) * (entry.length or 1) for end in ends] if entry.kind in ("ints", "floats") else ends
        for value in values:
            assert read_field(value, field, (cls.__name__,)) == value
        if entry.log and entry.usual and entry.kind == "float":
            assert entry.usual[0] > 0


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (Dense(512), "Dense 512"),
        (Conv(64, kernel=(3, 5)), "Conv 3×5, 64"),
        (ConvLocal(64, kernel=(3,)), "Local conv 3, 64"),
        (AvgPool(window=(2, 2)), "Average pool 2×2"),
        (SelfAttention(64, 32, 32, 8), "Attention (softmax), 64"),
        (ImageResize((-1, 9, 8, -1)), "Resize to –×9×8×–"),
        (GlobalAvgPool(), "Global average pool"),
        (LayerNorm(), "Layer norm"),
        (Relu(), "ReLU"),
        (Numerical(fn="mish"), "mish"),
        (Elementwise(fn="torch.nn.functional.hardswish"), "hardswish"),
        (Elementwise(fn="own.swishy@0123456789abcdef"), "swishy"),
        (Dropout(0.9), "Dropout 0.9"),
        (Branch(((), (Dense(3),))), "Residual block"),
        (Branch(((Dense(2),), (Dense(3),)), merge="concat"), "Branches (concat)"),
    ],
)
def test_captions(layer: msgspec.Struct, words: str) -> None:
    assert caption(layer) == words


def test_unknown_names_have_no_row() -> None:
    with pytest.raises(KeyError):
        type_row("Convolution9D")
