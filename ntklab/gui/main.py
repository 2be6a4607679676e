"""Start-up in the order that shows something soonest, and an orderly end.

The shell paints with Qt alone; plots (pyqtgraph) follow in slices, then the stored starter result, and torch is
imported in the worker thread.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from ntklab.errors import NtkLabError
from ntklab.gui import theme
from ntklab.gui.starter import starter_experiment
from ntklab.gui.window import Window
from ntklab.jobs import report
from ntklab.session import Session, files
from ntklab.session.environment import pair_warning
from ntklab.session.settings import load_settings
from ntklab.spec import Experiment


def main(argv: Sequence[str] | None = None) -> int:
    """Open the window on a file, or on the starter experiment; the exit status."""
    options = _parser().parse_args(argv)
    experiment = files.open_experiment(options.experiment) if options.experiment else starter_experiment()
    return show(experiment, reset=options.reset)


def show(experiment: Experiment | None = None, *, reset: bool = False) -> int:
    """Open the window on ``experiment`` and run until it is closed; the exit status."""
    app, window = open_window(experiment, reset=reset)
    code = app.exec()
    if not window.ended:
        os._exit(code)  # a computation did not stop in time: leaving it to the interpreter would abort the process
    return code


def open_window(experiment: Experiment | None = None, *, reset: bool = False) -> tuple[QApplication, Window]:
    """The application and its window, shown but not yet running."""
    gc.disable()  # a collection during start-up would delay the first paint; the window's collector takes over
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    app.setApplicationName("ntklab")
    app.setApplicationDisplayName("NTK Lab")
    settings = load_settings()
    theme.apply(app, settings.theme)
    window = Window(Session(experiment or starter_experiment()), settings, reset=reset)
    sys.excepthook = _Reporter(window)
    window.show()
    if warning := pair_warning():
        window.say_error(warning)
    return app, window


class _Reporter:
    """The excepthook: an error in a slot is shown and can be copied; the window lives on."""

    def __init__(self, window: Window) -> None:
        self._window = window

    def __call__(self, _kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if isinstance(error, KeyboardInterrupt):
            self._window.close()
        elif isinstance(error, NtkLabError):
            self._window.say_error(str(error))
        else:
            failure = report(error.with_traceback(trace))
            QTimer.singleShot(0, lambda: self._window.show_failure(failure))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ntklab", description="Open the laboratory window.")
    parser.add_argument("experiment", nargs="?", type=Path, help="an experiment file (JSON or TOML)")
    parser.add_argument("--reset", action="store_true", help="forget the window's size and layout")
    return parser
