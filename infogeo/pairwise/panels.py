"""Panels: encoded log-probabilities of a block of points on a range of samples, read when needed and kept a while."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
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
AHEAD = 2
"""Parts of a panel that are made while one is in use."""


@dataclass
class Panel:
    """What `tile` eats of a block of points, in parts, one per float32 sum; made ahead of their use.

    Attributes:
        make: makes a part.
        count: of parts.
        encoders: threads that make them.
        kept: whether parts stay for other tiles; the others make room when they are used. Safe among threads.
    """

    make: Callable[[int], Encoded]
    count: int
    encoders: Executor
    kept: bool
    _made: dict[int, Future[Encoded]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def __iter__(self) -> Iterator[Encoded]:
        for i in range(self.count):
            for ahead in range(i, min(i + 1 + AHEAD, self.count)):
                self._part(ahead)
            yield self._part(i).result()
            if not self.kept:
                del self._made[i]

    def _part(self, i: int) -> Future[Encoded]:
        with self._lock:
            if i not in self._made:
                self._made[i] = self.encoders.submit(self.make, i)
            return self._made[i]


@dataclass
class Panels:
    """The panels of one set of points; the `keep` most recently used ones stay in memory. Safe among threads.

    Attributes:
        log_probs: [P, N, C], read by blocks of points.
        blocks: the points of each block.
        divergence: whose encoding.
        plan: the samples of each sum and range.
        keep: how many panels stay.
        self_sums: K(p, p) of each block where it is known.
        encoders: threads that make parts of panels.
    """

    log_probs: LogProbReader
    blocks: tuple[NDArray[np.intp], ...]
    divergence: Divergence
    plan: Plan
    keep: int
    self_sums: dict[int, NDArray[np.float64]] = field(default_factory=dict)
    encoders: Executor = field(init=False)
    _kept: OrderedDict[tuple[int, int, Device], Future[Panel]] = field(default_factory=OrderedDict)
    _buffers: Buffers = field(default_factory=Buffers)
    _lock: Lock = field(default_factory=Lock)

    def panel(self, block: int, range_: int, device: Device) -> Panel:
        """A panel, read unless it is kept; a thread that wants it meanwhile waits for the first."""
        key = block, range_, device
        mine: Future[Panel] = Future()
        with self._lock:
            kept = self._kept.setdefault(key, mine)
            self._kept.move_to_end(key)
            while len(self._kept) > self.keep:
                self._kept.popitem(last=False)
        if kept is mine:
            try:
                mine.set_result(self._read(block, range_, device))
            except BaseException as error:
                mine.set_exception(error)
        return kept.result()

    def _read(self, block: int, range_: int, device: Device) -> Panel:
        points, samples = self.blocks[block], self.plan.range_of(range_)
        log_probs = _of_points(self.log_probs, points, samples)
        starts = range(0, log_probs.shape[1], self.plan.samples)
        height = side(points)

        def make(i: int) -> Encoded:
            part = log_probs[:, starts[i] : starts[i] + self.plan.samples]
            return self._encoded(part, samples.start + starts[i], height, device)

        return Panel(make, len(starts), self.encoders, self.keep > 0)

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


def _of_points(log_probs: LogProbReader, points: NDArray[np.intp], samples: slice) -> NDArray[np.float32]:
    """The log-probabilities of some points, in their order, read by runs of consecutive points."""
    cuts = np.flatnonzero(np.diff(points) != 1) + 1
    whole = samples == slice(0, log_probs.shape[1])
    runs = [slice(int(part[0]), int(part[-1]) + 1) for part in np.split(points, cuts)]
    blocks = [np.asarray(log_probs[run] if whole else log_probs[run, samples]) for run in runs]
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)
