"""Distances between runs: against their definitions, and what must not change them."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

import infogeo
from infogeo.geometry import Geodesic
from infogeo.trajectories import (
    at_steps,
    common_grid,
    frechet_distances,
    progress_of,
    reindexed,
    soft_distances,
    trajectory_divergence,
)
from tests.reference import distances as slow
from tests.reference.divergences import bhattacharyya
from tests.samples import random_log_probs, trajectories

STATED = 1e-6
"""Of divergences, times max(1, D)."""


def at_equal_progress(given):
    found = progress_of(given)
    return reindexed(given, found, common_grid(found))


def test_the_integral_is_the_mean_of_the_divergences_at_equal_progress():
    equal = at_equal_progress(trajectories(runs=5))
    found = trajectory_divergence(equal, infogeo.Bhattacharyya())
    whole = np.asarray(equal.log_probs[:]).reshape(5, -1, 30, 3)
    for i in range(5):
        for j in range(i):
            expected = np.mean([bhattacharyya(a, b) for a, b in zip(whole[i], whole[j], strict=True)])
            assert abs(found.values[i, j] - expected) <= STATED
    assert found.points.runs == [f"net-{r}" for r in range(5)]
    assert "progress" not in found.points.metadata
    middle = trajectory_divergence(equal, infogeo.Bhattacharyya(), snapshot=3)
    assert abs(middle.values[0, 1] - bhattacharyya(whole[0, 3], whole[1, 3])) <= STATED


def test_the_same_path_at_other_steps_and_speeds_is_at_no_distance():
    """Two runs on one geodesic, saved at different places: apart at equal step, together at equal progress."""
    road = Geodesic.between(*random_log_probs(0, 2, 40, 4))
    arrays = {"slow": road.at(np.linspace(0, 1, 12)), "fast": road.at(np.linspace(0, 1, 12) ** 0.5)}
    given = infogeo.Predictions.from_arrays(arrays, kind="log-probabilities")
    found = progress_of(given, along=road)
    equal = trajectory_divergence(reindexed(given, found, common_grid(found)), infogeo.Bhattacharyya())
    in_time = trajectory_divergence(at_steps(given, range(12)), infogeo.Bhattacharyya())
    assert equal.values[0, 1] <= STATED
    assert in_time.values[0, 1] > 1e-3


@pytest.mark.parametrize("divergence", [infogeo.Hellinger(), infogeo.SymmetricKL()])
def test_any_divergence_can_be_integrated(divergence):
    equal = at_equal_progress(trajectories())
    found = trajectory_divergence(equal, divergence)
    by_hand = np.mean(
        [infogeo.pairwise_divergence(equal.take(equal.points["step"] == t), divergence).values for t in range(3)],
        axis=0,
    )
    three = trajectory_divergence(equal.take(equal.points["step"] < 3), divergence)
    assert np.abs(three.values - by_hand).max() <= STATED
    assert found.divergence == divergence.name


def test_runs_of_different_lengths_and_missing_steps_are_refused():
    given = trajectories()
    with pytest.raises(infogeo.InputError, match="runs: have between 5 and 6 points"):
        trajectory_divergence(given.take(range(23)), infogeo.Bhattacharyya())
    with pytest.raises(infogeo.InputError, match="snapshot: 6, but there are 6"):
        trajectory_divergence(given, infogeo.Bhattacharyya(), snapshot=6)
    with pytest.raises(infogeo.InputError, match="steps: run 'net-3' has no step 5"):
        at_steps(given.take(range(23)), [0, 5])
    with pytest.raises(infogeo.InputError, match="steps: expected growing steps"):
        at_steps(given, [3, 0])


@pytest.mark.parametrize("lengths", [(1, 1), (1, 5), (4, 7), (6, 6)])
def test_frechet_and_soft_distances_are_what_their_definitions_say(lengths):
    rng = np.random.default_rng(sum(lengths))
    arrays = {f"r{i}": rng.normal(size=(n, 9, 3)) for i, n in enumerate(lengths)}
    given = infogeo.Predictions.from_arrays(arrays, kind="logits")
    matrix = infogeo.pairwise_divergence(given, infogeo.Bhattacharyya())
    first, second = (given.points.of_run(run) for run in given.points.runs)
    block = matrix.values[np.ix_(first, second)]
    assert frechet_distances(matrix).values[0, 1] == slow.frechet(block.tolist())

    def lengths_of(rows):
        steps = [np.sqrt(matrix.values[a, b]) for a, b in pairwise(rows)]
        if not steps:
            return [1.0]
        return [(a + b) / 2 for a, b in zip([steps[0], *steps], [*steps, steps[-1]], strict=True)]

    expected = slow.soft(block, lengths_of(first), lengths_of(second), 0.1)
    assert soft_distances(matrix).values[0, 1] == pytest.approx(expected, rel=1e-12)


def test_distances_from_a_matrix_see_no_steps_and_no_order_of_runs():
    given = trajectories()
    matrix = infogeo.pairwise_divergence(given, infogeo.Bhattacharyya())
    later = replace(matrix, points=matrix.points.with_columns(step=10 * matrix.points["step"]))
    order = np.arange(24)[::-1]
    for distances in (frechet_distances, soft_distances):
        found = distances(matrix).values
        assert np.array_equal(distances(later).values, found)
        assert np.allclose(distances(matrix.take(order)).values, found[::-1, ::-1], rtol=1e-13)


def test_the_soft_distance_of_far_runs_does_not_underflow():
    d = np.full((4, 4), 80.0)
    d[:2, :2] = d[2:, 2:] = 0.5
    np.fill_diagonal(d, 0)
    points = infogeo.Points.of_runs(["a", "b"], [[0, 1], [0, 1]])
    matrix = infogeo.PairwiseMatrix.from_array(d, points)
    assert soft_distances(matrix).values[0, 1] == pytest.approx(80)
    with pytest.raises(infogeo.InputError, match="softness: 0"):
        soft_distances(matrix, softness=0)


def test_points_that_repeat_at_the_end_of_a_run_do_not_spoil_its_soft_distance():
    own = np.array([[0, 20.0, 20], [20, 0, 0], [20, 0, 0]])
    across = np.array([[30.0, 40, 40], [40, 0.1, 0.1], [40, 0.1, 0.1]])
    points = infogeo.Points.of_runs(["a", "b"], [[0, 1, 2]] * 2)
    matrix = infogeo.PairwiseMatrix.from_array(np.block([[own, across], [across.T, own]]), points)
    # (x, nearest of y) = (30, 0.1, 0.1), weighted by the lengths sqrt(20) (1, 1 / 2, 0)
    assert soft_distances(matrix).values[0, 1] == pytest.approx((30 + 0.1 / 2) / 1.5)
    with pytest.raises(infogeo.InputError, match="softness: -1"):
        soft_distances(matrix, softness=-1)


def test_wrong_softness_is_refused():
    matrix = infogeo.pairwise_divergence(trajectories(), infogeo.Bhattacharyya())
    with pytest.raises(infogeo.InputError, match="softness: 0"):
        soft_distances(matrix, softness=0)
