"""Landmarks are as many as wanted, each once, and spread as promised."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import infogeo
from infogeo.core.points import Points
from infogeo.embed import SpreadByDivergence, SpreadByRun
from tests.samples import random_log_probs, trajectories


def of_lengths(lengths):
    """Predictions of nothing much, for selections that look at points alone; rows of a run are not in order."""
    steps = [np.arange(length)[::-1] * 10 for length in lengths]
    points = Points.of_runs([f"run-{i}" for i in range(len(lengths))], steps)
    log_probs = np.broadcast_to(np.log(np.float32(0.5)), (len(points), 1, 2))
    return infogeo.Predictions(log_probs, points, infogeo.LabelSpace.of_size(2))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(lengths=st.lists(st.integers(1, 12), min_size=1, max_size=9), share=st.floats(0, 1))
def test_every_run_gives_as_many_as_the_others_or_all_it_has(lengths, share):
    total = sum(lengths)
    n = max(2, round(share * total))
    if n > total:
        return
    rows = SpreadByRun(n).choose(of_lengths(lengths), infogeo.Bhattacharyya()).rows
    counts = np.bincount(np.repeat(np.arange(len(lengths)), lengths)[rows], minlength=len(lengths))
    assert len(np.unique(rows)) == n
    assert (np.diff(rows) > 0).all()
    assert (
        counts.max() - min(c for c, length in zip(counts, lengths, strict=True) if c < length or c == max(counts)) <= 1
    )


def test_landmarks_cover_the_steps_of_a_run_and_together_those_of_all_runs():
    """Gaps are at most ceil(T / n_r); 40 runs of one landmark each leave no fifth of the steps without its share."""
    predictions = of_lengths([50] * 40)
    steps = predictions.points["step"] // 10
    several = steps[SpreadByRun(200).choose(predictions, infogeo.Bhattacharyya()).rows].reshape(40, 5)
    assert (np.abs(np.diff(several, axis=1)) <= 10).all()
    single = steps[SpreadByRun(40).choose(predictions, infogeo.Bhattacharyya()).rows]
    # multiples of the golden ratio: of n of them, an interval of length a holds n a within 3 (discrepancy log n / n)
    assert np.abs(np.bincount(single // 10, minlength=5) - 8).max() <= 3


def test_fewer_landmarks_than_runs_come_from_runs_that_are_evenly_spread():
    rows = SpreadByRun(5).choose(of_lengths([4] * 20), infogeo.Bhattacharyya()).rows
    assert set(np.diff(rows // 4)) <= {3, 4, 5}


def test_landmarks_far_from_each_other_leave_no_point_farther_away():
    """The greedy choice: no point is farther from its nearest landmark than any two landmarks are from each other."""
    predictions = trajectories(runs=5, checkpoints=8)  # 40 points: the pool of 4 x 12 is all of them
    rows, weights = SpreadByDivergence(12).choose(predictions, infogeo.Hellinger())
    d = infogeo.pairwise_divergence(predictions, infogeo.Hellinger()).to_numpy()
    among = d[np.ix_(rows, rows)][~np.eye(12, dtype=bool)]
    assert len(np.unique(rows)) == 12
    assert d[:, rows].min(axis=1).max() <= among.min()
    assert d.mean(axis=1).argmin() in rows
    assert np.array_equal(weights, np.bincount(d[:, rows].argmin(axis=1)))


def test_points_that_coincide_are_landmarks_once_each():
    log_probs = random_log_probs(0, 3, 4, 3)
    predictions = infogeo.Predictions.from_arrays({"a": log_probs[[0, 0, 0, 1, 1, 2, 2, 2]]}, kind="log-probabilities")
    rows, weights = SpreadByDivergence(7).choose(predictions, infogeo.Hellinger())
    assert len(np.unique(rows)) == 7
    assert weights.min() >= 1
    assert weights.sum() == 8


def test_the_pool_depends_on_the_seed_alone():
    predictions = trajectories(runs=6, checkpoints=10)
    first, again, other = (
        SpreadByDivergence(5, seed).choose(predictions, infogeo.Hellinger()).rows for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("selection", [SpreadByRun(1), SpreadByDivergence(25)])
def test_misuse_is_one_clear_line(selection):
    with pytest.raises(infogeo.InputError, match=f"landmarks: {selection.n} of 24 points; give from 2 to 24"):
        selection.choose(trajectories(), infogeo.Bhattacharyya())
