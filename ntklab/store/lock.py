"""One writer at a time: a lock that ends with the process that holds it, however that ends."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path

from ntklab.errors import FileError

_WAITS = (0.01, 0.05)  # seconds between attempts

if sys.platform == "win32":
    import msvcrt

    def _take(handle: int, *, alone: bool = True) -> None:  # noqa: ARG001 (there is one kind of lock)
        os.lseek(handle, 2**30, os.SEEK_SET)  # beyond the words in the file: a locked range cannot be read there
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _take(handle: int, *, alone: bool = True) -> None:
        fcntl.flock(handle, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)


def writer(folder: Path) -> str:
    """The process that writes the kernel in ``folder``, in words; empty if none does. Writes nothing."""
    try:
        handle = os.open(folder / "lock", os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return ""
    try:
        _take(handle, alone=False)
    except OSError:
        return _named(handle)
    finally:
        os.close(handle)
    return ""


class Lock:
    """The lock of a folder, held from its making until ``release`` or the end of the process.

    Raises ``FileError`` naming the folder and the process that holds it, also if that is this one.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / "lock"
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
        try:
            self._handle: int | None = os.open(path, flags, 0o666)
        except OSError as error:
            raise FileError(f"cannot write {path}: {error.strerror}; choose another folder") from error
        if not _patiently(self._handle):
            who = _named(self._handle)
            self.release()
            raise FileError(
                f"{folder}: {who} is writing this kernel; wait until it has ended, or choose another folder"
            )
        with contextlib.suppress(OSError):  # a full disk: the lock holds without the number
            os.ftruncate(self._handle, 0)
            os.write(self._handle, str(os.getpid()).encode())

    @property
    def held(self) -> bool:
        """Whether it was not released yet."""
        return self._handle is not None

    def release(self) -> None:
        """Let others write."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def _patiently(handle: int) -> bool:
    """Take the lock if that can be done soon: ``writer`` holds it for a moment when it looks."""
    for wait in (*_WAITS, None):
        try:
            _take(handle)
        except OSError:
            if wait is not None:
                time.sleep(wait)
        else:
            return True
    return False


def _named(handle: int) -> str:
    """The process whose number stands in the file of a lock."""
    os.lseek(handle, 0, os.SEEK_SET)
    holder = os.read(handle, 32).decode("ascii", "replace").strip()
    return f"process {holder}" if holder else "another process"
