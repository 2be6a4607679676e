"""QActions and menus from the rows."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenuBar

from ntklab.errors import NtkLabError
from ntklab.gui.actions import edit, experiment, export, file, help, view
from ntklab.gui.actions.table import ACTIONS, MENUS
from ntklab.gui.theme import icon

if TYPE_CHECKING:
    from ntklab.gui.window import Window

MODULES = {"File": file, "Edit": edit, "View": view, "Experiment": experiment, "Export": export, "Help": help}


def build_actions(window: Window) -> dict[str, QAction]:
    """One QAction a row, owned by ``window`` and bound to the function that its row names; still without icons."""
    actions = {}
    for row in ACTIONS:
        action = QAction(row.title, window)
        action.setObjectName(f"action-{row.id}")
        action.setStatusTip(row.help)
        action.setToolTip(f"{row.help} ({row.shortcut})" if row.shortcut else row.help)
        if row.shortcut:
            action.setShortcut(QKeySequence(row.shortcut))
        action.triggered.connect(partial(_run, getattr(MODULES[row.menu], row.handler), window))
        window.addAction(action)
        actions[row.id] = action
    return actions


def guarded(window: Window, do: Callable[[], None]) -> None:
    """Run ``do``; an error that the user can mend is said in the window."""
    try:
        do()
    except NtkLabError as error:
        window.say_error(str(error))


def _run(handler: Callable[[Window], None], window: Window, _checked: bool = False) -> None:
    guarded(window, partial(handler, window))


def build_menus(bar: QMenuBar, actions: dict[str, QAction]) -> None:
    """Menus in the order of ``MENUS``, with the rows in theirs."""
    menus = {title: bar.addMenu(f"&{title}") for title in MENUS}
    for row in ACTIONS:
        if row.separator:
            menus[row.menu].addSeparator()
        menus[row.menu].addAction(actions[row.id])


def refresh_actions(window: Window, actions: dict[str, QAction]) -> None:
    """Enable each action by the property its row names."""
    for row in ACTIONS:
        if row.enabled:
            actions[row.id].setEnabled(bool(getattr(window, row.enabled)))


def refresh_icons(actions: dict[str, QAction]) -> None:
    """Icons in the colours of the theme: once the window stands, and after every change of theme."""
    for row in ACTIONS:
        if row.icon:
            actions[row.id].setIcon(icon(row.icon))
