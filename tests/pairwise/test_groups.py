"""Divergences by groups of samples: against matrices made without each group, and what is refused."""

import numpy as np
import pytest

import infogeo
from infogeo.pairwise.tile import DEVIATION_SCALE
from tests.samples import Lazy, random_log_probs

BUDGET = 1e-6
"""The stated accuracy of a divergence: |error| <= 1e-6 max(1, D), of Renyi divergences times 1 / (4 a (1 - a))."""
HALF = 2.0**-11
"""The unit roundoff of float16, in which deviations are kept; the smallest step is 2^-24 / DEVIATION_SCALE."""


def predictions_of(log_probs):
    return infogeo.Predictions.from_arrays(
        {f"r{i}": row[None] for i, row in enumerate(log_probs)}, kind="log-probabilities"
    )


def order_of(groups):
    return np.split(np.random.default_rng(groups.seed).permutation(groups.sizes.sum()), np.cumsum(groups.sizes)[:-1])


SMALL, MANY_CLASSES, TWO_BLOCKS = ((6, 150, 3), 4), ((5, 40, 60), 5), ((400, 70, 10), 3)
OTHERS = [infogeo.SymmetricKL(), infogeo.Renyi(0.3), infogeo.JensenShannon(), infogeo.FisherRao(), infogeo.Euclidean()]
EVERY = [infogeo.Bhattacharyya(), infogeo.Hellinger(), *OTHERS]


@pytest.mark.parametrize(
    ("divergence", "shape", "groups"),
    [
        pytest.param(divergence, *size, id=f"{divergence.name} {size[0]}")
        for divergence in EVERY
        for size in (SMALL, MANY_CLASSES, *([] if divergence in OTHERS else [TWO_BLOCKS]))
    ],
)
def test_a_matrix_without_a_group_is_that_of_the_other_samples(divergence, shape, groups):
    log_probs = random_log_probs(1, *shape)
    found = infogeo.divergence_by_groups(predictions_of(log_probs), divergence, groups=groups)
    whole = infogeo.pairwise_divergence(predictions_of(log_probs), divergence).to_numpy()
    assert found.n_groups == groups
    assert found.sizes.sum() == shape[1]
    assert (np.abs(found.matrix.to_numpy() - whole) <= 4 * BUDGET * np.maximum(1, whole)).all()
    for r, own in enumerate(order_of(found)):
        others = np.delete(log_probs, own, axis=1)
        expected = infogeo.pairwise_divergence(predictions_of(others), divergence).to_numpy()
        share = len(own) / (shape[1] - len(own))
        stored = share * (HALF * np.abs(whole - expected) / share + 2.0**-24 / DEVIATION_SCALE)
        slack = 4 * BUDGET * (1 + share) * np.maximum(1, np.maximum(whole, expected))
        made = found.without(r)
        assert (np.abs(made - expected) <= stored + slack).all()
        assert (made == made.T).all()
        assert (np.diag(made) == 0).all()


def test_standard_errors_are_those_of_the_mean_over_samples():
    """Against the groups themselves: sqrt(sum_r n_r (d_r - d)^2 / (N (R - 1))) for groups of equal size."""
    log_probs = random_log_probs(2, 7, 128, 4)
    found = infogeo.divergence_by_groups(predictions_of(log_probs), infogeo.Bhattacharyya(), groups=8)
    assert set(found.sizes.tolist()) == {16}
    parts = [
        infogeo.pairwise_divergence(predictions_of(log_probs[:, own]), infogeo.Bhattacharyya()).to_numpy()
        for own in order_of(found)
    ]
    expected = np.std(parts, axis=0, ddof=1) / np.sqrt(8)
    slack = HALF * np.abs(np.array(parts) - np.mean(parts, axis=0)).max(axis=0) + 4 * BUDGET
    assert (np.abs(found.standard_error() - expected) <= slack).all()
    low, high = found.interval()
    reach = 2.364624 * found.standard_error()  # Student's t, 7 degrees of freedom, 95 %
    assert np.allclose(high - found.matrix.to_numpy(), reach, rtol=1e-6, atol=1e-12)
    assert np.allclose(found.matrix.to_numpy() - low, reach, rtol=1e-6, atol=1e-12)


def test_the_seed_decides_the_groups_and_nothing_else():
    predictions = predictions_of(random_log_probs(3, 5, 100, 3))
    first, again, other = (
        infogeo.divergence_by_groups(predictions, infogeo.Bhattacharyya(), seed=seed) for seed in (0, 0, 1)
    )
    assert (first.standard_error() == again.standard_error()).all()
    assert not np.allclose(first.standard_error(), other.standard_error(), rtol=1e-3)
    assert np.allclose(first.matrix.to_numpy(), other.matrix.to_numpy(), rtol=0, atol=2 * BUDGET)


def test_predictions_that_are_read_give_the_same_groups():
    log_probs = random_log_probs(4, 6, 64, 3)
    predictions = predictions_of(log_probs)
    from dataclasses import replace

    lazy = replace(predictions, log_probs=Lazy(predictions.log_probs))
    held, read = (infogeo.divergence_by_groups(p, infogeo.Hellinger()) for p in (predictions, lazy))
    assert (held.standard_error() == read.standard_error()).all()


def test_groups_are_fewer_where_samples_or_memory_are_short():
    few = infogeo.divergence_by_groups(predictions_of(random_log_probs(5, 4, 50, 3)), infogeo.Bhattacharyya())
    assert few.n_groups == 3
    predictions = predictions_of(random_log_probs(5, 300, 320, 3))
    least = infogeo.plan_pairwise(predictions, infogeo.Bhattacharyya()).memory_bytes
    bounded = [
        infogeo.divergence_by_groups(predictions, infogeo.Bhattacharyya(), memory=least + megabytes * 2**20).n_groups
        for megabytes in (10, 20, 100)
    ]
    assert 2 <= bounded[0] < bounded[1] < bounded[2] == 16
    with pytest.raises(infogeo.InputError, match=r"memory: .* not enough for errors; this needs at least"):
        infogeo.divergence_by_groups(predictions, infogeo.Bhattacharyya(), memory=least + 300**2)


@pytest.mark.parametrize(("samples", "groups", "words"), [(31, 16, "31 samples are too few"), (64, 1, "at least 2")])
def test_what_cannot_be_grouped_is_refused(samples, groups, words):
    with pytest.raises(infogeo.InputError, match=words):
        infogeo.divergence_by_groups(
            predictions_of(random_log_probs(6, 3, samples, 3)), infogeo.Bhattacharyya(), groups=groups
        )
