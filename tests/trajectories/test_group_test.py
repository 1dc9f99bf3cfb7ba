"""PERMANOVA: closed forms, a slow twin, honest p-values, and labels that stay within their strata."""

import json
import subprocess
import sys
from importlib import import_module
from math import log, sqrt

import numpy as np
import pytest
from scipy.stats import binom, f_oneway

import infogeo
from infogeo import PairwiseMatrix, Points
from infogeo.trajectories.group_test import permanova
from tests.reference import permanova as reference

EPS = np.finfo(float).eps
module = import_module("infogeo.trajectories.group_test")  # its package may give the function the same name


def runs(places, **columns):
    """Squared Euclidean distances of places [R] or [R, K], with metadata."""
    places = np.asarray(places, dtype=float).reshape(len(places), -1)
    d = np.sum((places[:, None] - places) ** 2, axis=2)
    points = Points.of_runs([f"run-{i:04d}" for i in range(len(d))], [[0]] * len(d)).with_columns(**columns)
    return PairwiseMatrix.from_array(d, points)


def within_monte_carlo(p, exact, permutations):
    """|p - exact| at most what a binomial share of `permutations` draws leaves with odds of a million to one.

    Hoeffding: P(|share - exact| > e) <= 2 exp(-2 m e^2); the +1 moves p by less than 1 / (1 + m).
    """
    return abs(p - exact) <= sqrt(log(2e6) / (2 * permutations)) + 1 / (1 + permutations)


def test_on_a_line_the_pseudo_f_is_that_of_the_analysis_of_variance():
    rng = np.random.default_rng(0)
    groups = np.repeat([0, 1, 2], [5, 9, 12])
    x = rng.normal(size=26) + 0.7 * groups
    test = permanova(runs(x, arch=groups), "arch", permutations=9)
    anova = f_oneway(*(x[groups == g] for g in range(3)))
    # Every square (x_i - x_j)^2, or x_i^2 in the twin, is off by at most 16 eps max x^2: `spread` eps in units of the
    # variance, SS_T / n. Sums of n of them, twice over, add (2 n + 10) eps in the same units. F is R^2 / (1 - R^2)
    # times a constant, so an error e of R^2 becomes e / R^2 / (1 - R^2) relative; two sides, so twice.
    spread = 16 * np.max(x**2) / np.var(x)
    budget = 2 * (2 * 26 + 10) * spread * EPS / (1 - test.r_squared) / test.r_squared
    assert abs(test.pseudo_f / anova.statistic - 1) <= budget
    assert budget < 1e-10
    between = test.pseudo_f * 2 / (test.pseudo_f * 2 + 26 - 3)
    assert abs(test.r_squared - between) <= budget


@pytest.mark.parametrize("n_groups", [2, 3, 7])
def test_the_statistic_is_that_of_two_loops_over_a_divergence_that_is_no_distance(n_groups):
    rng = np.random.default_rng(n_groups)
    d = rng.random((21, 21)) ** 4
    matrix = PairwiseMatrix.from_array(np.triu(d, 1) + np.triu(d, 1).T)
    groups = rng.permutation(np.arange(21) % n_groups)
    matrix = PairwiseMatrix.from_array(matrix.values, matrix.points.with_columns(arch=groups))
    test = permanova(matrix, "arch", permutations=9)
    total, within = reference.squares(matrix.to_numpy(), groups)
    # SS_T and SS_W carry (2 n + a + 2) eps / 2 each; their difference that times (SS_T + SS_W); the twin is exact.
    error = (2 * 21 + n_groups + 2) * EPS * (total + within) / 2
    assert abs(test.r_squared - (1 - within / total)) <= 2 * error / total
    expected = reference.pseudo_f(matrix.to_numpy(), groups)
    scale = (21 - n_groups) / (n_groups - 1) / within
    assert abs(test.pseudo_f - expected) <= 2 * scale * error + abs(expected) * 4 * error / within


