"""The matrix as its user's: built, selected, joined, saved, and handed to other libraries."""

import numpy as np
import pytest
from scipy.spatial.distance import squareform

import infogeo
from infogeo import PairwiseMatrix
from tests.samples import trajectories

BHATTACHARYYA = infogeo.Bhattacharyya()


@pytest.fixture(scope="module")
def matrix():
    return infogeo.pairwise_divergence(trajectories(), BHATTACHARYYA)


def test_a_printed_matrix_is_one_line(matrix):
    assert repr(matrix) == "PairwiseMatrix(24 points of 4 runs, divergence Bhattacharyya, N=30 samples)"
    assert " of 4 runs to 24 points of 4 runs, " in repr(matrix.take([0, 1, 6, 12, 18], range(24)))
    assert repr(PairwiseMatrix.from_array(1 - np.eye(2))) == "PairwiseMatrix(2 points of 2 runs, divergence given)"


def test_points_are_selected_by_what_is_known_of_them(matrix):
    chosen = matrix.select(arch="mlp", step=lambda t: t > 2)
    rows = np.flatnonzero((matrix.points["arch"] == "mlp") & (matrix.points["step"] > 2))
    assert len(rows) == 6
    assert np.array_equal(chosen.values, matrix.values[np.ix_(rows, rows)])
    assert chosen.points["lr"].tolist() == matrix.points["lr"][rows].tolist()
    assert matrix.select(run=["net-0", "net-3"]).points.runs == ["net-0", "net-3"]
    assert (chosen.divergence, chosen.n_samples) == (matrix.divergence, matrix.n_samples)


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"optimiser": "adam"}, "there is no column 'optimiser'; there are run, step, arch, lr"),
        ({"arch": "transformer"}, "select: no point has arch=transformer"),
        ({"step": lambda t: 3}, r"the function for 'step' must give a mask of shape \(24,\)"),
    ],
)
def test_a_selection_that_means_nothing_is_refused(matrix, wanted, message):
    with pytest.raises(infogeo.InputError, match=message):
        matrix.select(**wanted)


def test_rows_and_columns_may_be_taken_apart(matrix):
    part = matrix.take(np.arange(4), columns=[7, 5])
    assert np.array_equal(part.values, matrix.values[:4][:, [7, 5]])
    assert part.columns["step"].tolist() == matrix.points["step"][[7, 5]].tolist()
    assert np.array_equal(part.take([2]).values, part.values[[2]])


def test_two_matrices_and_their_rectangle_join_to_the_whole(matrix):
    first, second = np.arange(10), np.arange(10, 24)
    joined = matrix.take(first).join(matrix.take(second), between=matrix.take(first, second))
    assert np.array_equal(joined.values, matrix.values)
    assert joined.points["run"].tolist() == matrix.points["run"].tolist()
    with pytest.raises(infogeo.InputError, match=r"between: has shape \(14, 10\), expected \(10, 14\)"):
        matrix.take(first).join(matrix.take(second), between=matrix.take(second, first))
    other = infogeo.pairwise_divergence(trajectories(), infogeo.Hellinger())
    with pytest.raises(infogeo.InputError, match="join: divergence Hellinger is not Bhattacharyya"):
        matrix.take(first).join(other.take(second), between=matrix.take(first, second))
    with pytest.raises(infogeo.InputError, match="both matrices must be square"):
        matrix.take(first, second).join(matrix, matrix)


def test_the_condensed_form_is_scipys(matrix):
    assert np.array_equal(squareform(matrix.condensed()), matrix.values)
    with pytest.raises(infogeo.InputError, match="only a square matrix"):
        matrix.take([0, 1], [2, 3]).condensed()


def test_pandas_gets_the_names_of_the_points(matrix):
    frame = matrix.to_pandas()
    assert frame.loc[("net-1", 2), ("net-3", 5)] == matrix.values[8, 23]
    assert frame.index.names == ["run", "step"]


@pytest.mark.parametrize("part", ["square", "rectangle"])
def test_saved_and_loaded_it_is_the_same_bit_for_bit(matrix, tmp_path, part):
    given = matrix if part == "square" else matrix.take(np.arange(5), np.arange(9, 20))
    given.save(tmp_path / "d.zarr")
    back = PairwiseMatrix.load(tmp_path / "d.zarr")
    assert np.array_equal(back.values, given.values)
    assert (back.columns is None) == (part == "square")
    if back.columns is not None:
        assert back.columns["step"].tolist() == given.columns["step"].tolist()
    assert back.fisher_factor == 1 / 8
    with pytest.raises(infogeo.InputError, match="exists"):
        given.save(tmp_path / "d.zarr")
    given.save(tmp_path / "d.zarr", overwrite=True)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").write_text("")
    with pytest.raises(infogeo.InputError, match="something else lies there"):
        given.save(tmp_path / "other", overwrite=True)


def test_a_rectangle_of_ones_own_is_checked(matrix):
    points, columns = matrix.points.take([0, 1]), matrix.points.take([2, 3, 4])
    given = PairwiseMatrix.from_array([[1, 2, 3], [4, 5, 6]], points, columns)
    assert given.shape == (2, 3)
    with pytest.raises(infogeo.InputError, match=r"columns: 3 rows for 2 points"):
        PairwiseMatrix.from_array([[1, 2], [4, 5]], points, columns)
    with pytest.raises(infogeo.InputError, match=r"entry \(0, 0\) = -1 is negative"):
        PairwiseMatrix.from_array([[-1, 2, 3], [4, 5, 6]], points, columns)
