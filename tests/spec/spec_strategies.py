"""Random specs, drawn from what the fields of the structs allow."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import strategies as st

from ntklab.spec import (
    LAYER_TYPES,
    SOURCE_TYPES,
    Activation,
    Architecture,
    Branch,
    Dataset,
    Dense,
    Experiment,
    Input,
    KernelRequest,
    Training,
    fitted,
    sample_shape,
)
from ntklab.spec.kinds import Kind, fields
from ntklab.spec.reading import LARGEST_NUMBER

_ACTIVATIONS = [cls for cls in LAYER_TYPES.values() if issubclass(cls, Activation)]


def spec(cls: type[msgspec.Struct], **fixed: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Values of a spec class with random fields, those in ``fixed`` drawn from there."""
    return st.builds(cls, **{field.name: fixed.get(field.name, _values(field.kind)) for field in fields(cls)})


def _values(kind: Kind) -> st.SearchStrategy[Any]:
    drawn = _present(kind)
    return st.none() | drawn if kind.optional else drawn


def _present(kind: Kind) -> st.SearchStrategy[Any]:
    if kind.choices:
        return st.sampled_from(kind.choices)
    if kind.entry is not None:
        low, high = (kind.length, kind.length) if kind.length else (int(kind.minimum or 0), 5)
        return st.lists(_values(kind.entry), min_size=low, max_size=high).map(tuple)
    if kind.scalar is str:
        return st.from_regex(kind.pattern, fullmatch=True) if kind.pattern else st.text(min_size=1)
    if kind.scalar is bool:
        return st.booleans()
    if kind.scalar is int:
        return st.integers(int(-100 if kind.minimum is None else kind.minimum), int(kind.maximum or 10**12))
    low = -LARGEST_NUMBER if kind.minimum is None else kind.minimum
    high = LARGEST_NUMBER if kind.maximum is None else kind.maximum
    return st.floats(low, high, exclude_min=kind.open_minimum, exclude_max=kind.open_maximum)


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


datasets = spec(Dataset, source=st.one_of([spec(cls) for cls in SOURCE_TYPES.values()]), classes=st.none())


@st.composite
def experiments(draw: st.DrawFn) -> Experiment:
    """Experiments whose network fits the data."""
    dataset = draw(datasets)
    network = draw(architectures())
    shape = sample_shape(dataset)
    return Experiment(
        network if shape is None else fitted(network, *shape), dataset, draw(spec(KernelRequest)), draw(spec(Training))
    )
