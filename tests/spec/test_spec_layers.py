"""Layers on positions: the shapes behind them, their parameters, the widths that follow, and what is refused."""

from __future__ import annotations

import sys
from math import prod
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spec_strategies import spatial_architectures

from ntklab.errors import SpecError
from ntklab.spec import (
    Aggregate,
    Architecture,
    AvgPool,
    Branch,
    Conv,
    ConvLocal,
    ConvTranspose,
    Dense,
    DotGeneral,
    Flatten,
    GlobalAvgPool,
    GlobalSumPool,
    ImageResize,
    Index,
    Input,
    LayerNorm,
    SelfAttention,
    SumPool,
    layer_shapes,
    output_shape,
    own_width,
    parameter_count,
    resized,
)
from ntklab.spec.activations import Relu

VECTOR, SEQUENCE = Input("vector", (3,)), Input("sequence", (7, 3))
IMAGE, VOLUME = Input("image", (6, 5, 2)), Input("volume", (4, 5, 6, 2))
WHOLE = (None, None, None)


def attention(**fields: Any) -> SelfAttention:
    return SelfAttention(**{"n_chan_out": 5, "n_chan_key": 4, "n_chan_val": 3, "n_heads": 2, **fields})


def dot(array: Any, numbers: Any, side: str = "rhs") -> DotGeneral:
    return DotGeneral(array=array, dimension_numbers=numbers, side=side)


@pytest.mark.parametrize(
    ("start", "layer", "shape", "parameters"),
    [
        (SEQUENCE, Conv(8, kernel=(3,)), (5, 8), 3 * 3 * 8),
        (IMAGE, Conv(8, kernel=(3, 2), b_std=0.1), (4, 4, 8), 3 * 2 * 2 * 8 + 8),
        (IMAGE, Conv(8, kernel=(3, 2), stride=(2, 3)), (2, 2, 8), 3 * 2 * 2 * 8),
        (IMAGE, Conv(8, kernel=(9, 2), stride=(4, 2), padding="SAME"), (2, 3, 8), 9 * 2 * 2 * 8),
        (IMAGE, Conv(8, kernel=(3, 3), stride=(2, 2), padding="CIRCULAR"), (3, 3, 8), 9 * 2 * 8),
        (VOLUME, Conv(8, kernel=(1, 2, 3)), (4, 4, 4, 8), 6 * 2 * 8),
        (IMAGE, Conv(8, kernel=(2, 2), param="standard", s=(2.0, 3.0), b_std=0.1), (5, 4, 8), 4 * 4 * 24 + 24),
        (IMAGE, Conv(8, kernel=(2, 2), param="mup", s=(2.0, 3.0)), (5, 4, 8), 4 * 2 * 8),
        (IMAGE, ConvTranspose(8, kernel=(3, 2), stride=(2, 3), padding="SAME"), (12, 15, 8), 6 * 2 * 8),
        (IMAGE, ConvTranspose(8, kernel=(3, 2), stride=(2, 3), padding="CIRCULAR"), (12, 15, 8), 6 * 2 * 8),
        (IMAGE, ConvTranspose(8, kernel=(3, 2), stride=(2, 3)), (13, 15, 8), 6 * 2 * 8),
        (IMAGE, ConvTranspose(8, kernel=(9, 9)), (14, 13, 8), 81 * 2 * 8),
        (IMAGE, ConvLocal(8, kernel=(3, 2), b_std=0.1), (4, 4, 8), 16 * (3 * 2 * 2 * 8 + 8)),
        (IMAGE, AvgPool(window=(2, 2)), (5, 4, 2), 0),
        (IMAGE, AvgPool(window=(2, 2), stride=(2, 2)), (3, 2, 2), 0),
        (IMAGE, SumPool(window=(7, 7), stride=(4, 4), padding="SAME"), (2, 2, 2), 0),
        (VOLUME, GlobalAvgPool(), (2,), 0),
        (SEQUENCE, GlobalSumPool(), (3,), 0),
        (IMAGE, LayerNorm(axis=(1, 2, 3)), (6, 5, 2), 0),
        (VECTOR, LayerNorm(axis=(1,)), (3,), 0),
        (IMAGE, ImageResize((-1, 9, -1, -1)), (9, 5, 2), 0),
        (IMAGE, Aggregate(axis=(2, 1)), (6, 5, 2), 0),
        (IMAGE, Aggregate(axis=(-2,)), (6, 5, 2), 0),
        (SEQUENCE, attention(), (7, 5), 2 * (3 * 4 + 3 * 3 + 3 * 5)),
        (SEQUENCE, attention(linear_scaling=False, b_std=0.0), (7, 5), 2 * (2 * 3 * 4 + 3 * 3 + 3 * 5) + 5),
        (IMAGE, attention(pos_emb_type="SUM", n_chan_pos_emb=9), (6, 5, 5), 2 * (2 * 4 + 2 * 3 + 3 * 5) + 30 * 2),
        (SEQUENCE, attention(pos_emb_type="CONCAT"), (7, 5), 2 * (6 * 4 + 3 * 3 + 3 * 5) + 7 * 3),
        (
            SEQUENCE,
            attention(pos_emb_type="CONCAT", n_chan_pos_emb=9, val_pos_emb=True, linear_scaling=False),
            (7, 5),
            2 * (2 * 12 * 4 + 12 * 3 + 3 * 5) + 7 * 9,
        ),
    ],
)
def test_shapes_and_parameters(start: Input, layer: Any, shape: tuple[int, ...], parameters: int) -> None:
    architecture = Architecture(start, (layer,))
    assert output_shape(architecture) == shape
    assert parameter_count(architecture) == parameters


