"""The window on the user's own network: asked before anything runs, whatever goes wrong in it, and its parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QFileDialog, QLabel, QPlainTextEdit, QPushButton, QToolButton

from ntklab.files import sha256_of
from ntklab.gui.dialogs.trust import TrustDialog
from ntklab.gui.panels.architecture import ArchitecturePanel
from ntklab.gui.starter import starter_experiment
from ntklab.gui.window import Window
from ntklab.session import Session, Settings, load_settings
from ntklab.spec import Checkpoint, Dataset, Experiment, ModelFile, ModelObject
from ntklab.spec.dataset import TwoCircles

WAIT = 60_000

NETWORK = """
from pathlib import Path

import torch
from torch import nn

Path(__file__).with_name("it-ran").touch()


def network():
    return nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 1))


def three_outputs():
    return nn.Linear(2, 3)


class Sorted(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner, self.last = nn.Linear(2, 8), nn.Linear(8, 1)

    def forward(self, x):
        return self.last(torch.sort(self.inner(x), dim=-1).values)
"""


def small() -> Experiment:
    return starter_experiment().replace(dataset=Dataset(TwoCircles(), n_train=12, n_test=4, scaling="standardise"))


@pytest.fixture
def opened(qtbot: Any, warm_torch: None, tmp_path: Path, monkeypatch: Any) -> Iterator[Callable[..., Window]]:
    """A window on an experiment, with a home of its own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    made: list[Window] = []

    def open_window(experiment: Experiment, **more: Any) -> Window:
        window = Window(Session(experiment), Settings(), **more)
        made.append(window)
        qtbot.addWidget(window)
        window.show()
        qtbot.waitUntil(lambda: window.furnished and window.laboratory.warm, timeout=WAIT)
        idle(qtbot, window)
        return window

    yield open_window
    for window in made:
        window.close()
        assert window.ended


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "net.py"
    path.write_text(NETWORK)
    return path


def idle(qtbot: Any, window: Window) -> None:
    qtbot.waitUntil(lambda: not window.running, timeout=WAIT)


def drop(window: Window, path: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    actions, buttons, keys = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPointF(300, 300), actions, mime, buttons, keys))


def question(qtbot: Any, window: Window) -> TrustDialog:
    def asked() -> bool:
        return any(dialog.isVisible() for dialog in window.findChildren(TrustDialog))

    qtbot.waitUntil(asked, timeout=WAIT)
    return next(dialog for dialog in window.findChildren(TrustDialog) if dialog.isVisible())


def answer(qtbot: Any, window: Window, name: str) -> None:
    dialog = question(qtbot, window)
    qtbot.mouseClick(dialog.findChild(QPushButton, name), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not window.consent.asking, timeout=WAIT)


def trust(qtbot: Any, window: Window, path: Path, function: str = "network") -> None:
    drop(window, path)
    dialog = question(qtbot, window)
    dialog.function.show_value(function)
    answer(qtbot, window, "trust-file")
    idle(qtbot, window)


def facts(window: Window) -> str:
    return window.experiment_panel.architecture.own.facts.text()


def test_a_dropped_file_runs_only_if_it_is_trusted(qtbot: Any, opened: Any, file: Path) -> None:
    window = opened(small())
    before = window.session.experiment
    drop(window, file)
    dialog = question(qtbot, window)
    assert dialog.findChild(QLabel, "path").text() == str(file)
    assert dialog.findChild(QLabel, "sha256").text() == sha256_of(file)
    assert dialog.findChild(QPlainTextEdit, "listing").toPlainText() == NETWORK
    assert dialog.function.value == "network"
    assert [dialog.function.itemText(row) for row in range(dialog.function.count())] == [
        "network()", "three_outputs()", "Sorted()",
    ]  # fmt: skip
    answer(qtbot, window, "do-not-trust")
    idle(qtbot, window)
    assert window.session.experiment == before
    assert not file.with_name("it-ran").exists()
    trust(qtbot, window, file)
    assert file.with_name("it-ran").exists()
    assert window.session.experiment.model == ModelFile(str(file), "network", sha256_of(file))
    assert len(load_settings().trusted) == 1
    results = window.session.results
    assert results.outdated <= {"trajectory", "convergence"}
    assert results.network is not None
    assert results.network.parameters == 65
    assert results.ntk is not None
    assert "65 parameters · 1 output" in facts(window)
    assert not window.actions_by_id["sweep"].isEnabled()
    window.laboratory.train()
    idle(qtbot, window)
    assert results.trajectory is not None
    assert "trajectory" not in results.outdated
    window.actions_by_id["undo"].trigger()
    assert window.session.experiment == before
    assert window.experiment_panel.architecture.described.isVisibleTo(window)


def test_a_file_that_changed_asks_again(qtbot: Any, opened: Any, file: Path) -> None:
    window = opened(small())
    trust(qtbot, window, file)
    marker = file.with_name("it-ran")
    marker.unlink()
    file.write_text(NETWORK.replace("16", "24"))
    window.actions_by_id["compute"].trigger()
    dialog = question(qtbot, window)
    assert "has changed since you trusted it" in dialog.findChild(QLabel, "warning").text()
    answer(qtbot, window, "do-not-trust")
    assert not marker.exists()
    assert "net.py has changed since you trusted it" in window.experiment_panel.runbox.problem.text()
    window.actions_by_id["compute"].trigger()
    answer(qtbot, window, "trust-file")
    idle(qtbot, window)
    assert window.session.experiment.model.sha256 == sha256_of(file)
    assert window.session.results.network.parameters == 97


