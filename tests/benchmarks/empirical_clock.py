"""The clock of the benchmarks: wall time, or with BENCH_CPU=1 in the environment CPU time on one thread.

The latter tells methods apart on a machine that is busy with other work.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

BY_CPU = os.environ.get("BENCH_CPU") == "1"
now: Callable[[], float] = time.process_time if BY_CPU else time.perf_counter


def seconds(act: Callable[[], object]) -> float:
    """How long ``act`` takes."""
    start = now()
    act()
    return now() - start