def test_p_values_are_uniform_when_labels_mean_nothing():
    rng = np.random.default_rng(1)
    n_sets, permutations = 300, 99
    groups = np.arange(18) % 3
    p = np.array(
        [
            permanova(runs(rng.normal(size=(18, 2)), arch=groups), "arch", permutations=permutations, seed=s).p_value
            for s in range(n_sets)
        ]
    )
    # P(p <= j / 100) = j / 100 exactly, ties aside. Dvoretzky, Kiefer, Wolfowitz: the largest gap between the empirical
    # and the true distribution exceeds e with probability at most 2 exp(-2 n e^2); e for one in a million.
    bound = sqrt(log(2e6) / (2 * n_sets))
    grid = np.arange(1, permutations + 2) / (permutations + 1)
    share = (p[:, None] <= grid * (1 + 1e-12)).mean(axis=0)
    assert np.abs(share - grid).max() <= bound


def test_an_effect_gives_the_smallest_p():
    rng = np.random.default_rng(2)
    groups = np.repeat(["adam", "sgd"], 15)
    test = permanova(runs(rng.normal(size=(30, 3)) + 4.0 * (groups == "sgd")[:, None], opt=groups), "opt")
    # No relabelling of groups this far apart reaches F: the smallest p there is.
    assert test.p_value == test.smallest_p == 1 / 1000
    assert test.sentence().startswith("opt accounts for ")
    assert (
        "p = 0.001 (it cannot be smaller): by more than chance, its groups lie apart or are spread" in test.sentence()
    )


@pytest.mark.parametrize("strata", [(), ("size",)])
def test_a_small_case_has_the_p_value_of_all_its_permutations(strata):
    rng = np.random.default_rng(4)
    groups, size = np.array([0, 0, 0, 0, 1, 1, 1, 2]), np.array([0, 0, 0, 1, 0, 1, 1, 1])
    matrix = runs(rng.integers(0, 12, size=8) + 3 * groups, arch=groups, size=size)
    exact = reference.exact_p(matrix.to_numpy(), groups, size if strata else np.zeros(8))
    assert exact > 0.01
    p = permanova(matrix, "arch", strata=strata, permutations=4000).p_value
    assert within_monte_carlo(p, exact, 4000)


@pytest.mark.parametrize(
    ("groups", "size"),
    [
        ([0, 0, 0, 1, 1, 1], [0] * 6),  # 20 labellings, in pairs that only rename the two groups
        ([0, 0, 1, 1, 2, 2], [0, 1, 0, 1, 0, 1]),
        ([0, 0, 0, 1, 1, 2], [0, 0, 1, 0, 1, 1]),
        ([0, 0, 1, 1, 1, 2, 2], [0, 0, 0, 0, 1, 0, 1]),
    ],
)
def test_the_smallest_p_counts_the_ways_to_group_the_runs(groups, size):
    matrix = runs(np.arange(len(groups)) ** 2, arch=groups, size=size)
    every = reference.groupings(groups, size)
    test = permanova(matrix, "arch", strata="size", permutations=500)
    assert test.smallest_p == 1 / len(every)
    assert test.p_value >= test.smallest_p
    assert permanova(matrix, "arch", strata="size", permutations=2).smallest_p == 1 / min(3, len(every))


def test_few_runs_are_told_that_p_cannot_be_small():
    sentence = permanova(runs([0, 1, 2, 10, 11, 12], arch=[0, 0, 0, 1, 1, 1]), "arch").sentence()
    assert sentence.endswith("so few exchanges are possible that p cannot be below 0.1: add runs.")


def test_relabellings_that_equal_the_data_count_in_spite_of_rounding():
    # Four places on a line, and each group holds one run at every place: SS_between is 0, so F is the smallest that any
    # relabelling has. Those that are as small sum the same divergences in another order.
    places = np.random.default_rng(9).random(4)
    matrix = runs(np.tile(places, 4), arch=np.repeat([0, 1, 2, 3], 4))
    assert permanova(matrix, "arch", permutations=9999).p_value == 1


def test_a_factor_that_follows_another_is_not_significant_within_its_strata():
    rng = np.random.default_rng(5)
    arch = np.repeat(["conv", "mlp"], 20)
    opt = np.where(rng.random(40) < np.where(arch == "mlp", 0.9, 0.1), "adam", "sgd")
    matrix = runs(rng.normal(size=(40, 2)) + 5.0 * (arch == "mlp")[:, None], arch=arch, opt=opt)
    free, restricted = permanova(matrix, "opt"), permanova(matrix, "opt", strata="arch")
    assert free.p_value == free.smallest_p
    assert restricted.p_value > 0.05
    assert (restricted.pseudo_f, restricted.strata) == (free.pseudo_f, ("arch",))
    assert "among runs that agree in arch" in restricted.sentence()
    assert "no evidence" in restricted.sentence()


