"""Tubes, pace, and the whole comparison."""

from dataclasses import replace

import numpy as np
import pytest

import infogeo
from infogeo.geometry import Geodesic
from infogeo.trajectories import common_grid, geodesic, progress_of, reindexed, trajectory_divergence
from infogeo.trajectories.comparison import compare_runs
from infogeo.trajectories.same_road import pace
from infogeo.trajectories.tube import tubes
from tests.reference.divergences import bhattacharyya
from tests.samples import log_softmax

DIVERGENCE = infogeo.Bhattacharyya()


def crossed(seed=0, bend=2.0, seeds=3, samples=25, classes=3, checkpoints=9, pace_of_b=1.0):
    """Runs to truth whose road depends on arch, not on lr; arch b may walk faster."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, samples)
    target = 6.0 * np.eye(classes)[labels]
    side = {arch: bend * rng.normal(size=(samples, classes)) for arch in "ab"}
    arrays, meta = {}, {}
    for arch in "ab":
        for lr in (0.1, 0.2, 0.3):
            for number in range(seeds):
                t = np.linspace(0, 1, checkpoints)[:, None, None] ** (1 / pace_of_b if arch == "b" else 1)
                noise = 0.3 * rng.normal(size=(samples, classes))
                arrays[f"{arch}/{lr}/{number}"] = t * target + np.sin(np.pi * t) * (side[arch] + noise)
                meta[f"{arch}/{lr}/{number}"] = {"arch": arch, "lr": lr}
    return infogeo.Predictions.from_arrays(arrays, kind="logits", labels=labels, meta=meta)


@pytest.fixture(scope="module")
def comparison():
    return compare_runs(crossed(), ["arch", "lr"], DIVERGENCE, permutations=199)


def test_the_factor_that_bends_the_road_is_found_and_the_other_is_not(comparison):
    arch, lr = comparison.tests
    assert (arch.factor, arch.strata, lr.strata) == ("arch", ("lr",), ("arch",))
    assert arch.p_value == 1 / 200
    assert lr.p_value > 0.05
    assert arch.r_squared > 5 * lr.r_squared
    assert comparison.sentence().startswith("Arch (")
    assert "no evidence that lr (p = " in comparison.sentence()


def test_every_part_is_about_the_same_runs_and_values_of_progress(comparison):
    runs, values = 18, len(comparison.grid)
    assert comparison.matrix.shape == comparison.at_equal_steps.shape == (runs, runs)
    assert comparison.configurations.shape == (6, 6)
    assert comparison.tubes.spread.shape == (runs, values)
    assert comparison.tubes.widths.shape == (6, values)
    assert comparison.shapes.length.shape == (runs,)
    assert comparison.importance is None
    why = "Importance is left out: there are 6 configurations of arch and lr; it takes at least 10 to hold out a share"
    assert any(note.startswith(why) for note in comparison.notes)
    assert comparison.block is None
    assert any(note.startswith("Runs are compared from progress") for note in comparison.notes)
    assert comparison.matrix.points.runs == comparison.at_equal_steps.points.runs


def test_a_tube_is_the_divergence_to_the_mean_of_the_configuration():
    given = crossed()
    found = progress_of(given)
    equal = reindexed(given, found, common_grid(found)[:3])
    made = tubes(equal, ["arch", "lr"])
    rows = [equal.points.of_run(f"b/0.2/{number}")[1] for number in range(3)]
    log_p = np.stack([np.asarray(equal.log_probs[row : row + 1])[0] for row in rows])
    mean = np.log(np.exp(log_p.astype(float)).mean(axis=0))
    runs = made.runs.runs
    for number, own in enumerate(log_p):
        # the mean is stored as float32 log-probabilities
        assert made.spread[runs.index(f"b/0.2/{number}"), 1] == pytest.approx(bhattacharyya(own, mean), abs=1e-7)
    k = made.labels.index("b / 0.2")
    assert made.widths[k, 1] == pytest.approx(made.spread[made.configuration == k, 1].mean())


def test_a_run_that_is_alone_has_no_tube():
    given = crossed(seeds=1)
    found = progress_of(given)
    assert np.isnan(tubes(reindexed(given, found, [0.2]), ["arch", "lr"]).spread).all()


def test_the_same_road_at_another_pace_is_told_apart_from_another_road():
    same = compare_runs(crossed(bend=0.0, pace_of_b=3.0), ["arch", "lr"], DIVERGENCE, permutations=99)
    ratio = same.paces[0]
    assert ratio.factor == "arch"
    assert ratio.alike_in == ("lr",)
    assert ratio.low <= ratio.ratio <= ratio.high < 0.5
    assert "pace along the same road" in ratio.sentence()
    other = compare_runs(crossed(bend=2.0), ["arch", "lr"], DIVERGENCE, permutations=99).paces[0]
    assert other.ratio > 0.8


def test_the_ratio_of_pace_is_that_of_mean_divergences(comparison):
    points = comparison.matrix.points
    apart = (points["arch"][:, None] != points["arch"]) & (points["lr"][:, None] == points["lr"])
    d, other = comparison.matrix, comparison.at_equal_steps
    found = pace(d, other, "arch", alike_in=["lr"])
    assert found.at_equal_progress == pytest.approx(d.values[apart].mean())
    assert found.ratio == pytest.approx(d.values[apart].mean() / other.values[apart].mean())
    assert found.low < found.ratio < found.high
    assert comparison.paces[0].at_equal_steps == found.at_equal_steps


def test_runs_that_share_a_clock_are_not_said_to_differ_in_pace():
    """The same noise, the same times: the ratio is one but for interpolation, and the sentence says so."""
    found = compare_runs(crossed(bend=0.0, checkpoints=12), ["arch", "lr"], DIVERGENCE, permutations=19)
    for pace_ in found.paces:
        assert pace_.low <= 1.05
        assert pace_.high >= 0.95
        assert "pace along the same road" not in pace_.sentence()


def test_the_interval_of_a_ratio_holds_the_truth_about_as_often_as_it_says():
    """Random matrices whose two means agree, two and three seeds in each of four groups."""
    rng = np.random.default_rng(0)
    for seeds, least in ((2, 0.9), (3, 0.9)):
        count, hits, trials = 4 * seeds, 0, 60
        meta = [{"arch": "ab"[g % 2], "lr": g // 2} for g in range(4) for _ in range(seeds)]
        points = infogeo.Points.of_runs([f"r{i}" for i in range(count)], [[0]] * count, meta)
        for trial in range(trials):
            own = rng.normal(size=(2, count, 3)) * 0.4
            centre = np.array([[g % 2, g // 2, 0] for g in range(4)]).repeat(seeds, axis=0)
            places = own + centre
            one, two = (infogeo.PairwiseMatrix.from_array(((x[:, None] - x) ** 2).sum(axis=-1), points) for x in places)
            found = pace(one, two, "arch", alike_in=["lr"], resamples=199, seed=trial)
            hits += found.low <= 1 <= found.high
        # 60 trials at 0.95 miss 0.9 by chance in 7 of 100 cases, and the draws are seeded
        assert hits / trials >= least


def test_the_interval_of_a_ratio_within_blocks_holds_the_truth_about_as_often_as_it_says():
    """The same with seeds that shift all of their runs far, and one run of each seed in each group."""
    rng = np.random.default_rng(1)
    for seeds, least in ((2, 0.9), (4, 0.9)):
        count, hits, trials = 4 * seeds, 0, 60
        meta = [{"arch": "ab"[g % 2], "lr": g // 2, "seed": s} for g in range(4) for s in range(seeds)]
        points = infogeo.Points.of_runs([f"r{i:02d}" for i in range(count)], [[0]] * count, meta)
        centre = np.array([[g % 2, g // 2, 0] for g in range(4)]).repeat(seeds, axis=0)
        for trial in range(trials):
            start = np.tile(5 * rng.normal(size=(seeds, 3)), (4, 1))
            bend = np.tile(0.4 * rng.normal(size=(seeds, 3)), (2, 1)).repeat(2, axis=0)  # how a seed takes to a level
            places = [rng.normal(size=(count, 3)) * 0.3 + centre + start + bend for _ in range(2)]
            one, two = (infogeo.PairwiseMatrix.from_array(((x[:, None] - x) ** 2).sum(axis=-1), points) for x in places)
            found = pace(one, two, "arch", alike_in=["lr"], block="seed", resamples=199, seed=trial)
            hits += found.low <= 1 <= found.high
        assert hits / trials >= least


def test_a_ratio_within_blocks_is_that_of_pairs_of_one_level():
    rng = np.random.default_rng(2)
    meta = [{"arch": a, "lr": lr, "seed": s} for a in "abc" for lr in (1, 2) for s in range(3)]
    points = infogeo.Points.of_runs([f"r{i:02d}" for i in range(18)], [[0]] * 18, meta)
    d, other = (np.abs(rng.normal(size=(18, 18))) for _ in range(2))
    d, other = d + d.T, other + other.T
    one, two = (infogeo.PairwiseMatrix.from_array(x * (1 - np.eye(18)), points) for x in (d, other))
    found = pace(one, two, "arch", alike_in=["lr"], block="seed")
    pairs = [
        (i, j)
        for i in range(18)
        for j in range(18)
        if meta[i]["arch"] != meta[j]["arch"] and all(meta[i][k] == meta[j][k] for k in ("lr", "seed"))
    ]
    expected = np.mean([d[p] for p in pairs]), np.mean([other[p] for p in pairs])
    assert (found.at_equal_progress, found.at_equal_steps) == pytest.approx(expected)
    assert found.ratio == pytest.approx(expected[0] / expected[1])
    assert found.low < found.ratio < found.high
    assert (found.alike_in, found.block) == (("lr", "seed"), "seed")
    assert np.isnan(found.within)  # no two runs of one seed differ in nothing
    assert found.sentence().startswith("Runs that differ in arch and agree in lr and seed are ")
    shuffled = rng.permutation(18)
    again = pace(one.take(shuffled), two.take(shuffled), "arch", alike_in=["lr"], block="seed")
    assert (again.ratio, again.low, again.high) == pytest.approx((found.ratio, found.low, found.high))


def test_a_factor_that_changes_nothing_under_shared_seeds_has_no_ratio():
    meta = [{"arch": a, "seed": s} for a in "ab" for s in range(3)]
    points = infogeo.Points.of_runs([f"r{i}" for i in range(6)], [[0]] * 6, meta)
    seed = points["seed"]
    matrix = infogeo.PairwiseMatrix.from_array(1.0 * (seed[:, None] != seed), points)
    found = pace(matrix, matrix, "arch", block="seed")
    assert np.isnan([found.ratio, found.low, found.high]).all()
    assert found.sentence() == (
        "Runs that differ in arch and agree in seed make the same predictions at equal steps, so there is no "
        "difference for pace to explain."
    )


def shared_seeds(seeds=3, effect=0.25, samples=25, classes=3, checkpoints=9):
    """Runs whose road is bent much by their seed and little by lr; all configurations share the seeds."""
    rng = np.random.default_rng(5)
    labels = rng.integers(0, classes, samples)
    t = np.linspace(0, 1, checkpoints)[:, None, None]
    shift, bends = (rng.normal(size=(samples, classes)) for _ in range(2)), rng.normal(size=(seeds, samples, classes))
    shift = dict(zip((0.1, 0.2), shift, strict=True))
    arrays, meta = {}, {}
    for arch in "ab":
        for lr in (0.1, 0.2):
            for seed in range(seeds):
                noise = 0.05 * rng.normal(size=(samples, classes))
                road = bends[seed] + effect * shift[lr] + noise
                arrays[f"{arch}/{lr}/{seed}"] = t * 6.0 * np.eye(classes)[labels] + np.sin(np.pi * t) * road
                meta[f"{arch}/{lr}/{seed}"] = {"arch": arch, "lr": lr, "seed": seed}
    return infogeo.Predictions.from_arrays(arrays, kind="logits", labels=labels, meta=meta)


@pytest.fixture(scope="module")
def with_seeds():
    return shared_seeds(seeds=4)


@pytest.fixture(scope="module")
def found_block(with_seeds):
    return compare_runs(with_seeds, ["arch", "lr"], DIVERGENCE, permutations=199)


def test_shared_seeds_are_a_block_and_a_small_effect_is_found(with_seeds, found_block):
    blind = compare_runs(with_seeds, ["arch", "lr"], DIVERGENCE, block=False, permutations=199)
    named = compare_runs(with_seeds, ["arch", "lr"], DIVERGENCE, block="seed", permutations=199)
    assert (found_block.block.column, found_block.block.n_levels, found_block.block.found) == ("seed", 4, True)
    assert found_block.block.r_squared > 0.5
    assert (named.block.found, blind.block) == (False, None)
    assert [t.p_value <= 0.05 for t in found_block.tests] == [False, True]
    assert [t.p_value <= 0.05 for t in blind.tests] == [False, False]
    assert [t.strata for t in found_block.tests] == [("lr", "seed"), ("arch", "seed")]
    assert named.tests == found_block.tests
    assert [p.alike_in for p in found_block.paces] == [("lr", "seed"), ("arch", "seed")]
    assert found_block.paces[0].at_equal_progress < 0.2 * blind.paces[0].at_equal_progress
    assert found_block.configurations.values.max() < 0.5 * blind.configurations.values.max()
    assert np.array_equal(found_block.matrix.values, blind.matrix.values)


def test_factors_that_are_tied_are_exchanged_in_whole_configurations(with_seeds):
    own = np.array([f"{run[0]}-own" for run in with_seeds.points["run"]])
    tied = replace(with_seeds, points=with_seeds.points.with_columns(tied=own))
    found = compare_runs(tied, ["arch", "tied"], DIVERGENCE, permutations=99)
    assert found.tests[0].strata == ("seed",)
    assert found.tests[0].whole == ("lr",)
    assert found.tests[0].smallest_p == 1 / 3
    assert any("not crossed, so arch is tested without regard to tied" in note for note in found.notes)


def test_a_slight_effect_is_not_said_to_separate():
    found = compare_runs(shared_seeds(effect=0.05, seeds=4), ["arch", "lr"], DIVERGENCE, permutations=199)
    lr = found.tests[1]
    assert (lr.p_value <= 0.05, lr.r_squared < 0.01) == (True, True)
    assert (
        f"of the spread, p = {lr.p_value:.2g}) shifts the trajectories by little, though by more than chance"
        in found.sentence()
    )


def test_a_run_that_is_missing_leaves_no_block_and_that_is_said(with_seeds):
    fewer = with_seeds.take(with_seeds.points["run"] != "a/0.1/2")
    found = compare_runs(fewer, ["arch", "lr"], DIVERGENCE, permutations=19)
    assert found.block is None
    assert any("seed is not taken as a block, because configuration 'a / 0.1' has 0 runs" in n for n in found.notes)
    with pytest.raises(infogeo.InputError, match="block: configuration 'a / 0.1' has 0 runs of seed 2 and 1 of seed 0"):
        compare_runs(fewer, ["arch", "lr"], DIVERGENCE, block="seed")
    changing = replace(with_seeds, points=with_seeds.points.with_columns(loss=np.arange(with_seeds.n_points)))
    with pytest.raises(infogeo.InputError, match="block: 'loss' changes along a run; name a column that is constant"):
        compare_runs(changing, ["arch", "lr"], DIVERGENCE, block="loss")


def test_without_other_seeds_there_is_no_interval():
    found = compare_runs(crossed(seeds=1), ["arch", "lr"], DIVERGENCE, permutations=19).paces[0]
    assert np.isnan([found.low, found.high]).all()
    assert found.sentence().endswith("; to learn how sure that ratio is, repeat the runs with other seeds.")


def test_too_few_runs_are_no_lack_of_evidence():
    given = crossed(seeds=1)
    few = given.take(np.isin(given.points["lr"], [0.1, 0.2]))
    found = compare_runs(few, ["arch"], DIVERGENCE, permutations=19)
    assert "there are too few runs to tell whether arch (p cannot be below" in found.sentence().lower()


def test_metadata_that_change_along_a_run_are_not_said_of_the_run():
    given = crossed(seeds=1)
    given = replace(given, points=given.points.with_columns(accuracy=given.scores()[0]))
    found = compare_runs(given, ["arch"], DIVERGENCE, permutations=19)
    assert found.matrix.points.metadata == ["arch", "lr"]
    assert found.shapes.runs.metadata == ["arch", "lr"]


def test_weights_make_the_mean_over_steps_one_over_progress():
    road = Geodesic.between(*log_softmax(np.random.default_rng(3).normal(size=(2, 30, 4))))
    arrays = {name: road.at(np.linspace(0, 1, 5) ** power) for name, power in (("a", 1), ("b", 2), ("c", 3))}
    given = infogeo.Predictions.from_arrays(arrays, kind="log-probabilities")
    weights = [0, 1, 0, 3, 0]
    found = trajectory_divergence(given, DIVERGENCE, weights=weights)
    one, three = (trajectory_divergence(given, DIVERGENCE, snapshot=t).values for t in (1, 3))
    assert np.allclose(found.values, (one + 3 * three) / 4, rtol=1e-12)
    for wrong in ([1, 2], [0] * 5, [-1, 1, 1, 1, 1]):
        with pytest.raises(infogeo.InputError, match="weights: expected 5 numbers"):
            trajectory_divergence(given, DIVERGENCE, weights=wrong)


def test_factors_that_are_not_crossed_are_tested_alone_and_that_is_said():
    given = crossed(seeds=2)
    own = np.array([f"{run[0]}-own" for run in given.points["run"]])
    tied = replace(given, points=given.points.with_columns(tied=own))
    found = compare_runs(tied, ["arch", "tied"], DIVERGENCE, permutations=99)
    assert found.tests[0].strata == ()
    assert any("not crossed, so arch is tested without regard to tied" in note for note in found.notes)


def test_runs_without_common_steps_are_compared_at_equal_progress_alone():
    given = crossed(seeds=2)
    shift = np.array([1000 * given.points.runs.index(run) for run in given.points["run"]])
    apart = replace(given, points=given.points.with_columns(step=given.points["step"] + shift))
    found = compare_runs(apart, ["arch"], DIVERGENCE, permutations=99)
    assert found.at_equal_steps is None
    assert found.paces == ()
    assert any("fewer than two steps" in note for note in found.notes)


def test_another_end_than_truth_is_said():
    given = crossed(seeds=1)
    road = geodesic(given, end=given.take([given.points.of_run("a/0.1/0")[-1]]))
    found = compare_runs(replace(given, labels=None), ["arch"], DIVERGENCE, along=road, permutations=19)
    assert found.notes[0] == "Progress is measured along a geodesic that was given, not towards truth."
    assert found.progress.values[given.points.of_run("a/0.1/0")[-1]] == pytest.approx(1, abs=1e-6)


def test_every_stage_reports_its_end():
    from contextlib import contextmanager

    ends = {}

    @contextmanager
    def stage(name):
        yield lambda done, total: ends.update({name: (done, total)})

    compare_runs(crossed(seeds=2), ["arch", "lr"], DIVERGENCE, permutations=19, stage=stage)
    assert set(ends) == {"progress", "lengths", "divergences", "tubes", "equal steps", "tests", "importance"}
    assert all(done == total for done, total in ends.values())


@pytest.mark.parametrize(
    ("factors", "change", "message"),
    [
        ([], lambda p: p, "group: name a column to compare by, of arch, lr"),
        (["depth"], lambda p: p, "group: there is no column 'depth'"),
        (["arch"], lambda p: p.take(p.points["arch"] == "a"), "group: 'arch' has one level, a"),
        (["arch"], lambda p: replace(p, labels=None), "labels: progress towards truth needs"),
        (["step"], lambda p: p, "group: 'step' changes along run 'a/0.1/0'"),
        (["run"], lambda p: p, "group: every run has a 'run' of its own"),
        (["lr"], lambda p: p.take(np.isin(p.points["run"], ["a/0.1/0", "a/0.2/0"])), "input: holds 2 runs"),
        (
            ["lr"],
            lambda p: p.take((p.points["run"] != "a/0.1/0") | (p.points["step"] == 0)),
            "'a/0.1/0' has one checkpoint",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused_in_one_line(factors, change, message):
    with pytest.raises(infogeo.InputError, match=message):
        compare_runs(change(crossed()), factors, DIVERGENCE)
