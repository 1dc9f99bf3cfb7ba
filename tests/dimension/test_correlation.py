"""The correlation dimension: where it is known, against a sum over pairs, and with the error that it has."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

import infogeo
from infogeo.core.points import Points
from infogeo.dimension.correlation import CorrelationDimension, correlation_slopes
from infogeo.dimension.neighbours import AllPoints, EqualProgress, OtherRuns
from infogeo.dimension.rows import ROWS
from infogeo.pairwise.matrix import PairwiseMatrix
from infogeo.pairwise.tiled import TiledValues
from tests.reference import correlation_sum

BIN = 2**-6
"""The relative width of a bin in divergence, at most."""


def matrix_of(x, runs=None):
    """Squared Euclidean distances of points x [P, K]."""
    points = None if runs is None else Points({"run": np.asarray(runs), "step": np.arange(len(x))})
    return PairwiseMatrix.from_array(cdist(x, x, "sqeuclidean"), points)


def walks(rng, runs=12, length=6, axes=2):
    """Runs that start anywhere in a cube and walk a little; their points in any order."""
    x = rng.random((runs, 1, axes)) + np.cumsum(0.05 * rng.normal(size=(runs, length, axes)), axis=1)
    order = rng.permutation(runs * length)
    return x.reshape(-1, axes)[order], np.repeat([f"run-{r}" for r in range(runs)], length)[order]


def on_disk(matrix, folder, order, block):
    """The same matrix as tiles, of blocks of points in this order."""
    blocks = tuple(np.sort(order[start : start + block]) for start in range(0, len(order), block))
    files = {}
    for i, rows in enumerate(blocks):
        for j, columns in enumerate(blocks[i:], i):
            files[i, j] = folder / f"{i}-{j}.npy"
            np.save(files[i, j], matrix.values[np.ix_(rows, columns)])
    return PairwiseMatrix(TiledValues(blocks, files), matrix.points)


def range_of(estimate):
    """(r1, r2) as the text tells them."""
    low, high = estimate.estimator.split("(")[1].split(")")[0].split(" to ")
    return float(low), float(high)


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_a_cloud_has_the_dimension_of_its_space(axes):
    """Three standard errors; borders take up to 10 % within the range, which the rule tolerates."""
    found = CorrelationDimension().estimate(matrix_of(np.random.default_rng(axes).random((500, axes))))
    assert 0.9 * axes - 3 * found.standard_error <= found.value <= axes + 3 * found.standard_error
    low, high = range_of(found)
    assert high / low >= 2
    assert found.scale == pytest.approx(np.sqrt(low * high), rel=0.05)  # the text has two digits
    assert not found.warnings


@pytest.mark.parametrize("axes", [1, 2])
def test_without_borders_the_dimension_is_right(axes):
    """Points on a torus: C(r) is a power up to a radius of 1/2."""
    x = np.random.default_rng(0).random((400, axes))
    apart = np.abs(x[:, None] - x)
    d = np.sum(np.minimum(apart, 1 - apart) ** 2, axis=2)
    found = CorrelationDimension().estimate(PairwiseMatrix.from_array(d))
    assert abs(found.value - axes) <= 3 * found.standard_error


@pytest.mark.parametrize("across", [True, False])
def test_it_is_a_sum_over_pairs(across):
    x, runs = walks(np.random.default_rng(1))
    matrix = matrix_of(x, runs)
    candidates = OtherRuns() if across else AllPoints()
    slopes = correlation_slopes(matrix, candidates)
    pairs = correlation_sum.pairs_of(matrix.values, runs, across)
    assert slopes.shares.tolist() == [correlation_sum.share(pairs, r) for r in slopes.radii]
    ends = list(zip(slopes.radii[:-1], slopes.radii[1:], strict=True))
    assert np.allclose(slopes.slopes, [correlation_sum.slope(pairs, *end) for end in ends], rtol=1e-12, atol=0)
    errors = [correlation_sum.standard_error(pairs, *end) for end in ends]
    assert np.allclose(slopes.standard_errors, errors, rtol=1e-9, atol=0)
    found = CorrelationDimension((slopes.radii[0], slopes.radii[-1])).estimate(matrix, candidates)
    assert found.value == pytest.approx(correlation_sum.slope(pairs, slopes.radii[0], slopes.radii[-1]), rel=1e-12)
    assert found.excluded_pairs == (12 * 15 if across else 0)


def test_points_that_are_runs_are_the_same_as_runs_of_one_point():
    """They are counted on a path of their own."""
    x = np.random.default_rng(2).random((60, 2))
    runs = np.arange(60).astype(str)
    pairs = correlation_sum.pairs_of(cdist(x, x, "sqeuclidean"), runs, True)
    single = correlation_slopes(matrix_of(x))
    errors = [correlation_sum.standard_error(pairs, *end) for end in zip(single.radii, single.radii[1:], strict=False)]
    assert np.allclose(single.standard_errors, errors, rtol=1e-9, atol=0)


def test_levels_double_from_fifty_pairs_on():
    """To a bin: of 64 for each doubling, in which few more pairs come."""
    found = correlation_slopes(matrix_of(np.random.default_rng(3).random((200, 2))))
    pairs = np.rint(found.shares * 199 * 100)
    wanted = 50 * 2 ** np.arange(len(pairs))
    assert len(pairs) == 9
    assert (pairs >= wanted).all()
    assert (pairs <= wanted * (1 + 2 * BIN) + 5 * np.sqrt(wanted * BIN) + 1).all()


@pytest.mark.parametrize("clusters", [False, True])
def test_the_standard_error_is_that_of_other_draws(clusters):
    """At one range; the standard deviation of 150 draws is known to 6 %, the error is to be right to 15 %."""
    rng, found = np.random.default_rng(4), []
    for _ in range(150):
        given = matrix_of(*walks(rng, runs=30, length=5)) if clusters else matrix_of(rng.random((100, 2)))
        found.append(CorrelationDimension((0.1, 0.4)).estimate(given))
    said = np.sqrt(np.mean([estimate.standard_error**2 for estimate in found]))
    true = np.std([estimate.value for estimate in found], ddof=1)
    assert abs(said / true - 1) <= 0.15 + 3 / np.sqrt(2 * 149)
    assert found[0].degrees == (29 if clusters else 99)


@pytest.mark.full
@pytest.mark.parametrize(("axes", "radii"), [(1, (0.02, 0.2)), (2, (0.05, 0.3)), (3, (0.1, 0.4)), (5, (0.25, 0.7))])
def test_the_standard_error_is_that_of_many_draws(axes, radii):
    rng = np.random.default_rng(5)
    found = [CorrelationDimension(radii).estimate(matrix_of(rng.random((200, axes)))) for _ in range(2000)]
    said = np.sqrt(np.mean([estimate.standard_error**2 for estimate in found]))
    assert abs(said / np.std([estimate.value for estimate in found], ddof=1) - 1) <= 0.1


def test_two_clusters_far_from_each_other_are_looked_at_from_within():
    """Discs of diameter 1 at a distance of 100: the range lies within them, and the gap is no dimension."""
    rng = np.random.default_rng(6)
    angle, radius = 2 * np.pi * rng.random(500), 0.5 * np.sqrt(rng.random(500))
    x = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    x[250:, 0] += 100
    found = CorrelationDimension().estimate(matrix_of(x))
    assert range_of(found)[1] <= 1
    assert 0.9 * 2 - 3 * found.standard_error <= found.value <= 2 + 3 * found.standard_error


def test_tight_clusters_far_from_each_other_have_no_scaling_range():
    """Five clusters of eight points, of one size each: distances of two scales, and no range of either."""
    rng = np.random.default_rng(7)
    corners, inside = np.eye(5), np.eye(8)
    x = np.concatenate([100 * np.tile(np.repeat(corners, 8, axis=0), 1), np.tile(inside, (5, 1))], axis=1)
    found = CorrelationDimension().estimate(matrix_of(x + 1e-3 * rng.normal(size=x.shape)))
    assert np.isnan([found.value, found.standard_error, found.scale]).all()
    assert "no scaling range" in found.estimator
    assert found.warnings[0].startswith("no scaling range: over no factor of 2 in distance and 16 in pairs")


def test_few_points_have_no_scaling_range():
    found = CorrelationDimension().estimate(matrix_of(np.random.default_rng(8).random((6, 2))))
    assert np.isnan(found.value)
    assert found.n_points == 6


@pytest.mark.parametrize("by_runs", [True, False])
def test_tiles_on_disk_give_the_same_as_memory(tmp_path, by_runs):
    """Blocks that cut through runs, which lie scattered among them, and rows whose sums wait for the rest."""
    x, runs = walks(np.random.default_rng(9), runs=16, length=8)
    matrix = matrix_of(x, runs if by_runs else None)
    tiled = on_disk(matrix, tmp_path, np.random.default_rng(0).permutation(len(x)), 37)
    for mine, other in zip(correlation_slopes(tiled), correlation_slopes(matrix), strict=True):
        assert np.allclose(mine, other, rtol=1e-12, atol=0)
    method = CorrelationDimension((0.05, 0.5))
    assert method.estimate(tiled).value == method.estimate(matrix).value


def test_points_that_repeat_are_left_out():
    x = np.random.default_rng(10).random((150, 2))
    once, twice = matrix_of(x), matrix_of(np.concatenate([x, x[:30]]))
    found, expected = CorrelationDimension().estimate(twice), CorrelationDimension().estimate(once)
    assert found.value == expected.value
    assert found.standard_error == pytest.approx(expected.standard_error, rel=1e-12)
    assert (found.n_points, found.excluded) == (150, 30)
    assert found.warnings == ("30 points that repeat an earlier one were left out",)


def test_a_change_of_scale_changes_no_dimension():
    """By a power of two, at which bins stay what they are; also where divergences are tiny."""
    x = np.random.default_rng(11).random((150, 2))
    expected = CorrelationDimension().estimate(matrix_of(x))
    tiny = PairwiseMatrix.from_array(matrix_of(x).values * 2.0**-200)
    assert CorrelationDimension().estimate(tiny).value == pytest.approx(expected.value, rel=1e-12)


def test_one_run_alone_has_no_error():
    x = np.random.default_rng(12).random((200, 2))
    one = matrix_of(x, ["a"] * 200)
    found = CorrelationDimension().estimate(one, AllPoints())
    assert found.value > 1.5
    assert np.isnan(found.standard_error)
    assert found.warnings == ("one run alone says nothing about the error",)
    with pytest.raises(infogeo.InputError, match="runs: there is one alone; pairs of different runs need more"):
        CorrelationDimension().estimate(one)


def test_progress_is_reported_up_to_all_points():
    seen = []
    matrix = matrix_of(np.random.default_rng(13).random((300, 2)))
    CorrelationDimension().estimate(matrix, report=lambda done, total: seen.append((done, total)))
    assert seen == [(done, 300) for done in (*range(ROWS, 300, ROWS), 300)]


def test_bad_input_is_told():
    matrix = matrix_of(np.random.default_rng(14).random((30, 2)))
    method = CorrelationDimension()
    with pytest.raises(infogeo.InputError, match="candidates: EqualProgress; a correlation sum takes AllPoints"):
        method.estimate(matrix, EqualProgress())
    with pytest.raises(infogeo.InputError, match="matrix: rectangular"):
        method.estimate(matrix.take(np.arange(5), np.arange(10)))
    with pytest.raises(infogeo.InputError, match="matrix: 1 points differ; a correlation sum takes 5"):
        method.estimate(PairwiseMatrix.from_array(np.zeros((6, 6))))
    with pytest.raises(infogeo.InputError, match="matrix: 4 points differ"):
        correlation_slopes(matrix.take(np.arange(4)))
    for radii in ((0.2, 0.1), (0.1,), 0.1, (0.1, 1e200), (0.1, np.nan), ("a", "b")):
        with pytest.raises(infogeo.InputError, match="radii: .* give .r1, r2., distances with 0 < r1 < r2"):
            CorrelationDimension(radii)
    with pytest.raises(infogeo.InputError, match="there are no pairs within r1"):
        CorrelationDimension((1e-9, 0.1)).estimate(matrix)
