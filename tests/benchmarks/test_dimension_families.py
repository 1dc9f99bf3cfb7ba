"""The families of the benchmark have the dimensions that it takes for true."""

import numpy as np
import pytest

from benchmarks.dimension.coverage import QUICK, Cell, binomial_error, is_good
from benchmarks.dimension.estimators import covers
from benchmarks.dimension.families import FAMILIES, FLOWS, PART, cloud, flow_parameters, softmax, trajectories
from benchmarks.dimension.ranges import recommended, span
from infogeo.dimension import DimensionEstimate

STEP = 1e-5


def roots(model, z):
    """sqrt(p) [P, N C] at parameters [P, d]."""
    return np.exp(model.log_probs(z) / 2).reshape(len(z), -1)


def jacobian(model, z):
    """d sqrt(p) / dz [N C, d] at one z [d], by central differences."""
    steps = STEP * np.eye(len(z))
    return (roots(model, z + steps) - roots(model, z - steps)).T / (2 * STEP)


def relative_singular_values(matrix):
    found = np.linalg.svd(matrix, compute_uv=False)
    return found / found[0]


@pytest.mark.parametrize("n_samples", [20, 100])
@pytest.mark.parametrize("d", [1, 3, 7])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_fisher_information_has_full_rank_at_random_points(family, d, n_samples):
    rng = np.random.default_rng([d, n_samples])
    model = FAMILIES[family](rng, d, n_samples)
    z = model.sample(rng, 5)
    assert z.shape == (5, d)
    for point in z:
        values = relative_singular_values(jacobian(model, point))
        assert len(values) == d
        assert values[-1] > 0.02  # far above the error of the differences, of 1e-9


@pytest.mark.parametrize("family", FAMILIES)
def test_predictions_are_distributions_that_are_not_certain(family):
    rng = np.random.default_rng(0)
    given = cloud(family, rng, 5, 50, 30)
    assert given.n_points == 50
    assert given.n_samples == 30
    assert len(given.points.runs) == 50
    p = np.exp(np.asarray(given.log_probs, dtype=np.float64))
    assert np.allclose(p.sum(axis=2), 1, atol=1e-6)
    assert np.median(p.max(axis=2)) < 0.9
    assert p.std(axis=0).mean() > 0.02  # and they differ


@pytest.mark.parametrize("d", [1, 3, 7])
@pytest.mark.parametrize("flow", FLOWS)
def test_runs_have_d_dimensions_at_equal_progress_and_one_more_in_all(flow, d):
    rng = np.random.default_rng(d)
    z, progress = flow_parameters(flow, rng, d, 300, 10)
    assert z.shape == (300, 10, d + 1)
    assert (np.diff(progress, axis=1) > 0).all()
    assert 0 < progress.min() < progress.max() < PART
    at_half = np.array([[np.interp(0.5, s, x) for x in path.T] for s, path in zip(progress, z, strict=True)])
    spread = np.linalg.svd(at_half - at_half.mean(axis=0), compute_uv=False)
    assert spread[d] < 1e-9 * spread[0]  # they are at one place along e_0 ...
    assert spread[d - 1] > 0.5 * spread[0]  # ... and fill d other dimensions
    every = z.reshape(-1, d + 1)
    spread = np.linalg.svd(every - every.mean(axis=0), compute_uv=False)
    assert spread[d] > 0.5 * spread[0]
    model = softmax(rng, d + 1, 30)
    assert relative_singular_values(jacobian(model, every[0]))[-1] > 0.02


def test_a_run_is_the_natural_gradient_flow_towards_its_target():
    """Of KL(p_z || p_z*): -F^-1 dKL/dz = z* - z, and the straight line is its solution."""
    rng = np.random.default_rng(0)
    model = softmax(rng, 3, 10)
    z, target = model.sample(rng, 2)

    def divergence(z):
        log_p, log_q = model.log_probs(z), model.log_probs(target[None])
        return (np.exp(log_p) * (log_p - log_q)).sum(axis=(1, 2))

    steps = STEP * np.eye(3)
    gradient = (divergence(z + steps) - divergence(z - steps)) / (2 * STEP)
    fisher = 4 * jacobian(model, z).T @ jacobian(model, z)
    assert np.allclose(-np.linalg.solve(fisher, gradient), target - z, rtol=1e-6, atol=1e-8)
    (one, *_), (s, *_) = flow_parameters("own targets", rng, 2, 1, 6)
    t = -np.log1p(-s)
    ends = one[0] + (one[-1] - one[0]) * ((1 - np.exp(-(t - t[0]))) / (1 - np.exp(-(t[-1] - t[0]))))[:, None]
    assert np.allclose(one, ends, rtol=0, atol=1e-12)


def test_trajectories_carry_runs_and_progress():
    given = trajectories("parallel", np.random.default_rng(0), 2, 4, 6, 20)
    assert len(given.points.runs) == 4
    assert given.points["progress"].shape == (24,)
    for run in given.points.runs:
        assert (np.diff(given.points["progress"][given.points.of_run(run)]) > 0).all()


def test_coverage_counts_the_interval_and_ranges_want_every_family():
    estimate = DimensionEstimate("any", 2.0, 0.1, 1.0, 100, degrees=99)
    assert covers(estimate, 2.1)
    assert not covers(estimate, 2.5)
    row = {"answers": 50, "repetitions": 50, "coverage": 0.92, "coverage error": binomial_error(46, 50)}
    assert is_good(row)
    assert not is_good(row | {"coverage": 0.6, "coverage error": binomial_error(30, 50)})
    assert not is_good(row | {"answers": 20})
    assert binomial_error(50, 50) > 0
    good = [{"truth": d, "good": ok} for d, ok in ((1, False), (2, True), (3, True), (3, True), (4, True), (4, False))]
    assert span(good, lambda row: row["good"]) == (2, 3)
    assert span(good[:1], lambda row: row["good"]) == (0, 0)
    base = {"family": "softmax", "size": 200, "samples": 100, "estimator": "TwoNN", "bias": 0.0, **row}
    (found,) = recommended([base | {"truth": 1}, base | {"truth": 2, "coverage": 0.1}])
    assert found["covers"] == (1, 1)
    assert found["bias within 10 %"] == (1, 2)


def test_a_sweep_names_each_cell_once():
    cells = [cell for cell, _ in QUICK.cells()]
    assert len(cells) == len(set(cells))
    assert Cell("softmax", 1, 200, 20) in cells
