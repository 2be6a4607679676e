"""The real window, driven as a user drives it: start, edit, dial, train, stop, export, close."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QAction, QDropEvent, QGuiApplication
from PySide6.QtWidgets import QFileDialog, QLineEdit, QPlainTextEdit, QToolButton
from store_tools import kernel, stored

from ntklab.gui import theme
from ntklab.gui.dialogs.export import ExportDialog
from ntklab.gui.dialogs.palette import CommandPalette
from ntklab.gui.dialogs.report import ReportDialog
from ntklab.gui.dialogs.settings import SettingsDialog
from ntklab.gui.dialogs.stored_kernel import StoredKernelDialog
from ntklab.gui.starter import starter_experiment
from ntklab.gui.window import Window
from ntklab.jobs import Report
from ntklab.session import Session, Settings, edits, load_settings

WAIT = 60_000


@pytest.fixture
def window(qtbot, warm_torch, tmp_path, monkeypatch) -> Iterator[Window]:
    """The window as it stands when the starter has been confirmed."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    window = Window(Session(starter_experiment()), Settings())
    qtbot.addWidget(window)
    with qtbot.waitSignals([window.first_painted, window.plots_ready, window.starter_confirmed], timeout=WAIT):
        window.show()
    yield window
    window.close()
    assert window.ended


def idle(qtbot, window: Window) -> None:
    qtbot.waitUntil(lambda: not window.running, timeout=WAIT)


def message(window: Window) -> str:
    return window.jobs_bar.message.text()


def press(qtbot, window: Window, action: str) -> None:
    window.actions_by_id[action].trigger()
    qtbot.wait(1)


def visible(window: Window, kind: type, name: str) -> Any:
    return next(widget for widget in window.findChildren(kind, name) if widget.isVisible())


def with_steps(window: Window, steps: int) -> None:
    window.session.edit(edits.set_training(window.session.experiment, steps=steps), "steps")


def test_the_starter_is_shown_confirmed_and_complete(window):
    assert "equal to the stored result" in message(window)
    for name, panel in window.views.panels.items():
        assert panel.figure is not None or not window.views.sees(name), name
    assert window.session.results.trajectory is not None
    assert not window.session.results.stale


def test_every_choice_of_every_view_draws(qtbot, window):
    press(qtbot, window, "sweep")
    idle(qtbot, window)
    window.session.edit(edits.set_kernel(window.session.experiment, monte_carlo=3, monte_carlo_widths=(8,)), "few")
    press(qtbot, window, "monte-carlo")
    idle(qtbot, window)
    window.laboratory.look_at(frozenset({"phase", "layers"}))
    idle(qtbot, window)
    window.session.edit(edits.mute(window.session.experiment, ("0",)), "mute")
    idle(qtbot, window)
    for name, panel in window.views.panels.items():
        if not window.views.sees(name):
            qtbot.mouseClick(visible(window, QToolButton, f"tab-{name}"), Qt.MouseButton.LeftButton)
        for choice in panel.view.choices:
            if choice.group:
                panel.findChild(QAction, f"choice-{choice.id}").trigger()
            else:
                button = panel.findChild(QToolButton, f"choice-{choice.id}")
                qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
            assert panel.choice.id == choice.id
            assert panel.figure is not None, choice.id
            assert panel.plot.figure is panel.figure


def test_drawing_networks_turns_monte_carlo_on_and_shows_it(qtbot, window):
    small = edits.set_kernel(edits.set_width(window.session.experiment, 16), monte_carlo_widths=(8, 16, 24))
    window.session.edit(small, "small")
    idle(qtbot, window)
    window.experiment_panel.sections["kernel"].open()
    box = window.experiment_panel.kernel.estimates
    qtbot.mouseClick(box.draw, Qt.MouseButton.LeftButton)
    assert window.session.experiment.kernel.monte_carlo == 32
    assert window.views.panels["kernel"].choice.id == "mc-mean"
    idle(qtbot, window)
    found = window.session.results.monte_carlo
    assert found.networks == 32
    assert window.session.run().monte_carlo_nngp.networks == 32
    qtbot.waitUntil(lambda: "32 networks each at widths 8, 16, 24" in box.forecast.toolTip(), timeout=WAIT)
    assert "32 networks" in box.found.text()
    assert "rms z" in box.found.text()
    press(qtbot, window, "seed")
    qtbot.waitUntil(lambda: window.session.results.monte_carlo is not found, timeout=WAIT)
    idle(qtbot, window)
    assert "monte_carlo" not in window.session.results.outdated
    window.session.edit(edits.set_kernel(window.session.experiment, monte_carlo=33), "one more")
    assert "monte_carlo" in window.session.results.outdated
    assert box.found.isHidden()
    idle(qtbot, window)


