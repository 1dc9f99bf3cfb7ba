"""Results appear whole or not at all: written beside their place, then renamed."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from infogeo.core.errors import InputError

QUIET, LONGEST_WRITE = 0.4, 5.0
"""Seconds: after a failure a directory that stays away so long is gone, and nothing goes on writing for longer."""


@contextmanager
def written_beside(path: Path, overwrite: bool, is_ours: Callable[[Path], bool]) -> Iterator[Path]:
    """A temporary directory beside `path`, holding a name to write to; on success that takes the place of `path`.

    On any failure, an interrupt too, what was written is removed and `path` stays as it was.

    Args:
        path: the file or directory to make; an empty directory counts as absent.
        overwrite: whether something of ours at `path` may be replaced.
        is_ours: tells whether what stands at `path` is of the kind that we write; nothing else is ever replaced.

    Raises:
        InputError: `path` is taken, or its directory cannot be written to.
    """
    path = path.resolve()  # a link keeps its place; what it points to is replaced
    check_free(path, overwrite, is_ours)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); choose another place") from error
    try:
        target = scratch / path.name
        yield target
        _take_place(target, path, aside=scratch / "replaced")
        shutil.rmtree(scratch, ignore_errors=True)
    except BaseException:
        _remove_for_good(scratch)
        raise


def check_free(path: Path, overwrite: bool, is_ours: Callable[[Path], bool]) -> None:
    """Refuse a place that is taken, before any work starts.

    Raises:
        InputError: something stands there and may not be replaced, or nothing can be written there.
    """
    standing = next(folder for folder in path.absolute().parents if folder.exists())
    try:
        os.rmdir(tempfile.mkdtemp(prefix=f".{path.name}.", dir=standing))
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written ({standing} is no directory to write in); choose another place"
        ) from error
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    if not is_ours(path):
        raise InputError(
            f"{path}: exists and is no earlier result of this command alone (something else lies there); "
            "choose another place"
        )
    if not overwrite:
        raise InputError(f"{path}: exists; choose another place, or replace it with --overwrite (overwrite=True)")


def _remove_for_good(scratch: Path) -> None:
    """Remove a directory, and again until it stays gone: background threads may be finishing a write there."""
    gone, last = time.monotonic(), time.monotonic() + LONGEST_WRITE
    while time.monotonic() < min(gone + QUIET, last):
        if scratch.exists():
            shutil.rmtree(scratch, ignore_errors=True)
            gone = time.monotonic()
        time.sleep(0.02)


def _take_place(new: Path, path: Path, aside: Path) -> None:
    """Rename `new` to `path`; a directory that stands there is put aside first, and back if that fails."""
    if not path.is_dir():
        os.replace(new, path)
        return
    os.rename(path, aside)
    try:
        os.rename(new, path)
    finally:
        if not path.exists():
            os.rename(aside, path)
