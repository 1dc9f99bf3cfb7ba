"""Points along runs: what fools an estimator that does not know them, and what ours say."""

from dataclasses import replace

import numpy as np
import pytest

from infogeo.core.errors import InputError
from infogeo.core.points import Points
from infogeo.dimension import (
    AllPoints,
    EqualProgress,
    OtherRuns,
    ScaleExtrapolation,
    TwoNN,
    estimate_dimension,
    nearest_neighbours,
    thinned,
    with_run,
)
from infogeo.dimension.runs import FEWEST_RUNS
from tests.dimension.clouds import cloud, straight_runs


def test_naive_neighbours_read_the_spacing_along_runs():
    random, regular = (straight_runs(40, 50, 2, 0, regular=regular) for regular in (False, True))
    assert estimate_dimension(random, TwoNN(), AllPoints()).value < 1.15  # the run itself, whatever is across
    assert estimate_dimension(regular, TwoNN(), AllPoints()).value > 10  # two neighbours at the same distance


@pytest.mark.parametrize("d", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("regular", [False, True])
def test_one_neighbour_per_run_finds_the_dimension_across_runs(d, regular):
    for candidates in (OtherRuns(), EqualProgress()):
        found = estimate_dimension(straight_runs(60, 20, d, d, regular), ScaleExtrapolation(), candidates)
        low, high = found.interval(0.999)  # 20 cases: one in fifty of their batches would fail by chance
        assert low < d < high
        assert low > d / 3  # and is no matter of course
        total = with_run(found)
        assert total.value == found.value + 1
        assert total.standard_error == found.standard_error


def test_the_path_between_checkpoints_matters_where_they_are_sparse():
    matrix = straight_runs(60, 4, 1, 0)
    on_path, at_checkpoints = (
        estimate_dimension(matrix, TwoNN(), OtherRuns(between=between)) for between in (True, False)
    )
    assert abs(on_path.value - 1) < 2 * on_path.standard_error
    assert at_checkpoints.value - 1 > 2 * at_checkpoints.standard_error


def test_thinned_checkpoints_are_as_far_apart_along_runs_as_across():
    matrix = straight_runs(40, 60, 2, 0)
    kept = thinned(matrix, spacing=2.0, seed=1)
    apart = 2.0 * np.median(nearest_neighbours(matrix, 1, OtherRuns()).distances)
    left = matrix.take(kept)
    for run in left.points.runs:
        progress = left.points["progress"][left.points.of_run(run)]
        assert (np.diff(progress) >= apart - 1e-12).all()
    naive, thin = (estimate_dimension(m, TwoNN(), AllPoints()) for m in (matrix, left))
    assert naive.interval(0.999)[1] < 3
    assert thin.interval(0.999)[0] < 3 < thin.interval(0.999)[1]
    np.testing.assert_array_equal(kept, thinned(matrix, spacing=2.0, seed=1))


def test_few_runs_are_told_and_enough_are_not():
    few, enough = (estimate_dimension(straight_runs(n, 4, 1, 0), TwoNN()) for n in (FEWEST_RUNS - 1, FEWEST_RUNS))
    assert few.warnings == ("19 runs: intervals are known to hold from 20 runs on",)
    assert enough.warnings == ()
    points = estimate_dimension(cloud(12, 2, 0), TwoNN())
    assert points.warnings == ("12 points: intervals are known to hold from 20 points on",)


def test_the_interval_of_a_total_is_that_across_runs_and_one():
    across = estimate_dimension(straight_runs(30, 5, 1, 0), TwoNN())
    total = with_run(across)
    assert total.value == across.value + 1
    assert total.interval() == tuple(end + 1 for end in across.interval())


def test_runs_of_one_checkpoint_stay_when_others_are_thinned():
    runs = straight_runs(30, 8, 2, 0)
    middle = [rows[4] for rows in map(runs.points.of_run, runs.points.runs[15:])]
    matrix = runs.take([*range(15 * 8), *middle])
    kept = matrix.take(thinned(matrix)).points
    assert set(kept.runs) == set(matrix.points.runs)


def test_a_cloud_stays_one_if_a_few_of_its_points_are_of_one_run():
    matrix = cloud(60, 2, 0)
    named = replace(matrix, points=Points.of_runs([f"run-{i}" for i in range(58)], [[0, 1, 2], *[[0]] * 57]))
    found = estimate_dimension(named, TwoNN())
    assert found.estimator == "TwoNN, all other points"
    assert found.value == estimate_dimension(matrix, TwoNN()).value


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: thinned(straight_runs(5, 4, 1, 0), spacing=0.0), "spacing: 0.0; give a number above zero"),
        (lambda: thinned(straight_runs(1, 9, 1, 0)), "runs: there is one alone"),
        (lambda: thinned(np.eye(3)), "matrix: is an array"),
        (
            lambda: estimate_dimension(straight_runs(2, 9, 1, 0), TwoNN()),
            "takes 2 neighbours of each point, and there is 1",
        ),
    ],
)
def test_bad_input_is_refused_in_one_line(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_a_cloud_takes_all_points_by_default():
    matrix = cloud(60, 2, 0)
    assert estimate_dimension(matrix) == estimate_dimension(matrix, ScaleExtrapolation(), AllPoints())
