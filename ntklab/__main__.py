"""``python -m ntklab`` and the command ``ntklab``."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line ``argv`` (default: that of the process) and return its exit status."""
    from ntklab.cli.main import main as command_line

    return command_line(sys.argv[1:] if argv is None else list(argv))


if __name__ == "__main__":
    sys.exit(main())
