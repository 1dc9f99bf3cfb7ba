"""Which points and runs do not fit on a map, and one group on the map of another."""

import numpy as np
import pytest

import infogeo
from infogeo.embed import inpca, residuals, stress_of_group
from infogeo.embed.explained import explained_distance
from infogeo.pairwise import PairwiseMatrix
from tests.embed.test_inpca import random_divergence
from tests.embed.test_weights import runs_of
from tests.networks import digits_networks
from tests.reference import embedding as plain
from tests.reference import weighted as reference

EPS = np.finfo(np.float64).eps


def with_an_odd_run(odd_axis=1.5):
    """Five runs of 8 points in a plane, and one that leaves it."""
    rng = np.random.default_rng(0)
    time = np.tile(np.linspace(0, 4, 8), 6)
    x = np.stack([time, np.sin(time) * np.repeat(np.arange(6) - 2.5, 8), np.zeros(48)], axis=1)
    x[40:, 2] = odd_axis * rng.choice([-1, 1], 8)
    d = np.sum((x[:, None] - x[None]) ** 2, axis=-1)
    return PairwiseMatrix.from_array(d, runs_of([8] * 6))


@pytest.mark.parametrize("weights", [None, np.linspace(0, 3, 12)])
@pytest.mark.parametrize("k", [1, 4])
def test_of_a_point_they_are_those_of_loops_over_pairs(weights, k):
    d = random_divergence(2, 12)
    matrix = PairwiseMatrix.from_array(d)
    embedding = inpca(matrix, 6, weights=weights)
    w = np.ones(12) if embedding.weights is None else embedding.weights
    found = residuals(matrix, embedding, k)
    args = d, embedding.coords, embedding.signature, w
    expected = np.array([reference.residuals_of(*args, i, k) for i in range(12)]).T
    for ours, theirs in zip((found.misfit, found.bias, found.stress_left), expected, strict=True):
        assert np.abs(ours - theirs).max() <= 100 * 12 * EPS


def test_taken_together_they_are_the_explained_stress_and_the_explained_distance():
    matrix = PairwiseMatrix.from_array(random_divergence(5, 150))  # several blocks of rows
    embedding = inpca(matrix, 4)
    found = residuals(matrix, embedding, 3)
    stress = 1 - np.sqrt(found.sq_stress_left.sum() / found.sq_stress.sum())
    distance = 1 - np.sqrt(found.sq_error.sum() / found.sq_divergence.sum())
    assert stress == pytest.approx(embedding.explained_stress[2], abs=150**2 * EPS)
    assert distance == pytest.approx(explained_distance(embedding)[2], abs=150**2 * EPS)


def test_a_run_is_the_sum_of_its_points():
    matrix = with_an_odd_run()
    found = residuals(matrix, inpca(matrix), 2)
    table = found.per_run()
    for run, misfit, bias, left in zip(*table, strict=True):
        rows = matrix.points.of_run(run)
        sums = [values[rows].sum() for values in (found.sq_error, found.sq_divergence, found.mean_error)]
        assert misfit == pytest.approx(np.sqrt(sums[0] / sums[1]), rel=1e-14)
        assert bias == pytest.approx(sums[2] / found.mean_divergence[rows].sum(), rel=1e-13)
        assert left == pytest.approx(np.sqrt(found.sq_stress_left[rows].sum() / found.sq_stress[rows].sum()), rel=1e-14)
    assert (np.diff(table.misfit) <= 0).all()


def test_the_run_that_leaves_the_plane_is_named_and_nobody_else():
    matrix = with_an_odd_run()
    found = residuals(matrix, inpca(matrix), 2)
    assert found.per_run().runs[0] == "r5"
    assert found.per_run().bias[0] < 0
    assert "These do not fit: r5 (" in found.sentence()
    assert "too near to the others" in found.sentence()
    assert found.sentence().count(" %, on the map") == 1


def test_where_all_fit_the_sentence_says_so():
    nearly, exactly = (with_an_odd_run(odd_axis) for odd_axis in (0.1, 0.0))
    assert "no run fits much worse" in residuals(nearly, inpca(nearly), 2).sentence()
    found = residuals(exactly, inpca(exactly), 2)
    assert found.right
    assert found.sentence() == "On 2 axes the divergences of every run are right to 0.05 % (root mean square)."


