"""Directories that belong to one process at a time: not to its children, and not after its end."""

from __future__ import annotations

import os
import platform
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infogeo.core.errors import InputError

PATIENCE = 0.2
"""Seconds that a lock is waited for: who only asks whether a directory is held holds it for an instant."""


@dataclass(eq=False)
class _Hold:
    """The descriptor of a directory, and (device, inode) once it is held."""

    handle: int
    place: tuple[int, int] | None = None


_HOLDS: set[_Hold] = set()
"""Those of this process."""
_GUARD = threading.RLock()
"""Held while descriptors and holds differ: nothing forks meanwhile."""


@contextmanager
def locked(folder: Path, what: str, signed: Callable[[], Mapping[str, Any]] = dict) -> Iterator[None]:
    """Hold a directory; the system lets go of it when the process ends, however it ends.

    Children do not hold it: what runs another program has no such descriptors, and those that Python forks, workers
    that load data for instance, close theirs at once.

    Args:
        folder: that exists.
        what: it is, for the message.
        signed: gives what its holder left there of its `signature`, for the message.

    Raises:
        InputError: somebody else holds it, or the system has no such locks.
    """
    if os.name != "posix":
        raise InputError(f"{what}: needs the file locks of a POSIX system")
    import fcntl  # the rest of the package does without it

    with _GUARD:
        hold, last = _Hold(os.open(folder, os.O_RDONLY)), time.monotonic() + PATIENCE
        _HOLDS.add(hold)
    try:
        while True:
            try:
                fcntl.flock(hold.handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > last:
                    raise InputError(f"{what}: is in use by {holder(folder, signed())}") from None
                time.sleep(PATIENCE / 10)
        hold.place = _identity(folder)
        yield
    finally:
        with _GUARD:
            if hold in _HOLDS:  # in a child it is closed already, and its number may be another file's by now
                _HOLDS.remove(hold)
                os.close(hold.handle)


def is_held(folder: Path) -> bool:
    """Whether some process holds a directory with `locked`."""
    try:
        with locked(folder, ""):
            return False
    except InputError:
        return os.name == "posix"


def signature() -> dict[str, Any]:
    """By which others know who holds a directory: the process and its machine."""
    return {"process": os.getpid(), "host": platform.node()}


def holder(folder: Path, signed: Mapping[str, Any]) -> str:
    """In words, who holds a directory, and what to do about that.

    Args:
        folder: that is held.
        signed: what its holder left there of its `signature`.
    """
    if _identity(folder) in [hold.place for hold in _HOLDS]:
        return (
            "another recorder of this process, which is still open; end that one first, with close(finished=False) "
            "if the run is to go on"
        )
    known = f" ({signed['process']} on {signed['host']})" if {"process", "host"} <= set(signed) else ""
    return f"another process{known}; wait for it, or choose another name"


def _identity(folder: Path) -> tuple[int, int]:
    found = folder.stat()
    return found.st_dev, found.st_ino


def _let_go() -> None:
    """In a child: close what its parent holds, which goes on holding it."""
    for hold in _HOLDS:
        os.close(hold.handle)
    _HOLDS.clear()
    _GUARD.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_GUARD.acquire, after_in_parent=_GUARD.release, after_in_child=_let_go)