def test_labels_are_exchanged_within_strata_only():
    rng = np.random.default_rng(6)
    stratum, groups = np.sort(rng.integers(0, 5, 40)), rng.integers(0, 3, 40)
    blocks = list(module._relabellings(groups, stratum, 25, 10, seed=0))
    assert [len(b) for b in blocks] == [10, 10, 5]
    for labels in np.concatenate(blocks):
        for s in range(5):
            assert sorted(labels[stratum == s]) == sorted(groups[stratum == s])
    assert len(np.unique(np.concatenate(blocks), axis=0)) == 25


def test_neither_the_order_of_runs_nor_the_size_of_batches_changes_the_test(monkeypatch):
    rng = np.random.default_rng(7)
    columns = {"arch": rng.integers(0, 3, 30), "opt": rng.permutation(np.arange(30) % 2)}
    matrix = runs(rng.normal(size=(30, 2)) + 0.5 * columns["arch"][:, None], **columns)
    first = permanova(matrix, "arch", strata=["opt"])
    second = permanova(matrix.take(rng.permutation(30)), "arch", strata=["opt"])
    assert 0.001 < first.p_value < 0.5
    assert second == first
    monkeypatch.setattr(module, "BATCH_BYTES", 17 * 30 * 3 * 7)
    assert permanova(matrix, "arch", strata=["opt"]).p_value == first.p_value


def test_groups_without_spread_have_an_infinite_f_and_a_sound_p():
    test = permanova(runs([0, 0, 0, 0, 1, 1, 1, 1], arch=[0, 0, 0, 0, 1, 1, 1, 1]), "arch", permutations=999)
    assert test.pseudo_f == float("inf")
    assert test.r_squared == 1
    assert within_monte_carlo(test.p_value, 1 / 35, 999)  # 8! / 4!^2 = 70 labellings in 35 pairs
    assert test.p_value >= test.smallest_p == 1 / 35


@pytest.mark.parametrize(
    ("columns", "arguments", "message"),
    [
        ({"arch": [0, 0, 1, 1]}, {"factor": "opt"}, "factor: there is no column 'opt'; there are run, step, arch"),
        ({"arch": [0, 0, 1, 1]}, {"factor": "arch", "strata": "opt"}, "strata: there is no column 'opt'"),
        ({"arch": ["mlp"] * 4}, {"factor": "arch"}, "factor: 'arch' has one level, mlp"),
        ({"arch": [0, 1, 2, 3]}, {"factor": "arch"}, "factor: every run has a 'arch' of its own"),
        (
            {"arch": [0, 0, 1, 1], "size": [3, 3, 4, 4]},
            {"factor": "arch", "strata": ["size"]},
            "strata: no exchange among runs that agree in size changes which runs share a 'arch'; leave a column out",
        ),
        ({"arch": [0, 1, 2, 2], "size": [3, 3, 4, 4]}, {"factor": "arch", "strata": "size"}, "strata: no exchange"),
        ({"arch": ["a", "", "b", "b"]}, {"factor": "arch"}, "factor: run 'run-0001' has no value in column 'arch'"),
        ({"arch": [0, 0, 1, 1]}, {"factor": "arch", "permutations": 0}, "permutations: 0; give at least 1"),
    ],
)
def test_a_test_that_means_nothing_is_refused_with_its_cure(columns, arguments, message):
    with pytest.raises(infogeo.InputError, match=message):
        permanova(runs(range(4), **columns), **arguments)


def test_matrices_that_are_not_of_runs_are_refused():
    matrix = runs(range(4), arch=[0, 0, 1, 1])
    with pytest.raises(infogeo.InputError, match=r"matrix: is a rectangle \(2, 3\)"):
        permanova(matrix.take([0, 1], [1, 2, 3]), "arch")
    with pytest.raises(infogeo.InputError, match="matrix: run 'run-0002' has 2 points; give one row per run"):
        permanova(matrix.take([0, 1, 2, 2]), "arch")
    with pytest.raises(infogeo.InputError, match="matrix: all divergences are zero"):
        permanova(runs([1, 1, 1, 1], arch=[0, 0, 1, 1]), "arch")


