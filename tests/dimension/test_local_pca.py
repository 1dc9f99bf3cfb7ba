"""Local PCA on a map: where the dimension is known, against loops, and with the error that it has."""

import numpy as np
import pytest

import infogeo
from infogeo.core.points import Points
from infogeo.dimension.local_pca import local_pca, traces
from tests.reference import local_pca as slow


def points_of(x, runs=None):
    names = np.arange(len(x)).astype(str) if runs is None else np.asarray(runs)
    return Points({"run": names, "step": np.arange(len(x))})


def turned(rng, x, axes):
    """Points x [P, d] in a space of more axes, turned at random."""
    frame, _ = np.linalg.qr(rng.normal(size=(axes, x.shape[1])))
    return x @ frame.T


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_a_flat_cloud_has_the_dimension_of_its_plane(axes):
    """Three standard errors; where neighbours lie on one side of a border, the ratio of a half ball is less by 6 %."""
    rng = np.random.default_rng(axes)
    x = turned(rng, rng.random((500, axes)), 6)
    found = local_pca(x, points_of(x))
    assert 0.94 * axes - 3 * found.standard_error <= found.value <= axes + 3 * found.standard_error + 1e-9
    assert found.n_points == 500
    assert found.degrees == 499
    assert found.warnings == ("it sees the 6 axes of the map, and can be no more than 6",)


def test_the_traces_are_those_of_all_quadruples_of_different_neighbours():
    y = np.random.default_rng(0).normal(size=(3, 6, 2)) + 5
    found = traces(y)
    expected = np.array([slow.traces(one) for one in y])
    assert np.allclose(found.of_square, expected[:, 0], rtol=1e-10, atol=0)
    assert np.allclose(found.squared, expected[:, 1], rtol=1e-10, atol=0)


@pytest.mark.parametrize("draw", ["normal", "exponential", "uniform"])
def test_the_traces_have_no_bias_whatever_the_distribution(draw):
    """Means over 50,000 samples of five points, within four of their standard errors."""
    rng = np.random.default_rng(1)
    mixing = np.array([[1.0, 0.3], [0.0, 0.6]])
    one = {"normal": 1.0, "exponential": 1.0, "uniform": 1 / np.sqrt(12)}[draw]
    x = getattr(rng, draw)(size=(50_000, 5, 2)) / one
    found = traces(x @ mixing.T)
    sigma = mixing @ mixing.T
    for values, expected in ((found.of_square, np.sum(sigma**2)), (found.squared, np.trace(sigma) ** 2)):
        assert abs(values.mean() - expected) <= 4 * values.std() / np.sqrt(50_000)


@pytest.mark.parametrize("by_runs", [True, False])
def test_it_is_a_loop_over_points(by_runs):
    rng = np.random.default_rng(2)
    x = rng.normal(size=(36, 2))
    runs = rng.permutation(np.repeat(np.arange(9), [1, 2, 3, 4, 4, 4, 5, 6, 7])) if by_runs else np.arange(36)
    runs = runs.astype(str)
    found = local_pca(x, points_of(x, runs), 5)
    assert found.value == pytest.approx(slow.dimension(x, runs.tolist(), 5), rel=1e-10)
    radii = [slow.nearest(x, runs.tolist(), i, 6)[-1][0] for i in range(36)]
    assert found.scale == pytest.approx(np.median(radii), rel=1e-12)
    among = "one point of each other run" if by_runs else "all other points"
    assert found.estimator == f"local PCA (k = 5), {among}"


def lines(rng, runs=60, length=6):
    """Parallel runs from a square on: across them there are two dimensions."""
    x = np.zeros((runs, length, 3))
    x[..., :2] = rng.random((runs, 1, 2))
    x[..., 2] = np.linspace(0, 1, length)
    return x.reshape(-1, 3), np.repeat(np.arange(runs), length).astype(str)


def test_across_runs_the_direction_along_them_does_not_count():
    x, runs = lines(np.random.default_rng(3), runs=100)
    found = local_pca(x, points_of(x, runs), 15)
    assert 0.9 * 2 - 3 * found.standard_error <= found.value <= 2
    assert found.degrees == 99