@given(st.integers(1, 12), st.integers(1, 6), st.integers(1, 5))
def test_windows_stop_where_they_would_leave(size: int, kernel: int, stride: int) -> None:
    """SAME has a window at each stride-th position; VALID those that end inside; transposed, all that they reach."""
    start = Input("sequence", (size, 1))

    def length(cls: Any, padding: str) -> int:
        return output_shape(Architecture(start, (cls(1, kernel=(kernel,), stride=(stride,), padding=padding),)))[0]

    assert length(Conv, "SAME") == length(Conv, "CIRCULAR") == len(range(0, size, stride))
    assert length(ConvTranspose, "SAME") == length(ConvTranspose, "CIRCULAR") == size * stride
    assert length(ConvTranspose, "VALID") == (size - 1) * stride + max(kernel, stride)
    if kernel <= size:
        assert length(Conv, "VALID") == sum(at + kernel <= size for at in range(0, size, stride))


_bound = st.none() | st.integers(-9, 9)
_slice = st.tuples(_bound, _bound, st.none() | st.integers(-3, 3).filter(bool))


@given(_slice, _slice)
def test_slices_are_those_of_python(rows: Any, columns: Any) -> None:
    layer = Index((WHOLE, rows, columns, WHOLE))
    expected = np.empty(IMAGE.shape)[slice(*rows), slice(*columns)]
    if expected.size:
        assert output_shape(Architecture(IMAGE, (layer,))) == expected.shape
        assert layer.ranges(IMAGE.shape)[0] == range(6)[slice(*rows)]
    else:
        with pytest.raises(SpecError, match=r"layer 1 \(Index\), slices, entry [23]: nothing remains of the "):
            Architecture(IMAGE, (layer,))


def zeros(*shape: int) -> Any:
    return np.zeros(shape)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (dot(2.0, (((), ()), ((), ()))), (6, 5, 2)),
        (dot(zeros(6), (((1,), (0,)), ((), ()))), (5, 2)),
        (dot(zeros(6, 9), (((1,), (0,)), ((), ()))), (5, 9, 2)),
        (dot(zeros(9, 5), (((2,), (1,)), ((), ()))), (6, 9, 2)),
        (dot(zeros(9, 5), (((1,), (2,)), ((), ())), "lhs"), (9, 6, 2)),
        (dot(zeros(5, 6), (((2, 1), (0, 1)), ((), ()))), (2,)),
        (dot(zeros(5), (((), ()), ((2,), (0,)))), (5, 6, 2)),
        (dot(zeros(9, 5), (((), ()), ((1,), (2,))), "lhs"), (5, 9, 6, 2)),
        (dot(zeros(6, 5, 9), (((2,), (1,)), ((1,), (0,)))), (6, 9, 2)),
        (dot(zeros(4), (((), ()), ((), ())), "lhs"), (4, 6, 5, 2)),
    ],
)
def test_products_with_arrays_are_laid_out_as_xla_does(layer: DotGeneral, shape: tuple[int, ...]) -> None:
    assert output_shape(Architecture(IMAGE, (layer,))) == shape


