"""Steps against fifty digits, closed forms, and the shortest and longest there are."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infogeo.geometry import step_terms
from tests.reference.steps import step as exact
from tests.samples import log_softmax

EPS = 2.0**-52
UNITS = 10 + 174
"""Of EPS: one per class for sums, and |log p - log q| for the exponential of a difference that is rounded."""
STATED = 1e-6
"""The accuracy that is promised."""


def stored(x):
    """Log-probabilities as they are kept: float32, at the floor or above."""
    return np.maximum(log_softmax(x), -174).astype(np.float32)


def step(log_p, log_q):
    bhattacharyya, hellinger, sq_fisher = (term.mean() for term in step_terms(log_p, log_q))
    return np.array([bhattacharyya, hellinger, np.sqrt(sq_fisher)])


def relative_error(log_p, log_q):
    expected = np.array(exact(log_p, log_q))
    return (np.abs(step(log_p, log_q) - expected) / expected).max()


@pytest.mark.parametrize("confidence", [0.1, 3.0, 20.0, 100.0])
@pytest.mark.parametrize("size", [10.0, 1.0, 1e-2, 1e-4, 1e-6])
def test_steps_of_every_size_agree_with_fifty_digits(confidence, size):
    rng = np.random.default_rng(0)
    x, v = rng.normal(size=(2, 8, 5))
    log_p, log_q = stored(confidence * x), stored(confidence * x + size * v)
    assert 1e-19 < step(log_p, log_q)[0] < 30
    assert relative_error(log_p, log_q) <= UNITS * EPS


def test_steps_down_to_1e_12_keep_the_stated_accuracy():
    """Where float32 would see nothing, and 1 - BC in float64 four digits."""
    rng = np.random.default_rng(1)
    x, v = rng.normal(size=(2, 10, 6))
    reached = []
    for size in np.geomspace(1e-2, 1e-7, 11):
        log_p, log_q = stored(2 * x), stored(2 * x + size * v)
        reached.append(step(log_p, log_q)[0])
        assert relative_error(log_p, log_q) <= STATED
    assert reached[0] > 1e-6
    assert reached[-1] < 1e-13


def test_the_smallest_change_of_a_rare_class_is_seen():
    """One float32 unit in a class of probability 1e-10: a divergence of about p delta^2 / 8, near 1e-22."""
    p = np.array([[0.6, 0.4 - 1e-10, 1e-10]])
    log_p = np.log(p).astype(np.float32)
    log_q = log_p.copy()
    log_q[0, 2] = np.nextafter(log_q[0, 2], np.float32(0))
    delta = float(log_q[0, 2]) - float(log_p[0, 2])
    assert step(log_p, log_q)[0] == pytest.approx(1e-10 * delta**2 / 8, rel=1e-5)
    assert relative_error(log_p, log_q) <= STATED


def test_equal_predictions_are_at_exactly_zero():
    log_p = stored(5 * np.random.default_rng(2).normal(size=(7, 4)))
    assert [term.tolist() for term in step_terms(log_p, log_p)] == [[0.0] * 7] * 3


def test_bernoulli_closed_forms():
    p, q = 0.2, 0.7
    overlap = np.sqrt(p * q) + np.sqrt((1 - p) * (1 - q))
    expected = [-np.log(overlap), 1 - overlap, 2 * np.arccos(overlap)]
    measured = step(np.log([[p, 1 - p]]), np.log([[q, 1 - q]]))
    assert measured == pytest.approx(expected, rel=32 * EPS)


@pytest.mark.parametrize("classes", [2, 10, 1000])
def test_from_ignorance_to_truth(classes):
    uniform, certain = np.full((3, classes), -np.log(classes)), np.full((3, classes), -174.0)
    certain[:, 1] = 0
    expected = [np.log(classes) / 2, 1 - classes**-0.5, 2 * np.arccos(classes**-0.5)]
    for measured in (step(uniform, certain), step(certain, uniform)):
        assert measured == pytest.approx(expected, rel=4 * classes * EPS)


def test_from_certainty_to_another_certainty_is_pi_for_each_sample():
    certain = np.where(np.eye(3) == 1, 0.0, -174.0).astype(np.float32)
    there, back = step_terms(certain, certain[[1, 2, 0]]), step_terms(certain[[1, 2, 0]], certain)
    for terms in (there, back):
        assert np.sqrt(terms.sq_fisher) == pytest.approx([np.pi] * 3, rel=8 * EPS)
        assert terms.hellinger == pytest.approx([1.0] * 3, rel=8 * EPS)
        assert terms.bhattacharyya == pytest.approx([87 - np.log(2)] * 3, rel=8 * EPS)  # BC = 2 e^-87


def test_probabilities_of_1e_30_keep_full_accuracy():
    p = np.array([[1.0, 1e-30, 1e-12], [1e-30, 1.0, 1e-30], [0.5, 0.5, 1e-30]])
    log_p = np.log(p).astype(np.float32)
    for other in (log_p[[1, 2, 0]], log_p[[2, 0, 1]]):
        assert relative_error(log_p, other) <= UNITS * EPS


def test_what_float32_leaves_over_of_a_row_is_no_step():
    """Rows whose sums are off by 1e-5 and 2e-5: the same distributions as before."""
    rng = np.random.default_rng(3)
    x, v = rng.normal(size=(2, 6, 4))
    log_p, log_q = log_softmax(x), log_softmax(x + 1e-5 * v)
    before, after = step(log_p, log_q), step(log_p + 1e-5, log_q - 2e-5)
    assert before[0] < 1e-10
    # the sum rounds each log probability by an eps of its size, and the chord is 1e-5 of them
    assert after == pytest.approx(before, rel=1e-9)


logits = hnp.arrays(np.float64, (2, 5, 4), elements=st.floats(-80, 80, width=32))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(x=logits, order=st.permutations(range(4)))
def test_a_step_is_symmetric_bounded_and_blind_to_the_order_of_classes(x, order):
    p, q = stored(x)
    bhattacharyya, hellinger, fisher = step(p, q)
    assert 0 <= hellinger <= bhattacharyya * (1 + 8 * EPS)
    assert hellinger <= 1 + 8 * EPS
    assert 8 * hellinger <= fisher**2 * (1 + 16 * EPS) <= 8 * bhattacharyya * (1 + 32 * EPS)
    # the rounding of the log masses alone is a step of 1e-32
    for other in (step(q, p), step(p[:, order], q[:, order])):
        assert other**2 == pytest.approx(step(p, q) ** 2, rel=4 * UNITS * EPS, abs=1e-30)
