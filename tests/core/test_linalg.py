"""The leading eigenpairs of a centred matrix against its whole spectrum, on spectra of every shape."""

from functools import cache

import numpy as np
import pytest

import infogeo
from infogeo.core.linalg import DENSE_UP_TO, OVERSAMPLING, PASSES, TOLERANCE, CentredMatrix, leading_eigenpairs
from tests.reference import embedding as reference
from tests.samples import ring, trajectories

EPS = np.finfo(np.float64).eps
SIZE = 1100  # beyond the dense way
SIGNS = np.where(np.arange(60) % 3, 1.0, -1.0)  # the first is negative


def with_spectrum(values, size=SIZE):
    """D with D_ij = w_ii + w_jj - 2 w_ij, whose centred matrix W has these eigenvalues and zeros."""
    columns = np.random.default_rng(0).normal(size=(size, len(values)))
    vectors = np.linalg.qr(columns - columns.mean(axis=0))[0]
    w = (vectors * values) @ vectors.T
    diagonal = np.diag(w)
    return diagonal[:, None] + diagonal - w - w.T


def flat(size=SIZE):
    """Random symmetric: eigenvalues fill a half circle, with no gap anywhere."""
    d = np.random.default_rng(1).uniform(size=(size, size))
    d = d + d.T
    np.fill_diagonal(d, 0)
    return d


def of_training():
    """The divergences of 44 runs of 25 checkpoints."""
    return infogeo.pairwise_divergence(trajectories(runs=44, checkpoints=25), infogeo.Bhattacharyya()).to_numpy()


SPECTRA = {
    "of training": of_training,
    "decaying, both signs": lambda: with_spectrum(SIGNS * 0.8 ** np.arange(60)),
    "slowly decaying": lambda: with_spectrum(SIGNS / np.arange(1, 61)),
    "of clusters": lambda: with_spectrum(np.repeat([-2.0, 1.0, 1e-3], [8, 7, 45])),
    "with pairs of one size and both signs": lambda: with_spectrum(np.repeat(0.5 ** np.arange(30), 2) * SIGNS),
    "of low rank": lambda: with_spectrum(np.array([-4.0, 2.0, 1.0])),
    "of points at equal distances": lambda: 1 - np.eye(SIZE),
    "flat": flat,
}


@cache
def solved(name):
    """D of a named spectrum with its slow twin: W, all eigenvalues and vectors."""
    d = SPECTRA[name]()
    return d, *reference.spectrum(d)


class ThreeOperations:
    """A symmetric matrix that can tell its shape, read blocks of rows and multiply a block; it counts both."""

    def __init__(self, values):
        self._values = values
        self.shape = values.shape
        self.products = self.rows_read = 0

    def __getitem__(self, rows):
        self.rows_read += rows.stop - rows.start
        return self._values[rows.start : rows.stop].copy()

    def __matmul__(self, x):
        assert x.ndim == 2
        self.products += 1
        return self._values @ x


@pytest.mark.parametrize("name", SPECTRA)
@pytest.mark.parametrize("k", [1, 10])
def test_the_leading_pairs_are_those_of_the_whole_spectrum(name, k):
    d, w, values, _ = solved(name)
    pairs = leading_eigenpairs(CentredMatrix(d), k)
    rounding = np.sqrt(SIZE) * EPS * np.abs(d).sum(axis=1).max()
    residuals = np.linalg.norm(w @ pairs.vectors - pairs.vectors * pairs.values, axis=0)
    assert pairs.converged
    assert (residuals <= TOLERANCE * np.abs(pairs.values) + rounding).all()
    assert abs(residuals.max() - pairs.residual) <= rounding
    assert np.abs(np.abs(pairs.values) - np.abs(values[:k])).max() <= np.sqrt(k) * pairs.residual + rounding
    assert np.abs(pairs.vectors.T @ pairs.vectors - np.eye(k)).max() <= SIZE * EPS


def test_the_largest_in_absolute_value_may_be_negative():
    x = np.random.default_rng(0).normal(size=(SIZE, 1))
    pairs = leading_eigenpairs(CentredMatrix(with_spectrum(SIGNS * 0.5 ** np.arange(60))), 3)
    heavy = leading_eigenpairs(CentredMatrix(np.abs(x - x.T) ** 4), 3)
    assert np.sign(pairs.values).tolist() == [-1, 1, 1]
    assert -1 in np.sign(heavy.values)


