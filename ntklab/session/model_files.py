"""Python files with the user's networks: read, never run; and which of them the user has allowed to run."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ntklab.errors import FileError
from ntklab.files import read_code
from ntklab.session.settings import Settings
from ntklab.spec import ModelFile

MOST_TRUSTED = 200  # the latest are remembered

State = Literal["ready", "untrusted", "changed", "missing"]


@dataclass(frozen=True)
class Function:
    """A function, or a class of networks, that can be called without arguments; ``line`` counts from 1."""

    name: str
    line: int
    about: str = ""


@dataclass(frozen=True)
class Source:
    """What a Python file says, as it is now. ``fault`` is why it cannot be read as Python, if it cannot."""

    path: Path
    sha256: str
    text: str
    functions: tuple[Function, ...]
    fault: str = ""


def read_source(path: Path | str) -> Source:
    """Read a file and list its functions by its syntax alone. Raises ``FileError``."""
    content, digest = read_code(path)
    text = content.decode("utf-8", errors="replace")
    file = Path(path).absolute()
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = f"line {error.lineno}: " if isinstance(error, SyntaxError) and error.lineno else ""
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        return Source(file, digest, text, (), f"{line}{reason}")
    found = [function for node in tree.body if (function := _function(node)) is not None]
    return Source(file, digest, text, tuple(found))


def state(model: ModelFile, settings: Settings) -> State:
    """Whether the file of ``model`` may run: it is there, is the one that was trusted, and is trusted."""
    try:
        _, digest = read_code(model.path)
    except FileError:
        return "missing"
    if digest != model.sha256:
        return "changed"
    return "ready" if trusts(settings, model) else "untrusted"


def trusts(settings: Settings, model: ModelFile) -> bool:
    """Whether the user has allowed this very content of this very file."""
    return _entry(model) in settings.trusted


def trusting(settings: Settings, model: ModelFile) -> Settings:
    """``settings`` with the file of ``model`` allowed to run, as long as its content is this."""
    others = tuple(entry for entry in settings.trusted if entry != _entry(model))
    return settings.replace(trusted=(*others, _entry(model))[-MOST_TRUSTED:])  # type: ignore[no-any-return]


def _entry(model: ModelFile) -> str:
    return f"{model.sha256} {Path(model.path).absolute()}"


def _function(node: ast.stmt) -> Function | None:
    """A definition that may make a network: no argument that must be given."""
    if isinstance(node, ast.FunctionDef) and not _needs_arguments(node.args):
        return Function(node.name, node.lineno, _first_line(ast.get_docstring(node)))
    if isinstance(node, ast.ClassDef) and any(_last_name(base).endswith("Module") for base in node.bases):
        makers = [part for part in node.body if isinstance(part, ast.FunctionDef) and part.name == "__init__"]
        if not any(_needs_arguments(maker.args, bound=1) for maker in makers):
            return Function(node.name, node.lineno, _first_line(ast.get_docstring(node)))
    return None


def _needs_arguments(arguments: ast.arguments, bound: int = 0) -> bool:
    required = len(arguments.posonlyargs) + len(arguments.args) - len(arguments.defaults)
    return required > bound or any(default is None for default in arguments.kw_defaults)


def _last_name(base: ast.expr) -> str:
    return base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "")


def _first_line(text: str | None) -> str:
    return (text or "").strip().partition("\n")[0]
