"""How many threads a piece of work deserves, and tiles on several of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, closing, contextmanager
from threading import Event
from typing import TypeVar

import torch

T = TypeVar("T")
R = TypeVar("R")

# Below this size (multiply-adds) threads wait more than they work.
_THREADS_FROM = 1e8
_BEAT = 0.1  # seconds


def threads_for(operations: float) -> AbstractContextManager[None]:
    """``threads`` for so many multiply-adds: a single one where there is too little work to share."""
    return threads(single=operations < _THREADS_FROM)


@contextmanager
def threads(*, single: bool) -> Iterator[None]:
    """One torch thread inside, if ``single``; what was set before afterwards.

    Not to be held across a yield: the setting is the process's.
    """
    before = torch.get_num_threads()
    if not single or before == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def each(tasks: Iterable[T], act: Callable[[T], R], workers: int) -> Generator[tuple[T, R], None, None]:
    """(task, act(task)) in order, ``workers`` of them at the same time, each on one torch thread.

    Threads over tiles never wait for each other, as threads inside an operation do: so they share a busy machine well.
    At most 2·``workers`` results are held. Closing the iterator waits for the tasks that run, and starts no more.
    """
    if workers <= 1:
        for task in tasks:
            with threads_for(0):
                result = act(task)
            yield task, result
        return
    with closing(beating(tasks, act, workers)) as results:
        for pair in results:
            if pair is not None:
                yield pair


def beating(
    tasks: Iterable[T], act: Callable[[T], R], workers: int, *, stop: Event | None = None
) -> Generator[tuple[T, R] | None, None, None]:
    """As ``each``, always in other threads, with None every 0.1 s in which no result came.

    So that a consumer can leave while a task runs: ``stop`` is set when it leaves early, for tasks to see.
    """
    waiting: deque[tuple[T, Future[R]]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="tiles")
    try:
        for task in tasks:
            with threads_for(0):  # new threads take over the setting of this moment
                waiting.append((task, pool.submit(act, task)))
            if len(waiting) >= 2 * workers:
                yield from _first(waiting)
        while waiting:
            yield from _first(waiting)
        stop = None  # all was done
    finally:
        if stop is not None:
            stop.set()
        pool.shutdown(wait=True, cancel_futures=True)


def _first(waiting: deque[tuple[T, Future[R]]]) -> Generator[tuple[T, R] | None, None, None]:
    task, future = waiting.popleft()
    while True:
        with threads_for(0):
            finished, _ = wait((future,), timeout=_BEAT)
        if finished:
            break
        yield None
    yield task, future.result()
