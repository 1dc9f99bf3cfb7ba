"""The stress of data beside that of nulls: like with like, calibrated, and with the right verdict on known cases."""

import numpy as np
import pytest
from scipy.stats import binom

import infogeo
from infogeo import demo
from infogeo.nulls import DirichletModels, GeodesicNull, StepShuffle, Subsample
from tests.nulls.runs import ALL_NULLS, BHATTACHARYYA, common_errors, one_order, own_errors, own_orders, predictions_of
from tests.samples import trajectories


def compared(predictions, **options):
    return infogeo.explained_stress_null(predictions, BHATTACHARYYA, **options)


def verdicts(null):
    return [null.verdict(k).name for k in (1, 2, 3)]


@pytest.mark.parametrize("logits_of", [one_order, common_errors])
def test_what_runs_share_example_by_example_is_shared_structure(logits_of):
    null = compared(predictions_of(logits_of), replicates=5)
    assert verdicts(null) == ["shared structure"] * 3
    assert null.p_value[2] == pytest.approx(1 / 6)
    assert "evidence that the runs share structure" in null.sentence()


@pytest.mark.parametrize("logits_of", [own_orders, own_errors])
def test_what_is_each_runs_own_is_no_more_than_chance(logits_of):
    null = compared(predictions_of(logits_of), replicates=5)
    assert verdicts(null) == ["no more than chance"] * 3
    assert "no evidence that the runs share structure" in null.sentence()


def test_networks_on_digits_have_a_high_stress_that_is_nearly_automatic():
    digits = demo.load_digits()
    groups = [demo.Group(architecture, "adam") for architecture in ("mlp-narrow", "conv")]
    runs = [
        run for group in groups for run in demo.train_group(group, digits, weight_decays=(0.0,), n_seeds=2, epochs=10)
    ]
    predictions = infogeo.Predictions.from_arrays(
        {run.name: run.test_log_probs for run in runs}, kind="log-probabilities", labels=digits.test_labels
    )
    null = compared(predictions, replicates=5)
    assert null.statistic[2] > 0.95
    assert null.effect[2] < 0.6  # and all the same
    assert verdicts(null) == ["nearly automatic"] * 3
    assert null.p_value[2] == pytest.approx(1 / 6)


def test_the_nulls_tell_different_claims_apart():
    """Runs that learn examples in orders of their own: no shared order, but a common time, and more than confidence."""
    predictions = predictions_of(own_orders)
    stress = {null.name: compared(predictions, null=null, replicates=3) for null in ALL_NULLS}
    assert stress["within-class shuffle"].verdict().name == "no more than chance"
    assert stress["step shuffle"].verdict().name in ("shared structure", "partly shared")
    assert stress["Dirichlet models"].verdict().name in ("shared structure", "partly shared")
    assert stress["geodesics"].verdict().name == "no more than chance"  # examples learned one by one bend a run


def test_p_values_are_uniform_where_examples_are_exchangeable():
    """#{p <= x} is binomial for each x that p can be: within what happens but twice in ten thousand."""

    def own(time, truth, common, own):
        return time * (3 * truth + 2 * own.normal(size=truth.shape))

    sets = [predictions_of(own, runs=3, checkpoints=4, samples=24, classes=3, seed=seed) for seed in range(100)]
    p = np.array([compared(s, statistic=np.ones(1), replicates=9, seed=n).p_value[0] for n, s in enumerate(sets)])
    assert set(np.round(10 * p)) <= set(range(1, 11))
    for x in (0.1, 0.2, 0.5, 0.8):
        low, high = binom.ppf([1e-4, 1 - 1e-4], len(p), x)
        assert low <= (p <= x + 1e-9).sum() <= high


def test_the_data_are_compared_on_the_points_and_samples_of_the_replicates():
    predictions = trajectories(runs=3, checkpoints=10, samples=90)
    made = infogeo.embed_predictions(predictions, BHATTACHARYYA, n_components=4)
    full = made.embedding.explained_stress
    options = {"replicates": 2, "subsample": Subsample(15, 30)}
    null = infogeo.explained_stress_null(predictions, BHATTACHARYYA, full, **options)
    assert (null.n_points, null.n_samples) == (15, 30)
    assert null.full_statistic is full
    assert null.statistic.shape == full.shape
    assert null.replicates.shape == (2, 4)
    assert not np.allclose(null.statistic, full, rtol=0, atol=1e-3)
    assert "of 15 checkpoints on 30 samples" in null.sentence()
    whole = infogeo.explained_stress_null(predictions, BHATTACHARYYA, full, replicates=1, subsample=None)
    assert (whole.n_points, whole.n_samples) == (30, 90)
    assert np.array_equal(whole.statistic, full)  # the same tiles, the same spectrum
    assert "checkpoints on" not in whole.sentence()


