"""How predictions are recorded, and how much that takes."""

from __future__ import annotations

from dataclasses import dataclass

from infogeo.core.arguments import check_record, check_whole
from infogeo.core.coarse import CoarseGraining
from infogeo.core.errors import InputError
from infogeo.core.kinds import Kind
from infogeo.store.layout import ROWS_PER_FILE, chunk_shape


@dataclass(frozen=True)
class RecordingOptions:
    """How predictions are recorded; the defaults suit most.

    Attributes:
        kind: what the numbers given are, `Kind` or its name; by default told from the typical row of the first ones.
        half: keep float16 log-probabilities: half the size, and an error that docs/recording.md states.
        keep: which classes to keep for each sample, the rest merged into one: see `leading_classes`.
        on_invalid: what to do with NaN, infinity or rows that are no distribution: "error", or "skip" to record the
            gap and go on.
        queue_bytes: predictions under way; when there are more, `log` waits for the disk.
        sync: whether a committed checkpoint has reached the disk itself. Without, it survives the end of the process,
            however that comes about, but not of the machine.
    """

    kind: Kind | str | None = None
    half: bool = False
    keep: CoarseGraining | None = None
    on_invalid: str = "error"
    queue_bytes: int = 256 * 2**20
    sync: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", Kind.parse(self.kind))
        check_record("keep", self.keep, CoarseGraining, optional=True)
        check_whole("queue_bytes", self.queue_bytes)
        if self.on_invalid not in ("error", "skip"):
            raise InputError(f"on_invalid: '{self.on_invalid}'; choose error or skip")


def recorded_bytes(n_checkpoints: int, n_samples: int, n_classes: int, options: RecordingOptions | None = None) -> int:
    """How many bytes a run takes on the disk: T N C b, and a few; b is 4, or 2 with half precision.

    Where classes are merged, C is K + 1. Above 16 MB a checkpoint lies in several files of one size, which may hold a
    few rows more than N. Steps and fingerprints lie in files of 1024 rows, 24 bytes each. Not counted: a few KB of
    JSON, and labels, ids and kept classes, which the runs of a store share.

    Args:
        n_checkpoints: T.
        n_samples: N.
        n_classes: C.
        options: with which the run is recorded.
    """
    check_record("options", options, RecordingOptions, optional=True)
    options = options or RecordingOptions()
    stored = n_classes if options.keep is None else options.keep.n_kept + 1
    part = chunk_shape(n_samples, stored)[1]
    checkpoint = -(-n_samples // part) * part * stored * (2 if options.half else 4)
    return n_checkpoints * checkpoint + -(-n_checkpoints // ROWS_PER_FILE) * ROWS_PER_FILE * (8 + 16)
