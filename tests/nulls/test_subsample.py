"""A part of the data is balanced over runs, steps and classes, and follows its seed."""

import numpy as np
import pytest

import infogeo
from infogeo.nulls import Subsample
from tests.samples import Lazy, random_log_probs, trajectories


def test_every_run_gives_as_many_checkpoints_from_its_first_to_its_last():
    predictions = trajectories(runs=5, checkpoints=20)
    part = Subsample(max_points=40).of(predictions, seed=0)
    for run in predictions.points.runs:
        steps = part.points["step"][part.points.of_run(run)]
        assert len(steps) == 8
        assert (steps[0], steps[-1]) == (0, 19)
        assert set(np.diff(steps)) <= {2, 3}
    assert np.array_equal(part.log_probs[:8], predictions.take(part.points["step"][:8]).log_probs)


def test_short_runs_are_taken_whole_and_where_runs_are_too_many_some_are_drawn():
    short = infogeo.Predictions.from_arrays(
        {"long": random_log_probs(0, 40, 3, 2), "short": random_log_probs(1, 3, 3, 2)}, kind="log-probabilities"
    )
    assert Subsample(max_points=10).of(short, 0).points["run"].tolist() == ["long"] * 5 + ["short"] * 3
    many = trajectories(runs=30)
    part, again, other = (Subsample(max_points=52).of(many, seed) for seed in (0, 0, 1))
    assert len(part.points) == 50
    assert len(part.points.runs) == 10
    assert part.points.runs == again.points.runs != other.points.runs
    single = trajectories(runs=30, checkpoints=1)
    assert len(Subsample(max_points=12).of(single, 0).points.runs) == 12


def test_classes_keep_their_shares_of_the_samples():
    labels = np.repeat([0, 1, 2], [600, 300, 100])
    predictions = infogeo.Predictions.from_arrays(
        {"a": random_log_probs(0, 2, 1000, 3)}, kind="log-probabilities", labels=labels
    )
    part, other = (Subsample(max_samples=100).of(predictions, seed) for seed in (3, 4))
    assert np.bincount(part.labels).tolist() == [60, 30, 10]
    assert not np.array_equal(part.log_probs, other.log_probs)
    rows = {row.tobytes(): n for n, row in enumerate(predictions.log_probs[0])}
    found = [rows[row.tobytes()] for row in part.log_probs[0]]
    assert found == sorted(set(found))
    assert np.array_equal(labels[found], part.labels)


def test_of_very_many_classes_some_are_drawn_with_ten_samples_each():
    labels = np.tile(np.arange(100), 20)
    predictions = infogeo.Predictions.from_arrays(
        {"a": np.zeros((1, 2000, 100), dtype=np.float32)}, kind="logits", labels=labels
    )
    part = Subsample(max_samples=205).of(predictions, 0)
    classes, counts = np.unique(part.labels, return_counts=True)
    assert len(classes) == 20
    assert set(counts) == {10}
    few = Subsample(max_samples=50).of(
        infogeo.Predictions.from_arrays(
            {"a": np.zeros((1, 200, 100), dtype=np.float32)}, kind="logits", labels=labels[:200]
        ),
        0,
    )
    assert np.unique(few.labels, return_counts=True)[1].tolist() == [2] * 25  # all that the classes have


def test_what_is_no_more_than_the_part_stays_as_it_is():
    predictions = trajectories()
    assert Subsample().of(predictions, 0) is predictions


def test_lazy_predictions_give_the_same_part_in_memory_or_not():
    predictions = trajectories(runs=3, checkpoints=9, samples=60)
    lazy = infogeo.Predictions(
        Lazy(predictions.log_probs), predictions.points, predictions.label_space, predictions.labels
    )
    part = Subsample(max_points=15, max_samples=20)
    held, read, tight = part.of(predictions, 5), part.of(lazy, 5), part.of(lazy, 5, memory=1000)
    assert isinstance(read.log_probs, np.ndarray)
    assert not isinstance(tight.log_probs, np.ndarray)
    assert np.array_equal(held.log_probs, read.log_probs)
    assert np.array_equal(held.log_probs[2:5, 3:9], tight.log_probs[2:5, 3:9])
    assert tight.log_probs[0:0].shape == (0, 20, 3)
    assert np.array_equal(held.labels, tight.labels)


def test_merged_classes_stay_merged():
    predictions = infogeo.merge_classes(
        infogeo.Predictions.from_arrays({"a": random_log_probs(0, 6, 80, 8)}, kind="log-probabilities"), keep=3
    )
    part = Subsample(max_samples=20).of(predictions, 0)
    assert part.coarse_graining.kept.shape == (20, 3)
    assert infogeo.pairwise_divergence(part, infogeo.Bhattacharyya()).n_samples == 20


def test_too_small_a_part_is_refused():
    with pytest.raises(infogeo.InputError, match="max_points: 9; give at least 10"):
        Subsample(max_points=9)
    with pytest.raises(infogeo.InputError, match="max_samples: 1; give at least 10"):
        Subsample(max_samples=1)