def test_editing_a_width_recomputes_by_itself_and_undo_brings_it_back(qtbot, window):
    before = window.session.results.empirical
    edit = window.experiment_panel.architecture.dial.findChild(QLineEdit, "dial-value")
    edit.setFocus()
    edit.selectAll()
    qtbot.keyClicks(edit, "96")
    qtbot.keyClick(edit, Qt.Key.Key_Return)
    assert window.session.experiment.architecture.layers[0].width == 96
    qtbot.waitUntil(lambda: window.session.results.empirical is not before, timeout=WAIT)
    idle(qtbot, window)
    assert "empirical" not in window.session.results.outdated
    press(qtbot, window, "undo")
    assert window.session.experiment == starter_experiment()
    idle(qtbot, window)


def test_a_width_of_zero_is_refused_in_place_and_nothing_is_lost(qtbot, window):
    experiment = window.session.experiment
    dial = window.experiment_panel.architecture.dial
    dial.edit.setFocus()
    dial.edit.selectAll()
    qtbot.keyClicks(dial.edit, "0")
    qtbot.keyClick(dial.edit, Qt.Key.Key_Return)
    assert "1" in dial.error.text()
    assert dial.error.isVisible()
    assert dial.edit.text() == "0"
    assert window.session.experiment == experiment


def test_the_width_dial_moves_the_kernel_live_and_records_the_distance(qtbot, window):
    idle(qtbot, window)
    distances = []
    for width in (16, 64, 256, 1024):
        before = window.session.results.empirical
        window.experiment_panel.width_dragged.emit(width)
        qtbot.waitUntil(lambda old=before: window.session.results.empirical is not old, timeout=WAIT)
        qtbot.waitUntil(lambda: not window.running, timeout=WAIT)
        distances.append(window.session.results.convergence.errors[-1, 0])
    assert window.session.results.convergence.widths.tolist() == [16, 64, 256, 1024]
    assert distances[-1] < distances[0] / 2
    assert window.session.experiment == starter_experiment()


def test_dragging_the_slider_with_the_mouse_reaches_the_laboratory(qtbot, window):
    slider = window.experiment_panel.architecture.dial.slider
    left, right = (QPoint(slider.width() * part // 8, slider.height() // 4) for part in (3, 6))
    widths: list[int] = []
    window.experiment_panel.width_dragged.connect(widths.append)
    qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=left)
    for x in range(left.x(), right.x(), 8):
        qtbot.mouseMove(slider, pos=QPoint(x, left.y()))
    qtbot.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=right)
    assert len(widths) > 3
    assert widths == sorted(widths)
    assert window.session.experiment.architecture.layers[0].width >= widths[-1]
    idle(qtbot, window)


def test_training_streams_and_ends(qtbot, window):
    with_steps(window, 300)
    redraws = []
    window.laboratory.figure_changed.connect(lambda view, choice, _: redraws.append((view, choice)))
    press(qtbot, window, "train")
    assert window.running
    idle(qtbot, window)
    trajectory = window.session.results.trajectory
    assert trajectory.steps[-1] == 300
    assert trajectory.train_loss[0, -1] < trajectory.train_loss[0, 0] / 5
    assert ("dynamics", "loss") in redraws
    assert "t = 300 steps" in window.transport.time.text()


def test_escape_stops_training_and_keeps_what_was_found(qtbot, window):
    with_steps(window, 2_000_000)
    before = window.session.results.trajectory
    press(qtbot, window, "train")
    qtbot.waitUntil(lambda: window.session.results.trajectory is not before, timeout=WAIT)
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    idle(qtbot, window)
    assert "stopped" in message(window)
    assert 0 < window.session.results.trajectory.steps[-1] < 2_000_000


