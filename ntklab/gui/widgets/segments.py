"""A row of choices that keeps what does not fit behind a menu at its end."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from itertools import groupby

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QMenu, QSizePolicy, QToolButton, QWidget

SPACING = 2


class Segments(QWidget):
    """Buttons of which one is checked; entries of one group share a button with a menu.

    The checked one is always in sight; the others in order, as far as there is room, the rest in the menu "…".
    """

    chosen = Signal(str)  # the id of an entry that was pressed

    def __init__(self, entries: Iterable[tuple[str, str, str]], name: str, parent: QWidget | None = None) -> None:
        """``entries`` are (id, title, group), "" for no group; ``name`` says to assistive technology what they are of.

        The first entry is checked.
        """
        super().__init__(parent)
        self._name = name
        self._group = QButtonGroup(self)
        self._buttons: list[QToolButton] = []
        self._places: dict[str, QToolButton] = {}
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(SPACING)
        self._layout.addStretch(1)
        for group, members in groupby(entries, key=lambda entry: entry[2] or entry[0]):
            self._add(group, list(members))
        self._buttons[0].setChecked(True)
        self._more = self._button("…", f"more-{name}", f"{name}: more")
        self._more.setCheckable(False)
        self._more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._more.setMenu(QMenu(self._more))
        self._more.menu().aboutToShow.connect(self._fill_more)
        self._more.hide()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def _add(self, group: str, members: list[tuple[str, str, str]]) -> None:
        if not members[0][2]:
            ((entry, title, _),) = members
            button = self._button(title, f"choice-{entry}", f"{self._name}: {title}")
            button.clicked.connect(partial(self._pressed, entry))
        else:
            button = self._button(f"{group} ▾", f"group-{group}", f"{self._name}: {group}")
            button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
            button.setMenu(self._menu(members, button))
        self._group.addButton(button)
        self._buttons.append(button)
        self._places |= {entry: button for entry, _, _ in members}

    def _button(self, title: str, name: str, accessible: str) -> QToolButton:
        button = QToolButton()
        button.setText(title)
        button.setCheckable(True)
        button.setAutoRaise(True)
        button.setObjectName(name)
        button.setProperty("role", "segment")
        button.setAccessibleName(accessible)
        self._layout.addWidget(button)
        return button

    def _menu(self, members: list[tuple[str, str, str]], parent: QWidget) -> QMenu:
        menu = QMenu(members[0][2], parent)
        for entry, title, _ in members:
            action = menu.addAction(title)
            action.setObjectName(f"choice-{entry}")
            action.triggered.connect(partial(self._pressed, entry))
        return menu

    def check(self, entry: str) -> None:
        """Show that ``entry`` is chosen. Raises ``KeyError``."""
        self._places[entry].setChecked(True)
        self._fit()

    def sizeHint(self) -> QSize:
        """Room for all of them."""
        return self._room(self._buttons)

    def minimumSizeHint(self) -> QSize:
        """Room for the widest and the menu."""
        return self._room([max(self._buttons, key=lambda button: button.sizeHint().width()), self._more])

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show as many as fit."""
        super().resizeEvent(event)
        self._fit()

    def _room(self, buttons: list[QToolButton]) -> QSize:
        sizes = [button.sizeHint() for button in buttons]
        width = sum(size.width() for size in sizes) + SPACING * len(sizes)
        return QSize(width, max(size.height() for size in sizes))

    def _fit(self) -> None:
        shown = self._fitting()
        for button in self._buttons:
            button.setVisible(button in shown)
        self._more.setVisible(len(shown) < len(self._buttons))

    def _fitting(self) -> list[QToolButton]:
        if self._room(self._buttons).width() <= self.width():
            return self._buttons
        checked = [button for button in self._buttons if button.isChecked()]
        shown = list(checked)
        for button in self._buttons:
            if button in checked:
                continue
            if self._room([*shown, button, self._more]).width() > self.width():
                break
            shown.append(button)
        return shown

    def _fill_more(self) -> None:
        menu = self._more.menu()
        menu.clear()
        for button in self._buttons:
            if not button.isHidden():
                continue
            if button.menu() is not None:
                menu.addMenu(button.menu())
            else:
                menu.addAction(button.text()).triggered.connect(button.click)

    def _pressed(self, entry: str, _checked: bool = False) -> None:
        self.check(entry)
        self.chosen.emit(entry)
