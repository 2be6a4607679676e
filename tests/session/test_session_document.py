"""The document: edits, undo, results that go stale, selection, subscribers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ntklab.results import Data
from ntklab.session import Change, Selection, Session, edits
from ntklab.session.history import LIMIT
from ntklab.spec import Architecture, Branch, Dataset, Dense, Experiment, Input
from ntklab.spec.activations import Relu


def experiment(**changes: Any) -> Experiment:
    layers = (Dense(16), Relu(), Dense(16), Relu(), Dense(10))
    return Experiment(Architecture(Input("vector", (64,)), layers), **changes)


def data(n: int = 8) -> Data:
    X, Y = np.zeros((n, 2)), np.zeros((n, 1))
    return Data(X, Y, X, Y, None, None, X, X)


@pytest.fixture
def session() -> Session:
    return Session(experiment())


def listened(session: Session) -> list[Change]:
    heard: list[Change] = []
    session.subscribe(heard.append)
    return heard


def set_steps(session: Session, steps: int, *, merge: str | None = None) -> None:
    session.edit(edits.set_training(session.experiment, steps=steps), f"steps {steps}", merge=merge)


def undone(session: Session) -> list[str]:
    labels = []
    while session.can_undo:
        labels.append(session.undo_label)
        session.undo()
    return labels


def test_undo_and_redo_walk_through_the_edits(session: Session) -> None:
    start = session.experiment
    for steps in (1, 2, 3):
        set_steps(session, steps)
    end = session.experiment
    assert (session.can_undo, session.can_redo) == (True, False)
    assert undone(session) == ["steps 3", "steps 2", "steps 1"]
    assert session.experiment == start
    assert session.redo_label == "steps 1"
    while session.can_redo:
        session.redo()
    assert session.experiment == end
    assert (session.undo_label, session.redo_label) == ("steps 3", "")


def test_undo_without_steps_does_nothing(session: Session) -> None:
    heard = listened(session)
    session.undo()
    session.redo()
    assert heard == []


def test_an_edit_forgets_what_was_undone(session: Session) -> None:
    set_steps(session, 1)
    set_steps(session, 2)
    session.undo()
    set_steps(session, 3)
    assert not session.can_redo
    assert undone(session) == ["steps 3", "steps 1"]


def test_an_edit_that_changes_nothing_is_no_step(session: Session) -> None:
    heard = listened(session)
    session.edit(experiment(), "nothing")
    assert not session.can_undo
    assert heard == []


def test_a_dragged_slider_is_one_step(session: Session) -> None:
    start = session.experiment
    for steps in range(1, 50):
        set_steps(session, steps, merge="steps")
    assert session.experiment.training.steps == 49
    session.undo()
    assert session.experiment == start
    session.redo()
    assert session.experiment.training.steps == 49


@pytest.mark.parametrize(
    ("keys", "labels"),
    [
        (("a", "a", "b"), ["steps 3", "steps 2"]),
        (("a", None, "a"), ["steps 3", "steps 2", "steps 1"]),
        ((None, None, None), ["steps 3", "steps 2", "steps 1"]),
    ],
)
def test_only_neighbours_with_one_key_join(session: Session, keys: tuple[str | None, ...], labels: list[str]) -> None:
    for steps, key in enumerate(keys, start=1):
        set_steps(session, steps, merge=key)
    assert undone(session) == labels


def test_after_undo_a_drag_begins_anew(session: Session) -> None:
    set_steps(session, 1, merge="steps")
    set_steps(session, 2)
    session.undo()
    set_steps(session, 3, merge="steps")
    assert undone(session) == ["steps 3", "steps 1"]


def test_a_drag_back_to_its_start_leaves_no_step(session: Session) -> None:
    set_steps(session, 7)
    set_steps(session, 8, merge="steps")
    set_steps(session, 7, merge="steps")
    assert undone(session) == ["steps 7"]


def test_history_is_bounded(session: Session) -> None:
    for steps in range(1, LIMIT + 50):
        set_steps(session, steps)
    assert len(undone(session)) == LIMIT
    assert session.experiment.training.steps == 49


def test_subscribers_hear_of_everything_until_they_leave(session: Session) -> None:
    heard: list[Change] = []
    leave = session.subscribe(heard.append)
    set_steps(session, 3)
    session.put("data", data())
    session.select(mode=2)
    assert heard == [
        Change("experiment", "steps 3"),
        Change("history", "steps 3"),
        Change("results", "data"),
        Change("selection", "mode"),
    ]
    leave()
    leave()
    session.undo()
    assert len(heard) == 4


def test_a_subscriber_may_leave_while_it_is_told(session: Session) -> None:
    heard: list[str] = []
    leave = session.subscribe(lambda change: (heard.append(change.topic), leave()))  # type: ignore[func-returns-value]
    session.subscribe(lambda _: heard.append("second"))
    session.select(step=1)
    assert heard == ["selection", "second"]


def test_selection(session: Session) -> None:
    heard = listened(session)
    session.select(samples=(1, 5), pair=(5, 6), step=9)
    session.select(samples=(1, 5))
    assert session.selection == Selection(samples=(1, 5), pair=(5, 6), step=9)
    assert heard == [Change("selection", "samples, pair, step")]


def test_selected_samples_stay_inside_new_data(session: Session) -> None:
    session.select(samples=(1, 5), pair=(5, 6), mode=1)
    session.put("data", data(6))
    assert session.selection == Selection(samples=(1, 5), pair=None, mode=1)


def test_unknown_names_are_refused(session: Session) -> None:
    with pytest.raises(KeyError):
        session.put("kernel", None)
    with pytest.raises(TypeError):
        session.select(colour=1)


EVERYTHING = (
    "data", "empirical", "ntk", "nngp", "empirical_spectrum", "ntk_spectrum", "trajectory", "convergence",
)  # fmt: skip
FINITE = {"empirical", "empirical_spectrum", "trajectory"}


def renamed_architecture(e: Experiment) -> Experiment:
    return e.replace(architecture=e.architecture.replace(name="other"))


@pytest.mark.parametrize(
    ("edit", "outdated"),
    [
        (lambda e: e.replace(name="other"), set()),
        (renamed_architecture, set()),
        (lambda e: edits.set_kernel(e, memory=10**9), set()),
        (lambda e: edits.set_training(e, steps=3), {"trajectory"}),
        (lambda e: edits.set_training(e, momentum=0.5), {"trajectory", "empirical_spectrum", "ntk_spectrum"}),
        (lambda e: edits.set_kernel(e, seed=3), FINITE),
        (lambda e: edits.set_width(e, 99), FINITE),
        (lambda e: edits.edit_layer(e, 0, "W_std", 2.0), set(EVERYTHING) - {"data"}),
        (lambda e: edits.set_parameterisation(e, "standard"), set(EVERYTHING) - {"data"}),
        (lambda e: edits.set_dataset(e, n_train=20), set(EVERYTHING)),
    ],
)
def test_results_go_stale_by_what_they_are_made_of(session: Session, edit: Any, outdated: set[str]) -> None:
    for name in EVERYTHING:
        session.put(name, data())
    assert not session.results.stale
    heard = listened(session)
    session.edit(edit(session.experiment), "edit")
    assert session.results.outdated == outdated
    assert session.results.stale == bool(outdated)
    assert (Change("results", "stale") in heard) == bool(outdated)
    session.undo()
    assert not session.results.stale


def test_infinite_kernels_of_networks_that_see_their_width_go_stale_with_it() -> None:
    branches = ((Dense(16),), (Dense(48), Relu()))
    layers = (Branch(branches, merge="concat"), Dense(10))
    session = Session(Experiment(Architecture(Input("vector", (64,)), layers)))
    session.put("ntk", data())
    session.edit(edits.set_width(session.experiment, 16), "width")
    assert session.results.outdated == {"ntk"}


def test_a_result_that_arrives_late_is_stale(session: Session) -> None:
    asked = session.experiment
    set_steps(session, 3)
    session.put("trajectory", data(), experiment=asked)
    assert session.results.stale
    session.put("trajectory", None)
    assert not session.results.stale


def test_results_as_a_run(session: Session) -> None:
    assert session.run() is None
    found = data()
    session.put("data", found)
    run = session.run()
    assert run is not None
    assert run.data is found
    assert run.experiment == session.experiment.content_hash()
    session.forget()
    assert session.results.data is None


def test_modified_and_path(session: Session) -> None:
    assert (session.modified, session.path) == (False, None)
    set_steps(session, 3)
    assert session.modified
    session.saved("a.json")
    assert (session.modified, str(session.path)) == (False, "a.json")
    session.undo()
    assert session.modified


def test_opening_a_file_can_be_undone(session: Session) -> None:
    before = session.experiment
    session.opened(experiment(dataset=Dataset(n_train=5)), "folder/new.json")
    assert (session.modified, session.undo_label) == (False, "open new.json")
    session.undo()
    assert session.experiment == before


def test_estimates_go_stale_with_what_is_drawn_and_leave_the_kernels_fresh(session: Session) -> None:
    everything = {"data", "empirical", "ntk", "monte_carlo", "monte_carlo_nngp"}
    for name in everything - {"data"}:
        session.put(name, object())
    session.put("data", data())
    estimates = {"monte_carlo", "monte_carlo_nngp"}
    for changes, stale in (
        ({"monte_carlo": 64}, estimates), ({"monte_carlo_widths": (8, 16)}, estimates), ({"memory": 10**9}, set()),
        ({"outputs": "full"}, {"empirical"}), ({"seed": 3}, {"empirical", *estimates}),
        ({"dtype": "float64"}, everything - {"data"}),
    ):  # fmt: skip
        session.edit(edits.set_kernel(session.experiment, **changes), "kernel")
        assert session.results.outdated == stale, changes
        session.undo()
        assert not session.results.outdated
    session.edit(edits.set_width(session.experiment, 32), "width")  # the networks drawn have widths of their own
    assert session.results.outdated == {"empirical"}


def test_estimates_are_part_of_the_run_for_export(session: Session) -> None:
    found = object()
    session.put("data", data())
    session.put("monte_carlo", found)
    run = session.run()
    assert run is not None
    assert run.monte_carlo is found
    assert run.monte_carlo_nngp is None
