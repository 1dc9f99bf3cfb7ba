"""The within-class shuffle keeps what it should and breaks what it should."""

import numpy as np
import pytest

import infogeo
from tests.samples import trajectories


def test_a_shuffle_keeps_accuracy_loss_and_every_divergence_within_a_run():
    predictions = trajectories(runs=3)
    shuffled = infogeo.shuffled_within_class(predictions, seed=1)
    assert np.array_equal(shuffled.scores()[0], predictions.scores()[0])
    # the same numbers summed in another order: N/2 units of float64 each
    assert np.allclose(shuffled.scores()[1], predictions.scores()[1], rtol=30 * 2.0**-53, atol=0)
    before = infogeo.pairwise_divergence(predictions, infogeo.Bhattacharyya()).to_numpy()
    after = infogeo.pairwise_divergence(shuffled, infogeo.Bhattacharyya()).to_numpy()
    same_run = predictions.points["run"][:, None] == predictions.points["run"]
    assert np.abs(after - before)[same_run].max() <= 2e-6
    assert np.abs(after - before)[~same_run].max() > 1e-3


def test_a_shuffle_is_one_permutation_per_run_within_classes():
    predictions = trajectories(runs=2)
    shuffled = infogeo.shuffled_within_class(predictions, seed=2)
    labels = predictions.labels
    for run in predictions.points.runs:
        rows = predictions.points.of_run(run)
        before, after = predictions.log_probs[rows[0] : rows[-1] + 1], shuffled.log_probs[rows[0] : rows[-1] + 1]
        source = [int(np.flatnonzero((before == after[:, [n]]).all(axis=(0, 2)))[0]) for n in range(len(labels))]
        assert sorted(source) == list(range(len(labels)))
        assert (labels[source] == labels).all()


def test_a_part_of_the_samples_of_a_shuffle_is_that_part_of_the_whole():
    shuffled = infogeo.shuffled_within_class(trajectories(runs=2), seed=2).log_probs
    assert np.array_equal(shuffled[3:9, 4:20], shuffled[3:9][:, 4:20])


def test_a_shuffle_without_labels_is_refused():
    bare = infogeo.Predictions.from_arrays({"a": np.zeros((2, 4, 3)), "b": np.ones((2, 4, 3))}, kind="logits")
    with pytest.raises(infogeo.InputError, match="give labels"):
        infogeo.shuffled_within_class(bare, seed=0)
