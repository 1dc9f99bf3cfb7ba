"""Small files that are whole or not there at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, Any


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
