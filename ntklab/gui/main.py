"""Start-up in the order that shows something soonest, and an orderly end.

The shell paints with Qt alone; plots (pyqtgraph) follow in slices, then the stored starter result, and torch is
imported in the worker thread.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from ntklab.gui import theme
from ntklab.gui.window import Window
from ntklab.session.glance import glance

if TYPE_CHECKING:
    import argparse

    from ntklab.session import Session
    from ntklab.spec import Experiment


def main(argv: Sequence[str] | None = None) -> int:
    """Open the window on a file, or on the starter experiment; the exit status."""
    options = _parser().parse_args(argv)
    return show(_opened(options.experiment), reset=options.reset)


def show(experiment: Experiment | None = None, *, reset: bool = False, objects: Mapping[str, Any] | None = None) -> int:
    """Open the window on ``experiment`` and run until it is closed; the exit status.

    ``objects`` are the torch modules that the experiment may name, by their fingerprint.
    """
    app, window = open_window(experiment, reset=reset, objects=objects)
    code = app.exec()
    if not window.ended:
        os._exit(code)  # a computation did not stop in time: leaving it to the interpreter would abort the process
    return code


def open_window(
    experiment: Experiment | None = None, *, reset: bool = False, objects: Mapping[str, Any] | None = None
) -> tuple[QApplication, Window]:
    """The application and its window, shown but not yet running."""
    gc.disable()  # a collection during start-up would delay the first paint; the window's collector takes over
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    app.setApplicationName("ntklab")
    app.setApplicationDisplayName("NTK Lab")
    stored = glance()
    theme.apply(app, stored.theme)
    window = Window(_document(experiment), geometry=stored.geometry, reset=reset, objects=objects)
    sys.excepthook = _Reporter(window)
    window.show()
    return app, window


def _opened(path: Path | None) -> Experiment | None:
    if path is None:
        return None
    from ntklab.session import files

    return files.open_experiment(path)


def _document(experiment: Experiment | None) -> Session | None:
    if experiment is None:
        return None
    from ntklab.session import Session

    return Session(experiment)


class _Reporter:
    """The excepthook: an error in a slot is shown and can be copied; the window lives on."""

    def __init__(self, window: Window) -> None:
        self._window = window

    def __call__(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        from ntklab.errors import NtkLabError
        from ntklab.jobs import report

        if isinstance(error, KeyboardInterrupt):
            self._window.close()
        elif not self._window.furnished:
            sys.__excepthook__(kind, error, trace)
            QApplication.exit(1)
        elif isinstance(error, NtkLabError):
            self._window.say_error(str(error))
        else:
            failure = report(error.with_traceback(trace))
            QTimer.singleShot(0, lambda: self._window.show_failure(failure))


def _parser() -> argparse.ArgumentParser:
    import argparse

    parser = argparse.ArgumentParser(prog="ntklab", description="Open the laboratory window.")
    parser.add_argument("experiment", nargs="?", type=Path, help="an experiment file (JSON or TOML)")
    parser.add_argument("--reset", action="store_true", help="forget the window's size and layout")
    return parser
