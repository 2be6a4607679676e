"""The phase view in the real window: on demand, live with the network, a setting by a click, and tabs of a place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton

from ntklab.figures import captions
from ntklab.figures.views import VIEWS
from ntklab.gui.panels.cards import card
from ntklab.gui.panels.grid import ViewGrid
from ntklab.gui.starter import starter_experiment
from ntklab.gui.window import Window
from ntklab.session import Session, Settings, edits

WAIT = 60_000


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


def open_phase(qtbot, window: Window):
    tab = next(tab for tab in window.findChildren(QToolButton, "tab-phase") if tab.isVisible())
    qtbot.mouseClick(tab, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.views.panels["phase"].figure is not None, timeout=WAIT)
    idle(qtbot, window)
    return window.views.panels["phase"]


def test_the_phase_comes_when_it_is_looked_at_and_follows_the_network(qtbot, window):
    assert window.session.results.phase is None
    panel = open_phase(qtbot, window)
    assert window.views.sees("phase")
    assert not window.views.sees("function")
    assert panel.figure.title == "Phase diagram"
    assert "critical" in panel.figure.caption
    before = window.session.results.phase
    window.session.edit(edits.edit_layer(window.session.experiment, 2, "W_std", 2.0), "W_std")
    window.session.edit(edits.edit_layer(window.session.experiment, 0, "W_std", 2.0), "W_std")
    qtbot.waitUntil(lambda: window.session.results.phase is not before, timeout=WAIT)
    idle(qtbot, window)
    assert window.session.results.phase.here.word == "unbounded"
    assert panel.figure.points[0].x == [2.0]
    assert "phase" not in window.session.results.outdated


def test_what_is_out_of_sight_is_not_computed(qtbot, window):
    open_phase(qtbot, window)
    window.views.show_choice("function", "prediction")
    before = window.session.results.phase
    window.session.edit(edits.set_deviations(window.session.experiment, 1.0, 0.2), "other")
    qtbot.waitUntil(lambda: "ntk" in window.session.results.outdated or window.running, timeout=WAIT)
    qtbot.wait(400)
    idle(qtbot, window)
    assert window.session.results.phase is before
    assert "phase" in window.session.results.outdated
    open_phase(qtbot, window)
    qtbot.waitUntil(lambda: "phase" not in window.session.results.outdated, timeout=WAIT)


def test_a_click_on_the_diagram_tries_its_setting_and_undo_takes_it_back(qtbot, window):
    panel = open_phase(qtbot, window)
    content = panel.plot.canvas.content
    reading = content.read(2.0, 1.0)
    assert "χ₁" in reading.text
    panel.clicked.emit(reading.pick)
    layers = window.session.experiment.architecture.layers
    assert layers[0].W_std == layers[2].W_std == pytest.approx(2.0, abs=0.05)
    assert layers[0].b_std == pytest.approx(1.0, abs=0.05)
    assert layers[4] == starter_experiment().architecture.layers[4]  # the read-out
    assert "Ctrl+Z" in window.jobs_bar.message.text()
    window.session.undo()
    assert window.session.experiment == starter_experiment()
    idle(qtbot, window)


def test_the_point_of_the_network_is_read_before_the_field_under_it(qtbot, window):
    panel = open_phase(qtbot, window)
    content, point = panel.plot.canvas.content, panel.figure.points[0]
    near = content.read(float(point.x[0]), float(point.y[0]))
    assert "this network" in near.text
    cell = content.read(0.5, 1.5)
    assert cell.cell is not None
    moved = content.move(cell, 1, 0)
    assert moved.x > cell.x
    assert moved.y == cell.y
    shown = panel.figure.field_values
    row = int((panel.figure.extent[3] - cell.y) / panel.figure.extent[3] * len(shown))
    column = int(cell.x / panel.figure.extent[1] * len(shown))
    assert cell.text.endswith(f"χ₁ = {captions.number(float(shown[row, column]), 6)}")


def test_its_cards_have_the_present_numbers(qtbot, window):
    open_phase(qtbot, window)
    for which in ("phase", "correlation-map", "depth-diagonal", "depth-correlation"):
        values = {row[0]: row[2] for row in card(which).rows(window.session)}
        assert values["phase"] == "critical"
        assert values["χ_1"] == "1"
    assert {row[0]: row[2] for row in card("phase").rows(window.session)}["q*"] == "∞"
    found = window.session.results.phase
    window.session.put("phase", replace(found, correlation=np.full(len(found.names), np.nan)))
    assert {row[0]: row[2] for row in card("correlation-map").rows(window.session)}["c*"] == "stays"


def test_views_that_share_a_place_are_seen_one_at_a_time(qtbot):
    grid = ViewGrid()
    qtbot.addWidget(grid)
    grid.resize(900, 600)
    grid.show()
    raised = []
    grid.raised.connect(raised.append)
    assert [view.id for view in VIEWS if grid.sees(view.id)] == ["kernel", "spectrum", "function", "dynamics"]
    grid.show_choice("phase", "map")
    assert grid.active == "phase"
    assert grid.panels["phase"].isVisible()
    assert not grid.panels["function"].isVisible()
    grid.toggle_maximised()
    assert [name for name, panel in grid.panels.items() if panel.isVisible()] == ["phase"]
    tab = grid.panels["phase"].findChild(QToolButton, "tab-function")
    qtbot.mouseClick(tab, Qt.MouseButton.LeftButton)
    assert grid.active == "function"
    assert grid.panels["function"].isVisible()
    assert raised == ["phase", "function"]
    assert grid.restore()
    assert not grid.restore()