def test_the_seed_alone_decides_and_each_replicate_has_one_of_its_own():
    predictions = trajectories(runs=3, checkpoints=10)
    part = Subsample(15, 20)
    five, three, other = (
        compared(predictions, replicates=r, seed=seed, subsample=part) for r, seed in ((5, 8), (3, 8), (3, 9))
    )
    assert np.array_equal(five.replicates[:3], three.replicates)
    assert np.array_equal(five.statistic, three.statistic)
    assert len(np.unique(five.replicates[:, 0])) == 5
    assert not np.array_equal(three.replicates, other.replicates)
    assert not np.array_equal(three.statistic, other.statistic)  # the part is another one


def test_the_memory_and_what_is_read_lazily_change_nothing():
    predictions = trajectories(runs=3, checkpoints=10, samples=200)
    part = Subsample(15, 100)
    for null in (StepShuffle(), DirichletModels()):
        free, tight = (
            compared(predictions, null=null, replicates=2, subsample=part, memory=memory) for memory in (None, 2**21)
        )
        # other blocks of samples: each pair within the bound of two float32 sums, and the stress with it
        assert np.allclose(free.replicates, tight.replicates, rtol=0, atol=1e-5)


def test_geodesics_are_one_replicate_without_a_p_value():
    steps = []
    null = compared(trajectories(), null=GeodesicNull(), replicates=20, progress=lambda *at: steps.append(at))
    assert steps == [(1, 1)]
    assert null.replicates.shape == (1, 10)
    assert np.isnan(null.p_value).all()
    assert "p =" not in null.sentence()
    assert "the geodesic between its ends" in null.sentence()


def test_axes_that_do_not_exist_explain_nothing_more():
    null = compared(trajectories(runs=2, checkpoints=2), replicates=2)
    assert null.statistic.shape == (10,)
    assert (null.statistic[3:] == 1).all()
    assert null.verdict(10).name == "no more than chance"


def test_progress_counts_replicates():
    steps = []
    compared(trajectories(), replicates=3, progress=lambda *at: steps.append(at))
    assert steps == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(
    ("predictions", "options", "message"),
    [
        (lambda: trajectories(runs=1), {}, "there is only one"),
        (trajectories, {"replicates": 0}, "replicates: 0; give at least 1"),
        (lambda: trajectories(checkpoints=2), {"null": GeodesicNull()}, "at least three checkpoints"),
    ],
)
def test_misuse_is_one_clear_line(predictions, options, message):
    with pytest.raises(infogeo.InputError, match=message):
        compared(predictions(), **options)


def test_a_weighted_map_is_beside_a_weighted_null():
    """Weights in whole numbers are the same as points that occur so many times, in the data and in the null."""
    predictions = predictions_of(own_errors)

    class Twice:
        def of(self, matrix):
            return 1.0 + (matrix.points["run"] == matrix.points.runs[0])

    weighted = compared(predictions, weights=Twice(), subsample=None, replicates=2, null=GeodesicNull())
    first = predictions.points.of_run(predictions.points.runs[0])
    rows = np.concatenate([np.arange(predictions.n_points), first])
    for name, given, found in (
        ("data", predictions, weighted.statistic),
        ("null", GeodesicNull().replicate(predictions, 0), weighted.replicates[0]),
    ):
        matrix = infogeo.pairwise_divergence(given.take(rows), BHATTACHARYYA)
        expected = infogeo.inpca(matrix, len(found)).explained_stress
        assert np.abs(expected - found[: len(expected)]).max() <= len(matrix.points) * np.finfo(np.float64).eps * 10, (
            name
        )
    assert not np.allclose(weighted.statistic, compared(predictions, subsample=None, replicates=1).statistic, atol=1e-6)