def test_products_with_arrays_know_their_sides() -> None:
    layer = dot(zeros(6, 5, 9), (((1,), (2,)), ((0,), (1,))), "lhs")
    assert (layer.contracted, layer.shared) == (((2,), (1,)), ((1,), (0,)))


@settings(max_examples=120, deadline=None)
@given(spatial_architectures(), st.integers(1, 9))
def test_widths_can_be_changed_everywhere(architecture: Architecture, width: int) -> None:
    """Another width leaves the positions and the read-out, and reaches each layer with weights that stands alone."""
    wide = architecture.with_width(width)
    entries = list(zip(layer_shapes(architecture), layer_shapes(wide), strict=True))
    assert output_shape(wide) == output_shape(architecture)
    for old, new in entries[:-1]:
        if old.after != (prod(old.before),):
            assert new.after[:-1] == old.after[:-1]
        assert own_width(new.layer) in (None, width)


@pytest.mark.parametrize(
    ("block", "widths"),
    [
        (Branch(((Relu(), Conv(9, kernel=(3, 3), padding="SAME")), ())), [5]),
        (Branch(((attention(n_chan_out=9),), (Conv(8, kernel=(1, 1)),))), [5, 5]),
        (Branch(((ConvLocal(9, kernel=(1, 1)), Relu()), (Dense(4),)), merge="prod"), [5, 5]),
        (Branch(((Conv(9, kernel=(3, 1)),), ()), merge="concat", axis=1), [5]),
        (Branch(((Conv(9, kernel=(3, 1)),), (ConvTranspose(8, kernel=(1, 1)),)), merge="concat", axis=-3), [5, 5]),
        (Branch(((Conv(9, kernel=(1, 1)),), (Dense(8),)), merge="concat"), [7, 7]),
    ],
)
def test_branches_that_must_agree_follow(block: Branch, widths: list[int]) -> None:
    """The network before is 5 wide in the end; only branches joined along the channels take widths of their own."""
    closed = tuple(tuple(resized(layer, 3) for layer in branch) for branch in block.branches)
    narrow = (Conv(3, kernel=(1, 1)), block.replace(branches=closed), GlobalAvgPool(), Dense(1))
    wide = Architecture(IMAGE, narrow).with_width(widths[0])
    found = [own_width(layer) for branch in wide.layers[1].branches for layer in branch]
    assert [width for width in found if width is not None] == widths


