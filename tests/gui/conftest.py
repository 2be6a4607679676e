"""What all tests of the window share: a display of its own, one theme, and a hunt for whatever a test leaves behind."""

from __future__ import annotations

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_SCALE_FACTOR", "1")

import gc
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from weakref import WeakSet

import pytest
import shiboken6
from PySide6.QtCore import QAbstractAnimation, QEvent, QTimer, QVariantAnimation
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QInputDialog, QMessageBox, QWidget

from ntklab.gui import theme

_HERE = Path(__file__).parent
_MODAL = {
    QDialog: ("exec",),
    QMessageBox: ("exec", "question", "information", "warning", "critical", "about"),
    QFileDialog: ("exec", "getOpenFileName", "getSaveFileName", "getExistingDirectory"),
    QInputDialog: ("getText", "getInt", "getDouble", "getItem"),
}
_started: WeakSet[QTimer] = WeakSet()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what drives the window."""
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.gui)


@pytest.fixture(scope="session")
def qapp_args() -> list[str]:
    """The name of the test application."""
    return ["ntklab-tests"]


@pytest.fixture(scope="session")
def warm_torch() -> None:
    """For tests whose worker imports torch: import it once, up front, and keep the collector from walking it."""
    import torch

    torch.set_num_threads(1)
    torch.linalg.eigvalsh(torch.eye(4))
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _watch_timers() -> Iterator[None]:
    """Remember every timer that Python code starts."""
    start = QTimer.start

    def watched(self: QTimer, *args: Any) -> None:
        _started.add(self)
        start(self, *args)

    QTimer.start = watched
    yield
    QTimer.start = start


@pytest.fixture(scope="session", autouse=True)
def _windows_become_active() -> Iterator[None]:
    """On a real display a window manager decides when a window has the keyboard: wait for it as a user would."""
    if os.environ["QT_QPA_PLATFORM"] == "offscreen":
        yield
        return
    show = QWidget.show

    def shown(self: QWidget) -> None:
        show(self)
        if self.isWindow():
            QTest.qWaitForWindowActive(self, 2000)

    QWidget.show = shown
    yield
    QWidget.show = show


@pytest.fixture(autouse=True)
def _clean(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail a test that opens a modal dialog or leaves threads, timers, animations or windows behind."""
    if "qapp" not in request.fixturenames:
        yield
        return
    app: QApplication = request.getfixturevalue("qapp")
    if theme.notifier().scheme != "light" or not app.styleSheet():
        theme.apply(app, "light")
    for kind, names in _MODAL.items():
        for name in names:
            monkeypatch.setattr(kind, name, _refuse(f"{kind.__name__}.{name}"))
    threads = set(threading.enumerate())
    windows = set(map(id, app.topLevelWidgets()))
    yield
    _settle(app)
    left = {
        "windows": [w for w in app.topLevelWidgets() if id(w) not in windows and w.isVisible()],
        "threads": [t for t in threading.enumerate() if t not in threads and t.is_alive()],
        "timers": [t for t in list(_started) if shiboken6.isValid(t) and t.isActive()],
        "animations": _running(app.allWidgets()),
    }
    for widget in left["windows"]:
        widget.close()
        widget.deleteLater()
    assert not any(left.values()), f"left behind: { {what: found for what, found in left.items() if found} }"


def _refuse(name: str) -> Callable[..., None]:
    def refuse(*_args: Any, **_kwargs: Any) -> None:
        pytest.fail(f"{name} opened a modal dialog", pytrace=False)

    return refuse


def _settle(app: QApplication) -> None:
    for _ in range(2):
        app.processEvents()
        app.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect(1)


def _running(widgets: list[QWidget]) -> list[QVariantAnimation]:
    running = QAbstractAnimation.State.Running
    return [a for w in widgets if not w.parent() for a in w.findChildren(QVariantAnimation) if a.state() == running]
