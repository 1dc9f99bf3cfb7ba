"""InPCA against its definition written out, and what a map promises."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import infogeo
from tests.reference import embedding as reference
from tests.samples import ring, trajectories


def random_divergence(seed, size):
    """A symmetric matrix of divergences that is far from Euclidean: it has large negative eigenvalues."""
    d = np.random.default_rng(seed).uniform(0.1, 1, size=(size, size))
    d = d + d.T
    np.fill_diagonal(d, 0)
    return d


def embedded(d, k=10):
    return infogeo.inpca(infogeo.PairwiseMatrix.from_array(d), n_components=k)


@pytest.mark.parametrize("size", [2, 3, 4, 25, 60])
def test_all_components_rebuild_the_divergence(size):
    d = random_divergence(size, size)
    embedding = embedded(d, size)
    error = np.abs(reference.rebuilt(embedding.coords, embedding.signature) - d).max()
    assert error <= 1e-10 * d.max()


@pytest.mark.parametrize("size", [40, 1100])
def test_eigenvalues_and_stress_agree_with_the_definition(size):
    """Dense and by products: eigenvalues to P eps ||W||, and the stress is a smooth function of them."""
    d = random_divergence(1, size)
    w, values, vectors = reference.spectrum(d)
    embedding = embedded(d, 6)
    bound = size * np.finfo(float).eps * np.linalg.norm(w)
    stress = [reference.stress_of(w, values[:k], vectors[:, :k]) for k in range(1, 7)]
    assert np.abs(embedding.eigenvalues - values[:6]).max() <= 10 * bound
    assert np.abs(embedding.explained_stress - stress).max() <= 1e-10
    assert embedding.norm == pytest.approx(np.linalg.norm(w), rel=1e-12)
    assert embedding.residual <= 1e-10 * np.abs(values[0])
    assert embedding.converged


def test_negative_eigenvalues_keep_their_sign_and_their_place():
    """Three points with the middle one nearer to both ends than the line allows: one time-like axis."""
    d = np.array([[0, 1, 9], [1, 0, 1], [9, 1, 0]], dtype=float)
    _, values, _, _ = reference.inpca(d)
    embedding = embedded(d)
    assert embedding.signature.tolist() == [1, -1]
    assert np.allclose(embedding.eigenvalues, values[:2], rtol=0, atol=1e-14 * 9)


def test_a_map_whose_eigensolver_did_not_converge_warns_by_how_much():
    embedding, good = embedded(ring(), 2), embedded(ring(200), 2)
    share = embedding.residual / np.sqrt(np.sum(((1 + np.cos(2 * np.pi * np.arange(1, 1500) / 1500)) / 2) ** 2))
    assert not embedding.converged
    assert f"did not converge: eigenvalues may be off by {share:.1g} of the norm" in embedding.warning
    assert (good.converged, good.warning) == (True, "")


def test_axes_of_rounding_are_not_returned():
    x = np.random.default_rng(0).normal(size=(30, 2))
    d = np.sum((x[:, None] - x[None]) ** 2, axis=-1)
    embedding = embedded(d, 20)
    assert embedding.n_components == 2
    assert embedding.explained_stress[1] == pytest.approx(1, abs=1e-7)


@pytest.mark.parametrize("size", [3, 60, 1100])
def test_project_returns_fitted_rows(size):
    d = random_divergence(3, size)
    embedding = embedded(d, 8)
    scale = np.sqrt(np.abs(embedding.eigenvalues[0]))
    assert np.abs(embedding.project(d) - embedding.coords).max() <= 1e-8 * scale


def test_project_changes_nothing_and_repeats_itself():
    d = random_divergence(4, 30)
    embedding = embedded(d)
    before = embedding.coords.copy()
    first = embedding.project(d[:5] * 1.5)
    assert np.array_equal(first, embedding.project(d[:5] * 1.5))
    assert np.array_equal(embedding.coords, before)


def test_project_places_a_new_point_of_a_plane_exactly():
    x = np.random.default_rng(5).normal(size=(21, 2))
    d = np.sum((x[:, None] - x[None]) ** 2, axis=-1)
    embedding = embedded(d[:20, :20], 2)
    placed = embedding.project(d[20, :20])[0]
    rebuilt = np.sum((embedding.coords - placed) ** 2, axis=1)
    assert np.abs(rebuilt - d[20, :20]).max() <= 1e-12 * d.max()


def test_the_sign_of_an_axis_is_that_of_its_largest_entry():
    embedding = embedded(random_divergence(6, 30))
    largest = np.abs(embedding.coords).argmax(axis=0)
    assert (embedding.coords[largest, np.arange(embedding.n_components)] > 0).all()


@settings(max_examples=30, deadline=None, derandomize=True)
@given(x=hnp.arrays(np.float64, (7, 3), elements=st.floats(-10, 10, width=32)))
def test_explained_stress_never_decreases_and_stays_in_range(x):
    d = np.sum(np.abs(x[:, None] - x[None]) ** 1.5, axis=-1)
    if d.max() < 1e-6:
        return
    stress = embedded(d).explained_stress
    assert (np.diff(stress) >= 0).all()
    assert stress[0] >= 0
    assert stress[-1] <= 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: embedded(np.zeros((3, 3))), "the points coincide"),
        (lambda: embedded(random_divergence(0, 5), 0), "n_components: 0; give at least 1"),
        (lambda: embedded(random_divergence(0, 5)).project(np.ones(4)), r"shape \(1, 4\), expected \[Q, 5\]"),
        (lambda: embedded(random_divergence(0, 5)).project(np.full(5, np.inf)), "row 0 is not finite"),
    ],
)
def test_misuse_is_one_clear_line(call, message):
    with pytest.raises(infogeo.InputError, match=message):
        call()


def test_ignorance_and_truth_lie_on_the_map_and_do_not_move_it():
    predictions = trajectories()
    made = infogeo.embed_predictions(predictions, infogeo.Bhattacharyya())
    alone = infogeo.inpca(infogeo.pairwise_divergence(predictions, infogeo.Bhattacharyya()))
    assert made.references.points.runs == ["ignorance", "truth"]
    assert made.references.coords[1, 0] > made.references.coords[0, 0]
    assert np.array_equal(np.abs(made.embedding.coords), np.abs(alone.coords))
    start, end = (made.embedding.coords[predictions.points.of_run("net-0")[i], 0] for i in (0, -1))
    assert start < end


def test_truth_is_left_out_where_it_is_infinitely_far():
    made = infogeo.embed_predictions(trajectories(), infogeo.SymmetricKL())
    assert made.references.points.runs == ["ignorance"]


def test_without_labels_there_is_ignorance_alone():
    rng = np.random.default_rng(0)
    predictions = infogeo.Predictions.from_arrays({"a": rng.normal(size=(4, 9, 3))}, kind="logits")
    made = infogeo.embed_predictions(predictions, infogeo.Bhattacharyya())
    assert made.references.points.runs == ["ignorance"]


@pytest.mark.parametrize(("points", "samples"), [(2, 1), (3, 1), (2, 5)])
def test_the_smallest_maps_work(points, samples):
    rng = np.random.default_rng(1)
    predictions = infogeo.Predictions.from_arrays({"a": rng.normal(size=(points, samples, 2))}, kind="logits")
    made = infogeo.embed_predictions(predictions, infogeo.Bhattacharyya())
    assert 1 <= made.embedding.n_components < points
    assert np.isfinite(made.embedding.coords).all()
