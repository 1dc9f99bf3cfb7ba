"""Equal progress: closed forms, streaming, and runs that go backwards or do not meet."""

from dataclasses import replace

import numpy as np
import pytest

import infogeo
from infogeo.geometry import ArcProgress, Geodesic
from infogeo.trajectories import GRID, Progress, common_grid, geodesic, progress_of, reached, reindexed
from tests.reference.progress import on_geodesic, unit_roots
from tests.samples import random_log_probs, trajectories

STATED = 1e-6


def run_of(times, road, name="a"):
    return infogeo.Predictions.from_arrays({name: road.at(times)}, kind="log-probabilities")


def test_a_run_on_the_geodesic_is_given_back_at_the_progress_asked_for():
    road = Geodesic.between(*random_log_probs(0, 2, 15, 5))
    given = run_of(np.array([0, 0.13, 0.4, 0.77, 1]), road)
    grid = np.array([0.05, 0.4, 0.6, 0.99])
    found = reindexed(given, progress_of(given, along=road), grid)
    for row, s in zip(np.asarray(found.log_probs[0:4]), grid, strict=True):
        # progress errs by 1e-6, and sqrt(p) moves by G < pi / 2 for each unit of it
        assert np.abs(unit_roots(row) - road.roots(s)[0]).max() <= 2 * STATED
    assert found.points["progress"] == pytest.approx(grid)
    assert found.points["step"].tolist() == [0, 1, 2, 3]


def test_rows_sum_to_one_and_lie_between_their_checkpoints():
    given = trajectories()
    found = progress_of(given)
    equal = reindexed(given, found, [0.2, 0.31])
    rows = given.points.of_run("net-1")
    values = found.values[rows]
    at = int(np.flatnonzero(values >= 0.31)[0])
    share = (0.31 - values[at - 1]) / (values[at] - values[at - 1])
    expected = on_geodesic(given.log_probs[rows[at - 1]], given.log_probs[rows[at]], share)
    row = int(np.flatnonzero((equal.points["run"] == "net-1") & (equal.points["step"] == 1))[0])
    got = np.asarray(equal.log_probs[row : row + 1])[0]
    assert np.abs(unit_roots(got) - expected).max() <= 2**-23 * np.abs(got).max()
    assert np.abs(np.exp(got.astype(float)).sum(axis=-1) - 1).max() <= 2**-22


def test_another_count_of_the_steps_changes_nothing():
    """Progress belongs to predictions: reparametrised steps leave the runs at equal progress as they are."""
    given = trajectories()
    slow = replace(given, points=given.points.with_columns(step=3 * given.points["step"] ** 2 + 7))
    grid = common_grid(progress_of(given))
    one, other = (reindexed(p, progress_of(p), grid) for p in (given, slow))
    assert np.array_equal(one.log_probs[0:9], other.log_probs[0:9])


def test_blocks_of_points_and_samples_are_parts_of_the_whole():
    given = trajectories()
    equal = reindexed(given, progress_of(given), GRID[:40:10])
    whole = np.asarray(equal.log_probs[:])
    assert whole.shape == equal.log_probs.shape == (16, 30, 3)
    assert np.array_equal(equal.log_probs[3:7, 5:9], whole[3:7, 5:9])
    assert equal.log_probs[2:2].shape == (0, 30, 3)
    assert equal.points["arch"].tolist() == given.points["arch"][::6].repeat(4).tolist()


def test_a_run_that_goes_backwards_is_taken_where_it_first_passes():
    given = infogeo.Predictions.from_arrays({"a": random_log_probs(1, 5, 4, 3)}, kind="log-probabilities")
    back = Progress(given.points, np.array([0.0, 0.5, 0.2, 0.4, 1.0]), np.zeros(5), ArcProgress())
    equal = reindexed(given, back, [0.25, 0.5, 0.75])
    first, middle, last = np.asarray(equal.log_probs[:])
    road = Geodesic.between(*given.log_probs[:2])
    assert np.array_equal(first, road.at(0.5)[0])
    assert np.array_equal(middle, given.log_probs[1])
    late = Geodesic.between(*given.log_probs[3:5])
    assert np.array_equal(last, late.at((0.75 - 0.4) / 0.6)[0])
    assert back.setbacks() == {"a": pytest.approx(0.3)}


def test_values_that_a_run_does_not_reach_are_left_out_of_the_common_grid():
    given = trajectories(runs=2, checkpoints=3)
    some = Progress(given.points, np.array([0.1, 0.4, 0.8, 0.3, 0.9, 0.7]), np.zeros(6), ArcProgress())
    assert reached(some) == {"net-0": (0.1, 0.8), "net-1": (0.3, 0.9)}
    assert common_grid(some, np.linspace(0, 1, 11)) == pytest.approx([0.3, 0.4, 0.5, 0.6, 0.7, 0.8])
    beyond = reindexed(given, some, [0.2, 0.95])
    ends = np.asarray(beyond.log_probs[:])
    assert np.array_equal(ends[2], given.log_probs[3]), "before its first checkpoint: the first"
    assert np.array_equal(ends[3], given.log_probs[4]), "beyond its largest progress: the checkpoint that had it"


def test_runs_that_share_no_progress_are_named():
    given = trajectories(runs=2, checkpoints=3)
    apart = Progress(given.points, np.array([0.0, 0.1, 0.2, 0.5, 0.6, 0.7]), np.zeros(6), ArcProgress())
    message = r"'net-1' starts at 0.500, 'net-0' does not get beyond 0.200"
    with pytest.raises(infogeo.InputError, match=message):
        common_grid(apart)


def test_a_run_of_one_checkpoint_stays_where_it_is():
    given = infogeo.Predictions.from_arrays(
        {"a": random_log_probs(2, 1, 6, 3)}, kind="log-probabilities", labels=[0] * 6
    )
    equal = reindexed(given, progress_of(given), [0.1, 0.9])
    assert np.array_equal(np.asarray(equal.log_probs[:]), np.repeat(given.log_probs, 2, axis=0))


@pytest.mark.parametrize("grid", [[0.5, 0.4], [-0.1, 0.5], [0.5, 1.1], []])
def test_a_grid_that_does_not_grow_from_0_to_1_is_refused(grid):
    given = trajectories()
    with pytest.raises(infogeo.InputError, match="grid: expected growing values"):
        reindexed(given, progress_of(given), grid)


def test_progress_of_other_points_is_refused():
    given = trajectories()
    with pytest.raises(infogeo.InputError, match="progress: of 6 points, but predictions hold 24"):
        reindexed(given, progress_of(given.take(range(6)), along=geodesic(given)), [0.5])
