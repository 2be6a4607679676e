"""The right column and what it says, on results made by hand."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

from ntklab.figures.views import VIEWS
from ntklab.gui.panels import InspectorPanel, readings
from ntklab.gui.panels.cards import CARDS, card
from ntklab.gui.panels.samples import picture
from ntklab.gui.starter import starter_experiment, stored_run
from ntklab.results import Data, Gram, Provenance, Spectrum
from ntklab.session import Session, edits

N = 4
EIGENVALUES = np.array([8.0, 4.0, 2.0, 1.0])


def data(image=False):
    X = np.array([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0], [-1.0, 0.0]]) if not image else np.arange(16.0).reshape(N, 4)
    labels = np.array([0, 1, 0, 1])
    Y = np.array([[1.0], [-1.0], [1.0], [-1.0]])
    names = () if image else ("height", "weight")
    return Data(X, Y, X, Y, labels, labels, X, X, ("inner", "outer"), names, (2, 2) if image else None, "made by hand")


def gram(scale, kind, **provenance):
    return Gram(scale * (np.eye(N) + 1.0), Provenance(kind, **provenance))


def spectrum():
    power = np.array([0.5, 0.25, 0.15, 0.1])
    return Spectrum(
        eigenvalues=EIGENVALUES, eigenvectors=np.eye(N), floor=1e-12, condition=8.0, stable_rank=1.3,
        participation_ratio=2.6, effective_dimension=3.9, ridge=0.01, target_power=power, alignment=0.05,
        centred_alignment=0.42, largest_rate=1.0, loss="half_mse", momentum=0.0, provenance=Provenance("spectrum"),
    )  # fmt: skip


@pytest.fixture
def session():
    session = Session(edits.set_dataset(starter_experiment(), n_train=N, n_test=N))
    session.put("data", data())
    session.put("empirical", gram(1.1, "empirical", seed=0))
    session.put("ntk", gram(1.0, "ntk"))
    session.put("nngp", gram(0.5, "nngp"))
    session.put("empirical_spectrum", spectrum())
    session.put("ntk_spectrum", spectrum())
    return session


@pytest.fixture
def inspector(qtbot, session):
    panel = InspectorPanel(session)
    qtbot.addWidget(panel)
    panel.resize(280, 760)
    panel.show()
    qtbot.waitExposed(panel)
    return panel


def values(found):
    return {reading.name: reading.values for reading in found}


def test_the_summary(session):
    shown = values(readings.summary(session))
    assert shown["condition κ"] == ("8", "8")
    assert shown["effective dim."] == ("3.9", "3.9")
    assert (shown["KTA"], shown["CKA"]) == (("0.05", "0.05"), ("0.42", "0.42"))
    assert shown["critical rate"] == ("1", "1")
    assert shown["|Θ−Θ∞| / |Θ∞|"] == ("0.1",)
    assert shown["drift"] == ("—",)
    assert (shown["samples"], shown["d → k"]) == (("4 + 4",), ("2 → 1",))


def test_an_empty_session_has_dashes_and_no_badges():
    session = Session(starter_experiment())
    shown = values(readings.summary(session))
    assert shown["samples"] == ("64 + 64",)
    assert shown["condition κ"] == ("—", "—")
    assert readings.badges(None, None) == ()
    assert [row[2] for spec in CARDS for row in spec.rows(session)]


def test_a_pair(session):
    shown = values(readings.pair(session, 0, 2))
    assert shown["Θ empirical"] == ("1.1",)
    assert shown["Θ analytic"] == ("1",)
    assert shown["difference"] == ("0.1 (10\u202f%)",)
    assert shown["NNGP"] == ("0.5",)
    assert shown["cos(xᵢ, xⱼ)"] == ("0.707",)


@pytest.mark.parametrize("outputs", ["diagonal", "full"])
def test_several_outputs_are_averaged(outputs):
    matrix = np.arange(9.0).reshape(3, 3)
    full = np.stack([matrix, 3 * matrix], axis=-1)
    cube = full if outputs == "diagonal" else np.einsum("ijc,cd->ijcd", full, np.eye(2))
    several = Gram(cube, Provenance("empirical", outputs=outputs))
    assert readings.entry(several, 1, 2) == several.matrix[1, 2] == 10.0


def test_a_mode(session):
    shown = values(readings.mode(session, 1))
    assert shown["λ"] == ("4", "4")
    assert shown["share of target"] == ("25\u202f%", "25\u202f%")
    assert shown["cumulative"] == ("75\u202f%", "75\u202f%")
    # share ½ of the critical rate 1: r shrinks by 1 − 0.5·4/4 = ½ a step
    assert shown["half-life, steps"] == ("1", "1")


def test_rates_of_another_experiment_are_not_used(session):
    assert readings.learning_rate(session) == 0.5
    session.edit(edits.set_width(session.experiment, 64), "width")
    assert readings.learning_rate(session) is None
    session.edit(edits.set_training(session.experiment, learning_rate=0.2), "rate")
    assert readings.learning_rate(session) == 0.2


def test_badges_tell_sound_from_unsound():
    sound = readings.badges(gram(1.0, "ntk"), spectrum())
    assert [badge.text for badge in sound] == ["sym ✓", "PSD ✓", "NaN 0", "f64"]
    broken = np.eye(N)
    broken[0, 1] = 0.5
    broken[2, 2] = np.nan
    assert [badge.tone for badge in readings.badges(Gram(broken, Provenance("ntk")), None)] == [
        "error",
        "error",
        "muted",
    ]
    asymmetric = readings.badges(Gram(np.triu(np.ones((N, N))), Provenance("ntk")), None)
    assert asymmetric[0].text == "not sym"


def test_the_inspector_turns_to_what_is_selected_and_back(qtbot, session, inspector):
    assert inspector.summary.isVisible()
    session.select(pair=(0, 1))
    assert inspector.pair.title.text() == "Pair 0, 1"
    assert not inspector.summary.isVisible()
    shown = [label.text() for label in inspector.samples.findChildren(QLabel)]
    assert shown[:5] == ["#0 · inner", "height", "1", "weight", "0"]
    session.select(mode=2)
    assert inspector.mode.title.text() == "Mode 3"
    assert inspector.mode_table.texts()["λ"] == ("2", "2")
    qtbot.mouseClick(inspector.pair.closed, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(inspector.mode.closed, Qt.MouseButton.LeftButton)
    assert (session.selection.pair, session.selection.mode) == (None, None)
    assert inspector.summary.isVisible()


def test_selected_samples_are_listed(qtbot, session, inspector):
    session.select(samples=(0, 1, 3))
    assert inspector.chosen.title.text() == "3 samples"
    assert "#3 · outer" in inspector.chosen.findChildren(QLabel)[1].text()
    qtbot.mouseClick(inspector.chosen.closed, Qt.MouseButton.LeftButton)
    assert session.selection.samples == ()


def test_new_results_arrive_soon(qtbot, session, inspector):
    session.put("empirical", gram(1.2, "empirical", seed=0))
    qtbot.waitUntil(lambda: inspector.table.texts()["|Θ−Θ∞| / |Θ∞|"] == ("0.2",))
    session.edit(edits.set_width(session.experiment, 64), "width")
    qtbot.waitUntil(inspector.note.isVisible)
    assert "earlier experiment" in inspector.note.text()


def test_pictures_are_shown_as_pictures(session, inspector):
    session.put("data", data(image=True))
    session.select(pair=(1, 2))
    image = picture(session, 1)
    assert (image.width(), image.height()) == (2, 2)
    assert [image.pixelColor(x, y).value() for y in (0, 1) for x in (0, 1)] == [0, 85, 170, 255]
    assert inspector.samples.findChild(QWidget, "sample-2") is not None


def test_every_view_has_its_card(inspector):
    wanted = {choice.card for view in VIEWS for choice in view.choices}
    assert wanted == {spec.id for spec in CARDS}
    for card_id in wanted:
        inspector.set_card(card_id)
        assert inspector.card.title.text() == card(card_id).title
        assert "arXiv:" in inspector.card.reference.text()


def test_numbers_on_the_card_follow_the_session(qtbot, session, inspector):
    inspector.set_card("spectrum")
    assert "1/4" in [row[2] for row in card("spectrum").rows(session)]
    before = [label.text() for label in inspector.card.findChildren(QLabel)]
    session.put("empirical_spectrum", None)
    qtbot.waitUntil(lambda: [label.text() for label in inspector.card.findChildren(QLabel)] != before)


def test_nothing_is_wider_than_the_column(session, inspector):
    session.select(pair=(0, 1), mode=0, samples=(1,))
    for spec in CARDS:
        inspector.set_card(spec.id)
        assert inspector.card.minimumSizeHint().width() <= 244, spec.id
    for block in (inspector.pair, inspector.mode, inspector.chosen, inspector.summary):
        assert block.minimumSizeHint().width() <= 236


def test_the_rate_that_training_used_is_shown_once_it_has_run(session):
    assert readings.learning_rate(session) == 0.5
    session.put("trajectory", replace(stored_run().trajectory, learning_rate=0.125, critical_rate=0.25))
    assert (readings.learning_rate(session), readings.critical_words(session)) == (0.125, "0.25")
    session.edit(edits.set_training(session.experiment, steps=7), "steps")
    assert (readings.learning_rate(session), readings.critical_words(session)) == (0.5, "1")


def test_a_critical_rate_of_a_mean_over_outputs_is_an_estimate(session):
    data = session.results.data
    session.put("data", replace(data, Y_train=np.hstack([data.Y_train] * 2)))
    assert readings.critical_words(session) == "≈ 1"
