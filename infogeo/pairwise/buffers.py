"""Memory that predictions are copied into on their way to JAX, used again and again."""

from __future__ import annotations

import ctypes
import math
import os
import weakref
from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

CACHE_LINE = 64


@dataclass
class Buffers:
    """Arrays that JAX takes on a CPU as they are, without a copy: they begin on a cache line.

    Memory is used again when nobody holds its array any more, JAX included: the system takes longer to hand out
    fresh memory than predictions take to be copied. Safe among threads.
    """

    _free: dict[int, deque[NDArray[np.float32]]] = field(default_factory=dict)

    def array(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """An array whose content is arbitrary."""
        size = math.prod(shape)
        free = self._free.setdefault(size, deque())
        try:
            memory = free.pop()
        except IndexError:
            raw = np.empty(4 * size + CACHE_LINE, dtype=np.uint8)
            start = -raw.ctypes.data % CACHE_LINE
            memory = raw[start : start + 4 * size].view(np.float32)
        lease = _Lease(memory)
        weakref.finalize(lease, free.append, memory).atexit = False
        return np.asarray(lease).reshape(shape)


class _Lease:
    """The owner of an array as NumPy sees it: alive as long as the array, its views, and what JAX makes of them."""

    def __init__(self, memory: NDArray[np.float32]) -> None:
        self.__array_interface__ = memory.__array_interface__


def give_back_memory() -> None:
    """Ask the C library to give freed memory back to the system, where it can: it keeps it by threads otherwise."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
    if trim is not None:
        trim(0)
