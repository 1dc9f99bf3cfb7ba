"""load: predictions from stores, files and folders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogeo.core.checks import LogProbs, are_doubtful_logits, check_same_probe
from infogeo.core.errors import InputError
from infogeo.core.kinds import Kind
from infogeo.core.labels import LabelSpace
from infogeo.core.points import Points
from infogeo.core.predictions import BLOCK_BYTES, IN_MEMORY_BYTES, LogProbReader, Predictions, fingerprint
from infogeo.store.aligning import aligned
from infogeo.store.files import read_file
from infogeo.store.inputs import inputs_of
from infogeo.store.layout import is_store
from infogeo.store.reader import StoreContent, read_store
from infogeo.store.root import Root, check_comparable
from infogeo.store.source import RunSource
from infogeo.store.tables import metadata_of, read_list, read_table

PathArgument = str | PathLike[str]
SHARE_KEPT = 4
"""Of the memory given, one part in so many is enough to keep predictions."""


def load(
    paths: PathArgument | Sequence[PathArgument],
    labels: ArrayLike | PathArgument | None = None,
    meta: PathArgument | Mapping[str, Mapping[str, Any]] | None = None,
    steps: ArrayLike | PathArgument | None = None,
    kind: Kind | str | None = None,
    progress: Callable[[int, int], None] | None = None,
    memory: int | None = None,
    align: bool = False,
) -> Predictions:
    """Predictions from stores, files and zarr arrays, and folders of these (searched recursively).

    An array [T, N, C] is one run of T checkpoints, named after its path without suffix, relative to the folder
    given. An array [N, C] is one checkpoint: its step is the number after epoch, step, ckpt or iter in its name,
    else the last integer, and what remains of the name is its run. Each key of an .npz counts as an array, and
    so do the datasets of an .h5, the tensors of a .safetensors, .pt or .pth, and the arrays of a zarr group. A .csv or
    .parquet is a long table with columns run, step, sample, class and one of p, logp, logit.
    All are on one probe set: the same N samples in the same order, and the same C classes.

    Args:
        paths: one or several files, folders or stores.
        labels: the true class of each sample [N]: an array, or a .npy, .json, .csv or .txt file.
        meta: a CSV or JSON table with a column `run` or `file`, or {run: {column: value}}.
        steps: the steps [T], shared by all runs of that length whose files do not tell: an array or a file.
        kind: what the numbers are; None to tell probabilities, log-probabilities and logits apart per file.
        progress: called with (checkpoints read, checkpoints in all).
        memory: the bytes that work with them may take; predictions that need more than a quarter of it, or more
            than 1 GB, are not kept but read again, block by block.
        align: where the samples of stores or their classes differ in order, take those samples that all share, by id,
            and the classes by name, in the order of the first store. Without, such stores are refused.

    Raises:
        InputError: anything missing, unreadable, or no prediction; the message names the place and the cure.
    """
    roots = [Path(p) for p in ([paths] if isinstance(paths, (str, PathLike)) else paths)]
    beside = {Path(a).resolve() for a in (labels, meta, steps) if isinstance(a, (str, PathLike))}
    found = _gather(roots, Kind.parse(kind), beside, align)
    sources = _with_steps(found.sources, steps)
    check_same_probe({s.where: (s.array.shape[1], s.array.shape[2]) for s in sources})
    n_samples, n_classes = sources[0].array.shape[1:]
    space = found.root.label_space if found.root else LabelSpace.of_size(n_classes)
    coarse = found.root.coarse_graining if found.root else None
    known = found.labels
    if labels is not None:
        given = read_list(Path(labels), "labels") if isinstance(labels, (str, PathLike)) else labels
        known = space.encode(given, n_samples) if coarse is None else coarse.encode(given)
    metadata, notes = _metadata(sources, meta)
    points, order = _points(sources, metadata)
    sources = [sources[i] for i in order]
    log_probs, report = _read(sources, memory, progress or (lambda done, total: None))
    return Predictions(
        log_probs=log_probs,
        points=points,
        label_space=space,
        labels=known,
        fingerprints=tuple(report.fingerprints),
        floored=report.floored,
        correction=report.correction,
        coarse_graining=coarse,
        probe=found.root.probe if found.root else None,
        source=tuple(str(root) for root in roots),
        notes=(*_verdict(sources), *_floored(report.floored), *_naming(found.sources), *found.notes, *notes),
    )


@dataclass(frozen=True)
class _Found:
    sources: list[RunSource]
    root: Root | None
    notes: tuple[str, ...]
    labels: NDArray[np.int64] | None


def _gather(roots: list[Path], kind: Kind | None, beside: set[Path], align: bool) -> _Found:
    """Everything that the paths hold; runs of one name in different inputs are told apart by the input's name."""
    if not roots:
        raise InputError("input: there is none; give a store, a file or a folder")
    inputs = [inputs_of(root, beside) for root in roots]
    stores, notes = _stores([path for each in inputs for path in each.paths], align)
    loose: list[RunSource] = []  # of files given one by one, as a shell's wildcard does: one folder, so to speak
    folders: list[tuple[str, list[RunSource]]] = []
    known = {str(path): content.root for path, content in stores.items()}
    for each in inputs:
        sources: list[RunSource] = []
        for path in each.paths:
            if path in stores:
                sources += stores[path].runs
            else:
                sources += read_file(path, each.name_of(path), kind)
        known |= {s.where: s.root for s in sources if s.root is not None}
        if each.is_single_file:
            loose += sources
        else:
            folders.append((each.label, sources))
    _check_agreement(known)
    runs = Counter(run for sources in (loose, *(s for _, s in folders)) for run in {s.run for s in sources})
    if runs and max(runs.values()) > 1:
        folders = [(name, [replace(s, run=f"{name}/{s.run}") for s in sources]) for name, sources in folders]
    described = list(known.values())
    return _Found(
        [*loose, *(s for _, sources in folders for s in sources)],
        described[0] if described else None,
        (*notes, *(note for each in inputs for note in each.notes)),
        next((root.labels for root in described if root.labels is not None), None),
    )


