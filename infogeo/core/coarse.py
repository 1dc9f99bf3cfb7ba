"""CoarseGraining: which classes stand for themselves, sample by sample, and which are merged into one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogeo.core.errors import InputError
from infogeo.core.labels import LabelSpace

CACHED_NUMBERS = 2**17
"""Numbers that are exponentiated at a time: in float64 they stay in a core's cache."""


@dataclass(frozen=True, eq=False)
class CoarseGraining:
    """K of C classes kept for each sample, the other C - K merged into one: K + 1 classes instead of C.

    log p'_n(k) = log p_n(kept_nk) for k < K, and log p'_n(K) = log of the sum of p_n(c) over all other c, in nats.

    Attributes:
        kept: the class numbers that are kept [N, K], ascending for each sample; the same for all points.
        classes: the C classes before merging.

    Raises:
        InputError: `kept` is no table of class numbers, or leaves nothing to merge.
    """

    kept: NDArray[np.int32]
    classes: LabelSpace

    def __post_init__(self) -> None:
        kept, c = np.asarray(self.kept), len(self.classes)
        if kept.ndim != 2 or kept.dtype.kind not in "iu" or not 1 <= kept.shape[1] < c:
            raise InputError(
                f"kept classes: {kept.dtype} of shape {kept.shape}, expected class numbers [N, K], K from 1 to {c - 1}"
            )
        if kept.min(initial=0) < 0 or kept.max(initial=0) >= c or (np.diff(kept, axis=1) <= 0).any():
            raise InputError(f"kept classes: must ascend within each sample, from 0 to {c - 1} at most")
        object.__setattr__(self, "kept", kept.astype(np.int32))

    @property
    def n_kept(self) -> int:
        """K, the number of classes that each sample keeps."""
        return self.kept.shape[1]

    @property
    def n_merged(self) -> int:
        """C - K, the number of classes behind the merged one."""
        return len(self.classes) - self.n_kept

    @cached_property
    def label_space(self) -> LabelSpace:
        """The K + 1 classes after merging; which class `kept-k` is depends on the sample."""
        return LabelSpace((*(f"kept-{k}" for k in range(self.n_kept)), "the rest"))

    def ignorance(self) -> NDArray[np.float64]:
        """The log-probabilities [K + 1] of what was uniform over the C classes."""
        return np.log([*np.ones(self.n_kept), self.n_merged]) - np.log(len(self.classes))

    def encode(self, labels: ArrayLike) -> NDArray[np.int64]:
        """The position of the true class among the kept ones [N], of labels in terms of the C classes.

        Raises:
            InputError: no such class, or a true class that was merged into the rest.
        """
        return self.position(self.classes.encode(labels, len(self.kept)))

    def position(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where one class number per sample [N] stands among the kept ones [N].

        Raises:
            InputError: a class that was merged into the rest.
        """
        found = self.kept == numbers[:, None]
        lost = np.flatnonzero(~found.any(axis=1))
        if lost.size:
            raise InputError(
                f"labels: class {numbers[lost[0]]} of sample {lost[0]} was merged into the rest; "
                "give the labels before merging, then the true classes are kept"
            )
        return found.argmax(axis=1)

    def decode(self, labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """The class numbers before merging [N] of positions among the kept ones [N]."""
        return self.kept[np.arange(len(self.kept)), labels].astype(np.int64)

    def merged(self, log_p: NDArray[np.float32], samples: slice = slice(None)) -> NDArray[np.float32]:
        """Log-probabilities [P, n, K + 1] of log-probabilities [P, n, C] of these samples.

        The rest is a sum of positive terms in float64, never one minus the sum of the others, which cancels; no term
        of it underflows, down to the floor of log p.
        """
        points, n_samples, n_classes = log_p.shape
        kept = self.kept[samples]
        merged = np.empty((points, n_samples, self.n_kept + 1), dtype=np.float32)
        few = max(1, CACHED_NUMBERS // (points * n_classes))
        for start in range(0, n_samples, few):
            part = slice(start, start + few)
            index = kept[None, part]
            merged[:, part, :-1] = np.take_along_axis(log_p[:, part], index, axis=2)
            p = np.exp(log_p[:, part], dtype=np.float64)
            np.put_along_axis(p, index, 0.0, axis=2)
            merged[:, part, -1] = np.log(p.sum(axis=2))
        return merged


def same_merging(first: CoarseGraining | None, second: CoarseGraining | None) -> bool:
    """Whether both merge the same classes of each sample, or both none."""
    if first is None or second is None:
        return first is second
    return first is second or (first.n_merged == second.n_merged and np.array_equal(first.kept, second.kept))
