"""Stores whose samples or classes differ in order, made comparable by their names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infogeo.core.errors import InputError
from infogeo.core.probe import Probe, check_same_samples
from infogeo.store.reader import StoreContent
from infogeo.store.root import Root
from infogeo.store.source import ArrayReader, RunSource


def aligned(stores: Mapping[Path, StoreContent]) -> tuple[dict[Path, StoreContent], str]:
    """The stores with the samples that all share, by id, and the classes by name, both in the order of the first.

    Samples without ids in some store are taken as they are, if nothing says that they differ.

    Raises:
        InputError: other classes, merged classes, no shared sample, or samples that differ and have no ids.
    """
    first, content = next(iter(stores.items()))
    names = content.root.label_space.names
    for path, other in stores.items():
        if other.root.coarse_graining is not None:
            raise InputError(f"align: {path} has merged classes, each sample its own; align before merging")
        if sorted(other.root.label_space.names) != sorted(names):
            raise InputError(f"align: {path} has other classes than {first}")
    ids = [None if c.root.probe.ids is None else np.asarray(c.root.probe.ids) for c in stores.values()]
    known = [each for each in ids if each is not None]
    if len(known) < len(ids):
        for path, other in stores.items():
            check_same_samples(replace(content.root.probe, name=""), other.root.probe, str(first), str(path))
        return {path: _taken(c, None, _order(c, names)) for path, c in stores.items()}, "aligned: classes by name"
    shared = known[0]
    for each in known[1:]:
        shared = shared[np.isin(shared, each)] if each.dtype.kind == shared.dtype.kind else shared[:0]
    if not len(shared):
        raise InputError(f"align: no sample of {first} is in all the others; their ids have nothing in common")
    chosen = [_positions(each, shared) for each in known]
    found = {p: _taken(c, rows, _order(c, names)) for (p, c), rows in zip(stores.items(), chosen, strict=True)}
    counts = ", ".join(str(len(each)) for each in known)
    return found, f"aligned: classes by name, and {len(shared)} samples that all share (of {counts})"


def _order(content: StoreContent, names: tuple[str, ...]) -> NDArray[np.intp]:
    """Where each class of the first store stands in another."""
    place = {name: at for at, name in enumerate(content.root.label_space.names)}
    return np.array([place[name] for name in names], dtype=np.intp)


def _positions(ids: NDArray[Any], wanted: NDArray[Any]) -> NDArray[np.intp]:
    order = np.argsort(ids, kind="stable")
    return order[np.searchsorted(ids, wanted, sorter=order)]


def _taken(content: StoreContent, samples: NDArray[np.intp] | None, classes: NDArray[np.intp]) -> StoreContent:
    """A store with some of its samples and its classes in another order; as it is where nothing changes."""
    root = content.root
    rows = np.arange(root.n_samples) if samples is None else samples
    same = np.array_equal(rows, np.arange(root.n_samples)) and np.array_equal(classes, np.arange(len(classes)))
    if same:
        return content
    labels = None if root.labels is None else np.argsort(classes)[root.labels[rows]]
    ids = None if root.probe.ids is None else np.asarray(root.probe.ids)[rows]
    probe = Probe(ids=ids, n_samples=len(rows), samples=root.probe.samples if ids is None else None)
    names = root.label_space.names
    space = replace(root.label_space, names=tuple(names[c] for c in classes.tolist()))
    changed = Root(n_samples=len(rows), label_space=space, labels=labels, probe=probe)
    return StoreContent([_chosen(run, rows, classes) for run in content.runs], changed)


def _chosen(run: RunSource, samples: NDArray[np.intp], classes: NDArray[np.intp]) -> RunSource:
    return replace(run, array=_Chosen(run.array, samples, classes), fingerprints=())


@dataclass(frozen=True)
class _Chosen:
    """Some samples of an array, and its classes, in another order."""

    array: ArrayReader
    samples: NDArray[np.intp]
    classes: NDArray[np.intp]

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.array.shape[0], len(self.samples), len(self.classes))

    def __getitem__(self, block: tuple[slice, slice], /) -> Any:
        checkpoints, samples = block
        rows = self.samples[samples]
        start = int(rows.min())
        values = np.asarray(self.array[checkpoints, start : int(rows.max()) + 1])
        return values[:, rows - start][:, :, self.classes]