def test_closing_while_training_ends_cleanly(qtbot, window):
    with_steps(window, 2_000_000)
    press(qtbot, window, "train")
    qtbot.waitUntil(lambda: window.session.results.trajectory.steps[-1] > 400, timeout=WAIT)
    window.close()
    assert window.ended
    assert not window.bridge.busy


def test_clicking_an_eigenvalue_selects_the_mode_everywhere(qtbot, window):
    window.views.panels["spectrum"].clicked.emit(("mode", 2))
    assert window.session.selection.mode == 2
    assert window.views.panels["function"].choice.id == "mode"
    assert "3" in window.views.panels["function"].figure.title
    assert "Mode 3" in window.inspector.mode.title.text()


def test_switching_the_theme_changes_every_view(qtbot, window):
    light = window.grab().toImage()
    press(qtbot, window, "theme")
    assert theme.current().dark
    dark = window.grab().toImage()
    views = [panel for name, panel in window.views.panels.items() if window.views.sees(name)]
    for region in (*views, window.inspector, window.experiment_panel, window.jobs_bar):
        corner = region.mapTo(window, region.rect().bottomLeft()) + QPoint(3, -3)
        assert light.pixelColor(corner).lightness() > 180, region.objectName()
        assert dark.pixelColor(corner).lightness() < 80, region.objectName()
    assert load_settings().theme == "dark"


@pytest.mark.parametrize("suffix", ["pdf", "svg", "png"])
def test_exporting_a_figure_through_the_dialog(qtbot, window, tmp_path, monkeypatch, suffix):
    target = tmp_path / f"figure.{suffix}"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (str(target), ""))
    press(qtbot, window, "export-figure")
    dialog = window.findChild(ExportDialog)
    dialog.format.setCurrentText(suffix.upper())
    qtbot.mouseClick(dialog.save_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: target.exists() and not window.running, timeout=WAIT)
    assert target.read_bytes()[:4] in (b"%PDF", b"<?xm", b"\x89PNG")
    assert f"wrote figure.{suffix}" in message(window)


@pytest.mark.parametrize("suffix", ["npz", "csv", "h5"])
def test_exporting_arrays(qtbot, window, tmp_path, monkeypatch, suffix):
    target = tmp_path / f"results.{suffix}"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (str(target), ""))
    press(qtbot, window, "export-arrays")
    idle(qtbot, window)
    assert "wrote" in message(window)
    if suffix == "npz":
        with np.load(target) as found:
            values = [found[name] for name in found.files if found[name].shape == (64, 64)]
        assert any(np.array_equal(v, window.session.results.empirical.values) for v in values)
    else:
        assert list(tmp_path.glob("results*"))


def test_copying_figure_and_script(qtbot, window):
    clipboard = QGuiApplication.clipboard()
    press(qtbot, window, "copy-figure")
    idle(qtbot, window)
    assert clipboard.image().width() > 300
    press(qtbot, window, "copy-script")
    assert "import ntklab" in clipboard.text()


def test_the_command_palette_finds_and_runs(qtbot, window):
    press(qtbot, window, "palette")
    palette = window.findChild(CommandPalette)
    qtbot.keyClicks(palette.search, "dark")
    assert palette.list.count() == 1
    was_dark = theme.current().dark
    qtbot.keyClick(palette.search, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: theme.current().dark != was_dark)


def test_maximise_and_escape(qtbot, window):
    press(qtbot, window, "maximise")
    assert window.views.panels["kernel"].isVisible()
    assert not window.views.panels["spectrum"].isVisible()
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert window.views.panels["spectrum"].isVisible()


def test_bad_files_are_one_clear_message_and_change_nothing(qtbot, window, tmp_path):
    experiment = window.session.experiment
    spec = tmp_path / "bad.json"
    spec.write_text(json.dumps({**experiment.to_dict(), "training": {"learning_rate": -1}}))
    data = tmp_path / "bad.npz"
    data.write_bytes(b"not an archive")
    for path, words in ((spec, "learning_rate"), (data, "bad.npz")):
        drop(window, path)
        qtbot.waitUntil(lambda w=words: w in message(window), timeout=WAIT)
        idle(qtbot, window)
        assert window.session.experiment == experiment


