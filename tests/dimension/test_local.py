"""Local estimators: their equations against slow twins, their errors against repetitions, and known dimensions."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from infogeo import PairwiseMatrix
from infogeo.core.errors import InputError
from infogeo.dimension import (
    AllPoints,
    DimensionEstimate,
    Gride,
    MaximumLikelihood,
    OtherRuns,
    ScaleExtrapolation,
    TwoNN,
    estimate_dimension,
    nearest_neighbours,
)
from infogeo.dimension.extrapolated import intercept_weights
from infogeo.dimension.local import influence, solved, standard_error
from infogeo.dimension.neighbours import ROUNDING
from tests.dimension.clouds import cloud, matrix_of, straight_runs
from tests.reference import neighbours as reference

METHODS = [TwoNN(), MaximumLikelihood(10), Gride(4)]


def test_two_nn_is_the_published_ratio():
    matrix = cloud(80, 3, 0)
    near = np.sort(np.sqrt(matrix.values), axis=1)[:, 1:3]
    expected = 79 / np.log(near[:, 1] / near[:, 0]).sum()
    assert estimate_dimension(matrix, TwoNN()).value == pytest.approx(expected, rel=1e-11)


def test_maximum_likelihood_averages_the_inverse_as_mackay_and_ghahramani():
    matrix, k = cloud(80, 3, 1), 6
    near = np.sort(np.sqrt(matrix.values), axis=1)[:, 1 : k + 1]
    inverse = np.mean([np.mean([np.log(r[-1] / r[j]) for j in range(k - 1)]) for r in near])
    expected = (1 - 1 / (80 * (k - 1))) / inverse
    assert estimate_dimension(matrix, MaximumLikelihood(k)).value == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("order", [1, 2, 5])
def test_gride_is_at_the_maximum_of_its_likelihood(order):
    near = nearest_neighbours(cloud(120, 2, 2), 2 * order).distances
    # a minimum is found to sqrt(eps) of its place, here 1e-8 times a few
    assert solved(Gride(order), near) == pytest.approx(reference.gride(near, order), rel=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_the_slope_is_the_derivative_by_one_over_d(method):
    near = nearest_neighbours(cloud(50, 4, 3), method.k).distances
    d, h = 3.0, 1e-5
    high, low = (method.score(near, 1 / (1 / d + sign * h)) for sign in (1, -1))
    # central difference: truncation h^2 times the third derivative, about d^6 (k - 1); rounding eps / h
    np.testing.assert_allclose(method.slope(near, d), (high - low) / (2 * h), rtol=1e-5)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.1, 10))
def test_no_local_estimate_depends_on_the_unit_of_distance(seed, unit):
    x = np.random.default_rng(seed).uniform(size=(40, 3))
    for method in METHODS:
        small, large = estimate_dimension(matrix_of(x), method), estimate_dimension(matrix_of(unit * x), method)
        assert small.value == pytest.approx(large.value, rel=1e-9)
        assert small.scale * unit == pytest.approx(large.scale, rel=1e-9)


def test_divergences_are_squared_distances_else_the_dimension_is_half():
    x = np.random.default_rng(0).uniform(size=(500, 2))
    right = matrix_of(x)
    wrong = PairwiseMatrix.from_array(np.sqrt(right.values))
    for method in METHODS:
        twice, once = (estimate_dimension(m, method).value for m in (wrong, right))
        # the scores are linear in log distance: d log r stays, so half the log is twice the dimension
        assert twice == pytest.approx(2 * once, rel=1e-9)
        assert abs(once - 2) < 0.4


def test_the_standard_error_is_the_sum_over_runs_and_their_neighbours():
    matrix = straight_runs(9, 4, 2, 0)
    found = nearest_neighbours(matrix, 4, OtherRuns())
    root = solved(Gride(2), found.distances)
    pulls = influence(Gride(2), found.distances, root)
    expected = reference.standard_error(pulls, found.own_run.tolist(), found.runs.tolist())
    assert standard_error(pulls, found.own_run, found.runs) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("method", [*METHODS, ScaleExtrapolation()])
@pytest.mark.parametrize("make", [lambda s: cloud(300, 2, s), lambda s: straight_runs(50, 6, 2, s)])
def test_the_standard_error_is_that_of_repetitions(method, make):
    repetitions = 30
    found = [estimate_dimension(make(seed), method) for seed in range(repetitions)]
    ratio = np.var([e.value for e in found], ddof=1) / np.mean([e.standard_error**2 for e in found])
    # the variance of M normal numbers is chi^2 / (M - 1) times the true one; half again for the error of the error,
    # which neglects what points share that are no neighbours of each other (measured: 0.7 to 1.5 of the variance)
    low, high = chi2.ppf([0.001, 0.999], repetitions - 1) / (repetitions - 1)
    assert low / 1.5 < ratio < high * 1.5


@pytest.mark.parametrize("d", [1, 2, 3, 5, 8])
def test_extrapolation_finds_the_dimension_of_a_cube_where_two_nn_falls_short(d):
    found = [estimate_dimension(cloud(600, d, seed), ScaleExtrapolation()) for seed in range(3)]
    value, error = np.mean([e.value for e in found]), np.mean([e.standard_error for e in found]) / np.sqrt(3)
    assert abs(value - d) < 3.3 * error  # one in a thousand
    if d >= 8:
        short = [estimate_dimension(cloud(600, d, seed), TwoNN()) for seed in range(3)]
        assert all(e.interval()[1] < d for e in short)


def test_a_line_is_extrapolated_exactly():
    x, errors = np.array([0.1, 0.3, 0.4]), np.array([0.1, 0.2, 0.05])
    weights = intercept_weights(x, errors)
    assert weights @ (2.5 - 3 * x) == pytest.approx(2.5, rel=1e-12)
    slope, intercept = np.polyfit(x, y := np.array([1.0, 4.0, 2.0]), 1, w=1 / errors)
    assert weights @ y == pytest.approx(intercept, rel=1e-10)
    assert slope != 0


def test_noise_changes_the_dimension_with_scale_and_is_told():
    random = np.random.default_rng(0)
    x = np.zeros((800, 20))
    x[:, :2] = random.uniform(size=(800, 2))
    noisy = estimate_dimension(matrix_of(x + 0.01 * random.normal(size=x.shape)))
    assert any("changes from" in warning for warning in noisy.warnings)
    assert estimate_dimension(matrix_of(x)).warnings == ()


def test_clusters_of_points_far_apart_keep_their_dimension():
    x = np.random.default_rng(1).uniform(size=(400, 2))
    x[200:] += 1e6
    found = estimate_dimension(matrix_of(x), TwoNN())
    low, high = found.interval(0.999)
    assert low < 2 < high


@pytest.mark.parametrize("method", [*METHODS, ScaleExtrapolation()])
def test_duplicates_change_nothing_but_their_count(method):
    x = np.random.default_rng(0).uniform(size=(100, 2))
    once, twice = (estimate_dimension(matrix_of(y), method) for y in (x, np.concatenate([x, x[::3]])))
    assert twice.value == pytest.approx(once.value, rel=1e-12)
    assert (once.excluded, twice.excluded) == (0, 34)
    assert any("34 points that repeat" in warning for warning in twice.warnings)


def test_points_that_are_as_near_as_rounding_are_told():
    near = replace(matrix_of(1e-3 * np.random.default_rng(0).uniform(size=(200, 1))), n_samples=10)
    given = replace(near, n_samples=0)
    far = replace(cloud(200, 3, 0), n_samples=10)
    told = [estimate_dimension(m, TwoNN()).warnings for m in (near, given, far)]
    assert "rounding" in told[0][0]
    assert told[1:] == [(), ()]


def test_an_extrapolation_begins_where_rounding_leaves_distances_clear():
    """700 points on a line: the nearest are at squared distances of a few times the rounding, and some coincide."""
    exact = matrix_of(np.random.default_rng(0).uniform(size=(700, 1)))
    rounded = replace(exact, values=np.round(exact.values / ROUNDING) * ROUNDING, n_samples=10)
    naive, found = (estimate_dimension(rounded, method) for method in (TwoNN(), ScaleExtrapolation()))
    assert naive.interval(0.999)[0] > 1
    assert "are so near to another that rounding" in naive.warnings[-1]
    assert "(Gride 8, 16, 32, 64)" in found.estimator
    assert found.interval(0.999)[0] < 1 < found.interval(0.999)[1]
    assert found.warnings == (f"{found.excluded} points that repeat an earlier one were left out",)

    few = ScaleExtrapolation().from_neighbours(nearest_neighbours(rounded, 16))
    assert "(Gride 2, 4, 8)" in few.estimator
    assert "so near to their neighbour 2 that rounding" in few.warnings[-1]


def test_twins_that_rounding_blurs_are_twins_all_the_same():
    """A square of points with a twin each, at squared distances of a few times the rounding, has no single number."""
    random = np.random.default_rng(0)
    x = random.uniform(size=(300, 2))
    exact = matrix_of(np.concatenate([x, x + np.sqrt(3 * ROUNDING) * random.normal(size=x.shape)]))
    rounded = replace(exact, values=np.round(exact.values / ROUNDING) * ROUNDING, n_samples=10)
    found = estimate_dimension(rounded)
    assert "Gride 1," not in found.estimator
    assert np.isnan(found.value)
    assert found.warnings[0].endswith("as runs or points that are nearly twins would make it")
    asked = estimate_dimension(rounded, ScaleExtrapolation((8, 16, 32)))  # at distances far above that of twins
    assert asked.interval(0.999)[0] < 2 < asked.interval(0.999)[1]


def test_the_rounding_of_a_divergence_is_in_proportion_to_it():
    given = replace(cloud(20, 2, 0), n_samples=10)
    found = [nearest_neighbours(replace(given, fisher_factor=f), 2).rounding for f in (1 / 8, 1.0, None)]
    assert found == [ROUNDING, 8 * ROUNDING, ROUNDING]


@pytest.mark.parametrize("method", [TwoNN(), Gride(2), MaximumLikelihood(10), ScaleExtrapolation()])
def test_points_that_are_equally_far_have_no_dimension(method):
    """The corners of a simplex: balls hold nothing, and then everything."""
    corners = np.eye(60) + 1e-9 * np.random.default_rng(0).normal(size=(60, 60))
    found = estimate_dimension(matrix_of(corners), method)
    assert np.isnan(found.value)
    assert np.isnan(found.interval()).all()
    assert found.warnings[0] == "no dimension up to 10,000 fits: neighbours are as good as equally far"


def test_distances_that_tie_are_counted_and_told():
    """A ratio of 1 is as good an observation as any other; on a grid all of the nearest ones are."""
    grid = matrix_of(np.stack(np.meshgrid(np.arange(10.0), np.arange(10.0)), axis=-1).reshape(-1, 2))
    nearest, farther = (estimate_dimension(grid, method) for method in (TwoNN(), Gride(4)))
    assert np.isnan(nearest.value)
    assert nearest.n_points == 100
    assert "neighbours 1 and 2 of 100.0 % of the points are equally far, as on a grid" in nearest.warnings[1]
    assert 1.5 < farther.value < 3
    assert np.isnan(estimate_dimension(grid).value)


def test_an_error_that_is_as_large_as_can_be_gives_an_interval_without_end():
    found = DimensionEstimate("any", 1.0, 1e9, 0.1, 50, degrees=49)
    assert found.interval() == (0.0, np.inf)


def test_an_extrapolation_that_ends_below_zero_is_lost_in_its_error():
    """Two scales alone, where a chance step from 2.0 to 4.0 dimensions leads far below zero."""
    few = [estimate_dimension(cloud(20, 10, seed), ScaleExtrapolation()) for seed in range(40)]
    lost = [found for found in few if np.isnan(found.value)]
    assert lost
    for found in lost:
        assert "lost in its error" in found.warnings[0] or "changes from" in found.warnings[0]
    assert any("lost in its error" in found.warnings[0] for found in lost)


def test_neighbours_that_are_most_candidates_are_told():
    (warning,) = estimate_dimension(cloud(30, 2, 0), MaximumLikelihood(20)).warnings
    assert warning == "20 of 29 candidates are neighbours: the standard error is too small"
    assert estimate_dimension(cloud(60, 2, 0), MaximumLikelihood(20)).warnings == ()


def test_one_run_alone_has_no_error_and_says_so():
    found = estimate_dimension(straight_runs(1, 40, 1, 0), TwoNN(), AllPoints())
    assert np.isnan(found.standard_error)
    assert np.isnan(found.interval()).all()
    assert any("one run alone" in warning for warning in found.warnings)


def test_the_interval_is_that_of_students_t_in_log_d():
    found = estimate_dimension(cloud(30, 2, 0), TwoNN())
    low, high = found.interval(0.95)
    assert low * high == pytest.approx(found.value**2, rel=1e-12)
    assert np.log(high / found.value) == pytest.approx(2.0452 * found.standard_error / found.value, rel=1e-4)  # t, 29
    assert f"{found.value:.3g}" in repr(found)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: estimate_dimension(cloud(9, 2, 0), MaximumLikelihood(20)), "takes 20 neighbours of each point"),
        (lambda: estimate_dimension(cloud(9, 2, 0)), "an extrapolation takes 18, TwoNN"),
        (lambda: estimate_dimension(cloud(3, 2, 0), TwoNN()), "an estimate by .* takes 5 such points"),
        (lambda: estimate_dimension(cloud(9, 2, 0), TwoNN), "method: is the class TwoNN itself, without"),
        (lambda: estimate_dimension(cloud(9, 2, 0), "twonn"), "method: is the text 'twonn'; give one of Scale"),
        (lambda: estimate_dimension(cloud(9, 2, 0), TwoNN(), OtherRuns), "candidates: is the class OtherRuns"),
        (lambda: estimate_dimension(np.eye(4), TwoNN()), "matrix: is an array of shape"),
        (lambda: MaximumLikelihood(1), "neighbours: 1; give at least 2"),
        (lambda: Gride(0), "order: 0; give at least 1"),
        (lambda: ScaleExtrapolation((4, 2)), "orders: .*give them ascending"),
        (lambda: ScaleExtrapolation(4), "orders: 4; give a tuple of at least two"),
        (lambda: PairwiseMatrix.from_array([[0, np.inf], [np.inf, 0]]), "leave out points at infinite divergence"),
        (lambda: PairwiseMatrix.from_array(np.ones((3, 4))), r"has shape \(3, 4\), expected \[P, P\]"),
    ],
)
def test_bad_input_is_refused_in_one_line(make, message):
    with pytest.raises(InputError, match=message) as refused:
        make()
    assert "\n" not in str(refused.value)