def test_an_experiment_that_names_a_file_asks_when_it_is_opened(qtbot: Any, opened: Any, file: Path) -> None:
    window = opened(small().replace(model=ModelFile(str(file), "network", sha256_of(file))))
    question(qtbot, window)
    assert not file.with_name("it-ran").exists()
    assert window.session.results.empirical is None
    answer(qtbot, window, "trust-file")
    idle(qtbot, window)
    assert window.session.results.empirical is not None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def network():\n    return 1 / 0\n", "in line 2, network: return 1 / 0: ZeroDivisionError"),
        ("import sys\nsys.exit(1)\n\ndef network():\n    pass\n", "SystemExit: 1"),
        (NETWORK.replace("nn.Linear(2, 16)", "nn.Linear(5, 16)"), "mat1 and mat2 shapes cannot be multiplied"),
    ],
)
def test_errors_of_the_file_are_told_and_the_window_lives(
    qtbot: Any, opened: Any, file: Path, text: str, said: str
) -> None:
    window = opened(small())
    file.write_text(text)
    trust(qtbot, window, file)
    assert said in window.jobs_bar.message.text()
    qtbot.mouseClick(window.experiment_panel.architecture.findChild(QToolButton, "choice-described"),
                     Qt.MouseButton.LeftButton)  # fmt: skip
    window.laboratory.compute()
    idle(qtbot, window)
    assert window.session.experiment.model is None
    assert window.session.results.empirical is not None


def test_what_is_no_network_file_cannot_be_trusted(qtbot: Any, opened: Any, file: Path) -> None:
    window = opened(small())
    file.write_text("def broken(:\n")
    drop(window, file)
    dialog = question(qtbot, window)
    assert "This is not Python: line 1" in dialog.problem.text()
    assert not dialog.trust.isEnabled()
    answer(qtbot, window, "do-not-trust")


def test_without_a_rule_the_views_say_why(qtbot: Any, opened: Any, file: Path) -> None:
    window = opened(small())
    trust(qtbot, window, file, "Sorted")
    panel = window.views.panels["kernel"]
    assert panel.figure is not None
    panel.choose("analytic")
    assert panel.figure is None
    message = panel.plot._message.text()
    assert message.startswith("No infinite-width kernel")
    assert "sort()" in message
    assert window.experiment_panel.architecture.own.why.text() == message
    assert window.session.results.ntk is None
    window.actions_by_id["undo"].trigger()
    window.laboratory.compute()
    idle(qtbot, window)
    assert panel.figure is not None


def test_outputs_other_than_the_targets_disable_training_with_the_reason(qtbot: Any, opened: Any, file: Path) -> None:
    window = opened(small())
    trust(qtbot, window, file, "three_outputs")
    train = window.experiment_panel.runbox.train
    assert not train.isEnabled()
    assert train.toolTip() == "It has 3 outputs and the data 1 target, so it cannot be trained on it"
    window.experiment_panel.architecture.own._choose_function("network")
    window.laboratory.compute()
    idle(qtbot, window)
    assert train.isEnabled()


def test_a_dropped_checkpoint_is_taken_if_it_fits(
    qtbot: Any, opened: Any, file: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    import torch
    from torch import nn

    window = opened(small())
    trust(qtbot, window, file)
    before = window.session.results.empirical
    fitting, other = tmp_path / "trained.pt", tmp_path / "other.pt"
    torch.save(nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 1)).state_dict(), fitting)
    torch.save(nn.Linear(3, 4).state_dict(), other)
    drop(window, other)
    idle(qtbot, window)
    assert "do not fit" in window.jobs_bar.message.text()
    assert window.session.experiment.checkpoint is None
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(fitting), ""))
    window.actions_by_id["load-parameters"].trigger()
    qtbot.waitUntil(lambda: window.session.experiment.checkpoint is not None, timeout=WAIT)
    idle(qtbot, window)
    assert window.session.results.empirical is not before
    row = window.experiment_panel.architecture.parameters
    assert row.label.text() == "Parameters from trained.pt"
    assert window.inspector.table.texts()["parameters from"] == ("trained.pt",)
    assert any("parameters from" in note for note in window.session.results.empirical.provenance.notes)
    qtbot.mouseClick(row.forget, Qt.MouseButton.LeftButton)
    assert window.session.experiment.checkpoint is None
    idle(qtbot, window)


def test_a_module_of_a_program_is_shown_and_without_it_the_document_is_detached(qtbot: Any, opened: Any) -> None:
    from torch import nn

    from ntklab.networks import own

    module = nn.Linear(2, 1)
    named = own.model_object(module)
    window = opened(small().replace(model=named), objects={named.sha256: module})
    assert window.session.results.network.parameters == 3
    assert window.experiment_panel.architecture.own.path.text().endswith(":Linear, handed over by a program")
    detached = opened(small().replace(model=ModelObject(named.name, 64 * "0")))
    said = detached.experiment_panel.runbox.problem.text()
    assert said.startswith("Linear was handed over by a program, and no file holds it")
    assert "ntklab.show(model, X, y)" in said
    assert detached.session.results.empirical is None


def test_a_network_with_parameters_of_a_file_has_the_width_that_it_has(qtbot: Any) -> None:
    session = Session(small())
    panel = ArchitecturePanel(session)
    qtbot.addWidget(panel)
    assert panel.dial.isEnabled()
    session.edit(small().replace(checkpoint=Checkpoint("trained.pt", 64 * "0")), "parameters")
    assert not panel.dial.isEnabled()
    assert panel.parameters.label.text() == "Parameters from trained.pt"
    session.undo()
    assert panel.dial.isEnabled()
