"""Neighbours against a slow twin, from memory and from disk; duplicates, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist, squareform

from infogeo import PairwiseMatrix, Points
from infogeo.core.errors import InputError
from infogeo.dimension import AllPoints, EqualProgress, OtherRuns, nearest_neighbours
from infogeo.dimension.neighbours import distinct
from infogeo.dimension.rows import entries
from infogeo.pairwise.tiled import TiledValues
from tests.dimension.clouds import cloud, matrix_of, straight_runs
from tests.reference import neighbours as reference


def on_disk(matrix, folder, side=37):
    """The same matrix as tiles of blocks that are no ranges."""
    order = np.random.default_rng(0).permutation(len(matrix.points))
    blocks = tuple(order[i : i + side] for i in range(0, len(order), side))
    files = {}
    for i, rows in enumerate(blocks):
        for j in range(i, len(blocks)):
            files[i, j] = folder / f"{i}-{j}.npy"
            np.save(files[i, j], matrix.values[np.ix_(rows, blocks[j])])
    return PairwiseMatrix(TiledValues(blocks, files), matrix.points)


def test_all_points_are_sorted_distances_to_the_others():
    matrix = cloud(60, 3, 0)
    found = nearest_neighbours(matrix, 7, AllPoints())
    distances = np.sqrt(matrix.values)
    np.fill_diagonal(distances, np.inf)
    np.testing.assert_array_equal(found.distances, np.sort(distances, axis=1)[:, :7])
    np.testing.assert_array_equal(found.runs, np.argsort(distances, axis=1)[:, :7])
    assert found.n_candidates == 59


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.booleans())
def test_one_neighbour_per_other_run_is_the_nearest_of_its_path(seed, between):
    random = np.random.default_rng(seed)
    lengths = random.integers(1, 6, size=5)
    points = Points.of_runs([f"r{i}" for i in range(5)], [random.permutation(9)[:n] for n in lengths])
    x = random.normal(size=(lengths.sum(), 3))
    matrix = matrix_of(x, points)
    found = nearest_neighbours(matrix, 4, OtherRuns(between=between))
    slow = reference.to_runs(matrix.values, points["run"].tolist(), points["step"], between)
    for i, least in enumerate(slow):
        expected = sorted((value, run) for run, value in least.items())
        # the twin tries 20000 places on a segment: it is too far by at most c / 4 / 20000^2, c <= 100 here
        np.testing.assert_allclose(found.distances[i] ** 2, [value for value, _ in expected], rtol=0, atol=1e-7)
        assert [f"r{run}" for run in found.runs[i]] == [run for _, run in expected] or between


def test_paths_of_straight_runs_are_as_far_as_lines_are():
    matrix = straight_runs(6, 9, 2, 0)
    found = nearest_neighbours(matrix, 5, OtherRuns())
    inside = np.flatnonzero(np.abs(matrix.points["progress"] - 0.5) < 0.2)
    x = np.random.default_rng(0).uniform(size=(6, 2))
    lines = squareform(pdist(x))
    for i in inside:
        own = int(matrix.points["run"][i][4:])
        expected = np.sort(np.delete(lines[own], own))
        np.testing.assert_allclose(found.distances[i], expected, rtol=1e-7)


def test_equal_progress_meets_straight_runs_at_right_angles():
    matrix = straight_runs(6, 9, 2, 0)
    found = nearest_neighbours(matrix, 5, EqualProgress())
    lines = squareform(pdist(np.random.default_rng(0).uniform(size=(6, 2))))
    progress, runs = matrix.points["progress"], matrix.points["run"]
    for i in range(len(progress)):
        own = int(runs[i][4:])
        there = [
            r
            for r in range(6)
            if r != own and progress[runs == f"run-{r}"].min() <= progress[i] <= progress[runs == f"run-{r}"].max()
        ]
        expected = np.sort(lines[own, there])
        np.testing.assert_allclose(found.distances[i, : len(there)], expected, rtol=1e-7)
        assert np.isinf(found.distances[i, len(there) :]).all()


@pytest.mark.parametrize("candidates", [AllPoints(), OtherRuns(), OtherRuns(between=False), EqualProgress()])
def test_a_matrix_on_disk_gives_the_same_neighbours(tmp_path, candidates):
    matrix = straight_runs(11, 9, 2, 1)
    tiled = on_disk(matrix, tmp_path)
    here, there = (nearest_neighbours(m, 6, candidates) for m in (matrix, tiled))
    np.testing.assert_array_equal(here.distances, there.distances)
    np.testing.assert_array_equal(here.runs, there.runs)


def test_single_entries_are_read_from_tiles(tmp_path):
    matrix = cloud(90, 2, 3)
    rows, columns = np.random.default_rng(0).integers(0, 90, size=(2, 200))
    np.testing.assert_array_equal(entries(on_disk(matrix, tmp_path), rows, columns), matrix.values[rows, columns])


def test_duplicates_are_dropped_and_counted():
    x = np.random.default_rng(0).uniform(size=(50, 3))
    found = nearest_neighbours(matrix_of(np.concatenate([x, x[:7], x[:2]])), 2)
    assert found.duplicates == 9
    np.testing.assert_array_equal(found.rows, np.arange(50))
    np.testing.assert_array_equal(found.distances, nearest_neighbours(matrix_of(x), 2).distances)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_points_that_differ_from_those_kept_before_are_kept(seed):
    """Also where being at no distance is not transitive, as with rounded divergences."""
    random = np.random.default_rng(seed)
    zero = random.random((12, 12)) < random.choice([0.05, 0.3, 0.9])
    values = np.where(zero | zero.T | np.eye(12, dtype=bool), 0.0, 1.0)
    chosen = np.flatnonzero(random.random(12) < 0.8)
    kept: list[int] = []
    for point in chosen:
        if all(values[point, other] for other in kept):
            kept.append(point)
    np.testing.assert_array_equal(distinct(PairwiseMatrix.from_array(values), chosen), kept)


@pytest.mark.parametrize("candidates", [OtherRuns(), EqualProgress("step")])
def test_runs_from_one_start_are_as_far_as_their_paths_are(candidates):
    """Along orthogonal axes from one point, which one of them keeps and all of them pass."""
    steps = np.arange(4)
    x = np.einsum("r,t->rt", np.ones(6), steps * 0.2)[:, :, None] * np.eye(6)[:, None]
    points = Points.of_runs([f"r{i}" for i in range(6)], [steps] * 6)
    found = nearest_neighbours(matrix_of(x.reshape(-1, 6), points), 3, candidates)
    assert found.duplicates == 5
    assert np.isinf(found.distances[0]).all()
    far = steps[points["step"][found.rows[1:]]] * 0.2 * (1 if candidates == OtherRuns() else np.sqrt(2))
    np.testing.assert_allclose(found.distances[1:], np.tile(far[:, None], 3), rtol=1e-12)


def test_a_run_that_repeats_another_does_not_count():
    matrix = straight_runs(6, 5, 2, 0)
    twice = matrix.take([*range(30), *range(5, 10)])
    named = np.concatenate([matrix.points["run"], ["copy"] * 5])
    points = Points.of_runs([*matrix.points.runs, "copy"], [np.arange(5)] * 7)
    np.testing.assert_array_equal(points["run"], named)
    found = nearest_neighbours(replace(twice, points=points), 4, OtherRuns())
    once = nearest_neighbours(matrix, 4, OtherRuns())
    np.testing.assert_array_equal(found.distances, once.distances)
    assert found.duplicates == 5


def test_some_points_alone_are_as_if_there_were_no_others():
    matrix = straight_runs(12, 5, 2, 4)
    chosen = np.flatnonzero(np.isin(matrix.points["run"], ["run-1", "run-3", "run-5", "run-8"]))
    part = nearest_neighbours(matrix, 3, OtherRuns(), rows=chosen)
    np.testing.assert_array_equal(part.distances, nearest_neighbours(matrix.take(chosen), 3, OtherRuns()).distances)


def test_progress_is_reported_to_the_end():
    calls = []
    nearest_neighbours(cloud(700, 2, 0), 2, report=lambda done, total: calls.append((done, total)))
    assert calls[-1] == (700, 700)
    assert calls == sorted(calls)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nearest_neighbours(matrix_of(np.ones((9, 2))), 2), "all points are identical"),
        (lambda: nearest_neighbours(cloud(9, 2, 0), 0), "count: 0; give at least 1"),
        (lambda: nearest_neighbours(cloud(9, 2, 0), 2, rows=[]), "rows: .*give the numbers of points, below 9"),
        (lambda: nearest_neighbours(cloud(9, 2, 0), 2, rows=[9]), "rows: .*give the numbers of points, below 9"),
        (lambda: nearest_neighbours(cloud(9, 2, 0), 2, rows=[True]), "rows: .*or a mask of 9"),
        (lambda: nearest_neighbours(cloud(9, 2, 0), 2, rows=[3, 3]), "rows: 1 of 9 points chosen; neighbours take two"),
        (lambda: nearest_neighbours(np.ones((3, 3)), 2), "matrix: is an array of shape"),
        (lambda: nearest_neighbours(cloud(9, 2, 0).take(np.arange(4), np.arange(9)), 2), "matrix: rectangular"),
        (lambda: nearest_neighbours(straight_runs(1, 9, 2, 0), 2), "runs: there is one alone"),
        (lambda: nearest_neighbours(straight_runs(3, 9, 2, 0), 2, EqualProgress("pace")), "no column 'pace'"),
        (
            lambda: nearest_neighbours(straight_runs(3, 9, 2, 0), 2, EqualProgress("run")),
            "run: this column .*leave such points out",
        ),
    ],
)
def test_what_has_no_neighbours_is_refused_in_one_line(make, message):
    with pytest.raises(InputError, match=message) as refused:
        make()
    assert "\n" not in str(refused.value)
