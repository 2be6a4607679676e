"""Sketches need not be possible; settled, they are or say why not."""

from __future__ import annotations

from math import sqrt
from typing import Any

import pytest

from ntklab.errors import SpecError
from ntklab.session import Session, sketches
from ntklab.session.sketches import Sketch, settled, sketch_of
from ntklab.session.tracing import first_fault, shape_before, trace
from ntklab.spec import LAYER_TYPES, Architecture, Branch, Dense, Experiment, Flatten, Input, caption
from ntklab.spec.activations import Relu
from ntklab.spec.convolution import Conv
from ntklab.spec.kernel import KernelRequest
from ntklab.spec.pooling import AvgPool, GlobalAvgPool
from ntklab.spec.transitions import after

BLOCK = Branch(((Relu(), Dense(512)), ()))
EXPERIMENT = Experiment(Architecture(Input("vector", (64,)), (Dense(512), BLOCK, Relu(), Dense(10))))
SKETCH = sketch_of(EXPERIMENT)
IMAGE = Input("image", (8, 8, 1))
CONV = Conv(32, (3, 3), padding="SAME", W_std=sqrt(2.0))
NET = Sketch(IMAGE, (CONV, Relu(), AvgPool((2, 2), (2, 2)), Branch(((Relu(), CONV), ())), Flatten(), Dense(10)))


def names(sketch: Sketch, path: tuple[int, ...] = ()) -> list[str]:
    stack: Any = sketch.layers if not path else sketches.layer_at(sketch, path[:-1]).branches[path[-1]]  # type: ignore[union-attr]
    return [type(layer).__name__ for layer in stack]


@pytest.mark.parametrize(
    ("source", "target", "end", "outer", "inner"),
    [
        ((0,), (1, 0, 0), (0, 0, 0), ["Branch", "Relu", "Dense"], ["Dense", "Relu", "Dense"]),
        ((2,), (1, 0, 2), (1, 0, 2), ["Dense", "Branch", "Dense"], ["Relu", "Dense", "Relu"]),
        ((1, 0, 0), (1,), (1,), ["Dense", "Relu", "Branch", "Relu", "Dense"], None),
        ((1, 0, 1), (9,), (3,), ["Dense", "Branch", "Relu", "Dense", "Dense"], ["Relu"]),
        ((1, 0, 0), (1, 0, 2), (1, 0, 1), ["Dense", "Branch", "Relu", "Dense"], ["Dense", "Relu"]),
        ((0,), (0,), (0,), ["Dense", "Branch", "Relu", "Dense"], ["Relu", "Dense"]),
    ],
)
def test_layers_move_in_and_out_of_branches(source: Any, target: Any, end: Any, outer: Any, inner: Any) -> None:
    moved, place = sketches.move_layer(SKETCH, source, target)
    assert place == end
    assert names(moved) == outer
    if inner is not None:
        assert names(moved, (outer.index("Branch"), 0)) == inner
    assert sketches.layer_at(moved, place) == sketches.layer_at(SKETCH, source)


def test_a_layer_moves_into_an_empty_branch() -> None:
    moved, place = sketches.move_layer(SKETCH, (2,), (1, 1, 0))
    assert (names(moved, (1, 1)), place) == (["Relu"], (1, 1, 0))


def test_a_block_does_not_move_into_itself() -> None:
    with pytest.raises(SpecError, match="cannot be moved into itself"):
        sketches.move_layer(SKETCH, (1,), (1, 0, 0))


def test_duplicates_stand_behind() -> None:
    doubled, place = sketches.duplicate_layer(SKETCH, (1,))
    assert (names(doubled), place) == (["Dense", "Branch", "Branch", "Relu", "Dense"], (2,))
    with pytest.raises(SpecError, match="cannot be duplicated"):
        sketches.duplicate_layer(SKETCH, (3,))


def test_the_parameterisation_of_convolutions_too() -> None:
    found = sketches.set_everywhere(NET, param="standard")
    assert found.layers[0].param == found.layers[3].branches[0][1].param == found.layers[-1].param == "standard"  # type: ignore[union-attr]
    assert found.layers[2] == NET.layers[2]


def test_what_does_not_fit_is_said_only_when_it_is_settled() -> None:
    wide = sketches.edit_layer(SKETCH, (1, 0, 1), width=100)
    assert settled(EXPERIMENT, wide) == EXPERIMENT  # the branch follows
    with pytest.raises(SpecError, match="must end in one shape"):
        settled(EXPERIMENT, wide, keep=(1, 0, 1))
    spatial, _ = sketches.add_layer(SKETCH, (1,), "Conv")
    with pytest.raises(SpecError, match="expected spatial axes"):
        settled(EXPERIMENT, spatial)
    with pytest.raises(SpecError, match="width"):
        sketches.edit_layer(SKETCH, (0,), width=0)


