"""The ledger in the real window: split on demand, mute and solo by mouse and key, undo, linked maps, and files."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QLabel, QToolButton

from ntklab import export
from ntklab.figures.model import Bars, Curves, Heatmap, Maps
from ntklab.gui.panels.cards import card
from ntklab.gui.starter import starter_experiment
from ntklab.gui.window import Window
from ntklab.session import Session, Settings, edits

WAIT = 60_000
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def window(qtbot, warm_torch, tmp_path, monkeypatch) -> Iterator[Window]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    window = Window(Session(starter_experiment()), Settings())
    qtbot.addWidget(window)
    with qtbot.waitSignals([window.plots_ready, window.starter_confirmed], timeout=WAIT):
        window.show()
    yield window
    window.close()
    assert window.ended


def idle(qtbot, window: Window) -> None:
    qtbot.waitUntil(lambda: not window.running, timeout=WAIT)


def open_mixer(qtbot, window: Window) -> None:
    tab = next(tab for tab in window.findChildren(QToolButton, "tab-layers") if tab.isVisible())
    qtbot.mouseClick(tab, LEFT)
    qtbot.waitUntil(lambda: len(window.mixer.rows) == 3, timeout=WAIT)
    idle(qtbot, window)


def muted_sum(window: Window, *rows: int) -> np.ndarray:
    return sum(window.session.results.ledger.parts[row] for row in rows)


def test_looking_splits_the_kernel_and_rows_say_what_each_layer_carries(qtbot, window):
    assert window.session.results.ledger is None
    open_mixer(qtbot, window)
    found = window.session.results.ledger
    np.testing.assert_allclose(found.parts.sum(axis=0), window.session.results.empirical.matrix, rtol=1e-4)
    rows = window.mixer.rows
    assert [row.title.text() for row in rows] == ["Dense 512", "Dense 512", "Dense 1"]
    assert sum(row.trace.share for row in rows) == pytest.approx(1.0)
    assert rows[1].trace.words in rows[1].accessibleName()
    assert rows[0].trace.toolTip().startswith("tr Θₗ")
    assert isinstance(window.views.panels["layers"].figure, Bars)
    assert not window.mixer.unmute.isEnabled()


def test_mute_by_mouse_and_undo(qtbot, window):
    open_mixer(qtbot, window)
    row = window.mixer.rows[1]
    qtbot.mouseClick(row.mute, LEFT)
    assert window.session.experiment.kernel.muted == ("2",)
    assert row.mute.isChecked()
    qtbot.waitUntil(lambda: window.session.results.unmuted_spectrum is not None, timeout=WAIT)
    idle(qtbot, window)
    np.testing.assert_allclose(window.session.results.unmuted.values, muted_sum(window, 0, 2), rtol=1e-6)
    assert "empirical" not in window.session.results.outdated
    assert "ledger" not in window.session.results.outdated
    drawn = window.views.panels["spectrum"].figure
    assert [series.name for series in drawn.series][-1] == "without muted layers"
    assert window.mixer.rest[0].text() == "2 of 3 train"
    assert window.mixer.rest[3].text() != window.mixer.all[3].text()
    assert window.session.undo_label == "mute 2 Dense 512"
    window.session.undo()
    qtbot.waitUntil(lambda: window.session.results.unmuted is None, timeout=WAIT)
    idle(qtbot, window)
    assert not row.mute.isChecked()
    assert "without muted layers" not in [s.name for s in window.views.panels["spectrum"].figure.series]
    assert window.session.experiment == starter_experiment()


def test_the_keyboard_goes_along_the_rows_mutes_and_solos(qtbot, window):
    open_mixer(qtbot, window)
    window.activateWindow()
    rows = window.mixer.rows
    rows[0].setFocus()
    qtbot.keyClick(rows[0], Qt.Key.Key_Down)
    assert rows[1].hasFocus()
    qtbot.keyClick(rows[1], Qt.Key.Key_M)
    assert window.session.experiment.kernel.muted == ("2",)
    qtbot.keyClick(rows[1], Qt.Key.Key_M)
    assert window.session.experiment.kernel.muted == ()
    qtbot.keyClick(rows[1], Qt.Key.Key_S)
    assert window.session.experiment.kernel.muted == ("0", "4")
    assert [row.solo.isChecked() for row in rows] == [False, True, False]
    qtbot.keyClick(rows[1], Qt.Key.Key_M)  # the last one: refused, and said why
    assert window.session.experiment.kernel.muted == ("0", "4")
    assert "At least one layer must train" in window.jobs_bar.message.text()
    idle(qtbot, window)
    np.testing.assert_allclose(window.session.results.unmuted.values, muted_sum(window, 1), rtol=1e-6)
    qtbot.mouseClick(window.mixer.unmute, LEFT)
    assert window.session.experiment.kernel.muted == ()
    idle(qtbot, window)
    assert window.session.results.unmuted is None


def test_a_layer_that_is_chosen_shows_its_map(qtbot, window):
    open_mixer(qtbot, window)
    qtbot.mouseClick(window.mixer.rows[2], LEFT, pos=QPoint(3, 3))
    kernel = window.views.panels["kernel"]
    qtbot.waitUntil(lambda: kernel.figure is not None and "layer 3" in kernel.figure.title, timeout=WAIT)
    idle(qtbot, window)
    assert kernel.choice.id == "layer"
    assert kernel.figure.title == "Empirical · layer 3, Dense 1"
    values = window.session.results.ledger.parts[2]
    at = kernel.figure.rows
    np.testing.assert_array_equal(kernel.figure.values, values[np.ix_(at, at)])
    assert window.mixer.rows[2].property("chosen")
    assert {row[0]: row[2] for row in card("layer").rows(window.session)}["l"] == "3 Dense 1"
    window.views.show_choice("layers", "maps")
    maps = window.views.panels["layers"]
    assert isinstance(maps.figure, Maps)
    content = maps.plot.canvas.content
    reading = content.read(0.5, content.bounds().y1 / 2)
    assert reading.pick == ("layer", "0")
    maps.clicked.emit(reading.pick)
    qtbot.waitUntil(lambda: "layer 1" in kernel.figure.title, timeout=WAIT)
    idle(qtbot, window)
    assert content.move(reading, 1, 0).pick == ("layer", "2")


def test_figures_of_the_view(qtbot, window):
    open_mixer(qtbot, window)
    panel = window.views.panels["layers"]
    assert panel.plot.canvas.content.read(1.0, 1.5).text.startswith("trace: ")
    bars = panel.plot.canvas.content
    assert bars.move(bars.read(1.0, 1.5), 1, 1).text.endswith("2 Dense 512")
    for choice in ("spectra", "modes"):
        window.views.show_choice("layers", choice)
        assert isinstance(panel.figure, Curves)
        assert not window.mixer.isVisible()
    window.views.show_choice("layers", "mixer")
    assert window.mixer.isVisible()


def test_an_edit_of_the_network_splits_anew(qtbot, window):
    open_mixer(qtbot, window)
    before = window.session.results.ledger
    window.session.edit(edits.set_width(window.session.experiment, 64), "width")
    qtbot.waitUntil(lambda: window.session.results.ledger is not before, timeout=WAIT)
    idle(qtbot, window)
    assert window.session.results.ledger.titles == ("Dense 64", "Dense 64", "Dense 1")
    assert "ledger" not in window.session.results.outdated


def test_what_is_muted_is_exported(qtbot, window, tmp_path):
    open_mixer(qtbot, window)
    qtbot.mouseClick(window.mixer.rows[0].mute, LEFT)
    qtbot.waitUntil(lambda: window.session.results.unmuted_spectrum is not None, timeout=WAIT)
    idle(qtbot, window)
    experiment = window.session.experiment
    (path,) = export.arrays(window.run(), tmp_path / "arrays.npz", experiment=experiment)
    with np.load(path) as stored:
        np.testing.assert_array_equal(stored["unmuted"], window.session.results.unmuted.values)
        assert stored["ledger_parts"].shape[0] == 3
    assert '"muted": ["0"]' in export.script(experiment)
    assert type(experiment).from_json(experiment.to_json()) == experiment


def test_the_cost_of_looking_is_not_paid_elsewhere(qtbot, window):
    assert window.session.results.ledger is None
    window.session.edit(edits.set_width(window.session.experiment, 32), "width")
    qtbot.wait(400)
    idle(qtbot, window)
    assert window.session.results.ledger is None
    assert isinstance(window.views.panels["kernel"].figure, Heatmap)


def test_the_forecast_says_how_each_layer_is_treated(qtbot, window):
    box = window.experiment_panel.runbox
    qtbot.waitUntil(lambda: bool(box.forecast.text()), timeout=WAIT)
    text = box.forecast.text()
    assert "MB of " in text
    assert "≈ " in text
    assert "tile" in text
    qtbot.mouseClick(box.details, LEFT)
    assert box.route.isVisible()
    shown = [label.text() for label in box.route.findChildren(QLabel)]
    assert {"Layer", "Rule", "1 Dense 512", "3 Dense 1"} <= set(shown)
    assert shown.count("inputs × cotangents") == 3
    qtbot.keyClick(box.route, Qt.Key.Key_Escape)
    assert not box.route.isVisible()


def test_a_view_in_sight_has_its_ledger_from_the_run_that_computes_the_kernel(qtbot, window):
    open_mixer(qtbot, window)
    tasks = []
    window.bridge.started.connect(lambda message: tasks.append(message.job.title))
    window.laboratory.compute()
    before = window.session.results.ledger
    qtbot.waitUntil(lambda: window.session.results.ledger is not before, timeout=WAIT)
    idle(qtbot, window)
    assert "Kernels" in tasks
    assert "Layers" not in tasks
    assert window.views.panels["kernel"].figure is not None
