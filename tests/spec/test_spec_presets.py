"""Presets fit every input that they are for, and layouts every number of features that fills them."""

from __future__ import annotations

from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntklab.errors import SpecError
from ntklab.spec import (
    PRESETS,
    Architecture,
    Conv,
    Dataset,
    Dense,
    Experiment,
    Flatten,
    GlobalAvgPool,
    Input,
    Preset,
    check_fit,
    fitted,
    lay_out,
    output_shape,
)

BY_ID = {preset.id: preset for preset in PRESETS}
KINDS = {"vector": 1, "sequence": 2, "image": 3, "volume": 4}
sizes = st.integers(1, 33)
inputs = st.sampled_from(sorted(KINDS)).flatmap(
    lambda kind: st.tuples(*(sizes for _ in range(KINDS[kind]))).map(lambda shape: Input(kind, shape))
)


@given(inputs, st.sampled_from(PRESETS), st.integers(1, 10))
def test_presets_fit_or_say_what_they_take(start: Input, preset: Preset, outputs: int) -> None:
    if preset.applies(start):
        architecture = preset.make(start, outputs)
        assert output_shape(architecture) == (outputs,)
        assert (architecture.input, architecture.name) == (start, preset.title)
        assert output_shape(architecture.with_width(8)) == (outputs,)
        assert Architecture.from_json(architecture.to_json()) == architecture
    else:
        with pytest.raises(SpecError, match=f"kind: {preset.title} takes: sequence, image, volume, got 'vector'"):
            preset.make(start, outputs)


def test_presets_are_told_apart() -> None:
    assert len(BY_ID) == len({preset.title for preset in PRESETS}) == len(PRESETS)
    networks = [preset.make(Input("image", (8, 8, 1)), 2).layers for preset in PRESETS]
    assert len(set(networks)) == len(networks)


def test_networks_for_images_shrink_them() -> None:
    """28×28: three pools leave 3×3 positions, and a transformer sees 7×7 patches."""
    start = Input("image", (28, 28, 1))
    myrtle, transformer = (BY_ID[name].make(start, 10) for name in ("myrtle", "transformer"))
    flat = next(i for i, layer in enumerate(myrtle.layers) if isinstance(layer, Flatten))
    assert output_shape(myrtle.replace(layers=myrtle.layers[:flat])) == (3, 3, 128)
    assert output_shape(transformer.replace(layers=transformer.layers[:1])) == (7, 7, 128)


@pytest.mark.parametrize(
    ("kind", "features", "channels", "shape"),
    [
        ("vector", 12, None, (12,)),
        ("vector", 12, 3, (12,)),
        ("sequence", 12, 4, (3, 4)),
        ("sequence", 12, 5, (2, 6)),
        ("sequence", 13, 5, (13, 1)),
        ("sequence", 64, None, (8, 8)),
        ("sequence", 3, None, (3, 1)),
        ("image", 64, None, (8, 8, 1)),
        ("image", 64, 4, (4, 4, 4)),
        ("image", 3072, None, (32, 32, 3)),
        ("volume", 27, None, (3, 3, 3, 1)),
        ("volume", 24, 5, (2, 2, 2, 3)),
    ],
)
def test_features_are_laid_out(kind: str, features: int, channels: int | None, shape: tuple[int, ...]) -> None:
    assert lay_out(kind, features, channels) == Input(kind, shape)


@given(inputs, st.none() | st.integers(1, 9))
def test_layouts_hold_all_features(start: Input, channels: int | None) -> None:
    features = prod(start.shape)
    if len(set(start.shape[:-1])) <= 1 and start.shape[-1] in (1, 3, channels):
        assert prod(lay_out(start.kind, features, channels).shape) == features
    assert prod(lay_out("sequence", features, channels).shape) == features


def test_features_that_fill_no_image_are_refused() -> None:
    with pytest.raises(SpecError, match="fill squares of 1 or 3 channels for the kind 'image', got 30; use a network"):
        lay_out("image", 30)
    with pytest.raises(SpecError, match="fill cubes of 1 or 3 channels for the kind 'volume', got 30; use a network"):
        lay_out("volume", 30)


def network(*shape: int, kind: str = "image") -> Architecture:
    rank = len(shape) - 1
    return Architecture(Input(kind, shape), (Conv(4, kernel=(3,) * rank, padding="SAME"), GlobalAvgPool(), Dense(2)))


def test_networks_on_images_take_data_that_fills_them() -> None:
    """Digits have 64 features and 10 classes."""
    image = network(8, 8, 1).with_outputs(10)
    assert Experiment(image, Dataset()).architecture == fitted(network(8, 8, 1), 64, 10) == image
    assert fitted(network(5, 5, 1), 64, 10) == image
    assert fitted(network(5, 4, kind="sequence"), 64, 10).input == Input("sequence", (16, 4))


def test_networks_on_images_that_data_does_not_fill_are_named() -> None:
    with pytest.raises(SpecError, match=r"shape: expected 64 numbers, as the data has 64 features, got \[8, 8, 2\]"):
        check_fit(network(8, 8, 2), 64, 2)
    with pytest.raises(SpecError, match=r"got \[8, 8, 4\]; put Flatten or a global pool before a last Dense"):
        check_fit(Architecture(Input("image", (8, 8, 1)), (Dense(4),)), 64, 4)
    with pytest.raises(SpecError, match="expected features that fill squares"):
        fitted(network(8, 8, 1), 30, 1)