def blocked(n_levels=3, others=("x", "y"), n_blocks=4):
    """Columns of one run per level of opt, value of size, and seed."""
    rows = [(o, size, seed) for o in range(n_levels) for size in others for seed in range(n_blocks)]
    return dict(zip(("opt", "size", "seed"), map(list, zip(*rows, strict=True)), strict=True))


def noisy(rng, columns, *, effect=0.0, own=0.0):
    """Places of runs: large shifts by seed, and by size within a seed; `effect` per level; `own` per configuration."""
    seed, size = np.array(columns["seed"]), np.unique(columns["size"], return_inverse=True)[1]
    opt = np.array(columns["opt"])
    start = 10 * rng.normal(size=(seed.max() + 1, size.max() + 1, 2))
    configuration = own * rng.normal(size=(opt.max() + 1, size.max() + 1, 2))
    return (
        start[seed, size * (not own)]
        + configuration[opt, size]
        + effect * opt[:, None]
        + rng.normal(size=(len(seed), 2))
    )


def test_with_a_block_the_pseudo_f_is_that_of_the_analysis_of_variance_of_two_factors():
    rng = np.random.default_rng(20)
    columns = blocked(n_levels=3, others=("x", "y", "z"), n_blocks=4)
    x = rng.normal(size=36) + np.array(columns["opt"]) + 3 * np.array(columns["seed"])
    test = permanova(runs(x, **columns), "opt", strata="size", block="seed", permutations=9)
    design = np.stack(
        [
            np.ones(36),
            *(np.equal(columns["opt"], k) for k in (1, 2)),
            *(np.equal(columns["seed"], k) for k in (1, 2, 3)),
        ],
        axis=1,
    ).astype(float)
    left = x - design @ np.linalg.lstsq(design, x)[0]
    means = np.array([x[np.equal(columns["opt"], k)].mean() for k in range(3)])
    expected = (12 * np.sum((means - x.mean()) ** 2) / 2) / (left @ left / (36 - 3 - 4 + 1))
    assert test.pseudo_f == pytest.approx(expected, rel=1e-10)
    assert test.pseudo_f > 1.5 * permanova(runs(x, **columns), "opt", strata="size", permutations=9).pseudo_f
    assert (test.strata, test.block, test.whole) == (("size", "seed"), "seed", ())
    share = module.spread_share(runs(x, **columns), "seed")
    by_level = np.array([x[np.equal(columns["seed"], k)].mean() for k in range(4)])
    assert share == pytest.approx(9 * np.sum((by_level - x.mean()) ** 2) / np.sum((x - x.mean()) ** 2), rel=1e-12)


def test_the_blocked_statistic_is_that_of_loops_over_a_divergence_that_is_no_distance():
    rng = np.random.default_rng(21)
    columns = blocked()
    d = rng.random((24, 24)) ** 4
    matrix = PairwiseMatrix.from_array(np.triu(d, 1) + np.triu(d, 1).T, runs(range(24), **columns).points)
    test = permanova(matrix, "opt", strata="size", block="seed", permutations=9)
    expected = reference.blocked_pseudo_f(matrix.to_numpy(), columns["opt"], columns["seed"])
    assert test.pseudo_f == pytest.approx(expected, rel=1e-11)


def test_a_small_blocked_case_has_the_p_value_of_all_its_permutations():
    rng = np.random.default_rng(22)
    columns = blocked(n_levels=2, others=("x", "y"), n_blocks=3)
    places = rng.integers(0, 9, 12) + 7 * np.array(columns["seed"]) + 2 * np.array(columns["opt"])
    matrix = runs(places, **columns)
    cells = [*zip(columns["size"], columns["seed"], strict=True)]
    exact = reference.exact_p(matrix.to_numpy(), columns["opt"], cells)
    test = permanova(matrix, "opt", strata="size", block="seed", permutations=4000)
    assert 0.01 < exact < 0.9
    assert within_monte_carlo(test.p_value, exact, 4000)
    assert test.smallest_p == 1 / len(reference.groupings(columns["opt"], cells)) == 1 / 2**5