@pytest.mark.parametrize("kind", ["square", "normal", "lines"])
def test_the_standard_error_is_that_of_other_draws(kind):
    """The standard deviation of 60 draws is known to 9 %; the error is to be right to 20 %, as its docstring says."""
    rng, found = np.random.default_rng(4), []
    for _ in range(60):
        if kind == "lines":
            x, runs = lines(rng)
        else:
            x = rng.random((150, 2)) if kind == "square" else rng.normal(size=(150, 3)) * [1, 0.5, 0.2]
            runs = None
        found.append(local_pca(x, points_of(x, runs), 10))
    said = np.sqrt(np.mean([estimate.standard_error**2 for estimate in found]))
    true = np.std([estimate.value for estimate in found], ddof=1)
    assert abs(said / true - 1) <= 0.2 + 3 / np.sqrt(2 * 59)


def test_time_like_axes_do_not_count():
    rng = np.random.default_rng(5)
    x = rng.normal(size=(200, 3))
    found = local_pca(x, points_of(x), signature=[1, -1, 1])
    alone = local_pca(x[:, [0, 2]], points_of(x))
    assert (found.value, found.standard_error, found.scale) == (alone.value, alone.standard_error, alone.scale)
    assert found.warnings[0].startswith("it sees the 2 axes of the map that are space-like, of 3, and can be no more")


def test_a_value_close_to_the_number_of_axes_is_told():
    x = np.random.default_rng(6).normal(size=(200, 2))
    told = local_pca(x, points_of(x)).warnings[0]
    assert told == "it sees the 2 axes of the map, and can be no more than 2, and comes close: more axes may give more"


def test_turning_moving_and_scaling_change_nothing():
    """To the rounding of 1 - x for coordinates of 10 and distances of 0.1."""
    rng = np.random.default_rng(7)
    x = rng.normal(size=(150, 3)) * [1, 1, 0.1]
    found, other = (local_pca(y, points_of(x), 10) for y in (x, 3 * turned(rng, x, 3) + 10))
    assert other.value == pytest.approx(found.value, rel=1e-9)
    assert other.standard_error == pytest.approx(found.standard_error, rel=1e-8)
    assert other.scale == pytest.approx(3 * found.scale, rel=1e-9)


def test_points_that_repeat_are_left_out():
    x = np.random.default_rng(8).normal(size=(100, 2))
    twice = np.concatenate([x, x[:20]])
    found, expected = local_pca(twice, points_of(twice)), local_pca(x, points_of(x))
    assert (found.value, found.n_points, found.excluded) == (expected.value, 100, 20)
    assert found.warnings[1] == "20 points that repeat an earlier one were left out"


def test_bad_input_is_told():
    x = np.random.default_rng(9).normal(size=(30, 2))
    points = points_of(x)
    with pytest.raises(infogeo.InputError, match=r"coords: has shape \(29, 2\), expected \[30, K\]"):
        local_pca(x[:29], points)
    with pytest.raises(infogeo.InputError, match="coords: not all are finite"):
        local_pca(np.where(x > 1, np.nan, x), points)
    with pytest.raises(infogeo.InputError, match="coords: 1 points differ; local PCA takes 5"):
        local_pca(np.ones((30, 2)), points)
    with pytest.raises(infogeo.InputError, match="neighbours: 3; give at least 4"):
        local_pca(x, points, 3)
    with pytest.raises(infogeo.InputError, match="neighbours: 29; that takes 30 other points, and there are 29"):
        local_pca(x, points, 29)
    with pytest.raises(infogeo.InputError, match="neighbours: 20; that takes 21 other runs, and there are 4"):
        local_pca(x, points_of(x, np.arange(30) % 5))
    with pytest.raises(infogeo.InputError, match="runs: there is one alone"):
        local_pca(x, points_of(x, ["a"] * 30))
    with pytest.raises(infogeo.InputError, match="signature: no axis is space-like"):
        local_pca(x, points, signature=[-1, -1])
    with pytest.raises(infogeo.InputError, match=r"signature: \[1\], expected 2 of \+1 and -1"):
        local_pca(x, points, signature=[1])
    with pytest.raises(infogeo.InputError, match="points: is an array of shape"):
        local_pca(x, x)
