"""RunSource: where the checkpoints of one run lie, whatever the format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from infogeo.core.checks import LogProbs, to_log_probs
from infogeo.core.kinds import Kind

if TYPE_CHECKING:
    from infogeo.store.root import Root


class ArrayReader(Protocol):
    """An array [T, N, C] that gives blocks of checkpoints and samples: a memory map, a zarr array, an ndarray."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(T, N, C)."""
        ...

    def __getitem__(self, block: tuple[slice, slice], /) -> Any:
        """A contiguous block of (checkpoints, samples)."""
        ...


@dataclass(frozen=True, eq=False)
class RunSource:
    """Consecutive checkpoints of one run in one array.

    Attributes:
        run: the name of the run.
        steps: [T]; None where the file does not say.
        array: the numbers [T, N, C].
        kind: what they are.
        files: the names under which metadata may refer to it; none for a run of a store.
        metadata: {column: value} that came with the numbers.
        where: for messages.
        fingerprints: of each checkpoint, where they were recorded when it was checked and written.
        root: the samples and classes, where a file (not a store) names them.
        step_from_name: it is a single checkpoint whose step is read off its name.
        exact: the numbers are known to be what `read` makes of them, so that they need no more checks.
    """

    run: str
    steps: NDArray[np.int64] | None
    array: ArrayReader
    kind: Kind
    where: str
    files: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    fingerprints: tuple[str, ...] = ()
    root: Root | None = None
    step_from_name: bool = False
    exact: bool = False

    def read(self, start: int, stop: int, samples: slice = slice(None)) -> LogProbs:
        """Checked log-probabilities of checkpoints start:stop, of all samples or a contiguous part."""
        values = np.asarray(self.array[start:stop, samples])
        if self.exact:
            return LogProbs(values, 0, 0.0)
        return to_log_probs(values, self.kind, self.where, (start, samples.start or 0))
