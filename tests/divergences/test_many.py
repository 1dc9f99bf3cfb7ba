"""Many classes: long sums are as accurate as short ones, whatever the predictions."""

import jax.numpy as jnp
import numpy as np
import pytest

import infogeo
from infogeo.divergences.base import FEW
from infogeo.divergences.many import AT_ONCE, FEW_SAMPLES, LONGEST_PRODUCT, ManyClasses, dither_of, dither_of_parts
from tests.divergences.test_divergences import ALL, BUDGET, budget_of, matrix
from tests.reference import divergences as reference
from tests.samples import log_softmax, random_log_probs

ENOUGH = FEW_SAMPLES + 5
"""Samples for which products are long."""


KINDS = {name: pair for name, pair in ALL.items() if name not in ("renyi 0.5", "renyi 0.3")}
every_kind = pytest.mark.parametrize(("divergence", "slow"), KINDS.values(), ids=KINDS)
"""Of kernels: each costs a compilation for each shape."""


@every_kind
@pytest.mark.parametrize(
    ("n_samples", "n_classes"),
    [
        (2, FEW + 1),
        (ENOUGH, 2 * AT_ONCE + 7),
        *(
            pytest.param(*shape, marks=pytest.mark.full)
            for shape in ((ENOUGH, FEW + 1), (2, 300), (2, 2 * AT_ONCE + 7))
        ),
    ],
)
def test_any_number_of_classes_agrees_with_float64(divergence, slow, n_samples, n_classes):
    rows = [random_log_probs(0, 3, n_samples, n_classes, confidence) for confidence in (0.01, 1.0, 5.0, 20.0)]
    log_probs = np.maximum(np.concatenate(rows), -174)
    expected = reference.matrix(slow, log_probs)
    error = np.abs(matrix(log_probs, divergence) - expected) / np.maximum(1, expected)
    assert error.max() <= budget_of(divergence)


def equal_terms(n_classes):
    """Uniform over all classes, all but some, and a half of them at random, each beside something that is not."""
    rng = np.random.default_rng(1)
    shown = [np.arange(n_classes) >= 0, np.arange(n_classes) < n_classes - 47, rng.random(n_classes) < 0.5]
    return [np.where(which, 0.0, -174.0) for which in shown] + [rng.normal(size=n_classes)]


@every_kind
@pytest.mark.parametrize(
    ("n_samples", "n_classes"),
    [(1, 2500), (ENOUGH, 1000), *(pytest.param(*shape, marks=pytest.mark.full) for shape in ((32, 43), (500, 2500)))],
)
def test_equal_terms_which_all_round_the_same_way_stay_within_the_budget(divergence, slow, n_samples, n_classes):
    rows = np.maximum(log_softmax(equal_terms(n_classes)), -174).astype(np.float32)
    expected = reference.matrix(slow, rows[:, None])
    measured = matrix(np.repeat(rows[:, None], n_samples, axis=1), divergence)
    assert (np.abs(measured - expected) / np.maximum(1, expected)).max() <= budget_of(divergence)


@pytest.mark.parametrize("divergence", [infogeo.Bhattacharyya(), infogeo.Hellinger()])
@pytest.mark.parametrize("n_samples", [1, 100])
def test_of_a_flat_tail_beside_a_class_that_dominates_little_is_lost(divergence, n_samples):
    """Each of the terms of one product may lose half a unit of a sum just below 1, the same in every sample."""
    n_classes = 1000
    mass = np.logspace(-6, -1.5, 19)[:, None]
    rows = np.repeat(np.log(mass / (n_classes - 1)), n_classes, axis=1)
    rows[:, 0] = np.log1p(-mass[:, 0])
    log_probs = np.repeat(rows.astype(np.float32)[:, None], n_samples, axis=1)
    slow = {"Hellinger": reference.hellinger, "Bhattacharyya": reference.bhattacharyya}[divergence.name]
    expected = reference.matrix(slow, rows[:, None].astype(np.float32))
    assert np.abs(matrix(log_probs, divergence) - expected).max() <= BUDGET + LONGEST_PRODUCT * 2**-25


def test_factors_of_samples_and_of_parts_are_not_those_of_other_samples_and_parts():
    samples, parts = dither_of(0, 100, 100), np.asarray(dither_of_parts(30))
    mantissas = np.sort(np.frexp(np.outer(samples, parts).ravel())[0])
    assert len(np.unique(mantissas)) > 2_900
    assert np.diff(mantissas).max() < 0.003  # of 3000 between 1/2 and 1, evenly spread


def test_factors_are_those_of_the_sample_wherever_a_block_begins():
    assert np.array_equal(dither_of(0, 40, 100)[24:], dither_of(24, 16, 100))
    assert 2**-0.5 <= dither_of(0, 10_000, 10_000).min() < dither_of(0, 10_000, 10_000).max() <= 2**0.5
    assert len(np.unique(dither_of(0, 10_000, 10_000))) > 9_900
    assert dither_of(0, 8, FEW_SAMPLES) is None


@every_kind
def test_some_of_the_points_are_that_part_of_the_block(divergence, slow):
    a, b = (ManyClasses(jnp.asarray(random_log_probs(seed, 12, 4, 60)), dither_of(0, 4, 100)) for seed in (2, 3))
    whole = divergence.block_of_many(divergence.start(12, 12), a, b)
    part = divergence.block_of_many(divergence.start(5, 8), a.take(3, 8), b.take(4, 12))
    large, small = (
        sum(np.float64(x) * unit for x, unit in zip(divergence.finish(total), (1, divergence.unit), strict=True))
        for total in (whole, part)
    )
    assert np.allclose(small, large[3:8, 4:12], rtol=0, atol=4 * budget_of(divergence))
