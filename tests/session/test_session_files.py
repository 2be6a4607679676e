"""Experiments in files, the autosave journal and the settings: nothing is lost, nothing is raised where it must not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest

from ntklab.errors import FileError, NtkLabError, SpecError
from ntklab.session import Journal, Session, Settings, autosave, edits, load_settings, save_settings
from ntklab.session.files import open_experiment, save_experiment
from ntklab.session.settings import read_settings
from ntklab.spec import LARGEST, Architecture, Dense, Experiment, Input

EXPERIMENT = Experiment(Architecture(Input("vector", (64,)), (Dense(10),)), name="Δ test")


@pytest.mark.parametrize("name", ["e.json", "e.toml", "deep/er/e.JSON"])
def test_what_is_saved_is_read_back(tmp_path: Path, name: str) -> None:
    assert save_experiment(tmp_path / name, EXPERIMENT) == tmp_path / name
    assert open_experiment(str(tmp_path / name)) == EXPERIMENT


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "e.json").write_text(EXPERIMENT.to_json(), encoding="utf-8-sig")
    assert open_experiment(tmp_path / "e.json") == EXPERIMENT


@pytest.mark.parametrize(
    ("name", "content", "kind", "words"),
    [
        ("missing.json", None, FileError, "No such file"),
        ("e.yaml", b"", FileError, "expected a name ending in .json or .toml, got '.yaml'"),
        ("noname", b"", FileError, "got no suffix"),
        ("e.json", b"\xff\xfe", FileError, "byte 0 is not UTF-8 text"),
        ("e.json", b" " * (LARGEST + 1), FileError, "more than 4 MiB"),
        ("e.json", b"", SpecError, "cannot be read as JSON"),
        ("e.toml", b"= 3", SpecError, "cannot be read as TOML"),
        ("e.json", b"[" * 200_000, SpecError, "cannot be read as JSON"),
        ("e.json", b'{"architecture": {"input": {"shape": [64]}, "layers": []}}', SpecError, "add a Dense layer"),
    ],
)
def test_bad_files_name_their_path(tmp_path: Path, name: str, content: bytes | None, kind: type, words: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(NtkLabError) as caught:
        open_experiment(path)
    assert type(caught.value) is kind
    assert str(path) in str(caught.value)
    assert words in str(caught.value)


def test_a_folder_is_no_experiment(tmp_path: Path) -> None:
    (tmp_path / "e.json").mkdir()
    with pytest.raises(FileError, match="it is not a file"):
        open_experiment(tmp_path / "e.json")


def test_saving_needs_a_known_suffix(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="rename it"):
        save_experiment(tmp_path / "e.txt", EXPERIMENT)
    assert list(tmp_path.iterdir()) == []


def ended_process() -> int:
    """The number of a process that is no more."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_every_edit_is_kept_until_the_end(tmp_path: Path) -> None:
    session, journal, said = Session(EXPERIMENT), Journal(tmp_path), list[str]()
    stop = autosave(session, journal, said.append)
    session.edit(edits.set_training(EXPERIMENT, steps=7), "steps")
    session.select(mode=3)
    assert open_experiment(journal.path).training.steps == 7
    session.undo()
    assert open_experiment(journal.path) == EXPERIMENT
    stop()
    session.redo()
    assert open_experiment(journal.path) == EXPERIMENT
    journal.clear()
    journal.clear()
    assert (list(tmp_path.iterdir()), said) == ([], [])


def test_what_a_crash_left_is_recovered_once(tmp_path: Path) -> None:
    left = tmp_path / f"journal-{ended_process()}.json"
    left.write_text(EXPERIMENT.to_json(), encoding="utf-8")
    journal = Journal(tmp_path)
    assert journal.recover() == EXPERIMENT
    assert [path.name for path in tmp_path.iterdir()] == [journal.path.name]
    journal.clear()
    assert Journal(tmp_path).recover() is None


def test_an_earlier_process_of_our_number_is_recovered(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.write(EXPERIMENT)
    assert Journal(tmp_path).recover() == EXPERIMENT


def test_journals_of_living_processes_and_other_files_are_left_alone(tmp_path: Path) -> None:
    for name in (f"journal-{os.getppid()}.json", "journal-abc.json", "other.json"):
        (tmp_path / name).write_text(EXPERIMENT.to_json(), encoding="utf-8")
    assert Journal(tmp_path).recover() is None
    assert len(list(tmp_path.iterdir())) == 3


def test_the_newest_journal_wins_and_bad_ones_are_kept_aside(tmp_path: Path) -> None:
    old, bad, newest = (tmp_path / f"journal-{ended_process()}.json" for _ in range(3))
    old.write_text(EXPERIMENT.to_json(), encoding="utf-8")
    bad.write_text('{"architecture": ', encoding="utf-8")
    newest.write_text(edits.rename(EXPERIMENT, "new").to_json(), encoding="utf-8")
    for age, path in ((300, old), (100, bad), (200, newest)):
        os.utime(path, (1e9 - age, 1e9 - age))
    recovered = Journal(tmp_path).recover()
    assert recovered is not None
    assert recovered.name == "new"
    assert Path(f"{bad}.bad").read_text(encoding="utf-8") == '{"architecture": '
    assert old.exists()


def test_recovery_without_a_folder(tmp_path: Path) -> None:
    assert Journal(tmp_path / "none").recover() is None


def test_autosave_never_raises_and_complains_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    session, said = Session(EXPERIMENT), list[str]()
    autosave(session, Journal(tmp_path / "file"), said.append)
    for steps in (1, 2, 3):
        session.edit(edits.set_training(EXPERIMENT, steps=steps), "steps")
    assert len(said) == 1
    assert said[0].startswith("autosave: cannot write")


def test_settings_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "settings.json"
    assert load_settings(path) == Settings()
    settings = Settings(theme="dark", memory=2**30, threads=2, geometry="AAA=", folder="/tmp")
    assert save_settings(settings, path) == ""
    assert load_settings(path) == settings


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{", b'{"theme": "pink"}', b'{"threads": 0}', b"\xff", b"[" * 100_000, b'{"memory": 1e999}'],
)
def test_bad_settings_are_kept_aside(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    settings, problem = read_settings(path)
    assert settings == Settings()
    assert "the defaults are used" in problem
    assert (tmp_path / "settings.json.bad").read_bytes() == content
    assert read_settings(path) == (Settings(), "")


def test_settings_of_a_newer_version_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"theme": "light", "hologram": true}', encoding="utf-8")
    assert read_settings(path) == (Settings(theme="light"), "")


def test_where_settings_and_journals_live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the user's own folders, whatever the system calls them."""
    monkeypatch.setattr(platformdirs, "user_config_path", lambda *_, **__: tmp_path / "config")
    monkeypatch.setattr(platformdirs, "user_state_path", lambda *_, **__: tmp_path / "state")
    assert save_settings(Settings(theme="dark")) == ""
    assert load_settings().theme == "dark"
    assert Journal().write(EXPERIMENT) == ""
    assert {path.name for path in tmp_path.rglob("*.json")} == {"settings.json", f"journal-{os.getpid()}.json"}


def test_settings_that_cannot_be_stored(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    assert save_settings(Settings(), tmp_path / "file" / "settings.json").startswith("settings: cannot write")
