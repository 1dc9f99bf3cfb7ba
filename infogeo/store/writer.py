"""Writing a store: whole runs at a time; nothing is visible before it is complete."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import ArrayLike, NDArray

from infogeo.core.checks import to_log_probs
from infogeo.core.coarse import CoarseGraining
from infogeo.core.errors import InputError
from infogeo.core.kinds import Kind
from infogeo.core.labels import LabelSpace
from infogeo.core.output import written_beside
from infogeo.core.predictions import Predictions, fingerprint
from infogeo.store.layout import (
    ATTRIBUTE,
    CONTENT,
    FORMAT,
    chunk_shape,
    fingerprint_bytes,
    is_store,
    run_key,
)


class StoreWriter:
    """Writes runs into a new store; made by `StoreWriter.create`."""

    def __init__(self, group: zarr.Group, n_samples: int, n_classes: int) -> None:
        self._runs = group.require_group("runs")
        self._shape = (n_samples, n_classes)

    @classmethod
    @contextmanager
    def create(
        cls,
        path: str | PathLike[str],
        n_samples: int,
        classes: Sequence[str] | CoarseGraining,
        *,
        labels: ArrayLike | None = None,
        probe: str | None = None,
        overwrite: bool = False,
    ) -> Iterator[StoreWriter]:
        """A writer for a new store, which appears at `path` when the block ends without an error.

        Args:
            path: the directory to make, by custom `something.zarr`.
            n_samples: N, the number of probe samples.
            classes: the names of the C classes, in order; or how they were merged.
            labels: the true class of each sample [N], numbers or names.
            probe: the identity of the probe set, for example "digits/test".
            overwrite: replace a store that is there.
        """
        merged = isinstance(classes, CoarseGraining)
        space = classes.label_space if merged else LabelSpace(tuple(classes))
        known = None if labels is None else space.encode(labels, n_samples)
        with written_beside(Path(path), overwrite, is_store) as target:
            group = zarr.create_group(target, zarr_format=3)
            attribute = {"format": FORMAT, "content": CONTENT, "classes": list(space.names), "probe": probe}
            group.attrs[ATTRIBUTE] = attribute
            if known is not None:
                _write(group, "labels", known, fill=-1)
            if merged:
                _write(group, "kept_classes", classes.kept)
                group["kept_classes"].attrs["merged_from"] = list(classes.classes.names)
            yield cls(group, n_samples, len(space))

    def write_run(
        self, name: str, steps: ArrayLike, log_probs: ArrayLike, metadata: Mapping[str, Any] | None = None
    ) -> None:
        """One run: steps [T] and natural log-probabilities [T, N, C], with any {column: value}.

        Raises:
            InputError: the shapes do not fit the store, a row is no distribution, or the run is there already.
        """
        values, at = np.asarray(log_probs), np.asarray(steps, dtype=np.int64)
        if values.ndim != 3 or values.shape[1:] != self._shape or at.shape != values.shape[:1]:
            raise InputError(
                f"run '{name}': log_probs {values.shape} with steps {at.shape}, expected [T, {self._shape[0]}, "
                f"{self._shape[1]}] with [T]"
            )
        if not np.array_equal(at, np.asarray(steps)) or len(np.unique(at)) < len(at):
            raise InputError(f"run '{name}': steps must be whole numbers, each once")
        key = run_key(name)
        if key in self._runs:
            raise InputError(f"run '{name}': is in the store already; give every run a name of its own")
        plain = {k: v.item() if isinstance(v, np.generic) else v for k, v in (metadata or {}).items()}
        checked = to_log_probs(values, Kind.LOG_PROBABILITIES, f"run '{name}'").values
        group = self._runs.create_group(key, attributes={"run": name, "metadata": plain})
        _write(group, "step", at)
        _write(group, "log_probs", checked, chunks=chunk_shape(*self._shape))
        _write(group, "fingerprint", fingerprint_bytes([fingerprint(row) for row in checked]))


def write_store(path: str | PathLike[str], predictions: Predictions, *, overwrite: bool = False) -> None:
    """Write predictions as a store, run by run.

    Raises:
        InputError: `path` is taken and not to be overwritten, or cannot be written.
    """
    points = predictions.points
    with StoreWriter.create(
        path,
        predictions.n_samples,
        predictions.coarse_graining or predictions.label_space.names,
        labels=predictions.labels,
        overwrite=overwrite,
    ) as writer:
        for run in points.runs:
            rows = points.of_run(run)
            log_probs = np.concatenate([np.asarray(predictions.log_probs[i : i + 1]) for i in rows.tolist()])
            metadata = {name: points[name][rows[0]].item() for name in points.metadata}
            writer.write_run(run, points["step"][rows], log_probs, metadata)


def _write(
    group: zarr.Group, name: str, values: NDArray[Any], chunks: tuple[int, ...] | None = None, fill: int = 0
) -> None:
    """One array, uncompressed: log-probabilities hardly compress, and plain chunks read fastest.

    What is lost reads as NaN, or as `fill` where there is no NaN.
    """
    lost = np.nan if values.dtype.kind == "f" else fill
    array = group.create_array(
        name, shape=values.shape, dtype=values.dtype, chunks=chunks or values.shape, fill_value=lost, compressors=None
    )
    array[...] = values
