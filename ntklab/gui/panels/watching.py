"""Panels that follow the session for as long as they live."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from ntklab.session import Change, Session


def watch(owner: QObject, session: Session, **refresh: Callable[[], None]) -> None:
    """Call ``refresh[topic]`` after each change of that topic of ``session``, until ``owner`` is destroyed."""

    def changed(change: Change) -> None:
        follow = refresh.get(change.topic)
        if follow is not None:
            follow()

    unsubscribe = session.subscribe(changed)
    owner.destroyed.connect(lambda: unsubscribe())
