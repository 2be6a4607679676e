"""The worker: one thread, a queue, cancellation between events."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, Literal

from ntklab.jobs.eta import Eta
from ntklab.jobs.mailbox import Mailbox
from ntklab.jobs.messages import (
    Cancelled,
    Ending,
    Failed,
    Finished,
    Forecasted,
    Job,
    Message,
    Progressed,
    Queued,
    Started,
)
from ntklab.jobs.report import report
from ntklab.progress import Event, Forecast, Partial, Work

_log = logging.getLogger(__name__)


@dataclass(eq=False)
class _Task:
    job: Job
    start: Callable[[], Work[Any]]
    cancelled: bool = False


class Worker:
    """Runs jobs one after the other on one daemon thread, which starts with the first of them.

    Every method may be called from any thread. ``wake`` is called from the worker thread when a job has started or
    ended and nobody has been woken since the last ``take``; it must only pass the word on.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._ids = count(1)
        self._changed = threading.Condition()  # guards everything below
        self._waiting: deque[_Task] = deque()
        self._running: _Task | None = None
        self._mailbox = Mailbox()
        self._thread: threading.Thread | None = None
        self._woken = False
        self._closed = False

    def submit(
        self,
        title: str,
        start: Callable[[], Work[Any]],
        *,
        lane: str | None = None,
        replace: bool | Literal["waiting"] = True,
    ) -> Job:
        """Queue the work that ``start`` returns; ``start`` runs on the worker thread, and so do its imports.

        Older jobs of the same ``lane`` are cancelled: all of them, or with ``replace="waiting"`` only those that have
        not started (so that a dial that is being turned still shows every frame it has begun), or with False none.
        After ``close`` a job is cancelled at once.
        """
        with self._changed:
            job = Job(next(self._ids), title, lane)
            if replace and lane is not None:
                self._replace(lane, waiting_only=replace == "waiting")
            self._mailbox.put(Queued(job))
            if self._closed:
                self._mailbox.put(Cancelled(job))
                return job
            self._waiting.append(_Task(job, start))
            self._ensure_thread()
            self._changed.notify()
        return job

    def cancel(self, job: Job | None = None) -> None:
        """Cancel ``job``, or the newest one; its work is closed at its next event and nothing more comes of it."""
        with self._changed:
            tasks = list(self._tasks())
            if job is None and tasks:
                job = tasks[-1].job
            if job is not None:
                self._cancel(job)

    def cancel_all(self) -> None:
        """Cancel everything that waits or runs."""
        with self._changed:
            for task in list(self._tasks()):
                self._cancel(task.job)

    @property
    def busy(self) -> bool:
        """Whether anything waits or runs."""
        with self._changed:
            return self._running is not None or bool(self._waiting)

    def take(self) -> tuple[Message, ...]:
        """The messages since the last call: progress is the latest, partial results are all there, in order."""
        with self._changed:
            self._woken = False
            return self._mailbox.take()

    def close(self, timeout: float = 2.0) -> bool:
        """Cancel everything and wait up to ``timeout`` seconds for the thread; whether it has ended."""
        with self._changed:
            self._closed = True
            for task in list(self._tasks()):
                self._cancel(task.job)
            self._changed.notify_all()
            thread = self._thread
        if thread is None:
            return True
        thread.join(timeout)
        return not thread.is_alive()

    # From here on the caller holds the lock.

    def _tasks(self) -> Iterator[_Task]:
        if self._running is not None:
            yield self._running
        yield from self._waiting

    def _replace(self, lane: str, *, waiting_only: bool) -> None:
        older = {task.job for task in (self._waiting if waiting_only else self._tasks())}
        if not waiting_only:
            older.update(self._mailbox.jobs())  # a result that nobody has taken yet is out of date too
        for job in older:
            if job.lane == lane:
                self._cancel(job)

    def _cancel(self, job: Job) -> None:
        self._mailbox.retract(job)
        for task in list(self._waiting):
            if task.job == job:
                self._waiting.remove(task)
                self._mailbox.put(Cancelled(job))
        if self._running is not None and self._running.job == job:
            self._running.cancelled = True

    def _ensure_thread(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._loop, name="ntklab-worker", daemon=True)
            self._thread.start()

    # From here on this is the worker thread, without the lock.

    def _loop(self) -> None:
        while self._step():
            pass

    def _step(self) -> bool:
        """Run one task; False when the worker is closed. Its own frame, so that no task outlives its run."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if not self._waiting:
                return False
            task = self._running = self._waiting.popleft()
            self._mailbox.put(Started(task.job))
        self._call_wake()
        ending = self._outcome(task)
        with self._changed:
            self._running = None
            self._mailbox.put(Cancelled(task.job) if task.cancelled else ending)
        self._call_wake()
        return True

    def _outcome(self, task: _Task) -> Ending:
        try:
            return self._drive(task)
        except BaseException as error:  # noqa: BLE001 (the border: whatever work raises, the worker lives and tells)
            if task.cancelled:
                _log.warning("work failed while it was being cancelled: %s", task.job.title, exc_info=True)
            return Failed(task.job, report(error, task.job.title))

    def _drive(self, task: _Task) -> Ending:
        if task.cancelled:
            return Cancelled(task.job)
        eta = Eta()
        work = task.start()
        while not task.cancelled:
            try:
                event = next(work)
            except StopIteration as stop:
                return Finished(task.job, stop.value)
            self._tell(task, event, eta)
        work.close()
        return Cancelled(task.job)

    def _tell(self, task: _Task, event: Event, eta: Eta) -> None:
        with self._changed:
            if task.cancelled:
                return
            if isinstance(event, Partial):
                self._mailbox.append(task.job, event)
            elif isinstance(event, Forecast):
                self._mailbox.put(Forecasted(task.job, event))
            else:
                self._mailbox.put(Progressed(task.job, event, eta.update(event, time.monotonic())))

    def _call_wake(self) -> None:
        with self._changed:
            silent = self._woken or self._closed
            self._woken = True
        if not silent:
            self._wake()
