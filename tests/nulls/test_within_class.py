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


def test_shared_structure_explains_more_than_its_null():
    """Runs that share their errors example by example, in classes whose examples differ widely."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 40)
    shared = 6 * rng.normal(size=(80, 2))
    time = np.linspace(0, 1, 8)[:, None, None]
    runs = {f"r{i}": time * (shared + 0.1 * rng.normal(size=(80, 2))) for i in range(6)}
    predictions = infogeo.Predictions.from_arrays(runs, kind="logits", labels=labels)
    made = infogeo.embed_predictions(predictions, infogeo.Bhattacharyya(), n_components=3)
    null = infogeo.explained_stress_null(
        predictions, infogeo.Bhattacharyya(), made.embedding.explained_stress, replicates=4, seed=3
    )
    assert null.replicates.shape == (4, 3)
    assert (null.statistic[2] > null.replicates[:, 2]).all()
    assert null.p_value[2] == pytest.approx(1 / 5)
    assert null.effect[2] < 0.5
    assert "evidence that the runs share structure" in null.sentence()


def test_the_sentence_follows_the_numbers():
    def null(stress, shuffled):
        return infogeo.NullComparison(np.array([stress]), np.array([[shuffled]]), "shuffle", 0).sentence()

    assert "99.1 % of the stress" in null(0.991, 0.979)
    assert "nearly all of it is automatic" in null(0.991, 0.979)
    assert "no more than the null" in null(0.7, 0.8)
    assert "28.6 % of the stress is more than the null" in null(0.7, 0.5)


def test_the_same_seed_gives_the_same_null_and_labels_are_needed():
    predictions = trajectories(runs=2)
    stress = np.zeros(2)
    first, second = (
        infogeo.explained_stress_null(predictions, infogeo.Bhattacharyya(), stress, replicates=2, seed=5)
        for _ in range(2)
    )
    assert np.array_equal(first.replicates, second.replicates)
    bare = infogeo.Predictions.from_arrays({"a": np.zeros((2, 4, 3)), "b": np.ones((2, 4, 3))}, kind="logits")
    with pytest.raises(infogeo.InputError, match="give labels"):
        infogeo.shuffled_within_class(bare, seed=0)
    single = trajectories(runs=1)
    with pytest.raises(infogeo.InputError, match="there is only one"):
        infogeo.explained_stress_null(single, infogeo.Bhattacharyya(), stress)
