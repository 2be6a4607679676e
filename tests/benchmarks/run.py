"""Print every benchmark: ``python tests/benchmarks/run.py [name …]``. Nothing here is asserted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def main() -> int:
    wanted = sys.argv[1:]
    scripts = sorted(FOLDER.glob("bench_*.py"))
    for script in scripts:
        if not wanted or any(name in script.stem for name in wanted):
            print(f"\n== {script.stem.removeprefix('bench_')}", flush=True)
            subprocess.run([sys.executable, str(script)], check=False)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
