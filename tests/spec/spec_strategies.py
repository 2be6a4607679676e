"""Random specs, drawn from what the fields of the structs allow."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import strategies as st

from ntklab.spec import (
    LAYER_TYPES,
    SOURCE_TYPES,
    Activation,
    Aggregate,
    Architecture,
    AvgPool,
    Branch,
    Conv,
    ConvLocal,
    ConvTranspose,
    Dataset,
    Dense,
    DotGeneral,
    Experiment,
    ImageResize,
    Index,
    Input,
    KernelRequest,
    Layer,
    LayerNorm,
    SelfAttention,
    SumPool,
    Training,
    fitted,
    sample_shape,
)
from ntklab.spec.kinds import Kind, fields
from ntklab.spec.reading import LARGEST_NUMBER
from ntklab.spec.transitions import Shape, after

_ACTIVATIONS = [cls for cls in LAYER_TYPES.values() if issubclass(cls, Activation)]


def spec(cls: type[msgspec.Struct], **fixed: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Values of a spec class with random fields, those in ``fixed`` drawn from there."""
    return st.builds(cls, **{field.name: fixed.get(field.name, _values(field.kind)) for field in fields(cls)})


def _values(kind: Kind) -> st.SearchStrategy[Any]:
    drawn = _present(kind)
    return st.none() | drawn if kind.optional else drawn


def _present(kind: Kind) -> st.SearchStrategy[Any]:
    if kind.nested:
        return arrays(draw_shape=st.lists(st.integers(1, 3), max_size=3))
    if kind.choices:
        return st.sampled_from(kind.choices)
    if kind.entry is not None:
        low, high = (kind.length, kind.length) if kind.length else (int(kind.minimum or 0), 5)
        return st.lists(_values(kind.entry), min_size=low, max_size=min(high, int(kind.maximum or 5))).map(tuple)
    if kind.scalar is str:
        return st.from_regex(kind.pattern, fullmatch=True) if kind.pattern else st.text(min_size=1)
    if kind.scalar is bool:
        return st.booleans()
    if kind.scalar is int:
        return st.integers(int(-100 if kind.minimum is None else kind.minimum), int(kind.maximum or 10**12))
    low = -LARGEST_NUMBER if kind.minimum is None else kind.minimum
    high = LARGEST_NUMBER if kind.maximum is None else kind.maximum
    return st.floats(low, high, exclude_min=kind.open_minimum, exclude_max=kind.open_maximum)


@st.composite
def arrays(draw: st.DrawFn, draw_shape: st.SearchStrategy[list[int]]) -> Any:
    """Numbers and rectangular arrays as specs hold them."""
    array: Any = None
    for size in reversed(draw(draw_shape)):
        array = tuple(array or draw(st.floats(-4, 4)) for _ in range(size))
    return draw(st.floats(-4, 4)) if array is None else array


_pointwise = st.one_of([spec(cls) for cls in _ACTIVATIONS] + [spec(LAYER_TYPES["Dropout"])])
_dense = spec(Dense, width=st.integers(1, 64))


@st.composite
def _stacks(draw: st.DrawFn, shape: int, depth: int) -> tuple[Any, ...]:
    """Layers that fit behind ``shape`` units, and do not change their number inside blocks."""
    layers: list[Any] = []
    for _ in range(draw(st.integers(0, 3))):
        choice = draw(st.integers(0, 2 if depth else 1))
        if choice == 0:
            layers.append(draw(_pointwise))
        elif choice == 1:
            layers.append(draw(_dense))
            shape = layers[-1].width
        else:
            inside = draw(_stacks(shape, depth - 1))
            layers.append(Branch(((*inside, draw(_dense).replace(width=shape)), ())))
    return tuple(layers)


@st.composite
def architectures(draw: st.DrawFn, features: int = 7) -> Architecture:
    """Networks of dense and pointwise layers and nested residual blocks, with a read-out."""
    layers = draw(_stacks(features, 2))
    return Architecture(Input("vector", (features,)), (*layers, draw(_dense)), name=draw(st.text()))


requests = spec(
    KernelRequest,
    monte_carlo_widths=st.none() | st.lists(st.integers(1, 64), min_size=1, max_size=5, unique=True).map(tuple),
    muted=st.lists(st.text(max_size=20), max_size=5, unique=True).map(tuple),
)

datasets = spec(Dataset, source=st.one_of([spec(cls) for cls in SOURCE_TYPES.values()]), classes=st.none())


@st.composite
def experiments(draw: st.DrawFn) -> Experiment:
    """Experiments whose network fits the data."""
    dataset = draw(datasets)
    network = draw(architectures())
    shape = sample_shape(dataset)
    return Experiment(
        network if shape is None else fitted(network, *shape), dataset, draw(requests), draw(spec(Training))
    )


_sizes = st.integers(1, 3)
_width = st.integers(1, 8)