def test_a_small_case_of_whole_configurations_has_the_p_value_of_all_its_permutations():
    """Without size as a stratum its values tell configurations apart, each of which returns with every seed."""
    rng = np.random.default_rng(23)
    columns = blocked(n_levels=2, others=("x", "y", "z"), n_blocks=2)
    places = rng.integers(0, 9, 12) + 7 * np.array(columns["seed"]) + 3 * np.array(columns["opt"])
    matrix = runs(places, **columns)
    units = [*zip(columns["opt"], columns["size"], strict=True)]
    exact = reference.exact_whole_p(matrix.to_numpy(), columns["opt"], units, [0] * 12)
    test = permanova(matrix, "opt", block="seed", permutations=4000)
    assert test.whole == ("size",)
    among = "among whole configurations, which also differ in size and return in every level of seed, p = "
    assert among in test.sentence()
    assert test.sentence().endswith("p cannot be below 0.1: add runs, or compare by size as well.")
    assert 0.01 < exact < 0.9
    assert within_monte_carlo(test.p_value, exact, 4000)
    assert test.smallest_p == 1 / len(reference.whole_groupings(columns["opt"], units, [0] * 12)) == 1 / 10


LEVEL_SETS = 300


def rejections(make, **arguments):
    """How often p <= 0.05 in `LEVEL_SETS` sets, and the largest gap of its distribution to the uniform one."""
    rng = np.random.default_rng(24)
    p = np.array([permanova(make(rng), "opt", permutations=99, seed=s, **arguments).p_value for s in range(LEVEL_SETS)])
    grid = np.arange(1, 101) / 100
    share = (p[:, None] <= grid * (1 + 1e-12)).mean(axis=0)
    return int((p <= 0.05 * (1 + 1e-12)).sum()), np.abs(share - grid).max()


# P(p <= 0.05) = 5 / 100, ties aside (there are 10^5 groupings and more, so at most 1 in 1000 of the sets has one): a
# binomial number of sets, within these bounds but for one case in a million. The gap as in the test without blocks.
FEWEST, MOST = binom.ppf([5e-7, 1 - 5e-7], LEVEL_SETS, 0.05)
GAP = sqrt(log(2e6) / (2 * LEVEL_SETS))


def test_p_values_are_uniform_under_strong_blocks_when_the_factor_does_nothing():
    columns = blocked()
    found, gap = rejections(lambda rng: runs(noisy(rng, columns), **columns), strata="size", block="seed")
    assert FEWEST <= found <= MOST
    assert gap <= GAP
    ignored, _ = rejections(lambda rng: runs(noisy(rng, columns), **columns), strata="size")
    assert ignored == 0  # what the blocks spread hides everything: that test is not exact but blind


def test_p_values_are_uniform_where_configurations_return_in_every_block():
    """Five configurations of each label, with a place of their own beside that of the seed."""
    columns = blocked(others=range(5), n_blocks=2)
    found, gap = rejections(lambda rng: runs(noisy(rng, columns, own=1.0), **columns), block="seed")
    assert FEWEST <= found <= MOST
    assert gap <= GAP
    hidden = {name: values for name, values in columns.items() if name != "size"}
    wrong, _ = rejections(lambda rng: runs(noisy(rng, columns, own=1.0), **hidden), block="seed")
    assert wrong > MOST  # exchanged run by run, the places of configurations look like an effect of any label


def test_a_small_effect_is_found_under_strong_blocks_and_not_without_them():
    columns, rng = blocked(), np.random.default_rng(25)
    sets = [runs(noisy(rng, columns, effect=0.8), **columns) for _ in range(40)]
    with_block = [permanova(m, "opt", strata="size", block="seed", permutations=199).p_value for m in sets]
    without = [permanova(m, "opt", strata="size", permutations=199).p_value for m in sets]
    assert np.mean(np.array(with_block) <= 0.05) >= 0.9
    assert np.mean(np.array(without) <= 0.05) == 0


