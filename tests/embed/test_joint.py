"""Train and test on one map: what is the same coincides, what is not drifts apart, the matching is accounted for."""

import numpy as np
import pytest

import infogeo
from infogeo.embed import joint_map
from tests.reference.joint import mean_over_matchings

B = infogeo.Bhattacharyya()
ACCURACY = 1e-6
"""What the engine promises of a divergence, in nats."""
CLASSES = 3
TIME = np.linspace(0.1, 1, 4)[:, None, None]


def runs_on(labels, noise, seed, pull=4.0, runs=3):
    """Runs that learn: logits t (pull * truth + noise), with noise of the sample and of the run."""
    rng = np.random.default_rng(seed)
    labels = np.asarray(labels)
    arrays = {}
    for r in range(runs):
        own = noise * rng.normal(size=(len(labels), CLASSES))
        by_class = np.random.default_rng(r).normal(size=(CLASSES, CLASSES))[labels]
        arrays[f"net-{r}"] = TIME * (pull * np.eye(CLASSES)[labels] + by_class + own)
    return infogeo.Predictions.from_arrays(arrays, kind="logits", labels=labels)


def balanced(each):
    return np.repeat(np.arange(CLASSES), each)


@pytest.fixture(scope="module")
def noisy():
    train, test = runs_on(balanced(8), 1.0, 1), runs_on(balanced(8), 1.0, 2)
    return train, test, joint_map(train, test, B, 4)


def test_predictions_that_depend_on_the_class_alone_coincide():
    """The same table in every matching: zero divergences, exactly; coordinates to what the eigensolver promises."""
    train = runs_on(balanced(8), 0.0, 1)
    test = runs_on(np.random.default_rng(0).permutation(balanced(11)), 0.0, 2)
    made = joint_map(train, test, B, 4)
    coords = made.embedding.coords
    assert made.n_slots == 24
    assert (np.diag(made.between) == 0).all()
    assert (made.spread == 0).all()
    assert np.abs(made.gap).max() == 0
    assert np.abs(coords[:12] - coords[12:]).max() <= 1e-8 * np.abs(coords).max()
    assert "the arbitrary matching hardly matters" in made.sentence()


def test_points_are_the_checkpoints_on_train_and_then_on_test(noisy):
    train, test, made = noisy
    points = made.embedding.points
    assert points["set"].tolist() == ["train"] * 12 + ["test"] * 12
    assert points["run"].tolist() == [*train.points["run"], *test.points["run"]]
    assert points["step"].tolist() == [*train.points["step"], *test.points["step"]]
    assert made.matrix.shape == (24, 24)
    assert np.array_equal(made.matrix.values, np.asarray(made.matrix.values).T)
    assert "set" not in train.points.columns


def test_divergences_within_a_set_are_those_of_the_set(noisy):
    """Equal counts: the subset is everything, in another order."""
    train, test, made = noisy
    for given, part in ((train, slice(0, 12)), (test, slice(12, 24))):
        d = infogeo.pairwise_divergence(given, B).to_numpy()
        assert np.abs(np.asarray(made.matrix.values)[part, part] - d).max() <= ACCURACY


def test_divergences_between_the_sets_are_the_mean_over_matchings(noisy):
    """Within six standard errors of the mean over all matchings, for each of 144 entries."""
    train, test, made = noisy
    expected = mean_over_matchings(train, test)
    error = np.abs(made.between - expected)
    assert (made.spread > 0).all()
    assert (error <= 6 * made.spread.max() / np.sqrt(made.matchings) + ACCURACY).all()
    # what a checkpoint is from itself, matched at random: twice the mean over all partners but its own sample
    within = [np.diag(mean_over_matchings(one, one)) * 8 / 7 for one in (train, test)]
    assert np.abs(made.within - np.mean(within, axis=0)).max() <= 6 * made.spread.max() / np.sqrt(2)


def test_one_sample_of_each_class_leaves_one_matching():
    train, test = runs_on([0, 1, 2], 1.0, 1), runs_on([2, 0, 1], 1.0, 2)
    made = joint_map(train, test, B, 4, matchings=2)
    assert np.abs(made.between - mean_over_matchings(train, test)).max() <= ACCURACY
    assert (made.spread == 0).all()
    assert np.abs(made.within).max() == 0