def _check_agreement(known: Mapping[str, Root]) -> None:
    """What stores and files say of samples and classes agrees."""
    for where, root in list(known.items())[1:]:
        first = next(iter(known))
        check_comparable(known[first], root, first, where)


def _stores(paths: list[Path], align: bool) -> tuple[dict[Path, StoreContent], tuple[str, ...]]:
    """The stores among inputs, aligned where that is asked for; and what is to be said of that."""
    stores, notes = {path: read_store(path) for path in paths if is_store(path)}, ()
    if align and (len(stores) < 2 or len(stores) < len(paths)):
        raise InputError("align: is for two stores or more, and files know no ids; convert them with `infogeo convert`")
    if align:
        stores, note = aligned(stores)
        notes = (note,)
    return stores, notes


def _with_steps(sources: list[RunSource], steps: ArrayLike | PathArgument | None) -> list[RunSource]:
    """Every source with its steps: its own, else the list given where the length fits, else 0, 1, ..."""
    given = None
    if steps is not None:
        given = _increasing(steps)
        lengths = sorted({s.array.shape[0] for s in sources if s.steps is None})
        if lengths and len(given) not in lengths:
            raise InputError(f"steps: {len(given)} steps, but the runs have {', '.join(map(str, lengths))} checkpoints")
    filled = []
    for source in sources:
        length = source.array.shape[0]
        fits = given is not None and len(given) == length
        own = source.steps if source.steps is not None else (given if fits else np.arange(length))
        filled.append(replace(source, steps=np.asarray(own).astype(np.int64)))
    return filled


