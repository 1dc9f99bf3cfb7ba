"""What a reader of files gives: named arrays, read when they are needed."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from infogeo.core.errors import InputError
from infogeo.core.kinds import Kind

if TYPE_CHECKING:
    from infogeo.store.root import Root

FAILURES = (OSError, ValueError, RuntimeError, KeyError, TypeError, EOFError, zlib.error)
"""What libraries raise for files that are damaged."""


class NamedArray(NamedTuple):
    """An array [T, N, C] or [N, C] of a file, with what the file says of it.

    Attributes:
        name: of the run, or of the single checkpoint.
        array: the numbers; anything with shape, dtype and slices.
        steps: [T], where the file tells.
        kind: what the numbers are, where the file tells.
        root: the samples and classes, where the file names them.
    """

    name: str
    array: Any
    steps: NDArray[np.int64] | None = None
    kind: Kind | None = None
    root: Root | None = None


Reader = Callable[[Path, str], Iterator[NamedArray]]


def member(name: str, key: str, n_members: int) -> str:
    """The name of one of the arrays in a file: that of the file where it is the only one."""
    return name if n_members == 1 else f"{name}/{key}"


@dataclass(frozen=True)
class BlockReader:
    """An array in a file, read from there block by block.

    Attributes:
        path: the file, for messages.
        shape: [T, N, C] or [N, C].
        dtype: of the numbers.
        read: gives the block of a slice, or of a tuple of slices.
    """

    path: Path
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    read: Callable[[Any], Any]

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __getitem__(self, block: Any, /) -> NDArray[Any]:
        try:
            return np.asarray(self.read(block))
        except FAILURES as error:
            raise unreadable(self.path, error) from error


@dataclass(frozen=True)
class OneCheckpoint:
    """An array [N, C] as [1, N, C]."""

    array: Any
    ndim = 3

    @property
    def shape(self) -> tuple[int, ...]:
        """(1, N, C)."""
        return (1, *self.array.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """That of the numbers."""
        return self.array.dtype

    def __getitem__(self, block: tuple[slice, slice], /) -> NDArray[Any]:
        checkpoints, samples = block
        return np.asarray(self.array[samples])[None][checkpoints]


def unreadable(path: Path, error: Exception) -> InputError:
    """The one line for a file that a library cannot read."""
    if isinstance(error, InputError):
        return error
    if isinstance(error, PermissionError):
        return InputError(f"{path}: cannot be read: permission denied")
    text = str(error).strip()
    reason = text.splitlines()[0] if text else type(error).__name__
    return InputError(f"{path}: is truncated or damaged ({reason}); write it again")
