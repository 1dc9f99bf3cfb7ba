"""Weighted maps: a weight does what copies of a point do, and rules say what shapes a map."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import infogeo
from infogeo.core.linalg import DENSE_UP_TO, CentredMatrix
from infogeo.core.points import Points
from infogeo.embed import ByArcLength, EqualGroups, EqualPoints, EqualRuns, inpca
from infogeo.pairwise import PairwiseMatrix
from tests.embed.test_inpca import random_divergence
from tests.reference import embedding as plain
from tests.reference import weighted as reference

EPS = np.finfo(np.float64).eps


def steep_divergence(size, axes=8):
    """Divergences of points on axes of unequal width, to the power 1.4: both signs, and gaps between eigenvalues."""
    x = np.random.default_rng(5).normal(size=(size, axes)) * 0.5 ** np.arange(axes)
    squares = np.sum(x**2, axis=1)
    sq_dist = np.maximum(squares[:, None] + squares - 2 * x @ x.T, 0)
    d = ((sq_dist + sq_dist.T) / 2) ** 1.4
    np.fill_diagonal(d, 0)
    return d


def like(coords, of):
    """Coordinates with the sign of each axis that brings them nearest to others."""
    return coords * np.sign(np.nansum(coords * of, axis=0))


@pytest.mark.parametrize(("size", "zeros"), [(7, 0), (7, 2), (40, 0), (40, 2), (DENSE_UP_TO + 100, 2)])
def test_whole_weights_are_copies_of_points(size, zeros):
    """By the dense way and by products. Eigenvalues are off by the residual and the rounding of two ways, to form A
    and to solve it, on either side; axes lean to others by so much over the gap, and a coordinate is an entry of an
    axis times sqrt|lambda| / sqrt(w), where w is above 1/2 here. The explained stress is the root of a
    difference that may vanish: off by the root of P eps."""
    k = 3
    d, counts = steep_divergence(size), np.ones(size, dtype=int)
    counts[: size // 4] = 2
    counts[size // 4], counts[size - zeros :] = 5, 0
    embedding = inpca(PairwiseMatrix.from_array(d), k, weights=counts)
    values, coords, stress = reference.duplicated_inpca(d, counts, k)
    scale = size / counts.sum()
    rounding = embedding.residual + 4 * CentredMatrix(d, embedding.weights).rounding
    gap = np.abs(np.subtract.outer(values[:k], values) + np.where(np.eye(k, len(values)), np.inf, 0)).min() * scale
    lean = rounding / gap * np.sqrt(np.abs(values[0]) * scale)
    assert embedding.converged
    assert np.abs(embedding.eigenvalues - scale * values[:k]).max() <= rounding
    assert np.abs(embedding.explained_stress - stress).max() <= np.sqrt(size * EPS)
    there = counts > 0
    assert np.abs(embedding.coords - like(coords, embedding.coords))[there].max() <= 2 * lean
    assert np.abs(embedding.project(d) - embedding.coords).max() <= 2 * lean


def test_points_of_no_weight_do_not_shape_the_map_and_are_placed_on_it():
    d, size, k = steep_divergence(30), 30, 4
    w = np.random.default_rng(0).uniform(0.5, 2, size)
    w[[0, 7, 29]] = 0
    some = np.flatnonzero(w)
    among = inpca(PairwiseMatrix.from_array(d[np.ix_(some, some)]), k, weights=w[some])
    embedding = inpca(PairwiseMatrix.from_array(d), k, weights=w)
    bound = size**2 * EPS * d.max()  # of a product of products, far below any gap here
    assert np.abs(embedding.eigenvalues * len(some) / size - among.eigenvalues).max() <= bound
    assert np.abs(np.abs(embedding.coords[some]) - np.abs(among.coords)).max() <= bound
    placed = like(among.project(d[:, some]), embedding.coords)
    assert np.abs(placed - embedding.coords).max() <= bound
    assert not np.isnan(embedding.coords).any()


def test_a_weight_that_rounds_to_nothing_does_no_harm():
    """A tiny weight: v / sqrt(w) would be 1e-16 / 1e-10 off; a placed point is off by the rounding of a product."""
    d, w = steep_divergence(20), np.ones(20)
    w[3] = 1e-20
    without = np.delete(np.arange(20), 3)
    embedding = inpca(PairwiseMatrix.from_array(d), 3, weights=w)
    alone = inpca(PairwiseMatrix.from_array(d[np.ix_(without, without)]), 3)
    placed = like(alone.project(d[:, without]), embedding.coords)
    assert np.abs(placed - embedding.coords).max() <= 20**2 * EPS * d.max()


@pytest.mark.parametrize("size", [3, 25])
def test_all_components_rebuild_the_divergence_with_weights(size):
    d = random_divergence(size, size)
    w = np.random.default_rng(1).uniform(0.2, 4, size)
    embedding = inpca(PairwiseMatrix.from_array(d), size, weights=w)
    assert np.abs(plain.rebuilt(embedding.coords, embedding.signature) - d).max() <= 1e-10 * d.max()


@settings(max_examples=30, deadline=None, derandomize=True)
@given(w=st.lists(st.floats(0.01, 100), min_size=9, max_size=9), scale=st.floats(1e-6, 1e6))
def test_a_map_depends_on_the_proportions_of_weights_alone_and_is_centred(w, scale):
    matrix = PairwiseMatrix.from_array(random_divergence(2, 9))
    one, other = (inpca(matrix, 3, weights=np.array(w) * s) for s in (1.0, scale))
    weights = np.ones(9) if one.weights is None else one.weights
    assert weights.sum() == pytest.approx(9, rel=9 * EPS)
    assert np.abs(one.eigenvalues - other.eigenvalues).max() <= 9**2 * EPS * one.norm
    assert np.abs(weights @ one.coords).max() <= 1e-12 * np.abs(weights @ np.abs(one.coords)).max()
    assert (np.diff(one.explained_stress) >= 0).all()


def runs_of(lengths, **columns):
    """Points of runs r0, r1, ... of these lengths, with a value of each column per run."""
    metadata = [{name: values[r] for name, values in columns.items()} for r in range(len(lengths))]
    return Points.of_runs([f"r{r}" for r in range(len(lengths))], [np.arange(t) for t in lengths], metadata)


def matrix_of(points, seed=0):
    return PairwiseMatrix.from_array(random_divergence(seed, len(points)), points)


def test_equal_weights_of_any_kind_are_the_map_without_weights_bit_for_bit():
    matrix = matrix_of(runs_of([4, 4, 4]))
    expected = inpca(matrix)
    for weights in (EqualPoints(), EqualRuns(), np.full(12, 0.3), [2] * 12):
        embedding = inpca(matrix, weights=weights)
        assert embedding.weights is None
        assert np.array_equal(embedding.coords, expected.coords)


def test_every_run_has_the_same_weight_in_total():
    points = runs_of([2, 5, 1])
    weights = inpca(matrix_of(points), weights=EqualRuns()).weights
    assert weights is not None
    assert [weights[points.of_run(run)].sum() for run in points.runs] == pytest.approx([8 / 3] * 3, rel=8 * EPS)


def test_every_group_has_the_same_weight_and_every_run_within_it():
    points = runs_of([2, 5, 1, 3], arch=["conv", "mlp", "mlp", "mlp"])
    weights = inpca(matrix_of(points), weights=EqualGroups("arch")).weights
    assert weights is not None
    totals = [weights[points.of_run(run)].sum() for run in points.runs]
    assert totals == pytest.approx([11 / 2, 11 / 6, 11 / 6, 11 / 6], rel=11 * EPS)


def test_the_weight_by_arc_length_is_half_the_steps_on_either_side():
    points = runs_of([3, 1])
    position = np.array([0.0, 1.0, 4.0, 9.0])
    matrix = PairwiseMatrix.from_array((position[:, None] - position) ** 2, points)
    assert ByArcLength().of(matrix).tolist() == [0.5, 2.0, 1.5, 0.0]
    shuffled = matrix.take([2, 3, 0, 1])
    assert ByArcLength().of(shuffled).tolist() == [1.5, 0.0, 0.5, 2.0]


def test_recording_one_run_more_densely_hardly_moves_a_map_by_arc_length():
    """Two arcs of a circle; the one is recorded with 20 times the points. Sums over an arc by the trapezoid rule are
    off by the square of a step, 0.05^2 / 12 of the whole; by points alone the centre moves by a fifth of an arc."""

    def mapped(few, many, weights):
        angles = [np.linspace(0, 1, few), np.linspace(2, 3, many)]
        x = np.concatenate([np.stack([np.cos(a), np.sin(a)], axis=1) for a in angles])
        d = np.sum((x[:, None] - x[None]) ** 2, axis=-1)
        return inpca(PairwiseMatrix.from_array(d, runs_of([few, many])), 2, weights=weights)

    even, dense = mapped(20, 20, ByArcLength()), mapped(20, 400, ByArcLength())
    assert np.abs(even.coords[:20] - dense.coords[:20]).max() < 0.005
    assert np.abs(mapped(20, 20, None).coords[:20] - mapped(20, 400, None).coords[:20]).max() > 0.2


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones(7), r"weights: have shape \(7,\), expected \(8,\)"),
        (np.full(8, np.nan), "weights: that of point 0 is nan"),
        (-np.ones(8), "weights: that of point 0 is -1.0; give finite ones >= 0"),
        (np.eye(8)[0], "fewer than two points weigh more than 0"),
        (EqualGroups("colour"), "there is no column 'colour'"),
        (EqualGroups("lr"), "run 'r1' has no value in column 'lr'"),
    ],
)
def test_misuse_is_one_clear_line(weights, message):
    with pytest.raises(infogeo.InputError, match=message):
        inpca(matrix_of(runs_of([2, 5, 1], lr=[0.1, None, 0.2])), weights=weights)
