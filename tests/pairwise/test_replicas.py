"""The N-replica Hellinger family of a Bhattacharyya matrix: closed forms, both ends, and what is refused."""

import numpy as np
import pytest

import infogeo
from tests.samples import trajectories

EPS = np.finfo(float).eps


@pytest.fixture(scope="module")
def bhattacharyya():
    return infogeo.pairwise_divergence(trajectories(), infogeo.Bhattacharyya())


def test_replicas_of_coins_are_the_hellinger_divergence_of_all_their_tosses():
    """M coins: BC of all tosses is the M-th power."""
    p, q = 0.3, 0.6
    overlap = np.sqrt(p * q) + np.sqrt((1 - p) * (1 - q))
    matrix = infogeo.replicated_hellinger(_named([[0, -np.log(overlap)], [-np.log(overlap), 0]]), 5)
    assert matrix.to_numpy()[0, 1] == pytest.approx((1 - overlap**5) / 5, rel=10 * EPS)


def test_the_limit_of_no_replicas_is_reached_linearly(bhattacharyya):
    """d - (1 - exp(-M d)) / M = M d^2 / 2 - M^2 d^3 / 6 + ..., alternating and falling for M d < 1."""
    d = bhattacharyya.to_numpy()
    for replicas in (1, 0.1, 0.01):
        gap = d - infogeo.replicated_hellinger(bhattacharyya, replicas).to_numpy()
        assert (gap <= replicas * d**2 / 2 + 2 * EPS * d / min(1, replicas)).all()
        assert (gap >= replicas * d**2 / 2 - replicas**2 * d**3 / 6 - 2 * EPS * d / min(1, replicas)).all()
    assert (infogeo.replicated_hellinger(bhattacharyya, 0).to_numpy() == d).all()


def test_joint_hellinger_saturates_where_the_intensive_divergence_does_not():
    """The curse of dimension: with many tosses all coins are equally far apart, but not per toss."""
    p = np.linspace(0.01, 0.99, 100)
    overlap = np.sqrt(np.outer(p, p)) + np.sqrt(np.outer(1 - p, 1 - p))
    above = np.triu_indices(100, 1)
    d = _named(-np.log(np.minimum(overlap, 1)))

    def contrast(values):
        return (values[above].max() - values[above].min()) / values[above].max()

    seen = [contrast(infogeo.replicated_hellinger(d, m).to_numpy()) for m in (1, 1e3, 1e6)]
    assert seen[0] > 0.99 > seen[1] > 0.2 > seen[2]
    assert contrast(d.to_numpy()) > 0.99


def test_other_divergences_and_negative_replicas_are_refused(bhattacharyya):
    with pytest.raises(infogeo.InputError, match=r"matrix: holds given divergences; replicas need"):
        infogeo.replicated_hellinger(infogeo.PairwiseMatrix.from_array(np.zeros((2, 2))), 1)
    for wrong in (-1, float("nan"), float("inf")):
        with pytest.raises(infogeo.InputError, match="replicas: "):
            infogeo.replicated_hellinger(bhattacharyya, wrong)


def _named(values):
    return infogeo.PairwiseMatrix.from_array(values, divergence=infogeo.Bhattacharyya.name, fisher_factor=1 / 8)
