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
    """After ``found`` has come for ``experiment``: drop what it lacks; the (view, choice) that have nothing to show."""
    if "absence" in found:
        parts = found["absence"].parts
        for part in parts:
            if getattr(session.results, part) is not None:
                session.put(part, None)
        for part in parts:
            yield from ((view.id, choice.id) for view, choice in affected(part) if part in choice.needs)
    elif "ntk" in found and session.results.absence is not None:
        session.put("absence", None, experiment=experiment)
