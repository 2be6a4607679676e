"""What long work says while it runs.

Long work is a generator of events that returns its result: a ``Forecast`` first, then ``Progress`` and ``Partial``
events, at least one every 0.2 s. Whoever drives it may close it at any event: that is how work is cancelled, so a
generator must leave nothing half-written when ``GeneratorExit`` reaches it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")
Given = TypeVar("Given")  # what a generator yields: events, or None where it only pauses


@dataclass(frozen=True)
class LayerForecast:
    """How a layer named ``name`` will be treated: by which ``rule``, ``why`` where that is not the fastest there is.

    ``share`` is that of all multiply-adds between pairs of samples (0 to 1), ``parameters`` how many are trained.
    """

    name: str
    rule: str
    why: str = ""
    share: float = 0.0
    parameters: int = 0


@dataclass(frozen=True)
class Forecast:
    """What the work that follows will need: ``peak_bytes`` of memory, about ``seconds``, in ``tiles`` pieces.

    ``layers`` says how the layers of a finite network are treated, where the work is a kernel of one. ``budget`` is the
    most that ``peak_bytes`` may be, where that is known.
    """

    peak_bytes: int
    seconds: float | None = None
    tiles: int = 1
    route: str = ""
    layers: tuple[LayerForecast, ...] = ()
    budget: int | None = None


@dataclass(frozen=True)
class Progress:
    """``done`` of ``total`` pieces of the step named ``text``."""

    done: int
    total: int
    text: str = ""


@dataclass(frozen=True)
class Partial:
    """A piece of a result that can be drawn already; ``key`` names what it is part of."""

    key: str
    value: Any


Event = Forecast | Progress | Partial
Work = Generator[Event, None, T]


def drain(work: Generator[Given, None, T], listen: Callable[[Given], None] | None = None) -> T:
    """Drive ``work`` to its end on this thread, passing its events to ``listen``, and return its result."""
    while True:
        try:
            event = next(work)
        except StopIteration as stop:
            result: T = stop.value
            return result
        if listen is not None:
            listen(event)


def translated(work: Generator[Given, None, T], translate: Callable[[Given], Event | None]) -> Work[T]:
    """``work`` with every event replaced by ``translate(event)``, or left out where that is None."""
    try:
        while True:
            event = translate(next(work))
            if event is not None:
                yield event
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        work.close()
