"""Many classes, as of language models: the leading ones of each sample are kept, the rest is merged into one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogeo.core.arrays import as_numpy
from infogeo.core.coarse import CoarseGraining
from infogeo.core.errors import InputError
from infogeo.core.predictions import BLOCK_BYTES, IN_MEMORY_BYTES, LogProbReader, Predictions, fingerprint


def merge_classes(
    predictions: Predictions,
    keep: int | CoarseGraining | None,
    progress: Callable[[int, int], None] | None = None,
) -> Predictions:
    """Predictions with K + 1 classes: for each sample the same K classes of all points, and the rest as one.

    Merging classes never increases a divergence (they are f-divergences, or increasing functions of one for each
    sample): what the map then shows is there, and what lies within the rest is not seen. Divergences grow with K,
    up to those without merging, which K = C - 1 has already.

    Kept are the true class, where labels are known, and the classes of largest mean probability over points. What
    Hellinger loses between p and q is sqrt(p_R q_R) - sum_R sqrt(p_c q_c) <= (p_R + q_R) / 2, with R the rest:
    averaged over all pairs of points and all samples, at most the mean probability of the rest, and no choice makes
    that smaller than this one. (The largest probability over points bounds the worst pair, by a sum over classes of
    maxima from different points.) Bhattacharyya loses the same to first order, log(1 + loss / BC). The mean
    probability of the rest is told in `notes`.

    It takes two passes over the predictions (one, where the classes are given) and memory for a few blocks of 8 MB
    beside the result, which stays in memory up to 1 GB; beyond, it is made again whenever it is read.

    Args:
        predictions: P checkpoints on one probe set.
        keep: K; or the coarse graining of other predictions on that probe set, to make comparable ones of these (None
            where theirs were not merged: then these are not either).
        progress: called with (blocks done, blocks in all).

    Returns:
        The merged predictions; `coarse_graining` says which classes were kept. The predictions as they are where
        K >= C.

    Raises:
        InputError: K below one, merged already, or a coarse graining of another probe set.

    Source: the data-processing inequality, see Liese and Vajda, IEEE Trans. Inf. Theory 52 (2006) 4394.
    """
    if predictions.coarse_graining is not None:
        raise InputError("classes: are merged already in these predictions; merge those that they came from")
    if keep is None:
        return predictions
    tick, total = progress or (lambda done, total: None), _n_blocks(predictions)
    if isinstance(keep, CoarseGraining):
        if keep.kept.shape[0] != predictions.n_samples or len(keep.classes) != predictions.n_classes:
            raise InputError(
                f"keep: is about N={len(keep.kept)} samples and C={len(keep.classes)} classes, expected "
                f"N={predictions.n_samples}, C={predictions.n_classes}: the same probe set"
            )
        return _merged(predictions, keep, lambda done: tick(done, total))
    if keep < 1:
        raise InputError(f"keep: {keep}; keep at least one class")
    if keep >= predictions.n_classes:
        return predictions
    kept = _leading(predictions, keep, lambda done: tick(done, 2 * total))
    coarse = CoarseGraining(kept, predictions.label_space)
    return _merged(predictions, coarse, lambda done: tick(total + done, 2 * total))


def leading_classes(reference: ArrayLike, keep: int, labels: ArrayLike | None = None) -> CoarseGraining:
    """The K classes of each sample that a reference finds most likely, and its true class where labels are known.

    For recording many classes: choose once, from any good model, and merge the rest of all checkpoints alike, with
    `RecordingOptions(keep=...)`. What is lost is told by `merge_classes`, with the mean over models in place of the
    reference.

    Args:
        reference: predictions [N, C] of one model or [T, N, C] of several, which are averaged: probabilities,
            log-probabilities or logits.
        keep: K, from 1 to C - 1.
        labels: the true class of each sample [N].

    Raises:
        InputError: K out of range, or a reference or labels that are none.
    """
    predictions = Predictions.from_arrays({"reference": as_numpy(reference)}, labels=labels)
    if not 1 <= keep < predictions.n_classes:
        raise InputError(f"keep: {keep}; keep from 1 to {predictions.n_classes - 1} of {predictions.n_classes} classes")
    return CoarseGraining(_leading(predictions, keep, lambda done: None), predictions.label_space)


@dataclass(frozen=True)
class MergedLogProbs:
    """Log-probabilities [P, N, K + 1] that are merged again at every request, in bounded memory."""

    log_probs: LogProbReader
    coarse_graining: CoarseGraining

    @property
    def shape(self) -> tuple[int, int, int]:
        """(P, N, K + 1)."""
        return self.log_probs.shape[0], self.log_probs.shape[1], self.coarse_graining.n_kept + 1

    def __getitem__(self, block: slice | tuple[slice, slice], /) -> NDArray[np.float32]:
        """The merged log-probabilities of a block of points, or of (points, samples)."""
        points, samples = block if isinstance(block, tuple) else (block, slice(None))
        start, stop, _ = points.indices(self.shape[0])
        first, last, _ = samples.indices(self.shape[1])
        merged = np.empty((stop - start, last - first, self.shape[2]), dtype=np.float32)
        for p, n in _blocks((stop - start, last - first, self.log_probs.shape[2])):
            at, of = slice(start + p.start, start + p.stop), slice(first + n.start, first + n.stop)
            merged[p, n] = self.coarse_graining.merged(np.asarray(self.log_probs[at, of]), of)
        return merged


def _blocks(shape: tuple[int, ...]) -> Iterator[tuple[slice, slice]]:
    """Blocks of (points, samples), all points of some samples first; float32 [p, n, C] and float64 [n, C] fit one."""
    n_points, n_samples, n_classes = shape
    samples = max(1, min(n_samples, BLOCK_BYTES // (8 * n_classes)))
    points = max(1, BLOCK_BYTES // (4 * samples * n_classes))
    for first in range(0, n_samples, samples):
        for start in range(0, n_points, points):
            yield slice(start, min(start + points, n_points)), slice(first, min(first + samples, n_samples))


def _n_blocks(predictions: Predictions) -> int:
    return sum(1 for _ in _blocks(predictions.log_probs.shape))


def _leading(predictions: Predictions, keep: int, tick: Callable[[int], None]) -> NDArray[np.int32]:
    """The true class, where it is known, and the classes of largest summed probability [N, K], ascending."""
    p, n, c = predictions.log_probs.shape
    kept = np.empty((n, keep), dtype=np.int32)
    mass = np.zeros(0)
    for done, (points, samples) in enumerate(_blocks((p, n, c))):
        if points.start == 0:
            mass = np.zeros((samples.stop - samples.start, c))
        mass += np.exp(np.asarray(predictions.log_probs[points, samples])).sum(axis=0, dtype=np.float64)
        if points.stop == p:
            if predictions.labels is not None:
                mass[np.arange(len(mass)), predictions.labels[samples]] = np.inf
            kept[samples] = _largest(mass, keep)
        tick(done + 1)
    return kept


def _largest(values: NDArray[np.float64], k: int) -> NDArray[np.intp]:
    """The columns of the k largest values of each row [n, k], ascending; of equal values the first ones."""
    threshold = np.partition(values, -k, axis=1)[:, [-k]]
    above, level = values > threshold, values == threshold
    wanted = k - above.sum(axis=1, keepdims=True)
    chosen = above | (level & (level.cumsum(axis=1) <= wanted))
    return np.nonzero(chosen)[1].reshape(len(values), k)


def _merged(predictions: Predictions, coarse: CoarseGraining, tick: Callable[[int], None]) -> Predictions:
    """The merged predictions, held in memory where they are small, with their fingerprints and a note."""
    reader: LogProbReader = MergedLogProbs(predictions.log_probs, coarse)
    p, n, c = reader.shape
    in_memory = 4 * p * n * c <= IN_MEMORY_BYTES
    if in_memory:
        values = np.empty((p, n, c), dtype=np.float32)
        for done, (points, samples) in enumerate(_blocks(predictions.log_probs.shape)):
            values[points, samples] = reader[points, samples]
            tick(done + 1)
        reader = values
    merged = replace(
        predictions,
        log_probs=reader,
        label_space=coarse.label_space,
        labels=None if predictions.labels is None else coarse.position(predictions.labels),
        coarse_graining=coarse,
    )
    blocks = _n_blocks(predictions)
    fingerprints, rest = [], 0.0
    for rows, block in merged.blocks():
        fingerprints += [fingerprint(row) for row in block]
        rest += float(np.exp(block[..., -1], dtype=np.float64).sum())
        tick(blocks if in_memory else blocks * rows.stop // p)
    note = (
        f"classes: {coarse.n_kept} of {len(coarse.classes)} kept for each sample, the rest merged; "
        f"it holds {100 * rest / (p * n):.3g} % of the probability on average"
    )
    return replace(merged, fingerprints=tuple(fingerprints), notes=(*predictions.notes, note))
