"""What a map explains of the divergences, against loops over pairs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import infogeo
from infogeo.embed import explained_distance, explained_distance_l1, inpca
from infogeo.embed.explained import ROWS_AT_ONCE
from infogeo.pairwise import PairwiseMatrix
from tests.embed.test_inpca import random_divergence
from tests.networks import digits_networks
from tests.reference import weighted as reference
from tests.samples import trajectories

EPS = np.finfo(np.float64).eps


def some_weights(size):
    w = np.random.default_rng(4).uniform(0.2, 3, size)
    w[1] = 0
    return w


@pytest.mark.parametrize("weights", [None, some_weights(13)])
def test_both_are_those_of_loops_over_pairs(weights):
    """Sums of P^2 terms, none negative; the root of what is left, here above 0.01 of the whole, divides by that."""
    d, k = random_divergence(3, 13), 5
    matrix = PairwiseMatrix.from_array(d)
    embedding = inpca(matrix, k, weights=weights)
    w = np.ones(13) if embedding.weights is None else embedding.weights
    for power, found in ((2, explained_distance(embedding)), (1, explained_distance_l1(matrix, embedding))):
        args = d, embedding.coords, embedding.signature, w
        expected = [reference.explained_distance(*args, a, power) for a in range(1, k + 1)]
        assert np.abs(found - expected).max() <= 100 * 13**2 * EPS


def test_whole_weights_are_copies_of_points():
    d, counts = random_divergence(6, 9), np.array([1, 2, 1, 4, 1, 0, 1, 1, 3])
    rows = reference.copies(counts)
    matrix, copied = PairwiseMatrix.from_array(d), PairwiseMatrix.from_array(d[np.ix_(rows, rows)])
    weighted, duplicated = inpca(matrix, 4, weights=counts), inpca(copied, 4)
    bound = 100 * len(rows) ** 2 * EPS
    assert np.abs(explained_distance(weighted) - explained_distance(duplicated)).max() <= bound
    l1 = explained_distance_l1(matrix, weighted) - explained_distance_l1(copied, duplicated)
    assert np.abs(l1).max() <= bound * np.abs(duplicated.coords).max() ** 2 / d.max() * 10  # axes lean by 1 / gap


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), size=st.integers(2, 12))
def test_all_axes_explain_everything(seed, size):
    """To the root of rounding in the mean square, which is a difference of squares, and to rounding in the mean."""
    matrix = PairwiseMatrix.from_array(random_divergence(seed, size))
    embedding = inpca(matrix, size)
    assert explained_distance(embedding)[-1] == pytest.approx(1, abs=np.sqrt(100 * size**2 * EPS))
    assert explained_distance_l1(matrix, embedding)[-1] == pytest.approx(1, abs=1e-10)
    assert (explained_distance(embedding) <= 1).all()


def test_of_a_flat_cloud_it_grows_with_every_axis():
    x = np.random.default_rng(0).normal(size=(30, 4)) * [4, 3, 2, 1]
    embedding = inpca(PairwiseMatrix.from_array(np.sum((x[:, None] - x[None]) ** 2, axis=-1)))
    assert (np.diff(explained_distance(embedding)) > 0).all()


def test_a_time_like_axis_may_explain_less_than_nothing():
    """D = (dx)^2 - (dt)^2 + many small (dy)^2. The last two cancel in the mean until the time-like axis comes alone."""
    rng = np.random.default_rng(0)
    x, t, y = 3.0 * np.arange(40), rng.choice([-1.0, 1.0], 40), rng.normal(size=(40, 10)) * np.sqrt(0.3)
    sq = [(c[:, None] - c) ** 2 for c in (x, t, *y.T)]
    matrix = PairwiseMatrix.from_array(sq[0] - sq[1] + sum(sq[2:]))
    embedding = inpca(matrix, 11)
    assert embedding.signature[:3].tolist() == [1, -1, 1]
    for explained in (explained_distance(embedding), explained_distance_l1(matrix, embedding)):
        assert explained[1] < explained[0] < explained[-1]
    assert (np.diff(embedding.explained_stress) > 0).all()


def test_so_does_the_first_time_like_axis_of_real_networks():
    matrix = infogeo.pairwise_divergence(digits_networks(), infogeo.Bhattacharyya())
    embedding = inpca(matrix)
    first = int(np.flatnonzero(embedding.signature < 0)[0])
    assert first in (1, 2)
    for explained in (explained_distance(embedding), explained_distance_l1(matrix, embedding)):
        assert explained[first] < explained[first - 1] < explained[first + 1]


def test_blocks_of_rows_make_no_difference_but_rounding():
    size = 2 * ROWS_AT_ONCE + 3
    d = random_divergence(1, size)
    matrix = PairwiseMatrix.from_array(d)
    embedding = inpca(matrix, 2)
    difference = embedding.coords[:, None] - embedding.coords
    rebuilt = np.cumsum(embedding.signature * difference**2, axis=-1)
    expected = 1 - np.abs(rebuilt - d[..., None]).sum(axis=(0, 1)) / d.sum()
    assert np.abs(explained_distance_l1(matrix, embedding) - expected).max() <= size**2 * EPS


def test_a_matrix_of_other_points_is_refused():
    matrix = infogeo.pairwise_divergence(trajectories(), infogeo.Bhattacharyya())
    with pytest.raises(infogeo.InputError, match="not to the points of this map"):
        explained_distance_l1(matrix.take(np.arange(23, -1, -1)), inpca(matrix))