@pytest.mark.parametrize("name", LAYER_TYPES)
@pytest.mark.parametrize("path", [(1,), (3,), (4,), (3, 0, 1), (3, 1, 0)])
def test_a_new_layer_fits_images(name: str, path: tuple[int, ...]) -> None:
    sketch, place = sketches.add_layer(NET, path, name)
    shape = shape_before(NET, path)
    assert shape is not None
    assert type(sketches.layer_at(sketch, place)).__name__ == name
    after(sketches.layer_at(sketch, place), shape)  # raises if it does not


@pytest.mark.parametrize(("shape", "kernel"), [((8, 3), (3,)), ((8, 8, 1), (3, 3)), ((4, 2, 8, 1), (3, 2, 3))])
def test_windows_have_a_size_for_each_spatial_axis(shape: tuple[int, ...], kernel: tuple[int, ...]) -> None:
    kind: Any = {2: "sequence", 3: "image", 4: "volume"}[len(shape)]
    sketch, _ = sketches.add_layer(Sketch(Input(kind, shape), (Relu(),)), (1,), "Conv")
    assert sketch.layers[1] == Conv(64, kernel, padding="SAME", W_std=sqrt(2.0))


def test_a_new_convolution_is_like_its_neighbours() -> None:
    sketch, _ = sketches.add_layer(NET, (2,), "Conv")
    assert sketch.layers[2] == CONV
    sketch, _ = sketches.add_layer(NET, (3,), "Branch")
    assert caption(sketch.layers[3].branches[0][1]) == "Conv 3×3, 32"  # type: ignore[union-attr]


def test_shapes_are_traced_as_far_as_they_go() -> None:
    shapes = [entry.after for entry in trace(NET)]
    assert shapes == [(8, 8, 32), (8, 8, 32), (4, 4, 32), (4, 4, 32), (512,), (10,)]
    assert first_fault(trace(NET)) is None
    broken = Sketch(IMAGE, (CONV, GlobalAvgPool(), BLOCK, CONV, Dense(10)))
    fault = first_fault(trace(broken))
    assert fault is not None
    assert (fault.path, fault.before) == ((2,), (32,))
    assert [entry.after for entry in trace(broken)] == [(8, 8, 32), (32,), None, None, None]
    assert [entry.fault is None for entry in trace(broken)] == [True, True, False, True, True]


def test_the_first_fault_may_lie_in_a_branch() -> None:
    fault = first_fault(trace(Sketch(IMAGE, (Flatten(), Branch(((Relu(), CONV), ())), Dense(10)))))
    assert fault is not None
    assert fault.path == (1, 0, 1)
    assert "expected spatial axes" in str(fault.fault)


@pytest.mark.parametrize(
    ("path", "shape"),
    [((0,), (8, 8, 1)), ((1,), (8, 8, 32)), ((3, 0, 1), (4, 4, 32)), ((3, 1, 0), (4, 4, 32)), ((6,), (10,))],
)
def test_the_shape_before_a_place(path: tuple[int, ...], shape: tuple[int, ...]) -> None:
    assert shape_before(NET, path) == shape


# -- sketches in the document -----------------------------------------------------------------------------------------


def heard(session: Session) -> list[str]:
    topics: list[str] = []
    session.subscribe(lambda change: topics.append(change.topic))
    return topics


def test_a_sketch_is_kept_undone_and_redone() -> None:
    session = Session(EXPERIMENT)
    topics = heard(session)
    session.edit(EXPERIMENT, "conv", sketch=NET)
    assert (session.experiment, session.sketch, topics) == (EXPERIMENT, NET, ["sketch", "history"])
    assert not session.modified
    session.undo()
    assert session.sketch is None
    session.redo()
    assert session.sketch == NET
    session.edit(EXPERIMENT, "take it back")
    assert (session.sketch, session.undo_label) == (None, "take it back")


def test_a_sketch_survives_edits_of_other_parts_and_no_other_network() -> None:
    session = Session(EXPERIMENT)
    session.edit(EXPERIMENT, "conv", sketch=NET)
    seeded = EXPERIMENT.replace(kernel=KernelRequest(seed=3))
    session.edit(seeded, "seed")
    assert (session.experiment, session.sketch) == (seeded, NET)
    session.edit(settled(seeded, sketches.edit_layer(SKETCH, (0,), b_std=0.5)), "bias")
    assert session.sketch is None
    session.undo()
    assert session.sketch == NET


def test_sketches_of_one_drag_are_one_step() -> None:
    session = Session(EXPERIMENT)
    for size in (3, 5, 9):
        bigger = Sketch(IMAGE, (Conv(8, (size, size)), *NET.layers[1:]))
        session.edit(EXPERIMENT, f"kernel {size}", merge="drag", sketch=bigger)
    session.undo()
    assert (session.sketch, session.can_undo) == (None, False)