def _window(draw: st.DrawFn, shape: Shape) -> dict[str, Any]:
    """A stride and a padding for windows over ``shape``, and the size that fits without padding."""
    strides = st.tuples(*(st.integers(1, 3) for _ in shape[:-1]))
    fitting = tuple(draw(st.integers(1, min(3, n))) for n in shape[:-1])
    padding = draw(st.sampled_from(["SAME", "VALID", "CIRCULAR"]))
    return {"size": fitting, "stride": draw(st.none() | strides), "padding": padding}


def _convolved(cls: type[Any]) -> Any:
    def make(draw: st.DrawFn, shape: Shape) -> Layer:
        window = _window(draw, shape)
        fixed = {"channels": _width, "kernel": st.just(window.pop("size"))}
        return draw(spec(cls, **fixed, **{name: st.just(value) for name, value in window.items()}))

    return make


def _pooled(cls: type[Any]) -> Any:
    def make(draw: st.DrawFn, shape: Shape) -> Layer:
        window = _window(draw, shape)
        return draw(spec(cls, window=st.just(window.pop("size")), **{k: st.just(v) for k, v in window.items()}))

    return make


def _spatial_axes(draw: st.DrawFn, shape: Shape) -> tuple[int, ...]:
    """Some spatial axes, in any order, some counted from the end."""
    rank = len(shape)
    axes = draw(st.lists(st.integers(1, rank - 1), min_size=1, unique=True))
    return tuple(axis - rank - 1 if draw(st.booleans()) else axis for axis in axes)


def _slices(draw: st.DrawFn, shape: Shape) -> tuple[Any, ...]:
    whole = (None, None, None)
    kept = st.sampled_from([whole, (None, None, 2), (-1, None, None), (None, 1, None), (None, None, -1)])
    return (whole, *(draw(kept) for _ in shape[:-1]), whole)


def _contraction(draw: st.DrawFn, shape: Shape) -> Layer:
    """The product with a matrix that has the size of a spatial axis along the first of its own."""
    axis = draw(st.integers(1, len(shape) - 1))
    size, columns, side = shape[axis - 1], draw(_sizes), draw(st.sampled_from(["lhs", "rhs"]))
    array = draw(arrays(st.just([size, columns])))
    pair = ((axis,), (0,)) if side == "rhs" else ((0,), (axis,))
    numbers = (pair, ((), ())) if draw(st.booleans()) else (((), ()), pair)
    return DotGeneral(array=array, dimension_numbers=numbers, side=side)


def _attention(draw: st.DrawFn, _: Shape) -> Layer:
    fixed = {name: _width for name in ("n_chan_out", "n_chan_key", "n_chan_val", "n_heads")}
    return draw(spec(SelfAttention, **fixed, n_chan_pos_emb=st.none() | _width))


def _joined(draw: st.DrawFn, shape: Shape) -> Layer:
    """Branches side by side along a spatial axis, multiplied, or added to the identity."""
    same = Conv(shape[-1], kernel=(1,) * (len(shape) - 1), padding="SAME")
    axis, merge = draw(st.integers(1, len(shape) - 1)), draw(st.sampled_from(["sum", "prod", "concat"]))
    return Branch(((same,), (draw(_pointwise),), ()), merge=merge, axis=axis)


_SPATIAL: dict[str, Any] = {
    "Conv": _convolved(Conv),
    "ConvTranspose": _convolved(ConvTranspose),
    "ConvLocal": _convolved(ConvLocal),
    "AvgPool": _pooled(AvgPool),
    "SumPool": _pooled(SumPool),
    "Dense": lambda draw, _: draw(_dense),
    "pointwise": lambda draw, _: draw(_pointwise),
    "LayerNorm": lambda draw, shape: draw(spec(LayerNorm, axis=st.just((*_spatial_axes(draw, shape), -1)))),
    "SelfAttention": _attention,
    "ImageResize": lambda draw, shape: draw(
        spec(ImageResize, shape=st.just((-1, *(draw(st.sampled_from([-1, 2, 5])) for _ in shape[:-1]), -1)))
    ),
    "Index": lambda draw, shape: Index(_slices(draw, shape)),
    "DotGeneral": _contraction,
    "Aggregate": lambda draw, shape: Aggregate(_spatial_axes(draw, shape)),
    "Branch": _joined,
}
_ENDS = ["Flatten", "GlobalAvgPool", "GlobalSumPool"]


@st.composite
def spatial_architectures(draw: st.DrawFn) -> Architecture:
    """Networks of all kinds of layers on sequences, images and volumes, with a read-out."""
    kind, axes = draw(st.sampled_from([("sequence", 1), ("image", 2), ("volume", 3)]))
    start = shape = (*(draw(st.integers(1, 5)) for _ in range(axes)), draw(st.integers(1, 3)))
    layers: list[Any] = []
    for name in draw(st.lists(st.sampled_from(sorted(_SPATIAL)), max_size=5)):
        if 1 < len(shape) < 5:
            layers.append(_SPATIAL[name](draw, shape))
            shape = after(layers[-1], shape)
    if len(shape) > 1:
        layers.append(LAYER_TYPES[draw(st.sampled_from(_ENDS))]())
    return Architecture(Input(kind, start), (*layers, draw(_dense)))
