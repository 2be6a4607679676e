"""``ntklab``: the window; without a display, the starter experiment into a folder."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType

from ntklab.cli.main import UsageError, complain

OUT = Path("ntklab-out")
STARTER = "starter/experiment.json"
_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("experiment", metavar="EXPERIMENT", nargs="?", type=Path, help="experiment file to open")
    parser.add_argument("--reset", action="store_true", help="forget the window's size and layout")
    parser.set_defaults(command=command)


def command(options: argparse.Namespace) -> int:
    """Open the window, or say that there is no display and compute without one."""
    if not has_display():
        return _headless(options.experiment)
    if options.experiment is not None:
        from ntklab.session.files import open_experiment

        open_experiment(options.experiment)  # a bad file is an error of the command, not of a window
    words = [] if options.experiment is None else [str(options.experiment)]
    status: int = _window().main([*words, *(["--reset"] if options.reset else [])])
    return status


def has_display(environment: Mapping[str, str] | None = None, system: str | None = None) -> bool:
    """Whether a window can appear: always off Linux, else where a display or a Qt platform is named."""
    found = os.environ if environment is None else environment
    return (system or sys.platform) != "linux" or any(found.get(name) for name in _DISPLAYS)


def _headless(experiment: Path | None) -> int:
    from ntklab.cli.run import run_into
    from ntklab.resources import resource
    from ntklab.session.files import open_experiment

    chosen = open_experiment(experiment or resource(STARTER))
    complain(f"there is no display, so the experiment runs without a window; results go to {OUT}")
    return run_into(chosen, OUT)


def _window() -> ModuleType:
    try:
        return import_module("ntklab.gui.main")
    except ImportError as error:
        raise UsageError(
            f"the window cannot start: {error}; install what is missing, or use 'ntklab run' without it"
        ) from error
