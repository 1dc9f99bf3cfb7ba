"""A centred matrix with weights against A = S W S written out."""

import numpy as np
import pytest

from infogeo.core.linalg import TOLERANCE, CentredMatrix, leading_eigenpairs
from tests.core.test_linalg import SIZE, ThreeOperations, flat, with_spectrum
from tests.reference import weighted as reference

EPS = np.finfo(np.float64).eps


def weights_of(size, zeros=0):
    w = np.random.default_rng(2).uniform(0.1, 3, size)
    w[:zeros] = 0
    return w * size / w.sum()


@pytest.mark.parametrize(("size", "zeros"), [(2, 0), (40, 0), (40, 7)])
def test_means_rows_norm_and_products_are_those_of_the_matrix_written_out(size, zeros):
    """Each is a sum of P terms of the size of D times a weight, or two of these sums one after the other."""
    d, w = flat(size), weights_of(size, zeros)
    a, centred_form = reference.symmetric_form(d, w)
    centred = CentredMatrix(d, w)
    x = np.random.default_rng(3).normal(size=(size, 3))
    bound = 4 * size * EPS * d.max() * w.max()
    assert np.abs(centred.column_means - d @ w / size).max() <= bound
    assert np.abs(centred.rows(1, size) - centred_form[1:]).max() <= bound
    assert np.abs(centred.scaled_rows(0, size) - a).max() <= bound
    assert np.abs(centred.product(x) - a @ x).max() <= bound * size * np.abs(x).max()
    assert centred.frobenius_norm() == pytest.approx(np.linalg.norm(a), rel=4 * size * EPS)


def test_weights_of_one_are_no_weights():
    d = flat(60)
    plain, ones = CentredMatrix(d), CentredMatrix(d, np.ones(60))
    x = np.random.default_rng(0).normal(size=(60, 2))
    assert np.array_equal(plain.product(x), ones.product(x))
    assert plain.frobenius_norm() == ones.frobenius_norm()
    assert plain.rounding == ones.rounding


def test_weights_leave_a_flat_direction_which_is_their_root():
    d, w = flat(50), weights_of(50, 5)
    assert np.abs(CentredMatrix(d, w).product(np.sqrt(w)[:, None])).max() <= 50 * EPS * 50 * d.max()


@pytest.mark.parametrize("zeros", [0, 300])
def test_the_leading_pairs_by_products_are_those_of_the_whole_spectrum(zeros):
    d, w = with_spectrum(np.where(np.arange(60) % 3, 1.0, -1.0) * 0.8 ** np.arange(60)), weights_of(SIZE, zeros)
    a, _ = reference.symmetric_form(d, w)
    values = np.linalg.eigvalsh(a)
    values = values[np.argsort(-np.abs(values))]
    centred = CentredMatrix(d, w)
    pairs = leading_eigenpairs(centred, 6)
    residuals = np.linalg.norm(a @ pairs.vectors - pairs.vectors * pairs.values, axis=0)
    assert pairs.converged
    assert (residuals <= TOLERANCE * np.abs(pairs.values) + 2 * centred.rounding).all()
    assert np.abs(pairs.values - values[:6]).max() <= np.sqrt(6) * pairs.residual + 2 * centred.rounding
    assert np.abs(pairs.vectors[w == 0]).max(initial=0) <= pairs.residual / np.abs(values[5]) + SIZE * EPS


def test_weights_cost_no_pass_but_the_one_that_places_points():
    d, w = with_spectrum(0.5 ** np.arange(30)), weights_of(SIZE)
    tiles = ThreeOperations(d)
    centred = CentredMatrix(tiles, w)
    pairs = leading_eigenpairs(centred, 4)
    assert (tiles.products, tiles.rows_read) == (pairs.passes, SIZE)
    centred.at_every_point(pairs.values, pairs.vectors)
    assert (tiles.products, tiles.rows_read) == (pairs.passes + 1, SIZE)
