"""One probe set of a run that is recorded: its store, and what its predictions are."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infogeo.core.arrays import as_numpy
from infogeo.core.checks import are_doubtful_logits, check_array, recognise, to_log_probs
from infogeo.core.coarse import CoarseGraining
from infogeo.core.errors import InputError
from infogeo.core.kinds import Kind
from infogeo.core.probe import Probe
from infogeo.store.layout import run_key
from infogeo.store.locks import holder, is_held
from infogeo.store.root import Root, is_free, read_root
from infogeo.store.run_state import checked_state, n_kept, refuse_unless_open
from infogeo.store.run_writer import RunWriter

DOUBTFUL = (
    "taken for logits, though all numbers lie in [0, 1]: for outputs of a sigmoid give two classes, [1 - p, p]; for "
    "logits say so with RecordingOptions(kind='logits')"
)


class Lane:
    """One probe set of a run.

    Attributes:
        name: of the probe set, "" where there is only one.
        run: where checkpoints go; there is one once `open` was called.
    """

    run: RunWriter

    def __init__(self, store: Path, name: str, probe: Probe, run: str, kind: Kind | None) -> None:
        self.name, self._store, self._probe, self._run = name, store, probe, run
        self._kind = kind
        self._shape: tuple[int, int] | None = None
        self._keep: CoarseGraining | None = None
        self._where = f"{store}, run '{run}'"

    def last_recorded(self, resume: bool | int, overwrite: bool) -> int | None:
        """The step after which the run would go on; None where it would begin.

        Raises:
            InputError: the run or the store is not to be written to.
        """
        if is_free(self._store):
            return None
        root = read_root(self._store)
        if root.n_samples != (self._probe.n_samples or root.n_samples):
            raise InputError(
                f"{self._store}: has N={root.n_samples} samples, but the probe has {self._probe.n_samples}; give "
                "another store"
            )
        folder = self._store / "runs" / run_key(self._run)
        found = None if overwrite else checked_state(self._where, folder)
        if found is None:
            return None
        if resume is False and not found.finished and is_held(folder):
            raise InputError(
                f"{self._where}: is being recorded by {holder(folder, found.attributes.get('recorder', {}))}"
            )
        refuse_unless_open(self._where, found, resume)
        kept = n_kept(found, resume)
        return found.steps[kept - 1] if kept else None

    def checked(self, predictions: Any, step: int) -> NDArray[Any]:
        """Predictions [N, C] as an array of the right shape.

        Raises:
            InputError: it is not that of the checkpoint before, or no prediction at all.
        """
        array, where = as_numpy(predictions), f"{self._where}, step {step}"
        if array.ndim != 2:
            raise InputError(f"{where}: predictions of shape {array.shape}, expected [N, C]")
        check_array(array, where)
        if self._shape is not None and array.shape != self._shape:
            raise InputError(f"{where}: predictions of shape {array.shape}, but those before are {self._shape}")
        if self._kind is None and not np.isnan(array).any():
            self._kind = recognise(array)
            if self._kind is Kind.LOGITS and are_doubtful_logits(array):
                warnings.warn(f"{where}: {DOUBTFUL}", stacklevel=3)
        return array

    def open(
        self,
        first: NDArray[Any],
        metadata: Mapping[str, Any],
        resume: bool | int,
        overwrite: bool,
        *,
        keep: CoarseGraining | None,
        half: bool,
        sync: bool,
    ) -> AbstractContextManager[RunWriter]:
        """Make the store where there is none, and take the run.

        Args:
            first: predictions [N, C] of the first checkpoint.
            metadata: of the run.
            resume: see `RunWriter.opened`.
            overwrite: see `RunWriter.opened`.
            keep: how classes are merged.
            half: whether numbers are float16.
            sync: whether commits reach the disk itself.
        """
        n_samples, n_classes = first.shape
        root = Root.of(self._probe, n_samples, n_classes, keep)
        root.ensure(self._store)
        self._shape, self._keep = (n_samples, n_classes), keep
        return RunWriter.opened(
            self._store, self._run, root.shape, metadata, half=half, resume=resume, overwrite=overwrite, sync=sync
        )

    def finish_as_it_is(self) -> None:
        """Finish a run that goes on, and has nothing to go on with."""
        found = checked_state(self._where, self._store / "runs" / run_key(self._run))
        if found is not None:
            half = found.dtype.itemsize == 2
            with RunWriter.opened(self._store, self._run, found.shape, {}, half=half, resume=True) as run:
                run.finish()

    def log_probs(self, array: NDArray[Any], step: int) -> NDArray[np.float32]:
        """Log-probabilities [N, C] of what was given at a step, merged where classes are.

        Raises:
            InputError: NaN, infinity, or a row that is no distribution.
        """
        values = to_log_probs(array[None], self._kind or Kind.LOGITS, self._where, (step, 0)).values
        return (values if self._keep is None else self._keep.merged(values))[0]
