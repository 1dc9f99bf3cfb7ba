"""Panels: the predictions of a block of points as the tile takes them, read and encoded ahead of their use."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from infogeo.core.predictions import LogProbReader
from infogeo.divergences.base import FEW, Divergence
from infogeo.divergences.many import ManyClasses, dither_of
from infogeo.pairwise.buffers import Buffers
from infogeo.pairwise.plan import Plan, side
from infogeo.pairwise.tile import Encoded, encoded

Device = Any
"""A device of JAX, which has no public type."""


@dataclass
class Panels:
    """Where the panels of one set of points come from.

    Attributes:
        log_probs: [P, N, C], read by blocks of points and windows of samples.
        blocks: the points of each block.
        divergence: whose encoding.
        plan: the samples of each sum.
        self_sums: K(p, p) [1 + R, P] of each block, of all samples and of each group, where it is known or on its way.
        readers: threads that read and encode.
    """

    log_probs: LogProbReader
    blocks: tuple[NDArray[np.intp], ...]
    divergence: Divergence
    plan: Plan
    self_sums: dict[int, Future[NDArray[np.float64]]] = field(default_factory=dict)
    readers: Executor = field(init=False)
    _buffers: Buffers = field(default_factory=Buffers)

    def panel(self, block: int, device: Device, *, held: bool = False) -> Panel:
        """The panel of a block; one that is held keeps what has been read of it."""
        return Panel(self, block, device, held)

    def know(self, self_sums: dict[int, NDArray[np.float64]]) -> None:
        """K(p, p) [1, P] of some blocks, from an earlier computation."""
        for block, values in self_sums.items():
            self.self_sums[block] = Future()
            self.self_sums[block].set_result(values)

    def forget_buffers(self) -> None:
        """Let go of memory that is kept to be used again."""
        self._buffers = Buffers()

    def window(self, block: int, samples: slice, device: Device) -> list[Encoded]:
        """What `tile` eats of some samples, one for each float32 sum."""
        points, size = self.blocks[block], self.plan.samples
        log_probs = _of_points(self.log_probs, points, samples)
        starts = range(0, log_probs.shape[1], size)
        height = side(points)
        return [
            self._encoded(log_probs[:, start : start + size], samples.start + start, height, device) for start in starts
        ]

    def _encoded(self, log_probs: NDArray[np.float32], first: int, height: int, device: Device) -> Encoded:
        """The samples of one float32 sum, of which the first is number `first`."""
        filled = jax.device_put(self._filled(log_probs, height), device)
        if log_probs.shape[2] <= FEW:
            return encoded(self.divergence, filled)
        return ManyClasses(filled, dither_of(first, self.plan.samples, self.plan.shape[2]))

    def _filled(self, log_probs: NDArray[np.float32], height: int) -> NDArray[np.float32]:
        """[height, samples, C]: filled up with rows that add nothing, so that all panels have one shape."""
        points, samples, classes = log_probs.shape
        filled = self._buffers.array((height, self.plan.samples, classes))
        filled[:points, :samples] = log_probs
        for rest in (filled[points:], filled[:points, samples:]):
            rest[..., 0], rest[..., 1:] = self.divergence.filler, -np.inf
        return filled


@dataclass
class Panel:
    """What `tile` eats of a block of points, in order, one for each float32 sum. Safe among threads.

    Attributes:
        source: where it comes from.
        block: which block.
        device: where it goes.
        held: whether what has been read stays for other tiles.
    """

    source: Panels
    block: int
    device: Device
    held: bool
    _windows: dict[int, Future[list[Encoded]]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    @property
    def n_points(self) -> int:
        """How many points the block has."""
        return len(self.source.blocks[self.block])

    @property
    def height(self) -> int:
        """The side of a tile of this block."""
        return side(self.source.blocks[self.block])

    def __iter__(self) -> Iterator[Encoded]:
        windows = self._all_windows()
        for i in range(len(windows)):
            for ahead in windows[i : i + 2]:
                self._window(ahead)
            yield from self._window(windows[i]).result()
            if not self.held:
                del self._windows[windows[i].start]

    def _all_windows(self) -> list[slice]:
        n_samples, size = self.source.plan.shape[2], self.source.plan.window
        return [slice(start, min(start + size, n_samples)) for start in range(0, n_samples, size)]

    def _window(self, samples: slice) -> Future[list[Encoded]]:
        with self._lock:
            if samples.start not in self._windows:
                make = self.source.readers.submit(self.source.window, self.block, samples, self.device)
                self._windows[samples.start] = make
            return self._windows[samples.start]


def _of_points(log_probs: LogProbReader, points: NDArray[np.intp], samples: slice) -> NDArray[np.float32]:
    """The log-probabilities of some points, in their order, read by runs of consecutive points."""
    cuts = np.flatnonzero(np.diff(points) != 1) + 1
    runs = [slice(int(part[0]), int(part[-1]) + 1) for part in np.split(points, cuts)]
    blocks = [np.asarray(log_probs[run, samples]) for run in runs]
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)
