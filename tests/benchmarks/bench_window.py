"""The real window, started as a user starts it: times from process start, event-loop gaps, frames of the width dial.

Each figure is the median of several fresh processes. Runs offscreen unless QT_QPA_PLATFORM says otherwise.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

RUNS = 3
PROBE = Path(__file__).with_name("window_probe.py")


def measure() -> dict[str, float]:
    environment = {**os.environ, "NTKLAB_START": repr(time.clock_gettime(time.CLOCK_MONOTONIC))}
    environment.setdefault("QT_QPA_PLATFORM", "offscreen")
    done = subprocess.run([sys.executable, str(PROBE)], env=environment, capture_output=True, text=True, timeout=300)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        raise SystemExit(done.stdout + done.stderr)
    figures: dict[str, float] = json.loads(lines[-1])
    return figures


def main() -> None:
    runs = [measure() for _ in range(RUNS)]
    for name in runs[0]:
        values = [run[name] for run in runs if name in run]
        print(f"{name:48s} {statistics.median(values):9.1f}   (min {min(values):.1f}, max {max(values):.1f})")


if __name__ == "__main__":
    main()
