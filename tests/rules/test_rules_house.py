"""The house rules that a program can check."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

import ntklab

ROOT = Path(ntklab.__file__).parents[1]
MODULES = sorted((ROOT / "ntklab").rglob("*.py"))
LONGEST_MODULE, LONGEST_CLASS, LONGEST_FUNCTION = 500, 300, 60
# The worker loop, the excepthook, and the user's own code, which may raise anything.
BORDERS = {"ntklab/jobs/worker.py", "ntklab/gui/startup.py", "ntklab/gui/main.py", "ntklab/networks/own.py"}
TOP = {"ntklab", "tests", "resources", "packaging", "pyproject.toml", "README.md", "LICENSE"}

pytestmark = pytest.mark.skipif(not (ROOT / "pyproject.toml").is_file(), reason="needs a checkout")


def name(path):
    return path.relative_to(ROOT).as_posix()


def nodes(*kinds):
    """(module, node) of every part of the package that is one of ``kinds``."""
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, kinds):
                yield name(path), node


def length(node):
    return node.end_lineno - node.lineno + 1


def listed_files():
    """What belongs to the project: tracked files that are there."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("needs git")
    return [path for path in done.stdout.split("\0") if path and (ROOT / path).is_file()]


def test_there_is_something_to_check():
    assert len(MODULES) > 100
    assert len(list(nodes(ast.FunctionDef))) > 500


def test_modules_classes_and_functions_are_small():
    assert {name(p): n for p in MODULES if (n := len(p.read_text().splitlines())) > LONGEST_MODULE} == {}
    assert {(m, c.name): length(c) for m, c in nodes(ast.ClassDef) if length(c) > LONGEST_CLASS} == {}
    functions = nodes(ast.FunctionDef, ast.AsyncFunctionDef)
    assert {(m, f.name): length(f) for m, f in functions if length(f) > LONGEST_FUNCTION} == {}


def is_broad(handler):
    kinds = [] if handler.type is None else getattr(handler.type, "elts", [handler.type])
    return handler.type is None or any(getattr(k, "id", "") in ("Exception", "BaseException") for k in kinds)


def test_broad_excepts_stand_at_the_borders_only():
    found = {module for module, handler in nodes(ast.ExceptHandler) if is_broad(handler)}
    assert found <= BORDERS
    assert "ntklab/jobs/worker.py" in found


def test_only_commands_print():
    calls = ((module, node) for module, node in nodes(ast.Call) if getattr(node.func, "id", "") == "print")
    assert {module for module, _ in calls if not module.startswith("ntklab/cli/")} == set()


def test_nothing_is_left_to_do():
    marks = re.compile(r"\b(TODO|FIXME|XXX|breakpoint\(|set_trace)")
    assert {name(path) for path in MODULES if marks.search(path.read_text())} == set()


def test_public_functions_of_the_facade_are_described():
    for public in ntklab.__all__:
        found = getattr(ntklab, public)
        assert (found.__doc__ or "").strip(), public
        if callable(found) and not isinstance(found, type):
            assert len(found.__doc__) > 60, public


def test_every_module_and_public_definition_is_described():
    bare = [
        name(path)
        for path in MODULES
        if path.read_text().strip() and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert bare == []
    public = [
        (name(path), node.name)
        for path in MODULES
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_") and not ast.get_docstring(node)
    ]
    assert public == []


def test_the_top_level_holds_what_every_project_has_and_nothing_else():
    top = {path.split("/")[0] for path in listed_files()}
    assert {entry for entry in top if not entry.startswith(".")} == TOP


# Written so that this file does not hold them itself.
FOREIGN = re.compile(
    "|".join(["/wo" + "rk/", "/tm" + "p/", "/ro" + "ot/", "/ho" + r"me/\w", r"/\.mir" + "ror", "pip" + r"\.conf"])
)
SYSTEM = re.compile("http://127" + r"\.|https?://[\w.]*(artifact|proxy|nexus)")


def test_no_file_names_a_place_of_the_machine_it_was_written_on():
    found = {}
    for path in listed_files():
        content = (ROOT / path).read_bytes()
        if b"\0" in content:
            continue
        text = content.decode()
        if match := FOREIGN.search(text) or SYSTEM.search(text):
            found[path] = match[0]
    assert found == {}


def test_pinned_packages_cover_the_dependencies():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = {re.split(r"[<>=~! ]", line)[0].lower() for line in project["dependencies"]}
    pins = (ROOT / "packaging" / "constraints.txt").read_text().splitlines()
    pinned = {re.split(r"[=<>]", line)[0].strip().lower() for line in pins if line and not line.startswith("#")}
    assert needed <= pinned
