"""Means of predictions: their definitions, what they minimise, and what they must not change."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import infogeo
from infogeo.geometry.centroids import (
    ArithmeticMean,
    BhattacharyyaCentroid,
    GeometricMean,
    HarmonicMean,
    JeffreysCentroid,
    SquareRootMean,
    mean_prediction,
)
from tests.reference.centroids import centroid, divergences
from tests.samples import random_log_probs

KINDS = [
    ArithmeticMean(),
    GeometricMean(),
    HarmonicMean(),
    SquareRootMean(),
    BhattacharyyaCentroid(),
    JeffreysCentroid(),
]
MINIMA = [
    ("arithmetic", ArithmeticMean()),
    ("geometric", GeometricMean()),
    ("square root", SquareRootMean()),
    ("bhattacharyya", BhattacharyyaCentroid()),
    ("jeffreys", JeffreysCentroid()),
]
STATED = 1e-12
"""The residual at which iterations end."""


def normalised(m):
    return m / m.sum(axis=-1, keepdims=True)


def test_closed_forms_are_their_definitions():
    log_p = random_log_probs(0, 4, 6, 5)
    p = np.exp(log_p.astype(float))
    expected = {
        ArithmeticMean(): p.mean(axis=0),
        GeometricMean(): p.prod(axis=0) ** 0.25,
        HarmonicMean(): 1 / (1 / p).mean(axis=0),
        SquareRootMean(): np.sqrt(p).mean(axis=0) ** 2,
    }
    for kind, mean in expected.items():
        found = mean_prediction(log_p, kind)
        assert np.exp(found.log_p) == pytest.approx(normalised(mean), rel=1e-13)
        assert found.residual == 0


@pytest.mark.parametrize(("name", "kind"), MINIMA)
def test_centroids_are_the_minima_that_a_general_optimiser_finds(name, kind):
    log_p = random_log_probs(1, 5, 3, 3)
    found = np.exp(mean_prediction(log_p, kind).log_p)
    for sample in range(3):
        p = normalised(np.exp(log_p[:, sample].astype(float)))
        # a minimum is seen in values to sqrt(eps)
        assert found[sample] == pytest.approx(centroid(p, name), abs=1e-6)


@pytest.mark.parametrize(("name", "kind"), MINIMA)
@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10**6), confidence=st.floats(0.1, 25), count=st.integers(1, 6))
def test_no_move_from_a_centroid_lowers_what_it_minimises(name, kind, seed, confidence, count):
    log_p = random_log_probs(seed, count, 1, 4, confidence)
    found = mean_prediction(log_p, kind)
    assert found.residual <= STATED
    p, m = normalised(np.exp(log_p[:, 0].astype(float))), np.exp(found.log_p[0])
    lowest = divergences(p, m)[name]
    rng = np.random.default_rng(seed)
    for size in (1e-1, 1e-3):
        other = normalised(m * np.exp(size * rng.normal(size=4)))
        terms = np.abs(np.log(p)).sum()  # what the value is summed from
        assert divergences(p, other)[name] >= lowest - 64 * np.finfo(float).eps * (1 + terms)


@pytest.mark.parametrize("kind", KINDS)
def test_a_mean_of_equals_is_each_of_them_and_order_does_not_matter(kind):
    log_p = random_log_probs(2, 3, 7, 6, confidence=8.0)
    same = mean_prediction(np.repeat(log_p[:1], 3, axis=0), kind)
    assert np.exp(same.log_p) == pytest.approx(normalised(np.exp(log_p[0].astype(float))), abs=10 * STATED)
    one, other = (np.exp(mean_prediction(x, kind).log_p) for x in (log_p, log_p[::-1]))
    assert one == pytest.approx(other, abs=10 * STATED)
    assert one.sum(axis=-1) == pytest.approx(1, rel=1e-14)


@pytest.mark.parametrize("kind", KINDS)
def test_certainties_that_disagree_have_a_finite_mean(kind):
    log_p = np.full((2, 1, 3), -174.0)
    log_p[0, 0, 0] = log_p[1, 0, 1] = 0
    found = mean_prediction(log_p, kind)
    assert np.isfinite(found.log_p).all()
    assert np.exp(found.log_p[0, 0]) == pytest.approx(np.exp(found.log_p[0, 1]), rel=1e-9)


def test_what_is_no_set_of_predictions_is_refused():
    with pytest.raises(infogeo.InputError, match=r"predictions: have shape \(4, 3\)"):
        mean_prediction(np.zeros((4, 3)))
