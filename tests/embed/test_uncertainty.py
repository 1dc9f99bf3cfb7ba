"""Errors of a map: against maps made again without each group, and their coverage where the truth is known."""

from dataclasses import dataclass

import numpy as np
import pytest

import infogeo
from infogeo.embed.uncertainty import embedding_errors
from tests.samples import log_softmax, trajectories

POINTS, SAMPLES, CLASSES = 24, 6000, 3
AXES = 4
"""Axes of the population's map whose eigenvalues are well apart: 0.63, 0.31, 0.079 and 0.032."""


@pytest.fixture(scope="module")
def population():
    """Three roads of eight models on a large set of samples of unequal difficulty [P, M, C]: all there is to know."""
    rng = np.random.default_rng(0)
    hard = rng.exponential(1, size=(SAMPLES, 1))
    target = np.eye(CLASSES)[rng.integers(0, CLASSES, SAMPLES)]
    kind = rng.normal(size=(3, SAMPLES, CLASSES))
    models = []
    for p in range(POINTS):
        time, road = p % 8 / 7, p // 8
        learnt = 4 * target * (1 - np.exp(-3 * time / hard))
        models.append(learnt + (0.3 + 1.2 * road * time) * kind[road] * time + 0.1 * rng.normal(size=target.shape))
    return log_softmax(np.stack(models)).astype(np.float32)


def test_a_printed_map_is_short():
    made = infogeo.embed_predictions(trajectories(samples=80), infogeo.Bhattacharyya(), 4, groups=4)
    for record in (made, made.embedding, made.errors, made.references):
        assert len(repr(record).splitlines()) <= 3
    stress, errors = made.embedding.explained_stress, made.errors.explained_stress
    shares = [f"{100 * s:.1f} ± {100 * e:.1f} %" for s, e in zip(stress, errors, strict=True)]
    assert f"explained stress of 1 to 3 axes: {', '.join(shares[:3])} (standard errors)" in repr(made.errors)
    assert f"K=4 axes, {(made.embedding.signature < 0).sum()} of them time-like" in repr(made.embedding)
    assert repr(made).startswith("Map with matrix, ignorance, truth, errors of\nEmbedding(24 points of 4 runs, K=4")
    alone = infogeo.inpca(made.matrix, 1)
    assert repr(alone).endswith(f"explained stress of one axis: {100 * stress[0]:.1f} %")


def predictions_of(log_probs):
    return infogeo.Predictions.from_arrays({"all": log_probs}, kind="log-probabilities")


def drawn(population, rng, n):
    """n samples drawn independently from the population."""
    return predictions_of(population[:, rng.integers(0, SAMPLES, n)])


def coverage(population, draws, n):
    """How often 95 % intervals hold the population's divergences, eigenvalues [AXES] and explained stress [AXES]."""
    divergence = infogeo.Bhattacharyya()
    matrix = infogeo.pairwise_divergence(predictions_of(population), divergence)
    truth, d = infogeo.inpca(matrix, AXES), matrix.to_numpy()
    above, rng = np.triu_indices(POINTS, 1), np.random.default_rng(1)
    found = []
    for seed in range(draws):
        groups = infogeo.divergence_by_groups(drawn(population, rng, n), divergence, seed=seed)
        errors = embedding_errors(groups, infogeo.inpca(groups.matrix, AXES))
        pairs = zip(
            (groups.interval(), errors.eigenvalue_interval(), errors.stress_interval()),
            (d, truth.eigenvalues, truth.explained_stress),
            strict=True,
        )
        inside = [(low <= value) & (value <= high) for (low, high), value in pairs]
        found.append((inside[0][above].mean(), inside[1], inside[2]))
    return tuple(np.mean([row[i] for row in found], axis=0) for i in range(3))


def check_coverage(population, draws):
    """90 to 98 %, and three standard deviations of so many draws beside, on either side."""
    divergences, eigenvalues, stress = coverage(population, draws, 512)
    low = 0.90 - 3 * np.sqrt(0.90 * 0.10 / draws)
    high = 0.98 + 3 * np.sqrt(0.98 * 0.02 / draws)
    assert low <= divergences <= high
    assert (low <= eigenvalues).all()
    assert (eigenvalues <= high).all()
    assert (low <= stress).all()
    assert (stress <= high).all()


def test_intervals_hold_the_truth_as_often_as_they_say(population):
    check_coverage(population, 100)


@pytest.mark.full
def test_intervals_hold_the_truth_as_often_as_they_say_in_many_draws(population):
    check_coverage(population, 2000)


def test_maps_without_a_group_are_those_made_from_scratch(population):
    """One step from the axes of all samples errs in second order: a hundredth of what a group changes is ample."""
    rng = np.random.default_rng(2)
    groups = infogeo.divergence_by_groups(drawn(population, rng, 256), infogeo.Bhattacharyya(), groups=8)
    embedding = infogeo.inpca(groups.matrix, AXES)
    errors = embedding_errors(groups, embedding)
    again = np.stack(
        [
            infogeo.inpca(infogeo.PairwiseMatrix.from_array(np.maximum(groups.without(r), 0)), AXES).eigenvalues
            for r in range(8)
        ]
    )
    h = groups.sizes.sum() / groups.sizes[:, None]
    pseudo = h * embedding.eigenvalues - (h - 1) * again
    corrected = 8 * embedding.eigenvalues - np.sum((1 - 1 / h) * again, axis=0)
    expected = np.sqrt(np.mean((pseudo - corrected) ** 2 / (h - 1), axis=0))
    assert np.allclose(errors.eigenvalues, expected, rtol=0.01, atol=0)
    assert np.allclose(errors.eigenvalue_bias, embedding.eigenvalues - corrected, rtol=0, atol=0.01 * expected)


