"""Schedules: at which steps of training a checkpoint is recorded. Any function from a step to yes or no is one."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from infogeo.core.errors import InputError


class Schedule(Protocol):
    """Says whether a checkpoint is due at a step; step 0 is before the first update of the weights."""

    def __call__(self, step: int, /) -> bool:
        """Whether step is recorded."""
        ...


@dataclass(frozen=True)
class LogSpaced:
    """Step 0, and the steps next to 10^(i / per_decade), i = 0, 1, ...: most of the path is walked early.

    With 10 per decade: 0, 1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 20, 25, 32, ...: 39 checkpoints up to step 10,000.

    Attributes:
        per_decade: how many steps between one and ten times as many.
    """

    per_decade: float = 10.0

    def __post_init__(self) -> None:
        if not 0 < self.per_decade < math.inf:
            raise InputError(f"per_decade: {self.per_decade}, expected a number above zero")

    def __call__(self, step: int, /) -> bool:
        """Whether step is recorded."""
        if step < 1:
            return step == 0
        nearest = round(self.per_decade * math.log10(step))
        return any(round(10 ** (i / self.per_decade)) == step for i in (nearest - 1, nearest, nearest + 1) if i >= 0)


@dataclass(frozen=True)
class EverySteps:
    """Steps 0, n, 2n, ...; an epoch is `EverySteps(steps_per_epoch)`.

    Attributes:
        n: steps from one checkpoint to the next.
    """

    n: int

    def __post_init__(self) -> None:
        _check_count("n", self.n)

    def __call__(self, step: int, /) -> bool:
        """Whether step is recorded."""
        return step % self.n == 0


@dataclass(frozen=True)
class PublishedSchedule:
    """That of the published training manifold: 67 checkpoints in 200 epochs, nearly half in the first ten.

    Step 0; `early` in each of epochs 0 to 4, evenly; the ends of epochs 5 to 25; of every 4th from 26 to 65; of every
    15th from 66 on; and of the last. (`early=4` gives the 62 of the larger batch sizes.)

    Attributes:
        steps_per_epoch: how many steps an epoch has.
        epochs: how many there are.
        early: checkpoints in each of the first five.

    Source: Mao et al., The training process of many deep networks explores the same low-dimensional manifold, PNAS
        121 (2024), and its code.
    """

    steps_per_epoch: int
    epochs: int = 200
    early: int = 5

    def __post_init__(self) -> None:
        for name in ("steps_per_epoch", "epochs", "early"):
            _check_count(name, getattr(self, name))

    def __call__(self, step: int, /) -> bool:
        """Whether step is recorded."""
        size = self.steps_per_epoch
        if step < 1:
            return step == 0
        epoch, place = divmod(step - 1, size)  # the step is number place + 1 of its epoch
        if epoch < 5:
            return place + 1 in {math.ceil(size * k / self.early) for k in range(1, self.early + 1)}
        rare = epoch <= 25 or (epoch <= 65 and (epoch - 26) % 4 == 0) or (epoch > 65 and (epoch - 66) % 15 == 0)
        return place + 1 == size and (rare or epoch == self.epochs - 1)


@dataclass(frozen=True)
class AtSteps:
    """Just these steps.

    Attributes:
        steps: whole numbers.
    """

    steps: frozenset[int]

    def __init__(self, steps: Iterable[int]) -> None:
        object.__setattr__(self, "steps", frozenset(int(step) for step in steps))

    def __call__(self, step: int, /) -> bool:
        """Whether step is recorded."""
        return step in self.steps


def _check_count(name: str, value: int) -> None:
    if value < 1 or value != int(value):
        raise InputError(f"{name}: {value}, expected a whole number of at least 1")
