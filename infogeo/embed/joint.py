"""Train and test sets on one map: tables on different samples, compared through samples of the same class."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from infogeo.core.arguments import check_record
from infogeo.core.errors import InputError
from infogeo.core.points import Points
from infogeo.core.predictions import Predictions
from infogeo.divergences.base import Divergence
from infogeo.embed.inpca import Embedding, inpca
from infogeo.embed.references import Projection, oriented
from infogeo.embed.view import view
from infogeo.pairwise.matrix import PairwiseMatrix
from infogeo.pairwise.run import pairwise_divergence

Rows = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class JointMap:
    """Every checkpoint twice on one map: by what it predicts on the train set, and on the test set.

    Attributes:
        embedding: 2 P points, train first; the column `set` of its points is `train` or `test`.
        matrix: their divergences [2P, 2P]; those between train and test are means over matchings.
        references: `ignorance` and, where it is at finite divergence, `truth`: projected.
        spread: the standard deviation of the train-test block [P, P] over matchings, in nats.
        within: for each checkpoint, how far its predictions on one set are from those same predictions matched at
            random within class [P], in nats, mean of both sets: what samples of a class differ by.
        n_slots: N', the samples of each set that are compared.
        n_dropped: classes that one of the sets lacks.
        matchings: R.
        seed: of subsets and matchings.
    """

    embedding: Embedding
    matrix: PairwiseMatrix
    references: Projection
    spread: NDArray[np.float64]
    within: NDArray[np.float64]
    n_slots: int
    n_dropped: int
    matchings: int
    seed: int

    @property
    def between(self) -> NDArray[np.float64]:
        """The divergences between train and test [P, P], rows train: means over matchings, in nats."""
        size = len(self.within)
        return np.asarray(self.matrix.values[:size])[:, size:]

    @property
    def gap(self) -> NDArray[np.float64]:
        """For each checkpoint d(train, test) - `within` [P], in nats: about 0 where both sets are predicted alike."""
        return np.diag(self.between) - self.within

    @property
    def relative_spread(self) -> float:
        """The mean of `spread` over the mean of the train-test block; 0 where all of it is zero."""
        scale = float(self.between.mean())
        return float(self.spread.mean()) / scale if scale > 0 else 0.0

    def sentence(self) -> str:
        """In plain words, from the numbers at hand: how train and test differ, and what the matching adds."""
        apart, within, spread = float(np.diag(self.between).mean()), float(self.within.mean()), self.relative_spread
        lost = "1 class is" if self.n_dropped == 1 else f"{self.n_dropped} classes are"
        dropped = f" ({lost} in one set alone and left out)" if self.n_dropped else ""
        return (
            f"Train and test are compared over {self.n_slots} samples of each, matched at random within their "
            f"class{dropped}. The same checkpoint is {apart:.4g} nats from train to test on average; {within:.4g} of "
            "it is what samples of one class within one set differ by, "
            f"{self.gap.mean():.4g} is the gap. From one matching to another ({self.matchings} of them) "
            f"a train-test divergence varies by {100 * spread:.2g} % (standard deviation): "
            + ("the arbitrary matching hardly matters." if spread < 0.05 else "the arbitrary matching matters.")
        )


def joint_map(
    train: Predictions,
    test: Predictions,
    divergence: Divergence,
    n_components: int = 10,
    *,
    matchings: int = 8,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    memory: int | None = None,
) -> JointMap:
    """One map of the same checkpoints on two probe sets of different samples.

    A divergence compares predictions sample by sample, so each sample of train needs a partner in test. With n_c the
    smaller count of class c in the two sets and N' = sum_c n_c, a seeded random subset of n_c samples of each class
    of each set fills N' slots. Slot i holds a sample of train and one of test of the same class, matched at
    random. All 2 P predictions are then distributions on N' slots:

        D(i train, j train), D(i test, j test): the divergence on the subset; it does not depend on the matching.
        D(i train, j test) = mean over R matchings of the divergence on matched slots.

    The map is InPCA of this matrix [2P, 2P]. Two sets whose samples of a class differ keep a checkpoint's two
    points apart even where it treats both alike: `JointMap.within` says by how much, `JointMap.gap` what is left,
    `JointMap.spread` what the choice of a matching does. This is a definition of our own: other ways to join two
    probe sets give other maps.

    Args:
        train: P checkpoints with labels.
        test: the same checkpoints (run, step), in any order, on other samples of the same classes.
        divergence: which divergence, for example `Bhattacharyya()`.
        n_components: K, how many axes to return at most.
        matchings: R, at least 2, for their spread to be known; each costs P^2 pairs.
        seed: of subsets and matchings.
        progress: called with (matrices done, matrices in all).
        memory: the bytes that each of the divergence matrices may take; see `plan_pairwise`.

    Raises:
        InputError: labels are not known, classes differ or are merged, checkpoints have no partner, the sets share no
            class, or fewer than two matchings.
    """
    _check(train, test, matchings)
    order = _partners(train.points, test.points)
    rng = np.random.default_rng(seed)
    ours, theirs, n_dropped = _slots(train, test, rng)
    everything = np.arange(train.n_points)
    first, second = view(train, everything, ours), view(test, order, theirs)
    total, done = matchings + 4, 0

    def divergences(a: Predictions, b: Predictions | None = None) -> PairwiseMatrix:
        nonlocal done
        found = pairwise_divergence(a, divergence, to=b, memory=memory)
        done += 1
        if progress is not None:
            progress(done, total)
        return found

    squares = divergences(first), divergences(second)
    classes = _members(np.asarray(first.labels))
    matched = (view(test, order, theirs[_matching(classes, rng)]) for _ in range(matchings))
    between, spread = _mean_and_spread(divergences(first, partner) for partner in matched)
    others = view(train, everything, ours[_shifted(classes, rng)]), view(test, order, theirs[_shifted(classes, rng)])
    own = [np.diag(np.asarray(divergences(*pair).values)) for pair in zip((first, second), others, strict=True)]
    joint = _of_set(squares[0], "train").join(_of_set(squares[1], "test"), between)
    embedding, references = _map(joint, first, second, divergence, n_components, memory)
    return JointMap(
        embedding=embedding,
        matrix=joint,
        references=references,
        spread=spread,
        within=np.mean(own, axis=0),
        n_slots=len(ours),
        n_dropped=n_dropped,
        matchings=matchings,
        seed=seed,
    )


def _map(
    joint: PairwiseMatrix,
    first: Predictions,
    second: Predictions,
    divergence: Divergence,
    n_components: int,
    memory: int | None,
) -> tuple[Embedding, Projection]:
    """InPCA, with ignorance and truth of the slots, which are the same for both sets whatever the matching."""
    references = first.references(truth=divergence.finite_at_certainty)
    rows = [pairwise_divergence(references, divergence, to=one, memory=memory).values for one in (first, second)]
    return oriented(inpca(joint, n_components), references.points, np.concatenate(rows, axis=1))


def _mean_and_spread(matrices: Iterator[PairwiseMatrix]) -> tuple[PairwiseMatrix, NDArray[np.float64]]:
    """The mean of at least two matrices and their standard deviation, entry by entry; exactly zero of equal ones."""
    first = next(matrices)
    mean, squared, count, clipped = np.array(first.values), np.zeros(first.shape), 1, first.clipped
    for matrix in matrices:
        count, clipped = count + 1, clipped + matrix.clipped
        change = np.asarray(matrix.values) - mean
        mean += change / count
        squared += change * (np.asarray(matrix.values) - mean)
    return replace(first, values=mean, clipped=clipped), np.sqrt(squared / (count - 1))


def _check(train: Predictions, test: Predictions, matchings: int) -> None:
    if matchings < 2:
        raise InputError(f"matchings: {matchings}; give at least 2, so that their spread is known")
    for name, given in (("train", train), ("test", test)):
        check_record(name, given, Predictions)
        if given.labels is None:
            raise InputError(f"{name}: samples are matched within their class; give labels")
        if given.coarse_graining is not None:
            raise InputError(
                f"{name}: classes are merged, and each sample keeps its own; give the unmerged predictions"
            )
    if train.label_space != test.label_space:
        raise InputError("test: has other classes than train; both need the same classes in the same order")


def _partners(train: Points, test: Points) -> Rows:
    """The row of test of each point of train: the same run and step."""
    rows: list[dict[tuple[str, int], int]] = []
    for name, points in (("train", train), ("test", test)):
        keys = list(zip(points["run"].tolist(), points["step"].tolist(), strict=True))
        rows.append({key: row for row, key in enumerate(keys)})
        if len(rows[-1]) < len(keys):
            raise InputError(f"{name}: a run has two checkpoints of the same step; leave one out")
    for name, own, other in (("test", *rows), ("train", *reversed(rows))):
        missing = [key for key in own if key not in other]
        if missing:
            run, step = missing[0]
            number = f"{len(missing)} checkpoint{'s' if len(missing) > 1 else ''}"
            raise InputError(
                f"{name}: lacks {number} that the other set has, run '{run}', step {step}; give both the same ones"
            )
    return np.array([rows[1][key] for key in rows[0]], dtype=np.intp)


def _slots(train: Predictions, test: Predictions, rng: np.random.Generator) -> tuple[Rows, Rows, int]:
    """The samples of train and of test in each slot [N'], class by class, and how many classes one set lacks."""
    chosen: tuple[list[Rows], list[Rows]] = ([], [])
    n_dropped = 0
    for c in np.union1d(np.asarray(train.labels), np.asarray(test.labels)):
        members = [np.flatnonzero(given.labels == c) for given in (train, test)]
        count = min(map(len, members))
        n_dropped += count == 0
        for slots, own in zip(chosen, members, strict=True):
            slots.append(np.sort(rng.choice(own, count, replace=False)) if count < len(own) else own)
    first, second = (np.concatenate(slots) for slots in chosen)
    if not len(first):
        raise InputError("test: shares no class with train, so no sample has a partner")
    return first, second, n_dropped


def _members(labels: NDArray[np.int64]) -> list[Rows]:
    """The slots of each class."""
    return [np.flatnonzero(labels == c) for c in np.unique(labels)]


def _matching(classes: list[Rows], rng: np.random.Generator) -> Rows:
    """A random permutation of slots [N'] within each class."""
    partner = np.empty(sum(map(len, classes)), dtype=np.intp)
    for members in classes:
        partner[members] = rng.permutation(members)
    return partner


def _shifted(classes: list[Rows], rng: np.random.Generator) -> Rows:
    """The same, but no slot stays where it is, unless it is the only one of its class."""
    partner = np.empty(sum(map(len, classes)), dtype=np.intp)
    for members in classes:
        turn = rng.permutation(members)
        partner[turn] = np.roll(turn, 1)
    return partner


def _of_set(matrix: PairwiseMatrix, name: str) -> PairwiseMatrix:
    """The same matrix with a column `set` in its points."""
    return replace(matrix, points=matrix.points.with_columns(set=np.full(len(matrix.points), name)))
