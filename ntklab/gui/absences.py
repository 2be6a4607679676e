"""What the present network cannot have: results and figures of an earlier one must not stand in for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ntklab.figures.views import affected
from ntklab.session import Results, Session
from ntklab.spec import Experiment


def lacks(results: Results, part: str) -> bool:
    """Whether it is known that the present experiment cannot have ``part``."""
    absence = results.absence
    return absence is not None and "absence" not in results.outdated and part in absence.parts


def settle(session: Session, found: dict[str, Any], experiment: Experiment) -> Iterator[tuple[str, str]]:
    """After ``found`` has come for ``experiment``: drop what it lacks; the (view, choice) that have nothing to show.

    Parts that came as None have nothing to show either.
    """
    gone = [name for name, value in found.items() if value is None]
    if found.get("absence") is not None:
        lacking = found["absence"].parts
        gone += lacking
        for part in lacking:
            if getattr(session.results, part) is not None:
                session.put(part, None)
    for part in gone:
        yield from ((view.id, choice.id) for view, choice in affected(part) if part in choice.needs)
    if found.get("ntk") is not None and session.results.absence is not None:
        session.put("absence", None, experiment=experiment)
