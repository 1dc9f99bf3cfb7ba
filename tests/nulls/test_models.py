"""What every null model keeps, that it is read in any order, and what it refuses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import digamma

import infogeo
from infogeo.core.checks import LOG_FLOOR
from infogeo.geometry.steps import step_terms
from infogeo.nulls import DirichletModels, GeodesicNull, StepShuffle, WithinClassShuffle
from infogeo.nulls.dirichlet import concentrations
from tests.nulls.runs import ALL_NULLS
from tests.reference.dirichlet import expected_entropy
from tests.samples import Lazy, trajectories

ROUNDING = 2.0**-24


def names(nulls):
    return [null.name for null in nulls]


def everything(predictions):
    return np.asarray(predictions.log_probs[0 : predictions.n_points])


@pytest.mark.parametrize("null", ALL_NULLS, ids=names(ALL_NULLS))
def test_blocks_in_any_order_are_parts_of_the_whole(null):
    made = null.replicate(trajectories(runs=3, samples=50), seed=4)
    whole = everything(null.replicate(trajectories(runs=3, samples=50), seed=4))
    rng = np.random.default_rng(0)
    for _ in range(20):
        first, start = rng.integers(0, 18), rng.integers(0, 50)
        points, samples = slice(first, rng.integers(first, 19)), slice(start, rng.integers(start, 51))
        # a geodesic takes sums and sines of float64 in vectors of another length: one unit of float32 at most
        np.testing.assert_allclose(made.log_probs[points, samples], whole[points, samples], rtol=2 * ROUNDING)
        np.testing.assert_allclose(made.log_probs[points], whole[points], rtol=2 * ROUNDING)


def test_portions_of_dirichlet_models_do_not_depend_on_where_a_block_begins(monkeypatch):
    monkeypatch.setattr("infogeo.nulls.dirichlet.DRAWN_AT_ONCE", 3 * 7)  # portions of 7 samples
    made = DirichletModels().replicate(trajectories(runs=1, samples=50), seed=4).log_probs
    whole = made[0:6]
    for start in range(0, 50, 3):
        for stop in (start, start + 1, start + 5, start + 20):
            assert np.array_equal(made[2:5, start:stop], whole[2:5, start:stop])


@pytest.mark.parametrize("null", ALL_NULLS, ids=names(ALL_NULLS))
def test_a_null_reads_lazy_predictions_as_those_in_memory_and_changes_neither_points_nor_labels(null):
    predictions = trajectories(runs=2)
    before = predictions.log_probs.copy()
    lazy = infogeo.Predictions(
        Lazy(predictions.log_probs), predictions.points, predictions.label_space, predictions.labels
    )
    made, of_lazy = null.replicate(predictions, seed=1), null.replicate(lazy, seed=1)
    assert not isinstance(made.log_probs, np.ndarray)
    assert np.array_equal(everything(made), everything(of_lazy))
    assert made.points is predictions.points
    assert made.labels is predictions.labels
    assert made.fingerprints == ()
    assert np.array_equal(predictions.log_probs, before)


@pytest.mark.parametrize("null", ALL_NULLS, ids=names(ALL_NULLS))
def test_the_seed_alone_decides(null):
    predictions = trajectories(runs=2)
    first, again, other = (everything(null.replicate(predictions, seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert np.array_equal(first, other) == (not null.random)


@pytest.mark.parametrize("null", ALL_NULLS, ids=names(ALL_NULLS))
def test_rows_stay_distributions(null):
    """A log p of float32 is off by |log p| units, its p by p |log p|: log C in all at most, and a unit for the sum."""
    values = everything(null.replicate(trajectories(runs=2), seed=1)).astype(np.float64)
    assert values.min() >= LOG_FLOOR
    assert np.abs(np.exp(values).sum(axis=2) - 1).max() <= 2 * ROUNDING * (1 + np.log(3))


def test_a_step_shuffle_keeps_the_predictions_of_every_sample_along_every_run():
    predictions = trajectories(runs=3, checkpoints=7)
    shuffled = everything(StepShuffle().replicate(predictions, seed=3))
    moved = 0
    for run in predictions.points.runs:
        rows = predictions.points.of_run(run)
        for sample in range(predictions.n_samples):
            before, after = predictions.log_probs[rows, sample], shuffled[rows, sample]
            assert sorted(map(tuple, before.tolist())) == sorted(map(tuple, after.tolist()))
            moved += not np.array_equal(before, after)
    assert moved > 80  # of 90, each of which stays with probability 1/7!
    assert len(np.unique((shuffled[:, :, None] == predictions.log_probs[:, :, None]).all(axis=(2, 3)), axis=1).T) > 9


def test_a_step_shuffle_follows_the_step_column_and_leaves_single_checkpoints():
    arrays = {"a": np.random.default_rng(0).normal(size=(4, 9, 3)), "b": np.zeros((1, 9, 3))}
    predictions = infogeo.Predictions.from_arrays(arrays, kind="logits")
    mixed = predictions.take([3, 4, 0, 2, 1])
    assert np.array_equal(
        everything(StepShuffle().replicate(mixed, seed=3)),
        everything(StepShuffle().replicate(predictions, seed=3))[[3, 4, 0, 2, 1]],
    )


def test_dirichlet_models_have_the_mean_entropy_of_every_checkpoint():
    """Entropies of N draws lie in [0, log C]: their mean is within 5 log C / (2 sqrt N) but once in two million."""
    predictions = trajectories(runs=2, samples=4000)
    before, after = (entropies(everything(made)) for made in (predictions, DirichletModels().replicate(predictions, 7)))
    assert np.abs(before - after).max() <= 5 * np.log(3) / (2 * np.sqrt(4000))
    assert np.ptp(before) > 0.3


def entropies(log_probs):
    log_p = log_probs.astype(np.float64)
    return -(np.exp(log_p) * log_p).sum(axis=2).mean(axis=1)


def test_the_least_and_the_most_confident_models_are_finite():
    certain = infogeo.Predictions.from_arrays({"a": np.eye(5)[None].repeat(2, axis=0)}, kind="probabilities")
    uniform = infogeo.Predictions.from_arrays({"a": np.zeros((2, 5, 5))}, kind="logits")
    sure = everything(DirichletModels().replicate(certain, 0))
    flat = everything(DirichletModels().replicate(uniform, 0))
    assert sure.min() == LOG_FLOOR
    assert (sure.max(axis=2) == 0).all()
    # stored in float32 the entropy log C falls short by (1 + log C) units or so, for which a = (C - 1) / (2 C short)
    deviation = np.sqrt(2 * 5 * (1 + np.log(5)) * ROUNDING / 4)  # of log p, 1 / sqrt(a)
    assert np.abs(flat + np.log(5)).max() <= 5 * deviation


@pytest.mark.parametrize("a", [0.2, 1.0, 30.0])
@pytest.mark.parametrize("classes", [2, 10])
def test_the_expected_entropy_is_that_of_the_integral(a, classes):
    entropy = expected_entropy(a, classes)
    # quad promises 1e-8 or better; a moves by dH / H'(a), and H' > H'(30) = 5e-4
    assert concentrations([entropy], classes)[0] == pytest.approx(a, rel=1e-4)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(share=st.floats(1e-6, 1 - 1e-6), classes=st.integers(2, 1000))
def test_concentrations_invert_the_expected_entropy(share, classes):
    """psi is at most 28 here and has a few units of rounding, twice."""
    wanted = share * np.log(classes)
    a = concentrations([wanted], classes)[0]
    assert digamma(classes * a + 1) - digamma(a + 1) == pytest.approx(wanted, abs=8 * 28 * 2.0**-53)


def test_geodesics_keep_both_ends_exactly_and_are_straight():
    predictions = trajectories(runs=3)
    straight = GeodesicNull().replicate(predictions)
    values = everything(straight)
    for run in predictions.points.runs:
        rows = predictions.points.of_run(run)
        assert np.array_equal(values[rows[[0, -1]]], predictions.log_probs[rows[[0, -1]]])
    found, before = infogeo.shapes(straight), infogeo.shapes(predictions)
    assert before.tortuosity.min() > 1.001
    # a chord loses at most sqrt(C) / e units of float32 at each end of each of five steps, of a length above 0.5
    assert found.tortuosity == pytest.approx(1, abs=2 * 2 * 5 * np.sqrt(3) * ROUNDING / 0.5)
    pace, own = (s.travelled / np.repeat(s.length, 6) for s in (found, before))
    assert np.abs(pace - own).max() <= 2 * 2 * 5 * np.sqrt(3) * ROUNDING / 0.5


def test_runs_that_are_geodesics_stay_where_they_are():
    """Ten roundings to float32, each of which moves a square root by sqrt(C) / e units."""
    predictions = trajectories(runs=2)
    road = infogeo.geodesic(predictions, end=predictions.take([5]))
    t = np.array([0, 0.1, 0.35, 0.7, 1])
    straight = infogeo.Predictions.from_arrays({"road": road.at(t)}, kind="log-probabilities")
    values = everything(GeodesicNull().replicate(straight))
    for made, given_ in zip(values, straight.log_probs, strict=True):
        assert step_terms(made, given_).hellinger.max() <= (10 * np.sqrt(3) * ROUNDING) ** 2 / 2


def test_a_run_that_does_not_move_stays_where_it_is():
    arrays = {
        "still": np.ones((3, 4, 3)) * [1, 2, 3],
        "moves": np.arange(3)[:, None, None] * np.ones((4, 1)) * [1, 2, 3],
    }
    predictions = infogeo.Predictions.from_arrays(arrays, kind="logits")
    assert np.array_equal(everything(GeodesicNull().replicate(predictions))[:3], predictions.log_probs[:3])


def test_nulls_that_need_no_labels_work_without_and_on_merged_classes():
    rng = np.random.default_rng(0)
    bare = infogeo.Predictions.from_arrays({"a": rng.normal(size=(4, 9, 5))}, kind="logits")
    merged = infogeo.merge_classes(bare, keep=2)
    for null in (StepShuffle(), GeodesicNull()):
        assert not null.needs_labels
        assert everything(null.replicate(bare, 0)).shape == (4, 9, 5)
        assert everything(null.replicate(merged, 0)).shape == (4, 9, 3)
    assert everything(DirichletModels().replicate(bare, 0)).shape == (4, 9, 5)


def one_checkpoint_each():
    return infogeo.Predictions.from_arrays({"a": np.zeros((4, 3)), "b": np.ones((4, 3))}, kind="logits")


def own_class_each():
    arrays = {"a": np.zeros((2, 3, 3)), "b": np.ones((2, 3, 3))}
    return infogeo.Predictions.from_arrays(arrays, kind="logits", labels=[0, 1, 2])


def merged_classes():
    rng = np.random.default_rng(0)
    arrays = {"a": rng.normal(size=(3, 6, 5)), "b": rng.normal(size=(3, 6, 5))}
    predictions = infogeo.Predictions.from_arrays(arrays, kind="logits", labels=[0, 0, 1, 1, 2, 2])
    return infogeo.merge_classes(predictions, keep=2)


@pytest.mark.parametrize(
    ("null", "predictions", "message"),
    [
        (WithinClassShuffle(), one_checkpoint_each, "give labels"),
        (WithinClassShuffle(), merged_classes, "shuffle first, then merge"),
        (WithinClassShuffle(), lambda: trajectories(runs=1), "there is only one"),
        (WithinClassShuffle(), own_class_each, "no two samples are of one class"),
        (StepShuffle(), one_checkpoint_each, "at least two checkpoints"),
        (DirichletModels(), merged_classes, "do not merge classes"),
        (GeodesicNull(), lambda: trajectories(checkpoints=2), "at least three checkpoints"),
    ],
)
def test_what_a_null_cannot_be_made_of_is_one_clear_line(null, predictions, message):
    with pytest.raises(infogeo.InputError, match=message):
        null.replicate(predictions(), 0)