def test_equal_eigenvalues_are_found_as_often_as_they_occur():
    pairs = leading_eigenpairs(CentredMatrix(with_spectrum(np.repeat([1.0, -0.9, 0.8], [20, 20, 20]))), 45)
    assert np.abs(pairs.values - np.repeat([1.0, -0.9, 0.8], [20, 20, 5])).max() <= SIZE * EPS


def test_a_decaying_spectrum_takes_no_more_passes_than_subspace_iteration():
    """Which gains lambda_{b+1} / lambda_k = 0.8^20 a pass with a block of b = k + 20; one more pass measures."""
    pairs = leading_eigenpairs(CentredMatrix(with_spectrum(SIGNS * 0.8 ** np.arange(60))), 10)
    assert pairs.passes <= 2 + np.ceil(np.log(TOLERANCE) / (OVERSAMPLING * np.log(0.8)))


@pytest.mark.parametrize(("made", "max_passes"), [(flat, 6), (ring, PASSES)])
def test_a_search_that_is_given_up_says_so_and_tells_no_lie(made, max_passes):
    d = made(SIZE)
    w, values, _ = reference.spectrum(d)
    pairs = leading_eigenpairs(CentredMatrix(d), 2, max_passes)
    rounding = SIZE * EPS * np.linalg.norm(w)
    assert not pairs.converged
    assert pairs.passes == max_passes
    measured = np.linalg.norm(w @ pairs.vectors - pairs.vectors * pairs.values, axis=0).max()
    assert abs(pairs.residual - measured) <= rounding
    assert np.abs(pairs.values[:, None] - values).min(axis=1).max() <= pairs.residual + rounding
    stress = 1 - np.sqrt(1 - np.sum(pairs.values**2) / np.linalg.norm(w) ** 2)
    expected = reference.stress_of(w, pairs.values, pairs.vectors)
    assert stress == pytest.approx(expected, abs=3 * SIZE * EPS)  # three norms, each a sum over P^2 entries


def test_shape_rows_and_products_are_all_it_needs_and_passes_are_counted():
    d = SPECTRA["decaying, both signs"]()
    tiles = ThreeOperations(d)
    centred = CentredMatrix(tiles)
    pairs, expected = leading_eigenpairs(centred, 4), leading_eigenpairs(CentredMatrix(d), 4)
    assert (tiles.products, tiles.rows_read) == (pairs.passes, SIZE)  # the rows once, for the column means
    assert centred.frobenius_norm() == CentredMatrix(d).frobenius_norm()
    assert np.array_equal(centred.column_means, CentredMatrix(d).column_means)
    assert tiles.rows_read == 2 * SIZE  # and once more, for the norm
    assert np.array_equal(pairs.vectors, expected.vectors)


@pytest.mark.parametrize("size", [2, 3, 40, SIZE])
def test_means_rows_and_norm_are_those_of_the_matrix_written_out(size):
    d = flat(size)
    w, _, _ = reference.spectrum(d)
    centred = CentredMatrix(d)
    assert np.abs(centred.column_means - d.mean(axis=0)).max() <= size * EPS * d.max()
    assert np.abs(centred.rows(1, size) - w[1:]).max() <= size * EPS * d.max()
    assert centred.frobenius_norm() == pytest.approx(np.linalg.norm(w), rel=size * EPS)


@pytest.mark.parametrize(("size", "k"), [(2, 1), (2, 2), (3, 7), (40, 40), (DENSE_UP_TO, 4), (SIZE, SIZE)])
def test_few_points_or_the_whole_spectrum_are_solved_at_once(size, k):
    d = flat(size)
    w, values, _ = reference.spectrum(d)
    pairs = leading_eigenpairs(CentredMatrix(d), k)
    assert pairs.vectors.shape == (size, min(k, size))
    assert (pairs.converged, pairs.passes) == (True, 2)
    assert np.abs(np.abs(pairs.values) - np.abs(values[:k])).max() <= size * EPS * np.linalg.norm(w)
