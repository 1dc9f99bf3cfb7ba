"""Small files that are whole or not there at all, and directories that belong to one process at a time."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from infogeo.core.errors import InputError

PATIENCE = 0.2
"""Seconds that a lock is waited for: who only asks whether a directory is held holds it for an instant."""


def replace_file(path: Path, content: bytes, sync: bool = True) -> None:
    """Write a file beside its place, to the disk unless told otherwise, then rename: readers see the old or the new.

    Raises:
        OSError: the disk is full or fails; the old content stays.
    """
    aside = path.with_name(f"{path.name}.part")
    try:
        with aside.open("wb") as file:
            file.write(content)
            if sync:
                to_disk(file)
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def to_disk(file: IO[Any]) -> None:
    """What was written to a file, past the caches of Python and of the system."""
    file.flush()
    os.fsync(file.fileno())


@contextmanager
def locked(folder: Path, what: str) -> Iterator[None]:
    """Hold a directory; the system lets go of it when the process ends, however it ends.

    Args:
        folder: that exists.
        what: it is, for the message.

    Raises:
        InputError: another process holds it, or the system has no such locks.
    """
    if os.name != "posix":
        raise InputError(f"{what}: needs the file locks of a POSIX system")
    import fcntl  # the rest of the package does without it

    handle, last = os.open(folder, os.O_RDONLY), time.monotonic() + PATIENCE
    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > last:
                    what += ": is in use by another process; wait for it, or choose another name"
                    raise InputError(what) from None
                time.sleep(PATIENCE / 10)
        yield
    finally:
        os.close(handle)


def is_held(folder: Path) -> bool:
    """Whether some process holds a directory with `locked`."""
    try:
        with locked(folder, ""):
            return False
    except InputError:
        return os.name == "posix"
