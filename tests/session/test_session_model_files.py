"""Python files with networks: read without running, trusted by path and content; and what choosing one changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from ntklab.errors import FileError, SpecError
from ntklab.files import LARGEST_CODE
from ntklab.results import Absence
from ntklab.session import Session, Settings, edits, load_settings, model_files, save_settings
from ntklab.session.model_files import Function, read_source, state, trusting, trusts
from ntklab.spec import Architecture, Checkpoint, Dense, Experiment, Input, ModelFile

A, B = 64 * "a", 64 * "b"

TEXT = '''
import sys
sys.exit("this must not run")

def needs(width):
    return width

def network(width=8, *, deep=False):
    """A network.

    More of it."""

def keyword(*, width):
    pass

async def later():
    pass

class Plain(nn.Module):
    pass

class Wide(torch.nn.Module):
    def __init__(self, width): ...

class Deep(Module):
    """Of some depth."""
    def __init__(self, depth=3): ...

class Other:
    pass
'''


def experiment(**changes: object) -> Experiment:
    return Experiment(Architecture(Input("vector", (64,)), (Dense(10),)), **changes)  # type: ignore[arg-type]


def test_functions_that_may_make_a_network_are_listed_without_running(tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    path.write_text(TEXT)
    source = read_source(path)
    assert source.functions == (
        Function("network", 8, "A network."), Function("Plain", 19), Function("Deep", 25, "Of some depth."),
    )  # fmt: skip
    assert source.text == TEXT
    assert source.fault == ""


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"def broken(:\n", "line 1: "),
        (b"x = 1\n  y = 2\n", "line 2: "),
        (b"\x00\x01", "null bytes"),
        (b"#" + 200_000 * b"(", ""),
    ],
)
def test_what_is_no_python_says_so(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "net.py"
    path.write_bytes(content)
    source = read_source(path)
    assert source.functions == ()
    assert said in source.fault


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "large.py").write_bytes(b"#" * (LARGEST_CODE + 1))
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "net.txt").touch()
    for name, said in (
        ("large.py", "1 MiB"),
        ("folder.py", "not a file"),
        ("net.txt", "ending in .py"),
        ("g.py", "g.py"),
    ):
        with pytest.raises(FileError, match=said):
            read_source(tmp_path / name)


def test_trust_is_for_one_content_of_one_file(tmp_path: Path) -> None:
    path, other = tmp_path / "net.py", tmp_path / "other.py"
    for file in (path, other):
        file.write_text("x = 1\n")
    model = ModelFile(str(path), "f", read_source(path).sha256)
    assert state(model, Settings()) == "untrusted"
    settings = trusting(Settings(), model)
    assert state(model, settings) == "ready"
    assert trusts(settings, model.replace(function="g"))
    assert state(model.replace(path=str(other)), settings) == "untrusted"
    path.write_text("x = 2\n")
    assert state(model, settings) == "changed"
    assert state(model.replace(sha256=read_source(path).sha256), settings) == "untrusted"
    path.unlink()
    assert state(model, settings) == "missing"


def test_trust_is_remembered_and_bounded(tmp_path: Path) -> None:
    settings, file = Settings(), tmp_path / "settings.json"
    models = [ModelFile(f"net{number}.py", "f", A) for number in range(model_files.MOST_TRUSTED + 5)]
    for model in (*models, models[-1]):
        settings = trusting(settings, model)
    assert save_settings(settings, file) == ""
    stored = load_settings(file)
    assert len(stored.trusted) == model_files.MOST_TRUSTED
    assert trusts(stored, models[-1])
    assert not trusts(stored, models[0])


def test_choosing_a_network_and_its_parameters_is_an_edit() -> None:
    model, checkpoint = ModelFile("net.py", "f", A), Checkpoint("trained.pt", B)
    plain = experiment()
    own = edits.use_checkpoint(edits.use_model(plain, model), checkpoint)
    assert (own.model, own.checkpoint, own.architecture) == (model, checkpoint, plain.architecture)
    assert edits.use_model(own, model.replace(sha256=B)).checkpoint == checkpoint  # the file was changed
    assert edits.use_model(own, model.replace(function="g")).checkpoint is None
    assert edits.use_model(own, None) == plain
    assert edits.set_model_input(own, (8, 8)).model == model.replace(input=(8, 8))
    with pytest.raises(SpecError, match="choose a Python file first"):
        edits.set_model_input(plain, (8, 8))


def test_results_go_stale_with_the_network_and_its_parameters() -> None:
    own = experiment(model=ModelFile("net.py", "f", A))
    session = Session(own)
    session.put("absence", Absence(("ntk",), "why"))
    for part in ("empirical", "ntk", "phase"):
        session.put(part, object())
    other = own.architecture.replace(name="other", layers=(Dense(20), Dense(10)))
    session.edit(own.replace(architecture=other), "the described network is not in use")
    assert session.results.outdated == frozenset()
    session.edit(own.replace(checkpoint=Checkpoint("trained.pt", B)), "parameters")
    assert session.results.outdated == {"absence", "empirical", "ntk", "phase"}
    session.undo()
    assert session.results.outdated == frozenset()
    session.edit(edits.use_model(own, None), "described")
    assert "empirical" in session.results.outdated
