"""Menus of layers and presets, made from their rows."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtWidgets import QMenu, QWidget

from ntklab.gui.panels.presets import PRESETS
from ntklab.spec import LAYER_ROWS, TypeRow

_LONG = 6  # a group of more rows than this gets a menu of its own


def layer_menu(parent: QWidget, choose: Callable[[str], None]) -> QMenu:
    """Layer types by group; ``choose(name)`` is called with the type's name."""
    menu = QMenu(parent)
    menu.setToolTipsVisible(True)
    for group in dict.fromkeys(row.group for row in LAYER_ROWS):
        rows = [row for row in LAYER_ROWS if row.group == group]
        if len(rows) > _LONG:
            inner = menu.addMenu(group)
            inner.setToolTipsVisible(True)
            _fill(inner, rows, choose)
        else:
            _fill(menu, rows, choose)
            menu.addSeparator()
    return menu


def _fill(menu: QMenu, rows: list[TypeRow], choose: Callable[[str], None]) -> None:
    for row in rows:
        action = menu.addAction(row.title)
        action.setObjectName(f"add-{row.name}")
        action.setToolTip(row.formula)
        action.triggered.connect(partial(_call, choose, row.name))


def preset_menu(parent: QWidget, choose: Callable[[str], None]) -> QMenu:
    """Presets; ``choose(id)`` is called with the preset's id."""
    menu = QMenu(parent)
    menu.setToolTipsVisible(True)
    for preset in PRESETS:
        action = menu.addAction(preset.title)
        action.setObjectName(f"preset-{preset.id}")
        action.setToolTip(preset.help)
        action.triggered.connect(partial(_call, choose, preset.id))
    return menu


def _call(choose: Callable[[str], None], name: str, _checked: bool = False) -> None:
    choose(name)
