"""How many threads a piece of work deserves, and tiles on several of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

import torch

T = TypeVar("T")
R = TypeVar("R")

# Below this size (multiply-adds) threads wait more than they work.
_THREADS_FROM = 1e8


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
    waiting: deque[tuple[T, Future[R]]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="tiles")
    try:
        for task in tasks:
            with threads_for(0):  # new threads take over the setting of this moment
                waiting.append((task, pool.submit(act, task)))
            if len(waiting) >= 2 * workers:
                yield _first(waiting)
        while waiting:
            yield _first(waiting)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _first(waiting: deque[tuple[T, Future[R]]]) -> tuple[T, R]:
    task, future = waiting.popleft()
    with threads_for(0):
        return task, future.result()