def test_new_points_are_held_against_a_map_without_them():
    matrix = with_an_odd_run()
    old, new = np.arange(40), np.arange(40, 48)
    embedding = inpca(matrix.take(old))
    rows = matrix.take(new, old)
    found = residuals(rows, embedding, 2)
    height = 1.5**2  # squared, above the plane, which every divergence to the map holds and the map does not
    placed = embedding.project(rows)
    expected = np.sum((placed[:, None, :2] - embedding.coords[:, :2]) ** 2, axis=-1) - rows.values
    assert np.abs(expected + height).max() <= 1e-12 * matrix.values.max()
    assert np.abs(found.sq_error - height**2).max() <= 1e-11 * matrix.values.max()
    assert residuals(matrix.take(old), embedding, 2).misfit.max() <= 1e-12


def test_a_map_of_every_axis_leaves_nothing():
    matrix = PairwiseMatrix.from_array(random_divergence(8, 9))
    found = residuals(matrix, inpca(matrix, 9), 9)
    assert max(found.misfit.max(), np.abs(found.bias).max(), found.stress_left.max()) <= 1e-10


def test_a_group_on_the_map_of_another_is_its_centred_matrix_against_its_centred_coordinates():
    matrix = PairwiseMatrix.from_array(random_divergence(3, 20))
    fit, on = np.arange(12), np.arange(8, 20)
    found = stress_of_group(matrix, fit=fit, on=on, k=3)
    fitted = inpca(matrix.take(fit), 3)
    x = fitted.project(matrix.values[on][:, fit])
    x = x - x.mean(axis=0)
    w, values, vectors = plain.spectrum(matrix.values[np.ix_(on, on)])
    for k in (1, 2, 3):
        kept = (x[:, :k] * fitted.signature[:k]) @ x[:, :k].T
        assert found.on_map[k - 1] == pytest.approx(1 - np.linalg.norm(w - kept) / np.linalg.norm(w), abs=1e-13)
        assert found.on_own_map[k - 1] == pytest.approx(plain.stress_of(w, values[:k], vectors[:, :k]), abs=1e-13)
    assert np.array_equal(found.of_fitted, fitted.explained_stress)
    assert (found.on_map <= found.on_own_map).all()  # of all choices of k axes the own ones are best


def test_a_group_on_its_own_map_is_as_well_off_as_alone():
    matrix = PairwiseMatrix.from_array(random_divergence(4, 15))
    found = stress_of_group(matrix, fit=np.ones(15, dtype=bool), on=np.arange(15), k=4)
    assert np.abs(found.on_map - found.on_own_map).max() <= 1e-13


def test_a_group_that_spreads_where_the_other_does_not_is_not_explained():
    x = np.zeros((20, 2))
    x[:10, 0], x[10:, 1] = np.arange(10), np.arange(10)
    matrix = PairwiseMatrix.from_array(np.sum((x[:, None] - x[None]) ** 2, axis=-1))
    found = stress_of_group(matrix, fit=np.arange(10), on=np.arange(10, 20))
    assert found.on_map[0] == pytest.approx(0, abs=1e-7)  # the root of a difference of squares
    assert found.on_own_map[0] == pytest.approx(1, abs=1e-7)
    assert "With one axis the map of the other group explains" in found.sentence()


def test_networks_lie_on_the_map_of_linear_models():
    """Stress within ten points of that on a map of their own: the claim of arXiv 2505.08915, on digits."""
    matrix = infogeo.pairwise_divergence(digits_networks(), infogeo.Bhattacharyya())
    linear, mlp = (matrix.points.where(architecture=name) for name in ("linear", "mlp-narrow"))
    found = stress_of_group(matrix, fit=linear, on=mlp)
    assert found.on_own_map[2] - 0.1 < found.on_map[2] <= found.on_own_map[2]
    assert found.on_map[2] > 0.9


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: residuals(m, inpca(m), 0), "k: 0; give at least 1"),
        (lambda m: residuals(m.take(np.arange(5)), inpca(m)), "not to the points of this map"),
        (lambda m: stress_of_group(m, fit=[0], on=[1, 2]), "fit: names 1 points; give at least two"),
        (lambda m: stress_of_group(m.take([0, 1], [2, 3]), fit=[0, 1], on=[0, 1]), "is a rectangle"),
    ],
)
def test_misuse_is_one_clear_line(call, message):
    with pytest.raises(infogeo.InputError, match=message):
        call(with_an_odd_run())
