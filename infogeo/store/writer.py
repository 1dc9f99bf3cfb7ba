"""Writing a store from runs that are whole; it appears when they all are written, or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from infogeo.core.checks import to_log_probs
from infogeo.core.coarse import CoarseGraining
from infogeo.core.errors import InputError
from infogeo.core.kinds import Kind
from infogeo.core.labels import LabelSpace
from infogeo.core.output import written_beside
from infogeo.core.predictions import Predictions, fingerprint
from infogeo.core.probe import Probe
from infogeo.store.layout import is_store, run_key
from infogeo.store.root import Root
from infogeo.store.run_writer import RunWriter


class StoreWriter:
    """Writes runs into a new store; made by `StoreWriter.create`."""

    def __init__(self, path: Path, shape: tuple[int, int]) -> None:
        self._path, self._shape = path, shape

    @classmethod
    @contextmanager
    def create(
        cls,
        path: str | PathLike[str],
        n_samples: int,
        classes: Sequence[str] | CoarseGraining,
        *,
        labels: ArrayLike | None = None,
        probe: str | Probe | None = None,
        overwrite: bool = False,
    ) -> Iterator[StoreWriter]:
        """A writer for a new store, which appears at `path` when the block ends without an error.

        Args:
            path: the directory to make, by custom `something.zarr`.
            n_samples: N, the number of probe samples.
            classes: the names of the C classes, in order; or how they were merged.
            labels: the true class of each sample [N], numbers or names.
            probe: the identity of the probe set, or just its name, for example "digits/test".
            overwrite: replace a store that is there.
        """
        merged = isinstance(classes, CoarseGraining)
        space = classes.label_space if merged else LabelSpace(tuple(classes))
        root = Root(
            n_samples=n_samples,
            label_space=space,
            labels=None if labels is None else space.encode(labels, n_samples),
            probe=probe if isinstance(probe, Probe) else Probe(name=probe or ""),
            coarse_graining=classes if merged else None,
        )
        with written_beside(Path(path), overwrite, is_store) as target:
            root.write(target)
            yield cls(target, root.shape)

    def write_run(
        self, name: str, steps: ArrayLike, log_probs: ArrayLike, metadata: Mapping[str, Any] | None = None
    ) -> None:
        """One run: steps [T] and natural log-probabilities [T, N, C], with any {column: value}.

        Raises:
            InputError: the shapes do not fit the store, a row is no distribution, or the run is there already.
        """
        self._write(name, steps, log_probs, metadata, exact=False)

    def _write(
        self, name: str, steps: ArrayLike, log_probs: ArrayLike, metadata: Mapping[str, Any] | None, exact: bool
    ) -> None:
        """One run; `exact` keeps rows bit for bit that others would be normalised."""
        values, at = np.asarray(log_probs), np.asarray(steps, dtype=np.int64)
        if values.ndim != 3 or values.shape[1:] != self._shape or at.shape != values.shape[:1]:
            raise InputError(
                f"run '{name}': log_probs {values.shape} with steps {at.shape}, expected [T, {self._shape[0]}, "
                f"{self._shape[1]}] with [T]"
            )
        if not np.array_equal(at, np.asarray(steps)) or len(np.unique(at)) < len(at):
            raise InputError(f"run '{name}': steps must be whole numbers, each once")
        if (self._path / "runs" / run_key(name)).exists():
            raise InputError(f"run '{name}': is in the store already; give every run a name of its own")
        checked = to_log_probs(values, Kind.LOG_PROBABILITIES, f"run '{name}'").values
        with RunWriter.opened(self._path, name, self._shape, metadata or {}, sync=False) as run:
            for place, (step, row) in enumerate(zip(at.tolist(), values if exact else checked, strict=True)):
                run.commit(run.prepare(place, step, row))
            run.finish()


def write_store(
    path: str | PathLike[str], predictions: Predictions, *, overwrite: bool = False
) -> dict[tuple[str, int], str]:
    """Write predictions as a store, run by run and bit for bit.

    Returns:
        What was asked to be written: the fingerprint of every checkpoint, as float32, by run and step.

    Raises:
        InputError: `path` is taken and not to be overwritten, or cannot be written.
    """
    points, asked = predictions.points, dict[tuple[str, int], str]()
    with StoreWriter.create(
        path,
        predictions.n_samples,
        predictions.coarse_graining or predictions.label_space.names,
        labels=predictions.labels,
        probe=predictions.probe,
        overwrite=overwrite,
    ) as writer:
        for run in points.runs:
            rows = points.of_run(run)
            log_probs = np.concatenate([np.asarray(predictions.log_probs[i : i + 1]) for i in rows.tolist()])
            metadata = {name: points[name][rows[0]].item() for name in points.metadata}
            steps = points["step"][rows]
            asked |= {(run, step): fingerprint(row) for step, row in zip(steps.tolist(), log_probs, strict=True)}
            writer._write(run, steps, log_probs, metadata, exact=True)
    return asked