def test_a_data_file_dropped_on_the_window_is_learnt_from(qtbot, window, tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 5))
    np.savez(tmp_path / "mine.npz", X=x, y=(x[:, 0] > 0).astype(int))
    drop(window, tmp_path / "mine.npz")
    qtbot.waitUntil(lambda: window.session.experiment.architecture.input.shape == (5,), timeout=WAIT)
    idle(qtbot, window)
    assert window.session.results.data.features == 5
    assert not window.session.results.outdated & {"data", "empirical", "ntk"}


def test_a_stored_kernel_dropped_on_the_window_opens_beside_it(qtbot, window, tmp_path, monkeypatch):
    stored(tmp_path / "K", kernel(30), edge=8)
    drop(window, tmp_path / "K")
    qtbot.waitUntil(lambda: window.findChild(StoredKernelDialog) is not None, timeout=WAIT)
    first = window.findChild(StoredKernelDialog)
    assert first.view.figure.title == "Kernel on disk: K"
    first.close()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    press(qtbot, window, "open-kernel")
    qtbot.waitUntil(lambda: "is no stored kernel" in message(window), timeout=WAIT)
    idle(qtbot, window)


def test_a_budget_too_small_says_so_beside_the_button(qtbot, window):
    window.session.edit(edits.set_kernel(window.session.experiment, memory=1000), "budget")
    press(qtbot, window, "compute")
    idle(qtbot, window)
    assert "memory" in message(window).lower()


def test_an_unexpected_error_has_a_report_to_copy(qtbot, window):
    window.show_failure(Report("Unexpected ValueError: boom", "traceback …"))
    qtbot.mouseClick(window.jobs_bar.details, Qt.MouseButton.LeftButton)
    dialog = window.findChild(ReportDialog)
    qtbot.mouseClick(dialog.copy_button, Qt.MouseButton.LeftButton)
    assert "traceback …" in QGuiApplication.clipboard().text()
    assert dialog.findChild(QPlainTextEdit) is not None


def test_settings_take_effect_and_are_kept(qtbot, window):
    press(qtbot, window, "settings")
    dialog = window.findChild(SettingsDialog)
    dialog.theme.setCurrentIndex(dialog.theme.findData("dark"))
    assert theme.current().dark
    assert load_settings().theme == "dark"


def test_what_was_edited_survives_a_crash(qtbot, window, tmp_path):
    with_steps(window, 123)
    journal = next((tmp_path / "state" / "ntklab").glob("journal-*.json"))
    assert json.loads(journal.read_text())["training"]["steps"] == 123


def drop(window: Window, path: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    window.dropEvent(
        QDropEvent(
            QPointF(5, 5), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        )
    )


def test_the_label_of_earlier_results_follows_the_choice_and_takes_no_room(qtbot, window):
    panel = window.views.panels["dynamics"]
    press(qtbot, window, "sweep")
    idle(qtbot, window)
    panel.choose("loss")
    width = window.minimumSizeHint().width()
    with_steps(window, 7)  # the kernels stay as they are, the training does not
    assert panel.plot._header.caption.note == "of an earlier experiment"
    assert window.minimumSizeHint().width() == width
    panel.choose("convergence")
    assert panel.plot._header.caption.note == ""
    panel.choose("loss")
    assert panel.plot._header.caption.note == "of an earlier experiment"


def test_a_sweep_leaves_the_prediction_of_the_training_in_its_place(qtbot, window):
    before = window.views.panels["function"].figure
    assert "after step" in before.caption
    press(qtbot, window, "sweep")
    idle(qtbot, window)
    assert window.views.panels["function"].figure.caption == before.caption


def test_both_rows_of_views_have_the_same_columns(qtbot, window):
    top, bottom = window.views._row_splitters()
    for size in ((1280, 720), (1440, 900), (1700, 800)):
        window.resize(*size)
        qtbot.wait(20)
        assert top.sizes() == bottom.sizes()
    top.moveSplitter(top.sizes()[0] + 60, 1)
    assert top.sizes() == bottom.sizes()


def test_a_click_into_a_plot_makes_its_view_the_active_one(qtbot, window):
    plot = window.views.panels["dynamics"].plot
    qtbot.mouseClick(plot.canvas.viewport(), Qt.MouseButton.LeftButton)
    assert window.views.active == "dynamics"
