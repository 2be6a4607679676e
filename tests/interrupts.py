"""Ctrl-C for child processes, whatever shell the tests run under."""

import signal


def heard() -> None:
    """For ``preexec_fn``: a shell that runs tests in the background ignores interrupts, and children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
