"""Runs that agree in their factors become one configuration; its seeds are averaged."""

import numpy as np
import pytest

import infogeo
from infogeo import PairwiseMatrix, Points
from infogeo.trajectories.configuration import configuration_matrix, configurations

ARCH = ["mlp", "conv", "mlp", "conv", "mlp", "vit"]
RATE = [0.1, 0.1, 0.1, 0.1, 0.01, 0.1]


@pytest.fixture(scope="module")
def matrix():
    rng = np.random.default_rng(3)
    places = rng.normal(size=(6, 4))
    d = np.sum((places[:, None] - places) ** 2, axis=2)
    metadata = [{"arch": a, "rate": r, "seed": i} for i, (a, r) in enumerate(zip(ARCH, RATE, strict=True))]
    points = Points.of_runs([f"net-{i}" for i in range(6)], [[0]] * 6, metadata)
    return PairwiseMatrix.from_array(d, points)


def test_configurations_are_the_distinct_combinations_sorted_factor_by_factor(matrix):
    found = configurations(matrix.points, ["arch", "rate"])
    assert found.labels == ["conv / 0.1", "mlp / 0.01", "mlp / 0.1", "vit / 0.1"]
    assert found.codes.tolist() == [2, 0, 2, 0, 1, 3]
    assert found.columns["rate"].tolist() == [0.1, 0.01, 0.1, 0.1]
    assert configurations(matrix.points, "arch").labels == ["conv", "mlp", "vit"]


def test_divergences_between_configurations_are_means_over_pairs_of_runs(matrix):
    means = configuration_matrix(matrix, ["arch", "rate"])
    d = matrix.to_numpy()
    members = [[1, 3], [4], [0, 2], [5]]
    expected = [[0.0 if k is m else np.mean([d[i, j] for i in k for j in m]) for m in members] for k in members]
    # Sums of at most 2 x 2 terms, none negative, in another order: 2 x 3 roundings, doubled for the other side.
    np.testing.assert_allclose(means.to_numpy(), expected, rtol=12 * np.finfo(float).eps, atol=0)
    assert np.array_equal(means.values, means.values.T)
    assert not np.diag(means.values).any()
    assert means.points["run"].tolist() == ["conv / 0.1", "mlp / 0.01", "mlp / 0.1", "vit / 0.1"]
    assert means.points["n_runs"].tolist() == [2, 1, 2, 1]
    within = [d[1, 3], np.nan, d[0, 2], np.nan]
    np.testing.assert_allclose(means.points["within"], within, rtol=12 * np.finfo(float).eps)
    assert means.points["arch"].tolist() == ["conv", "mlp", "mlp", "vit"]
    assert (means.divergence, means.n_samples) == (matrix.divergence, matrix.n_samples)


def test_the_matrix_of_configurations_forgets_the_order_of_runs(matrix):
    order = np.random.default_rng(0).permutation(6)
    first, second = (configuration_matrix(m, ["arch", "rate"]) for m in (matrix, matrix.take(order)))
    np.testing.assert_allclose(second.values, first.values, rtol=12 * np.finfo(float).eps, atol=0)
    assert second.points["run"].tolist() == first.points["run"].tolist()


def test_with_a_block_the_means_are_over_pairs_of_one_level():
    rng = np.random.default_rng(5)
    rows = [{"arch": a, "rate": r, "seed": s} for a in "ab" for r in (0.1, 0.2) for s in (0, 1, 2)]
    places = rng.normal(size=(12, 3)) + 5 * rng.normal(size=(3, 3))[[row["seed"] for row in rows]]
    points = Points.of_runs([f"net-{i:02d}" for i in range(12)], [[0]] * 12, rows)
    matrix = PairwiseMatrix.from_array(np.sum((places[:, None] - places) ** 2, axis=2), points)
    d, seed = matrix.to_numpy(), points["seed"]
    means = configuration_matrix(matrix, ["arch", "rate"], block="seed")
    members = [range(3 * k, 3 * k + 3) for k in range(4)]
    # sums of 3 terms beside 9 zeros, none negative, in another order
    budget = 20 * np.finfo(float).eps
    expected = [[np.mean([d[i, j] for i in k for j in m if seed[i] == seed[j]]) for m in members] for k in members]
    np.testing.assert_allclose(means.to_numpy(), expected, rtol=budget, atol=0)
    assert np.isnan(means.points["within"]).all()  # no two runs of one seed
    by_arch = configuration_matrix(matrix, ["arch"], block="seed")
    pairs = [d[i, j] for i in range(6) for j in range(i) if seed[i] == seed[j]]
    assert by_arch.points["within"][0] == pytest.approx(np.mean(pairs), rel=budget)
    with pytest.raises(infogeo.InputError, match="block: 'rate' is a factor as well"):
        configuration_matrix(matrix, ["arch", "rate"], block="rate")


@pytest.mark.parametrize(
    ("given", "factors", "message"),
    [
        (lambda m: m, ["optimiser"], "factors: there is no column 'optimiser'; there are run, step, arch, rate, seed"),
        (lambda m: m, [], "factors: none given"),
        (lambda m: m.select(arch="conv"), ["arch", "rate"], "factors: all runs agree in arch, rate"),
        (lambda m: m.take([0, 1], [2, 3]), ["arch"], r"matrix: is a rectangle \(2, 2\)"),
        (lambda m: m.take([0, 1, 1]), ["arch"], "matrix: run 'net-1' has 2 points; give one row per run"),
    ],
)
def test_what_is_no_matrix_of_configurations_is_refused(matrix, given, factors, message):
    with pytest.raises(infogeo.InputError, match=message):
        configuration_matrix(given(matrix), factors)


@pytest.mark.parametrize("values", [["a", "", "b"], [1.0, np.nan, 2.0]])
def test_a_run_without_a_value_is_named(values):
    points = Points.of_runs(["x", "y", "z"], [[0]] * 3).with_columns(decay=values)
    with pytest.raises(infogeo.InputError, match="factors: run 'y' has no value in column 'decay'"):
        configurations(points, ["decay"])
