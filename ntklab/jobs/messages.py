"""What the worker says about its jobs: frozen values that may cross threads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ntklab.jobs.report import Report
from ntklab.progress import Forecast, Partial, Progress


@dataclass(frozen=True)
class Job:
    """A piece of work that was submitted. In one ``lane`` a newer job may replace older ones; None has no lane."""

    id: int
    title: str
    lane: str | None = None


@dataclass(frozen=True)
class Queued:
    """The job waits for its turn."""

    job: Job


@dataclass(frozen=True)
class Started:
    """The worker has taken the job up."""

    job: Job


@dataclass(frozen=True)
class Forecasted:
    """What the work now ahead will need; the latest forecast of the job."""

    job: Job
    forecast: Forecast


@dataclass(frozen=True)
class Progressed:
    """The latest progress, with the seconds that its step still needs (None until that can be said)."""

    job: Job
    progress: Progress
    eta: float | None


@dataclass(frozen=True, eq=False)
class Arrived:
    """Every partial result since the last message of this kind, in order."""

    job: Job
    partials: tuple[Partial, ...]


@dataclass(frozen=True, eq=False)
class Finished:
    """The job ended with ``result``."""

    job: Job
    result: Any


@dataclass(frozen=True)
class Failed:
    """The job ended with an error."""

    job: Job
    report: Report


@dataclass(frozen=True)
class Cancelled:
    """The job was cancelled; nothing more comes of it."""

    job: Job


Ending = Finished | Failed | Cancelled
Message = Queued | Started | Forecasted | Progressed | Arrived | Ending
