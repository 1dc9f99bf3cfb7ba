"""Panels: encoded log-probabilities of a block of points on a range of samples, read when needed and kept a while."""

from __future__ import annotations

import math
from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from infogeo.core.predictions import LogProbReader
from infogeo.divergences.base import Divergence
from infogeo.pairwise.plan import Plan, side
from infogeo.pairwise.tile import encoded

CACHE_LINE = 64
Device = Any
"""A device of JAX, which has no public type."""
Panel = list[jax.Array]
"""Arrays [samples, F, side of the block] on a device, one per float32 sum."""


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
    """

    log_probs: LogProbReader
    blocks: tuple[NDArray[np.intp], ...]
    divergence: Divergence
    plan: Plan
    keep: int
    self_sums: dict[int, NDArray[np.float64]] = field(default_factory=dict)
    _kept: OrderedDict[tuple[int, int, Device], Future[Panel]] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def panel(self, block: int, range_: int, device: Device) -> Panel:
        """A panel, read and encoded unless it is kept; a thread that wants it meanwhile waits for the first."""
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
        parts = (self._filled(log_probs[:, start : start + self.plan.samples], side(points)) for start in starts)
        return [encoded(self.divergence, jax.device_put(part, device)) for part in parts]

    def _filled(self, log_probs: NDArray[np.float32], height: int) -> NDArray[np.float32]:
        """[height, samples, C]: filled up with rows that add nothing, so that all panels have one shape."""
        points, samples, classes = log_probs.shape
        filled = _aligned((height, self.plan.samples, classes))
        filled[:points, :samples] = log_probs
        for rest in (filled[points:], filled[:points, samples:]):
            rest[..., 0], rest[..., 1:] = self.divergence.filler, -np.inf
        return filled


def _aligned(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """An empty array that JAX takes on a CPU as it is, without a copy: it begins on a cache line."""
    size = 4 * math.prod(shape)
    raw = np.empty(size + CACHE_LINE, dtype=np.uint8)
    start = -raw.ctypes.data % CACHE_LINE
    return raw[start : start + size].view(np.float32).reshape(shape)


def _of_points(log_probs: LogProbReader, points: NDArray[np.intp], samples: slice) -> NDArray[np.float32]:
    """The log-probabilities of some points, in their order, read by runs of consecutive points."""
    cuts = np.flatnonzero(np.diff(points) != 1) + 1
    whole = samples == slice(0, log_probs.shape[1])
    runs = [slice(int(part[0]), int(part[-1]) + 1) for part in np.split(points, cuts)]
    blocks = [np.asarray(log_probs[run] if whole else log_probs[run, samples]) for run in runs]
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)