MANY = "expected spatial axes before this layer, got [3]; give the network a sequence, an image or a volume"
FAULTS: list[tuple[Input, Any, str]] = [
    (VECTOR, Conv(4, kernel=(3,)), f"(Conv): {MANY}"),
    (VECTOR, ConvTranspose(4, kernel=(3,)), f"(ConvTranspose): {MANY}"),
    (VECTOR, AvgPool(window=(2,)), f"(AvgPool): {MANY}"),
    (VECTOR, GlobalAvgPool(), f"(GlobalAvgPool): {MANY}, and put this before Flatten and global pools"),
    (VECTOR, attention(), f"(SelfAttention): {MANY}"),
    (VECTOR, Aggregate(), f"(Aggregate): {MANY}"),
    (VECTOR, ImageResize((-1, -1)), f"(ImageResize): {MANY}"),
    (
        IMAGE,
        Conv(4, kernel=(3,)),
        "(Conv), kernel: expected 2 sizes, one for each spatial axis of [6, 5, 2], got [3]; write [3, 3]",
    ),
    (
        SEQUENCE,
        Conv(4, kernel=(3, 3)),
        "(Conv), kernel: expected 1 size, one for each spatial axis of [7, 3], got [3, 3]; write [3]",
    ),
    (
        IMAGE,
        Conv(4, kernel=(3, 3), stride=(2,)),
        "(Conv), stride: expected 2 sizes, one for each spatial axis of [6, 5, 2], got [2]; write [2, 2]",
    ),
    (IMAGE, SumPool(window=(2, 2, 2)), "(SumPool), window: expected 2 sizes, one for each"),
    (
        IMAGE,
        ConvLocal(4, kernel=(6, 6)),
        "(ConvLocal), kernel: expected at most [6, 5], the spatial axes of [6, 5, 2], without padding, got [6, 6]; "
        'make it smaller or use the padding "SAME"',
    ),
    (IMAGE, AvgPool(window=(7, 1)), "(AvgPool), window: expected at most [6, 5]"),
    (IMAGE, LayerNorm(axis=(1, 2)), "(LayerNorm), axis: expected the channel axis among them, got [1, 2]; add −1"),
    (
        IMAGE,
        LayerNorm(axis=(0, -1)),
        "(LayerNorm), axis: expected axes from 1 to 3 (0 is batch, 3 or −1 channels) of [6, 5, 2], got [0, -1]; the",
    ),
    (IMAGE, LayerNorm(axis=(3, -1)), "(LayerNorm), axis: expected each axis once, got [3, -1]; remove one"),
    (IMAGE, Aggregate(axis=(1, 3)), "(Aggregate), axis: expected spatial axes, got [1, 3]; choose from 1 to 2"),
    (SEQUENCE, Aggregate(axis=()), "(Aggregate), axis: expected spatial axes, got []; write [1] for the first"),
    (SEQUENCE, Aggregate(axis=(4,)), "(Aggregate), axis: expected axes from 1 to 2 (0 is batch"),
    (
        IMAGE,
        ImageResize((9, 9)),
        "(ImageResize), shape: expected 4 sizes, for batch and the axes of [6, 5, 2], got [9, 9]; write −1 for batch",
    ),
    (IMAGE, ImageResize((-1, 9, 9, 2)), "(ImageResize), shape: expected −1 for batch and channels, got [-1, 9, 9, 2]"),
    (IMAGE, Index((WHOLE, WHOLE)), "(Index), slices: expected 4 slices, for batch and the axes of [6, 5, 2], got '2'"),
    (
        IMAGE,
        Index(((1, None, None), WHOLE, WHOLE, WHOLE)),
        "(Index), slices, entry 1: expected no slice of the batch axis, got [1, None, None]; write [none, none, none]",
    ),
    (IMAGE, Index((WHOLE, WHOLE, WHOLE, (None, None, 2))), "slices, entry 4: expected no slice of the channel axis"),
    (
        IMAGE,
        Index((WHOLE, WHOLE, (5, None, None), WHOLE)),
        "slices, entry 3: nothing remains of the 5 positions along this axis, got [5, None, None]; take at least one",
    ),
    (
        IMAGE,
        dot(zeros(6), (((1,), ()), ((), ()))),
        "(DotGeneral), dimension_numbers: expected as many contracted axes on the left as on the right, got [[1], []]",
    ),
    (
        IMAGE,
        dot(zeros(2), (((3,), (0,)), ((), ()))),
        "expected contracted axes of the network's values from 1 to 2, the spatial ones of [6, 5, 2], got [3]; batch",
    ),
    (IMAGE, dot(zeros(2), (((), ()), ((0,), (0,)))), "expected batch axes of the network's values from 1 to 2"),
    (
        VECTOR,
        dot(zeros(2), (((1,), (0,)), ((), ()))),
        "expected contracted axes of the network's values that the network's values do not have here",
    ),
    (
        IMAGE,
        dot(zeros(6), (((1,), (1,)), ((), ()))),
        "expected contracted axes of the array of shape [6], got [1]; the first is 0",
    ),
    (
        IMAGE,
        dot(zeros(5), (((1,), (0,)), ((), ()))),
        "expected sizes [6] along the contracted axes of the array, as the network's values have, got [5]; change the",
    ),
    (IMAGE, dot(zeros(6, 6), (((1,), (0,)), ((1,), (1,)))), "dimension_numbers: expected each axis once, got [[1, 1]"),
    (
        IMAGE,
        Branch(((Conv(2, kernel=(3, 3)),), ())),
        "(Branch): branches to sum must end in one shape, got [4, 3, 2] and [6, 5, 2]; use the padding",
    ),
    (
        IMAGE,
        Branch(((Conv(2, kernel=(3, 3), padding="SAME"),), (Conv(3, kernel=(1, 1)), GlobalAvgPool()))),
        "branches to sum must end in one shape, got [6, 5, 2] and [3]; use the padding",
    ),
    (
        IMAGE,
        Branch(((Conv(4, kernel=(3,)),), ())),
        "layer 1 (Branch), branch 1, layer 1 (Conv), kernel: expected 2 sizes",
    ),
]