def test_the_order_of_runs_does_not_change_a_blocked_test():
    rng = np.random.default_rng(26)
    columns = blocked()
    matrix = runs(noisy(rng, columns, effect=0.4), **columns)
    for strata in ("size", ()):
        first = permanova(matrix, "opt", strata=strata, block="seed")
        assert first.whole == (() if strata else ("size",))
        assert permanova(matrix.take(rng.permutation(24)), "opt", strata=strata, block="seed") == first


def test_columns_that_do_not_return_in_every_block_tell_no_configurations_apart():
    """A machine drawn at random and a start that follows the seed leave each level to itself."""
    rng = np.random.default_rng(27)
    columns = blocked()
    extra = {"host": rng.integers(0, 3, 24), "start": [f"s{s}" for s in columns["seed"]], "loss": rng.random(24)}
    test = permanova(runs(noisy(rng, columns), **columns, **extra), "opt", strata="size", block="seed")
    assert not test.whole


def test_a_factor_that_changes_nothing_has_a_p_of_one_and_a_sum_of_two_an_infinite_f():
    columns = blocked()
    seed, opt = np.array(columns["seed"]), np.array(columns["opt"])
    same = permanova(runs(seed**2, **columns), "opt", strata="size", block="seed")
    assert same.p_value == 1
    exact = permanova(runs(np.stack([seed**2, opt], axis=1) / 3, **columns), "opt", strata="size", block="seed")
    assert exact.pseudo_f == float("inf")
    assert exact.p_value == exact.smallest_p


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": [0] * 24}, "block: 'seed' has one level, 0; name a column with two or more, or block=False, in the"),
        (
            {"seed": range(24)},
            "block: configuration 'x / 0' has 0 runs of seed 4 and 1 of seed 0; a block takes as many",
        ),
        ({"seed": [0, 0, 1, 2] * 6}, "block: configuration 'x / 0' has 1 run of seed 1 and 2 of seed 0"),
        ({"seed": [np.nan, *range(23)]}, "block: run 'run-0000' has no value in column 'seed'"),
    ],
)
def test_a_column_that_is_not_crossed_is_no_block(change, message):
    matrix = runs(range(24), **{**blocked(), **change})
    with pytest.raises(infogeo.InputError, match=message):
        permanova(matrix, "opt", strata="size", block="seed")


def test_a_factor_is_no_block():
    matrix = runs(range(24), **blocked())
    with pytest.raises(infogeo.InputError, match="block: 'size' is a factor as well; it can be only one of the two"):
        permanova(matrix, "opt", strata="size", block="size")
    with pytest.raises(
        infogeo.InputError, match="block: there is no column 'start'; there are run, step, opt, size, seed"
    ):
        permanova(matrix, "opt", strata="size", block="start")


SCIKIT_BIO = """
import json, sys
import numpy as np
from skbio.stats import distance

roots, groups = json.load(sys.stdin)
found = distance.permanova(distance.DistanceMatrix(np.array(roots)), groups, permutations=4999, seed=0)
print(json.dumps([found["test statistic"], found["p-value"]]))
"""


def test_scikit_bio_agrees():
    """In a process of its own: importing scikit-bio switches JAX to 64 bits."""
    rng = np.random.default_rng(8)
    groups = np.repeat([0, 1, 2], [7, 11, 8])
    matrix = runs(rng.normal(size=(26, 3)) + 0.2 * groups[:, None], arch=groups)
    ours = permanova(matrix, "arch", permutations=4999)
    given = json.dumps([np.sqrt(matrix.to_numpy()).tolist(), [f"g{g}" for g in groups]])
    command = [sys.executable, "-c", SCIKIT_BIO]
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=True)
    statistic, p_value = json.loads(done.stdout)
    # Both sum 26^2 terms in float64; a root squared again is off by 2 eps. 4 (2 n + a + 4) eps, over 1 - R^2 and R^2.
    budget = 4 * (2 * 26 + 7) * EPS / (1 - ours.r_squared) / ours.r_squared
    assert abs(statistic / ours.pseudo_f - 1) <= budget
    # Two independent shares of 4999 draws each, see within_monte_carlo.
    assert abs(p_value - ours.p_value) <= 2 * sqrt(log(2e6) / (2 * 4999))
    assert 0.005 < ours.p_value < 0.5