def test_networks_that_memorise_drift_apart_and_others_do_not(noisy):
    """On test they learn an eighth of what they learn on train: gaps end at 0.2 nats.

    Where train and test differ by the draw of 24 samples alone, they stay below 0.01: a factor of 4 tells them apart.
    """
    train, _, made = noisy
    memorising = joint_map(train, runs_on(balanced(8), 1.0, 2, pull=0.5), B, 4)
    last = [int(train.points.of_run(run)[-1]) for run in train.points.runs]
    first = [int(train.points.of_run(run)[0]) for run in train.points.runs]
    assert (memorising.gap[last] > memorising.gap[first]).all()
    assert memorising.gap[last].min() > 4 * np.abs(made.gap).max()
    assert f"{memorising.gap.mean():.4g} is the gap" in memorising.sentence()


def test_the_order_of_samples_does_not_matter_beyond_the_matching(noisy):
    train, test, made = noisy
    turn = np.random.default_rng(3).permutation(test.n_samples)
    arrays = {run: test.log_probs[test.points.of_run(run)][:, turn] for run in test.points.runs}
    turned = infogeo.Predictions.from_arrays(arrays, kind="log-probabilities", labels=test.labels[turn])
    again = joint_map(train, turned, B, 4)
    change = np.abs(np.asarray(again.matrix.values) - np.asarray(made.matrix.values))
    assert max(change[:12, :12].max(), change[12:, 12:].max()) <= ACCURACY
    # two means over R matchings, six standard errors of their difference
    assert change.max() <= 6 * made.spread.max() * np.sqrt(2 / made.matchings) + ACCURACY


def test_the_order_of_checkpoints_does_not_matter_at_all(noisy):
    train, test, made = noisy
    again = joint_map(train, test.take(np.random.default_rng(0).permutation(12)), B, 4)
    assert np.array_equal(again.embedding.coords, made.embedding.coords)
    assert np.array_equal(again.spread, made.spread)


def test_the_seed_is_all_the_chance_there_is(noisy):
    train, test, made = noisy
    again, other = joint_map(train, test, B, 4), joint_map(train, test, B, 4, seed=1)
    assert np.array_equal(again.matrix.values, made.matrix.values)
    assert not np.array_equal(other.matrix.values, made.matrix.values)


def test_ignorance_and_truth_are_the_same_for_both_sets(noisy):
    _, _, made = noisy
    assert made.references.points.runs == ["ignorance", "truth"]
    assert made.references.coords[1, 0] > made.references.coords[0, 0]


def test_classes_that_one_set_lacks_are_left_out_and_progress_is_told():
    told = []
    train, test = runs_on(balanced(4), 1.0, 1), runs_on([0] * 6 + [1] * 3, 1.0, 2)
    made = joint_map(train, test, B, 4, matchings=2, progress=lambda *at: told.append(at))
    assert (made.n_slots, made.n_dropped) == (7, 1)
    assert told == [(i, 6) for i in range(1, 7)]
    assert "(1 class is in one set alone and left out)" in made.sentence()


def bare(predictions):
    return infogeo.Predictions.from_arrays({"net-0": predictions.log_probs[:4]}, kind="log-probabilities")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda a, b: joint_map(a, b, B, matchings=1), "matchings: 1; give at least 2"),
        (lambda a, b: joint_map(bare(a), b, B), "train: samples are matched within their class; give labels"),
        (lambda a, b: joint_map(a, bare(b), B), "test: samples are matched within their class; give labels"),
        (lambda a, b: joint_map(a, infogeo.merge_classes(b, 1), B), "test: classes are merged"),
        (lambda a, b: joint_map(a, b.take(range(10)), B), "test: lacks 2 checkpoints .* run 'net-2', step 2;"),
        (lambda a, b: joint_map(a.take(range(1, 12)), b, B), "train: lacks 1 checkpoint that .* run 'net-0', step 0;"),
        (lambda a, b: joint_map(a, b.take([*range(12), 0]), B), "test: a run has two checkpoints of the same step"),
        (lambda a, b: joint_map(runs_on([0, 0], 1, 1), runs_on([1, 2], 1, 1), B), "shares no class with train"),
    ],
)
def test_misuse_is_one_clear_line(noisy, call, message):
    with pytest.raises(infogeo.InputError, match=message):
        call(*noisy[:2])


def test_other_classes_are_refused(noisy):
    train, test, _ = noisy
    named = {run: test.log_probs[test.points.of_run(run)] for run in test.points.runs}
    other = infogeo.Predictions.from_arrays(
        named, kind="log-probabilities", labels=test.labels, classes=["a", "b", "c"]
    )
    with pytest.raises(infogeo.InputError, match="test: has other classes than train"):
        joint_map(train, other, B)