@pytest.mark.parametrize(("start", "layer", "message"), FAULTS, ids=[message[:50] for *_, message in FAULTS])
def test_layers_that_do_not_fit_are_named(start: Input, layer: Any, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        Architecture(start, (layer, Dense(1)))
    assert str(caught.value).startswith("architecture, layer 1 (")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Conv(0, kernel=(3,)), "Conv, channels: expected a whole number of at least 1, got 0; give a width"),
        (lambda: Conv(4, kernel=()), "Conv, kernel: expected a list of 1 to 3, got ()"),
        (lambda: Conv(4, kernel=3), "Conv, kernel: expected a list of 1 to 3, got 3; write […]"),
        (lambda: Conv(4, kernel=(0,)), "Conv, kernel, entry 1: expected a whole number of at least 1, got 0"),
        (lambda: Conv(4, kernel=(3,), stride=(0,)), "Conv, stride, entry 1: expected a whole number of at least 1"),
        (
            lambda: Conv(4, kernel=(3,), padding="same"),
            "padding: expected 'SAME', 'VALID' or 'CIRCULAR', got 'same'",
        ),
        (lambda: ImageResize((-1, 0, -1)), "ImageResize, shape, entry 2: expected at least 1, got 0; use −1 to keep"),
        (lambda: Index(((1, 2),)), "Index, slices, entry 1: expected a list of 3, got (1, 2)"),
        (lambda: Index(((None, "x", None),)), "slices, entry 1, entry 2: expected a whole number or none, got 'x'"),
        (
            lambda: Index(((None, None, 0),)),
            "Index, slices, entry 1: expected a step other than 0, got 0; use none",
        ),
        (lambda: LayerNorm(eps=-1), "LayerNorm, eps: expected a number of at least 0, got -1"),
        (lambda: attention(mechanism="softmax"), "mechanism: expected 'SOFTMAX', 'IDENTITY', 'RELU', 'ABS' or 'FLAT'"),
        (
            lambda: DotGeneral(1.0, (((-1,), ()), ((), ()))),
            "dimension_numbers, entry 1, entry 1, entry 1: expected a",
        ),
        (lambda: DotGeneral(1.0, ((), ())), "DotGeneral, dimension_numbers, entry 1: expected a list of 2, got ()"),
    ],
)
def test_faults_of_one_layer(make: Any, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        make()
    assert message in str(caught.value)


def test_no_stride_is_1_everywhere() -> None:
    assert Conv(4, kernel=(3, 3)).strides == AvgPool(window=(3, 3)).strides == (1, 1)
    assert Conv(4, kernel=(3, 3), stride=(1, 2)).strides == (1, 2)


def test_layers_without_weights_have_no_width() -> None:
    assert own_width(Flatten()) is None
    assert resized(Flatten(), 4) == Flatten()


def test_modules_are_lifted_by_the_networks_room(monkeypatch: pytest.MonkeyPatch) -> None:
    room = ModuleType("lift")
    room.lift = lambda module, input_shape: (module, input_shape)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ntklab.networks.lift", room)
    assert Architecture.from_module("module", (3, 8, 8)) == ("module", (3, 8, 8))
