"""Geodesics: closed forms, finite differences, and end points that nearly agree."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infogeo import InputError
from infogeo.geometry import Geodesic, log_map
from tests.reference.progress import angles, on_geodesic
from tests.samples import log_softmax, random_log_probs

EPS = np.finfo(float).eps


def pair(seed, samples=20, classes=6, confidence=2.0):
    return random_log_probs(seed, 2, samples, classes, confidence)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.integers(2, 30), st.floats(0.1, 6))
def test_points_are_where_the_formula_puts_them(seed, classes, confidence):
    p, q = pair(seed, classes=classes, confidence=confidence)
    road, times = Geodesic.between(p, q), np.linspace(0, 1, 7)
    for t, found in zip(times, road.roots(times), strict=True):
        # a root is off by EPS, and by as much relative to sin G where both sides divide by it
        assert np.abs(found - on_geodesic(p, q, t)).max() <= 30 * EPS / np.sin(road.angles).min()
    assert np.abs(np.linalg.norm(road.roots(times), axis=-1) - 1).max() <= 30 * EPS
    assert np.abs(road.angles - angles(p, q)).max() <= 30 * EPS


def test_the_ends_are_the_ends_and_rows_sum_to_one():
    p, q = pair(0)
    road = Geodesic.between(p, q)
    found = road.at([0, 0.3, 1])
    assert found.dtype == np.float32
    # log p of float32 is stored to half a unit in the last place: 2^-24 |log p|
    assert np.abs(found[0] - p).max() <= 2**-23 * np.abs(p).max()
    assert np.abs(found[2] - q).max() <= 2**-23 * np.abs(q).max()
    assert np.abs(np.exp(found.astype(float)).sum(axis=-1) - 1).max() <= 2**-23 * np.abs(found).max()


def test_ignorance_and_truth_are_arccos_of_one_over_root_c_apart():
    for classes in (2, 10, 1000):
        certain = np.full((3, classes), -174.0)
        certain[:, 0] = 0
        road = Geodesic.between(np.full((3, classes), -np.log(classes)), certain)
        assert road.angles == pytest.approx(np.arccos(classes**-0.5), rel=1e-14)
        assert road.length == pytest.approx(2 * np.arccos(classes**-0.5), rel=1e-14)


def test_opposite_certainties_are_pi_apart_and_have_a_middle():
    p, q = np.array([[0.0, -174, -174]]), np.array([[-174.0, 0, -174]])
    road = Geodesic.between(p, q)
    assert road.length == pytest.approx(np.pi, rel=1e-14)
    assert np.exp(road.at(0.5)[0, 0].astype(float)) == pytest.approx([0.5, 0.5, 0], abs=1e-7)


def test_the_velocity_is_the_derivative_and_as_long_as_the_angle():
    p, q = pair(1)
    road, h = Geodesic.between(p, q), 1e-5
    for t in (0.0, 0.4, 1.0):
        numeric = (road.roots(t + h) - road.roots(t - h))[0] / (2 * h)
        # central differences err by h^2 / 6 G^3 and by rounding, EPS / h
        assert np.abs(road.velocity(t)[0] - numeric).max() <= h**2 + 4 * EPS / h
        assert np.linalg.norm(road.velocity(t)[0], axis=-1) == pytest.approx(road.angles, rel=1e-13)
    assert np.array_equal(log_map(p, q), road.velocity(0)[0])


@pytest.mark.parametrize("size", [0.0, 1e-12, 1e-9, 1e-7, 1e-4])
def test_ends_that_nearly_agree_are_joined_by_a_straight_line(size):
    rng = np.random.default_rng(2)
    x, v = rng.normal(size=(2, 10, 4))
    p, q = log_softmax(x), log_softmax(x + size * v)
    road = Geodesic.between(p, q)
    middle = road.roots(0.25)[0]
    assert np.isfinite(middle).all()
    # chord and arc differ by G^2
    assert np.abs(middle - (0.75 * road.start + 0.25 * road.end)).max() <= road.angles.max() ** 2 + 4 * EPS
    assert np.isfinite(road.velocity(0.5)).all()


def test_ends_on_different_probe_sets_are_refused():
    with pytest.raises(InputError, match=r"geodesic: end points of shapes \(20, 6\) and \(19, 6\)"):
        Geodesic.between(pair(3)[0], pair(3)[1][:19])
