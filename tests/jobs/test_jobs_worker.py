"""The worker drives generators that count, on its own thread, and tells what happens to them."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from ntklab.errors import SpecError
from ntklab.jobs import (
    Arrived,
    Cancelled,
    Failed,
    Finished,
    Forecasted,
    Job,
    Message,
    Progressed,
    Queued,
    Started,
    Worker,
)
from ntklab.progress import Forecast, Partial, Progress, Work

PATIENCE = 20.0  # seconds until a test that waits for another thread gives up


class Watch:
    """A worker and everything it has said."""

    def __init__(self) -> None:
        self.bell = threading.Event()
        self.wakes: list[threading.Thread] = []
        self.worker = Worker(self._wake)
        self.messages: list[Message] = []

    def _wake(self) -> None:
        self.wakes.append(threading.current_thread())
        self.bell.set()

    def collect(self, done: Callable[[], bool]) -> list[Message]:
        """Take messages whenever woken, until ``done``."""
        while True:
            self.bell.clear()
            self.messages.extend(self.worker.take())
            if done():
                return self.messages
            assert self.bell.wait(PATIENCE), f"nothing came after {self.messages}"

    def until_ended(self, *jobs: Job) -> list[Message]:
        return self.collect(lambda: all(self.ending(job) for job in jobs))

    def ending(self, job: Job) -> Message | None:
        found = [m for m in self.messages if m.job == job and isinstance(m, Finished | Failed | Cancelled)]
        assert len(found) <= 1, "a job ends once"
        return found[0] if found else None

    def kinds(self, job: Job) -> list[str]:
        return [type(m).__name__ for m in self.messages if m.job == job]


@pytest.fixture
def watch() -> Iterator[Watch]:
    watch = Watch()
    yield watch
    assert watch.worker.close(PATIENCE)
    assert not [thread for thread in threading.enumerate() if thread.name == "ntklab-worker"]


class Counting:
    """Work of ``total`` events that can be stopped at one of them to look at the worker meanwhile."""

    def __init__(self, total: int, *, hold_at: int | None = None) -> None:
        self.total, self.hold_at = total, hold_at
        self.counted = 0
        self.closed = False
        self.threads: set[str] = set()
        self.reached, self.go_on = threading.Event(), threading.Event()

    def __call__(self) -> Work[int]:
        try:
            yield Forecast(peak_bytes=8, tiles=self.total)
            for number in range(self.total):
                self.counted = number + 1
                self.threads.add(threading.current_thread().name)
                if number == self.hold_at:
                    self.reached.set()
                    assert self.go_on.wait(PATIENCE)
                yield Partial("count", number)
                yield Progress(number + 1, self.total, "counting")
            return self.total
        finally:
            self.closed = True


class Endless:
    """Work that yields as fast as it can for ever, and says when it is well under way."""

    def __init__(self) -> None:
        self.under_way = threading.Event()

    def __call__(self) -> Work[None]:
        for done in count():
            if done == 1000:
                self.under_way.set()
            yield Progress(done % 1000, 1000)


def test_a_job_tells_its_life_in_order(watch: Watch) -> None:
    work = Counting(3)
    job = watch.worker.submit("count", work)
    watch.until_ended(job)
    kinds = watch.kinds(job)
    assert kinds[:2] == ["Queued", "Started"]
    assert kinds[-1] == "Finished"
    assert watch.ending(job).result == 3  # type: ignore[union-attr]
    assert work.threads == {"ntklab-worker"}
    assert work.closed


def test_the_thread_starts_with_the_first_job(watch: Watch) -> None:
    assert "ntklab-worker" not in {thread.name for thread in threading.enumerate()}
    jobs = [watch.worker.submit(f"count {n}", Counting(2)) for n in range(3)]
    watch.until_ended(*jobs)
    workers = [thread for thread in threading.enumerate() if thread.name == "ntklab-worker"]
    assert len(workers) == 1
    assert workers[0].daemon
    assert set(watch.wakes) == set(workers)


def test_jobs_run_in_the_order_they_came(watch: Watch) -> None:
    order: list[int] = []

    def numbered(number: int) -> Work[int]:
        order.append(number)
        yield Progress(1, 1)
        return number

    jobs = [watch.worker.submit(f"job {n}", lambda n=n: numbered(n)) for n in range(5)]
    watch.until_ended(*jobs)
    assert order == list(range(5))
    assert [watch.ending(job).result for job in jobs] == order  # type: ignore[union-attr]


def test_three_thousand_events_become_few_messages(watch: Watch) -> None:
    work = Counting(1000, hold_at=999)
    job = watch.worker.submit("count", work)
    assert work.reached.wait(PATIENCE)
    early = watch.worker.take()
    work.go_on.set()
    assert [type(m) for m in early] == [Queued, Started, Forecasted, Progressed, Arrived]
    assert early[3].progress == Progress(999, 1000, "counting")  # type: ignore[union-attr]
    watch.messages.extend(early)
    watch.until_ended(job)
    partials = [p for m in watch.messages if isinstance(m, Arrived) for p in m.partials]
    assert [p.value for p in partials] == list(range(1000))
    assert len(watch.messages) <= 10


def test_messages_are_taken_once(watch: Watch) -> None:
    watch.until_ended(watch.worker.submit("count", Counting(1)))
    assert watch.worker.take() == ()


def test_cancel_closes_the_work_at_its_next_event(watch: Watch) -> None:
    work = Counting(10_000, hold_at=50)
    job = watch.worker.submit("count", work)
    assert work.reached.wait(PATIENCE)
    watch.worker.cancel(job)
    work.go_on.set()
    watch.until_ended(job)
    assert work.counted == 51
    assert work.closed
    assert watch.kinds(job) == ["Queued", "Started", "Cancelled"]


def test_fast_work_without_an_end_can_be_cancelled(watch: Watch) -> None:
    endless = Endless()
    job = watch.worker.submit("endless", endless)
    assert endless.under_way.wait(PATIENCE)
    watch.worker.cancel()
    watch.until_ended(job)
    assert isinstance(watch.ending(job), Cancelled)
    assert not watch.worker.busy


def test_cancel_takes_the_newest(watch: Watch) -> None:
    first = Counting(1, hold_at=0)
    running, waiting = watch.worker.submit("first", first), watch.worker.submit("second", Counting(1))
    assert first.reached.wait(PATIENCE)
    watch.worker.cancel()
    first.go_on.set()
    watch.until_ended(running, waiting)
    assert isinstance(watch.ending(running), Finished)
    assert watch.kinds(waiting) == ["Queued", "Cancelled"]


def test_cancel_all(watch: Watch) -> None:
    first, second = Counting(5, hold_at=0), Counting(5)
    jobs = [watch.worker.submit("first", first), watch.worker.submit("second", second)]
    assert first.reached.wait(PATIENCE)
    assert watch.worker.busy
    watch.worker.cancel_all()
    first.go_on.set()
    watch.until_ended(*jobs)
    assert [type(watch.ending(job)) for job in jobs] == [Cancelled, Cancelled]
    assert second.counted == 0


def test_a_result_nobody_has_taken_is_withdrawn_by_cancel(watch: Watch) -> None:
    first, second = Counting(1), Counting(1, hold_at=0)
    ended = watch.worker.submit("first", first)
    watch.worker.submit("second", second)
    assert second.reached.wait(PATIENCE)
    watch.worker.cancel(ended)
    second.go_on.set()
    watch.until_ended(ended)
    assert watch.kinds(ended) == ["Queued", "Started", "Cancelled"]


def test_cancelling_what_has_ended_says_nothing(watch: Watch) -> None:
    job = watch.worker.submit("count", Counting(1))
    watch.until_ended(job)
    watch.worker.cancel(job)
    assert watch.worker.take() == ()


def test_a_newer_job_replaces_its_lane(watch: Watch) -> None:
    running = Counting(10, hold_at=3)
    waiting, other, newest = Counting(10), Counting(10), Counting(10)
    old = watch.worker.submit("old", running, lane="kernel")
    assert running.reached.wait(PATIENCE)
    older = watch.worker.submit("older", waiting, lane="kernel")
    free = watch.worker.submit("other lane", other, lane="training")
    last = watch.worker.submit("new", newest, lane="kernel")
    running.go_on.set()
    watch.until_ended(old, older, free, last)
    assert [type(watch.ending(job)) for job in (old, older, free, last)] == [Cancelled, Cancelled, Finished, Finished]
    assert (running.counted, waiting.counted) == (4, 0)


def test_jobs_without_a_lane_are_never_replaced(watch: Watch) -> None:
    jobs = [watch.worker.submit(f"job {n}", Counting(3)) for n in range(4)]
    watch.until_ended(*jobs)
    assert all(isinstance(watch.ending(job), Finished) for job in jobs)


@pytest.mark.parametrize(
    ("replace", "endings"),
    [
        (False, [Finished, Finished, Finished]),
        ("waiting", [Finished, Cancelled, Finished]),
        (True, [Cancelled, Cancelled, Finished]),
    ],
)
def test_how_much_of_its_lane_a_job_replaces(watch: Watch, replace: Any, endings: list[type]) -> None:
    works = [Counting(3, hold_at=0), Counting(3), Counting(3)]
    jobs = [watch.worker.submit("first", works[0], lane="dial")]
    assert works[0].reached.wait(PATIENCE)
    jobs.append(watch.worker.submit("second", works[1], lane="dial", replace=False))
    jobs.append(watch.worker.submit("third", works[2], lane="dial", replace=replace))
    works[0].go_on.set()
    watch.until_ended(*jobs)
    assert [type(watch.ending(job)) for job in jobs] == endings


def fails_in_start() -> Work[None]:
    raise ValueError("no such\nthing")


def fails_midway() -> Work[None]:
    yield Progress(1, 2)
    raise SpecError("width must be at least 1, got 0; give a width")


def runs_out_of_memory() -> Work[None]:
    yield Progress(1, 2)
    raise MemoryError


def gives_up() -> Work[None]:
    yield Progress(1, 2)
    raise SystemExit(3)


def is_no_work() -> Any:
    return 7


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (fails_in_start, "Unexpected ValueError: no such thing"),
        (fails_midway, "width must be at least 1, got 0; give a width"),
        (runs_out_of_memory, "Unexpected MemoryError"),
        (gives_up, "Unexpected SystemExit: 3"),
        (is_no_work, "Unexpected TypeError: 'int' object is not an iterator"),
    ],
)
def test_a_failure_is_reported_and_the_worker_goes_on(watch: Watch, start: Any, message: str) -> None:
    broken, sound = watch.worker.submit("broken job", start), watch.worker.submit("sound", Counting(2))
    watch.until_ended(broken, sound)
    failure = watch.ending(broken)
    assert isinstance(failure, Failed)
    assert failure.report.message == message
    assert failure.report.details.startswith(f"broken job: {message}\n")
    assert "Traceback" in failure.report.details
    assert isinstance(watch.ending(sound), Finished)


def test_a_failure_after_cancellation_is_logged_not_shown(watch: Watch, caplog: pytest.LogCaptureFixture) -> None:
    held, go_on = threading.Event(), threading.Event()

    def stubborn() -> Work[None]:
        try:
            yield Progress(0, 1)
            held.set()
            assert go_on.wait(PATIENCE)
            yield Progress(1, 1)
        finally:
            raise OSError("cannot tidy up")

    job = watch.worker.submit("stubborn", stubborn)
    assert held.wait(PATIENCE)
    watch.worker.cancel(job)
    go_on.set()
    watch.until_ended(job)
    assert isinstance(watch.ending(job), Cancelled)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "cannot tidy up" in caplog.text


def test_closing_during_a_job_ends_it(watch: Watch) -> None:
    endless = Endless()
    job = watch.worker.submit("endless", endless)
    waiting = watch.worker.submit("count", Counting(1))
    assert endless.under_way.wait(PATIENCE)
    assert watch.worker.close(PATIENCE)
    watch.messages.extend(watch.worker.take())
    assert isinstance(watch.ending(job), Cancelled)
    assert isinstance(watch.ending(waiting), Cancelled)


def test_close_says_when_work_does_not_end(watch: Watch) -> None:
    work = Counting(1, hold_at=0)
    watch.worker.submit("deaf", work)
    assert work.reached.wait(PATIENCE)
    watch.wakes.clear()
    assert not watch.worker.close(0.0)
    work.go_on.set()
    assert watch.worker.close(PATIENCE)
    assert watch.wakes == [], "nobody listens after close"


def test_close_before_any_job_and_twice() -> None:
    worker = Worker(lambda: None)
    assert worker.close()
    assert worker.close()
    assert not worker.busy


def test_a_job_after_close_is_cancelled_at_once() -> None:
    worker = Worker(lambda: None)
    worker.close()
    work = Counting(1)
    job = worker.submit("late", work)
    assert worker.take() == (Queued(job), Cancelled(job))
    assert work.counted == 0


def test_work_does_not_outlive_its_job(watch: Watch) -> None:
    work = Counting(1)
    work_alive = weakref.ref(work)
    watch.until_ended(watch.worker.submit("count", work))
    watch.messages.clear()
    del work
    watch.until_ended(watch.worker.submit("next", Counting(1)))  # the worker has left the first job's frames by now
    gc.collect()
    assert work_alive() is None


def test_one_wake_until_taken(watch: Watch) -> None:
    holder = Counting(1, hold_at=0)
    jobs = [watch.worker.submit(f"job {n}", Counting(5)) for n in range(5)]
    jobs.append(watch.worker.submit("last", holder))
    assert holder.reached.wait(PATIENCE)
    assert len(watch.wakes) == 1
    holder.go_on.set()
    watch.until_ended(*jobs)
