"""Shipped files are found from a checkout, from an installed wheel and from a frozen bundle."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from ntklab.errors import FileError
from ntklab.resources import resource

ROOT = Path(__file__).parent.parent
PAGES = ("notation.md", "changelog.md")


def shipped() -> set[str]:
    """Every file below ``resources``, by its name there."""
    folder = ROOT / "resources"
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", PAGES)
def test_from_a_checkout(name: str) -> None:
    assert resource(name) == ROOT / "resources" / name
    assert resource(name).read_text(encoding="utf-8").startswith("# ")


def test_folders_are_found_too() -> None:
    assert resource("icons").is_dir()


def test_a_missing_file_is_an_error() -> None:
    with pytest.raises(FileError, match=r"the shipped file 'nothing\.md' is missing; reinstall ntklab"):
        resource("nothing.md")


def test_from_a_frozen_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = tmp_path / "ntklab" / "_resources"
    inside.mkdir(parents=True)
    (inside / "notation.md").write_text("# Frozen", encoding="utf-8")
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path), raising=False)
    assert resource("notation.md") == inside / "notation.md"
    assert resource("changelog.md") == ROOT / "resources" / "changelog.md"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as a wheel, built by its own build backend."""
    folder = tmp_path_factory.mktemp("wheel")
    build = f"import hatchling.build, sys; print(hatchling.build.build_wheel({str(folder)!r}))"
    done = subprocess.run([sys.executable, "-c", build], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / done.stdout.strip().splitlines()[-1]


def test_the_wheel_has_every_resource_and_nothing_but_the_package(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    inside = {name.removeprefix("ntklab/_resources/") for name in names if name.startswith("ntklab/_resources/")}
    assert inside == shipped()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"ntklab"}
    assert "ntklab/py.typed" in names


def test_from_an_installed_wheel(wheel: Path, tmp_path: Path) -> None:
    """Only the unpacked wheel is on the path of the other process."""
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from ntklab.resources import resource\n"
        "for name in sys.argv[2:]: print(resource(name)); assert resource(name).stat().st_size"
    )
    command = [sys.executable, "-I", "-S", "-c", script, str(site), *PAGES]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(site / "ntklab" / "_resources" / name) for name in PAGES]


def test_the_package_has_one_version(wheel: Path) -> None:
    import ntklab

    assert wheel.name == f"ntklab-{ntklab.__version__}-py3-none-any.whl"