def test_errors_fall_as_the_root_of_the_number_of_samples(population):
    """Four times the samples halve them; a standard error of 16 groups is known to 18 %, that of eight means to 7 %."""
    rng = np.random.default_rng(3)

    def mean_error(n):
        found = [
            embedding_errors(infogeo.divergence_by_groups(drawn(population, rng, n), infogeo.Bhattacharyya(), seed=i))
            for i in range(8)
        ]
        return np.mean([errors.eigenvalues[:2] for errors in found], axis=0)

    ratio = mean_error(256) / mean_error(1024)
    assert (np.abs(ratio / 2 - 1) <= 4 * np.sqrt(2) * 0.07).all()


def test_coordinates_move_as_much_between_draws_as_their_errors_say(population):
    """The spread of aligned coordinates over draws against the mean error: each of 40 draws, known to 11 %."""
    rng = np.random.default_rng(4)
    divergence = infogeo.Bhattacharyya()
    truth = infogeo.inpca(infogeo.pairwise_divergence(predictions_of(population), divergence), 3)
    spread, said = [], []
    for seed in range(40):
        groups = infogeo.divergence_by_groups(drawn(population, rng, 512), divergence, seed=seed)
        errors = embedding_errors(groups, infogeo.inpca(groups.matrix, 3))
        spread.append(turned(errors.embedding.coords, truth.coords) - truth.coords)
        said.append(np.mean(errors.coords**2))
    assert np.sqrt(np.mean(np.square(spread))) == pytest.approx(np.sqrt(np.mean(said)), rel=0.35)


def turned(coords, onto):
    """Rotated or mirrored onto others, all axes space-like."""
    left, _, right = np.linalg.svd(coords.T @ onto)
    return coords @ (left @ right)


def test_close_eigenvalues_are_told():
    """Two directions of equal spread: the map cannot tell its first two axes apart, and says so."""
    rng = np.random.default_rng(5)
    directions = rng.normal(size=(2, 400, 2))
    places = rng.normal(size=(40, 2))
    places -= places.mean(axis=0)
    left, _, right = np.linalg.svd(places, full_matrices=False)
    logits = np.einsum("pk,knc->pnc", 3 * left @ right, directions)
    groups = infogeo.divergence_by_groups(predictions_of(log_softmax(logits)), infogeo.Bhattacharyya())
    errors = embedding_errors(groups, infogeo.inpca(groups.matrix, 3))
    assert errors.close[:2].all()


@dataclass
class GivenGroups:
    """Groups of samples whose divergences [R, P, P] are given."""

    values: np.ndarray

    def __post_init__(self):
        self.n_groups, self.sizes = len(self.values), np.full(len(self.values), 10)
        self.matrix = infogeo.PairwiseMatrix.from_array(self.values.mean(axis=0))

    def without(self, group):
        return np.delete(self.values, group, axis=0).mean(axis=0)


def test_axes_of_either_sign_that_change_places_are_still_compared_with_themselves():
    """Eigenvalues of 8, -3 and 3: which of the last two is larger depends on the group that is left out."""
    rng = np.random.default_rng(7)
    places = rng.normal(size=(30, 3))
    axes, _ = np.linalg.qr(places - places.mean(axis=0))
    floor = 1.2  # added to all eigenvalues: divergences are not negative
    noise = rng.normal(size=(16, 3))
    sq_lengths = np.array([8 - floor, 3 + floor, 3 - floor]) * (1 + 0.03 * (noise - noise.mean(axis=0)))
    coords = axes * np.sqrt(sq_lengths)[:, None]
    apart = (coords[:, :, None] - coords[:, None]) ** 2 @ np.array([1, -1, 1])
    groups = GivenGroups(apart + 2 * floor * (1 - np.eye(30)))
    second = [infogeo.inpca(infogeo.PairwiseMatrix.from_array(groups.without(r)), 2).signature[1] for r in range(16)]
    assert set(second) == {1, -1}

    errors = embedding_errors(groups, infogeo.inpca(groups.matrix, 3))
    kinds = [1 if sign < 0 else 2 for sign in errors.embedding.signature[1:]]
    of_a_mean = sq_lengths.std(axis=0, ddof=1) / 4
    assert np.allclose(errors.eigenvalues, of_a_mean[[0, *kinds]], rtol=1e-9, atol=0)
    assert np.abs(errors.eigenvalue_bias).max() <= 1e-9
    assert not errors.close.any()


def test_weights_are_kept_and_errors_follow_the_weighted_map(population):
    rng = np.random.default_rng(6)
    groups = infogeo.divergence_by_groups(drawn(population, rng, 256), infogeo.Bhattacharyya())
    weights = np.where(np.arange(POINTS) < 8, 1.0, 0.0)
    part = infogeo.divergence_by_groups(drawn(population, np.random.default_rng(6), 256).take(np.arange(8)),
                                        infogeo.Bhattacharyya())  # fmt: skip
    weighted = embedding_errors(groups, infogeo.inpca(groups.matrix, 2, weights))
    alone = embedding_errors(part, infogeo.inpca(part.matrix, 2))
    # a weight of zero is no point at all; eigenvalues of weighted maps count P / sum(w) = 3 times
    assert np.allclose(weighted.eigenvalues, 3 * alone.eigenvalues, rtol=1e-2)


def test_an_embedding_of_other_points_is_refused(population):
    groups = infogeo.divergence_by_groups(predictions_of(population[:5, :64]), infogeo.Bhattacharyya())
    other = infogeo.inpca(infogeo.pairwise_divergence(predictions_of(population[:4, :64]), infogeo.Bhattacharyya()))
    with pytest.raises(infogeo.InputError, match="embedding: has 4 points and the groups 5"):
        embedding_errors(groups, other)
