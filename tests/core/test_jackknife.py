"""The jackknife against closed forms: means, squares of means, groups of unequal size."""

import numpy as np
import pytest

from infogeo.core.jackknife import jackknife, t_factor

EPS = np.finfo(float).eps


def groups_of(values, sizes):
    return np.split(values, np.cumsum(sizes)[:-1])


def left_out(statistic, values, sizes):
    edges = np.cumsum([0, *sizes])
    return [statistic(np.delete(values, np.arange(edges[r], edges[r + 1]))) for r in range(len(sizes))]


def test_the_error_of_a_mean_is_that_of_the_means_of_equal_groups():
    values, sizes = np.random.default_rng(0).normal(size=120), [15] * 8
    found = jackknife(values.mean(), left_out(np.mean, values, sizes), sizes)
    means = [group.mean() for group in groups_of(values, sizes)]
    assert found.standard_error == pytest.approx(np.std(means, ddof=1) / np.sqrt(8), rel=1e3 * EPS)
    assert found.corrected == pytest.approx(values.mean(), rel=1e3 * EPS)


def test_the_bias_of_a_squared_mean_is_taken_out():
    """E[mean^2] = mu^2 + s^2 / N, and the correction takes s^2 / N out: exactly so if R groups are single samples."""
    values = np.random.default_rng(1).normal(1, 2, size=50)
    sizes = [1] * 50
    found = jackknife(values.mean() ** 2, left_out(lambda x: np.mean(x) ** 2, values, sizes), sizes)
    unbiased = values.mean() ** 2 - np.var(values, ddof=1) / 50
    assert found.corrected == pytest.approx(unbiased, rel=1e4 * EPS)


def test_groups_of_unequal_size_give_an_unbiased_variance_of_a_mean():
    """Var(mean) = 1 / N for unit variance; the mean of T estimates, each of relative spread sqrt(2 / (R - 1))."""
    rng, sizes, times = np.random.default_rng(2), [5, 10, 10, 20, 15], 4000
    n = sum(sizes)
    squares = []
    for _ in range(times):
        values = rng.normal(size=n)
        squares.append(jackknife(values.mean(), left_out(np.mean, values, sizes), sizes).standard_error ** 2)
    spread = np.sqrt(2 / (len(sizes) - 1)) / np.sqrt(times)
    assert np.mean(squares) * n == pytest.approx(1, abs=6 * spread)  # unequal groups spread a little more


def test_arrays_are_jackknifed_entry_by_entry():
    rng, sizes = np.random.default_rng(3), [3, 4, 5]
    x, without = rng.normal(size=(2, 3)), rng.normal(size=(3, 2, 3))
    whole = jackknife(x, without, sizes)
    one = jackknife(x[1, 2], without[:, 1, 2], sizes)
    assert whole.standard_error[1, 2] == one.standard_error
    assert whole.corrected[1, 2] == one.corrected


def test_student_t_has_the_tabulated_factors():
    """Two-sided 95 %: 2.131 at 15 degrees of freedom, 12.706 at one (any table of Student's t)."""
    assert t_factor(0.95, 15) == pytest.approx(2.131, abs=5e-4)
    assert t_factor(0.95, 1) == pytest.approx(12.706, abs=5e-4)