def _increasing(steps: ArrayLike | PathArgument) -> NDArray[Any]:
    """A list of steps [T]: whole numbers, each above the one before it."""
    is_file = isinstance(steps, (str, PathLike))
    where = f"steps: {steps}" if is_file else "steps"
    given = np.asarray(read_list(Path(steps), "steps") if is_file else steps)
    if given.ndim != 1:
        raise InputError(f"{where}: has shape {given.shape}, expected one list of whole numbers")
    numbers = given.dtype.kind in "fiu"
    wrong = np.flatnonzero((given != np.floor(given)) | ~(np.abs(given) < 2**63)) if numbers else np.arange(1)
    if len(given) and len(wrong):
        raise InputError(f"{where}: entry {wrong[0] + 1} is {given[wrong[0]]}; give whole numbers, one per checkpoint")
    falls = np.flatnonzero(given[1:] <= given[:-1])
    if len(falls):
        at = falls[0] + 1
        raise InputError(
            f"{where}: entry {at + 1} is step {given[at]:.0f}, after step {given[at - 1]:.0f}; the steps of a run must "
            "increase, each of them once: give them in the order of its checkpoints"
        )
    return given


def _metadata(
    sources: list[RunSource], meta: PathArgument | Mapping[str, Mapping[str, Any]] | None
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    merged = {s.run: dict(s.metadata) for s in sources}
    if meta is None:
        return merged, []
    rows = [{"run": run, **row} for run, row in meta.items()] if isinstance(meta, Mapping) else read_table(Path(meta))
    joined, notes = metadata_of(sources, rows)
    for run, values in joined.items():
        merged[run].update(values)
    return merged, notes


def _points(sources: list[RunSource], metadata: dict[str, dict[str, Any]]) -> tuple[Points, list[int]]:
    """The table of all checkpoints, by run and step, and the order of the sources that it stands for."""
    order = sorted(range(len(sources)), key=lambda i: (sources[i].run, int(np.asarray(sources[i].steps).min())))
    chosen = [sources[i] for i in order]
    _check_once(chosen)
    table = Points.of_runs(
        [s.run for s in chosen], [np.asarray(s.steps) for s in chosen], [metadata[s.run] for s in chosen]
    )
    return table, order


def _check_once(sources: list[RunSource]) -> None:
    """Every step of a run is there once; if not, the message names run, steps and files."""
    places: dict[str, dict[int, list[str]]] = {}
    for source in sources:
        of_run = places.setdefault(source.run, {})
        for step in np.asarray(source.steps).tolist():
            of_run.setdefault(step, []).append(source.where)
    for run, of_run in places.items():
        twice = {step: where for step, where in of_run.items() if len(where) > 1}
        if twice:
            steps = [str(step) for step in twice]
            listed = ", ".join(steps[:5]) + (f" and {len(steps) - 5} more" if len(steps) > 5 else "")
            step, (first, second, *_) = next(iter(twice.items()))
            if first == second:
                mend = f"both in {first}: give it once, and keep one checkpoint of each step"
            else:
                example = f"step {step} " if len(steps) > 1 else ""
                mend = f"{example}in {first} and in {second}: rename or leave out one"
            raise InputError(f"input: run '{run}' has step{'s' * (len(steps) > 1)} {listed} twice, {mend}")


@dataclass
class _Report:
    """What reading found: the fingerprints, how many entries were floored, the largest correction."""

    fingerprints: list[str]
    floored: int = 0
    correction: float = 0.0


def _read(
    sources: list[RunSource], memory: int | None, progress: Callable[[int, int], None]
) -> tuple[LogProbReader, _Report]:
    """Read and check everything once; keep it where it is small."""
    reader = _FileLogProbs.over(sources)
    p, n, c = reader.shape
    keep = 4 * p * n * c <= (IN_MEMORY_BYTES if memory is None else min(IN_MEMORY_BYTES, memory // SHARE_KEPT))
    kept = np.empty(reader.shape if keep else (0, 0, 0), dtype=np.float32)
    report = _Report([])
    size = max(1, BLOCK_BYTES // (4 * n * c))
    at, checked = 0, []
    for source in sources:
        exact = True
        for start in range(0, source.array.shape[0], size):
            stop = min(start + size, source.array.shape[0])
            given = np.asarray(source.array[start:stop, :])
            if source.fingerprints:  # checked before it was written
                prints = [fingerprint(row) for row in given]
                _check_unchanged(source, start, prints)
                block = source.read(start, stop) if given.dtype.itemsize < 4 else LogProbs(given, 0, 0.0)
                exact = exact and block.values is given
            else:
                block = source.read(start, stop)
                exact = exact and np.array_equal(given, block.values)
                prints = [fingerprint(row) for row in block.values]
            report.fingerprints += prints
            report.floored += block.floored
            report.correction = max(report.correction, block.correction)
            if keep:
                kept[at : at + len(block.values)] = block.values
            at += len(block.values)
            progress(at, p)
        checked.append(replace(source, exact=exact))
    return (kept if keep else _FileLogProbs.over(checked)), report


def _check_unchanged(source: RunSource, start: int, prints: list[str]) -> None:
    """Raise for the first checkpoint, counted from `start`, whose numbers are not those that were written."""
    for i, (found, written) in enumerate(zip(prints, source.fingerprints[start:], strict=False)):
        if found != written:
            raise InputError(
                f"{source.where}: step {np.asarray(source.steps)[start + i]} is damaged, its numbers are not those "
                "that were written; write this run again"
            )


@dataclass(frozen=True)
class _FileLogProbs:
    """Log-probabilities [P, N, C] that are read from their files again at every request."""

    sources: list[RunSource]
    starts: NDArray[np.int64]  # first point of each source, and P

    @classmethod
    def over(cls, sources: list[RunSource]) -> _FileLogProbs:
        return cls(sources, np.cumsum([0, *(s.array.shape[0] for s in sources)]))

    @property
    def shape(self) -> tuple[int, int, int]:
        n, c = self.sources[0].array.shape[1:]
        return int(self.starts[-1]), n, c

    def __getitem__(self, block: slice | tuple[slice, slice], /) -> NDArray[np.float32]:
        points, samples = block if isinstance(block, tuple) else (block, slice(None))
        p, n, c = self.shape
        start, stop, _ = points.indices(p)
        n = len(range(n)[samples])
        values = np.empty((stop - start, n, c), dtype=np.float32)
        size = max(1, BLOCK_BYTES // (4 * n * c))
        for source, first, last in zip(self.sources, self.starts[:-1], self.starts[1:], strict=True):
            for at in range(max(start, first), min(stop, last), size):
                end = min(at + size, stop, last)
                values[at - start : end - start] = source.read(at - first, end - first, samples).values
        return values


def _verdict(sources: list[RunSource]) -> list[str]:
    """In words, what the files were taken for."""
    files = [s for s in sources if s.files]
    kinds = Counter(str(s.kind) for s in files)
    notes = [f"read as {kind}: {n} {'array' if n == 1 else 'arrays'}" for kind, n in kinds.items()]
    for source in (s for s in files if s.kind is Kind.LOGITS):
        length = source.array.shape[0]
        if are_doubtful_logits(np.asarray(source.array[length - 1 : length, :])):
            return [*notes, f"{source.where}: its numbers lie in [0, 1], but rows do not sum to 1; are they logits?"]
    return notes


def _floored(count: int) -> list[str]:
    """In words, how many probabilities were zero."""
    verb = "was" if count == 1 else "were"
    entries = "probability" if count == 1 else "probabilities"
    return [f"{count} {entries} of zero, or below e^-174, {verb} raised to e^-174"] if count else []


def _naming(sources: list[RunSource]) -> list[str]:
    """In words, how the names of single checkpoints were understood, by an example."""
    single = [s for s in sources if s.step_from_name]
    if not single:
        return []
    first, runs = single[0], {s.run for s in single}
    example = f"{first.files[1]} is step {np.asarray(first.steps)[0]} of '{first.run}'"
    return [f"names of single checkpoints: {example} (arrays: {len(single)}, runs: {len(runs)})"]
