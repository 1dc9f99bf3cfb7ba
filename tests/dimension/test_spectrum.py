"""Participation ratio and stable rank: where they are known, beyond the whole spectrum, and with their errors."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

import infogeo
from infogeo.core.points import Points
from infogeo.dimension import spectrum
from infogeo.dimension.neighbours import AllPoints
from infogeo.dimension.spectrum import ParticipationRatio, StableRank
from infogeo.pairwise.matrix import PairwiseMatrix
from infogeo.pairwise.tiled import TiledValues
from tests.reference import embedding

EPS = np.finfo(np.float64).eps
METHODS = [ParticipationRatio(), StableRank()]


def matrix_of(x, runs=None, power=1.0):
    """Squared Euclidean distances of points x [P, K], to a power."""
    points = None if runs is None else Points({"run": np.asarray(runs), "step": np.arange(len(x))})
    return PairwiseMatrix.from_array(cdist(x, x, "sqeuclidean") ** power, points)


def by_hand(method, values):
    """The value from a matrix written out, its eigenvalues of either sign."""
    _, lambdas, _ = embedding.spectrum(values)
    squares = np.sum(lambdas**2)
    return squares / lambdas[0] ** 2 if isinstance(method, StableRank) else np.abs(lambdas).sum() ** 2 / squares


@pytest.fixture(scope="module")
def bent():
    """Distances to a power at which W has eigenvalues of both signs."""
    return matrix_of(np.random.default_rng(0).normal(size=(120, 4)), power=1.4)


def test_equal_directions_count_one_each():
    """The corners of a simplex: P - 1 equal eigenvalues; beside rounding of P eps."""
    matrix = PairwiseMatrix.from_array(1 - np.eye(30))
    for method in METHODS:
        assert method.estimate(matrix).value == pytest.approx(29, rel=30 * EPS * 10)


def test_a_line_is_one_dimension():
    for method in METHODS:
        found = method.estimate(matrix_of(np.random.default_rng(1).normal(size=(50, 1))))
        assert found.value == pytest.approx(1, abs=1e-6)  # 48 eigenvalues at rounding add up to less
        assert np.isnan(found.scale)


@pytest.mark.parametrize("method", METHODS)
def test_eigenvalues_of_either_sign_count(bent, method):
    found = method.estimate(bent)
    assert found.value == pytest.approx(by_hand(method, bent.values), rel=1e-10)
    _, lambdas, _ = embedding.spectrum(bent.values)
    share = -lambdas[lambdas < 0].sum() / np.abs(lambdas).sum()
    assert share > 0.1
    assert found.warnings == (f"negative eigenvalues are {100 * share:.0f} % of the sum of all |eigenvalues|",)


@pytest.mark.parametrize("power", [1.0, 1.4])
def test_beyond_the_whole_spectrum_the_truth_lies_between_the_ends(monkeypatch, power):
    x = np.random.default_rng(2).normal(size=(300, 60)) * np.exp(-0.03 * np.arange(60))
    matrix = matrix_of(x, power=power)
    exact = by_hand(ParticipationRatio(), matrix.values)
    monkeypatch.setattr(spectrum, "EXACT_UP_TO", 250)
    monkeypatch.setattr(spectrum, "JACKKNIFE_UP_TO", 250)
    monkeypatch.setattr(ParticipationRatio, "leading", 20)
    found = ParticipationRatio().estimate(matrix)
    told = next(warning for warning in found.warnings if warning.startswith("from 20 eigenvalues"))
    low, high = (float(end) for end in told.split("between ")[1].split(" and "))
    assert low * (1 - 1e-3) <= exact <= high * (1 + 1e-3)  # the text has four digits
    assert found.value == pytest.approx((low + high) / 2, rel=1e-3)
    assert any(warning.startswith("negative eigenvalues are at least") for warning in found.warnings) == (power > 1)
    if power == 1.0:  # without negative eigenvalues the trace is the sum
        assert low == pytest.approx(exact, rel=1e-3)


def test_beyond_the_whole_spectrum_the_stable_rank_is_exact(monkeypatch, bent):
    expected = StableRank().estimate(bent).value
    monkeypatch.setattr(spectrum, "EXACT_UP_TO", 100)
    monkeypatch.setattr(spectrum, "JACKKNIFE_UP_TO", 100)
    found = StableRank().estimate(bent)
    assert found.value == pytest.approx(expected, rel=1e-10)
    assert found.warnings[-1] == "the standard error is from 100 of the 120 points"


@pytest.mark.parametrize("method", METHODS)
def test_the_standard_error_is_that_of_other_draws(method):
    """The standard deviation of 60 draws is known to 9 %, and a jackknife is right to 15 % where eigenvalues differ."""
    rng, spread = np.random.default_rng(3), np.exp(-0.4 * np.arange(6))
    found = [method.estimate(matrix_of(rng.normal(size=(80, 6)) * spread)) for _ in range(60)]
    said = np.sqrt(np.mean([estimate.standard_error**2 for estimate in found]))
    true = np.std([estimate.value for estimate in found], ddof=1)
    assert abs(said / true - 1) <= 0.15 + 3 / np.sqrt(2 * 59)
    assert found[0].degrees == 19


def test_whole_runs_are_left_out():
    """Points that repeat within a run say nothing new: the error is that of one point per run."""
    x = np.random.default_rng(4).normal(size=(20, 3))
    once = ParticipationRatio().estimate(matrix_of(x))
    often = ParticipationRatio().estimate(matrix_of(np.repeat(x, 5, axis=0), np.repeat(np.arange(20), 5).astype(str)))
    assert often.value == pytest.approx(once.value, rel=1e-10)
    assert often.standard_error == pytest.approx(once.standard_error, rel=1e-8)


def test_the_error_of_a_part_of_the_runs_is_scaled_to_all(monkeypatch):
    """A quarter of 400 runs: within what a jackknife of 20 groups knows, three times 16 % for either."""
    matrix = matrix_of(np.random.default_rng(5).normal(size=(400, 3)) * [1, 0.6, 0.4])
    whole = ParticipationRatio().estimate(matrix).standard_error
    monkeypatch.setattr(spectrum, "JACKKNIFE_UP_TO", 100)
    part = ParticipationRatio().estimate(matrix)
    assert part.standard_error == pytest.approx(whole, rel=3 * 0.16 * np.sqrt(2))
    assert part.warnings == ("the standard error is from 100 of the 400 points",)


def test_runs_keep_their_share_of_points_where_there_are_many(monkeypatch):
    monkeypatch.setattr(spectrum, "JACKKNIFE_UP_TO", 40)
    rng = np.random.default_rng(6)
    x = np.repeat(rng.normal(size=(10, 3)), 20, axis=0) + 0.01 * rng.normal(size=(200, 3))
    found = ParticipationRatio().estimate(matrix_of(x, np.repeat(np.arange(10), 20).astype(str)))
    assert found.degrees == 9
    assert found.warnings == ("the standard error is from 40 of the 200 points",)


def test_one_run_alone_has_no_error():
    x = np.random.default_rng(7).normal(size=(30, 2))
    found = StableRank().estimate(matrix_of(x, ["a"] * 30))
    assert found.value > 1
    assert np.isnan(found.standard_error)
    assert found.warnings == ("one run alone says nothing about the error",)


def test_two_points_are_one_dimension_without_an_error():
    found = ParticipationRatio().estimate(matrix_of(np.eye(2)))
    assert found.value == pytest.approx(1, rel=4 * EPS)
    assert np.isnan(found.standard_error)
    assert found.warnings == ("too few runs differ to tell the error",)


@pytest.mark.parametrize("method", METHODS)
def test_tiles_on_disk_give_the_same_as_memory(monkeypatch, tmp_path, bent, method):
    order = np.random.default_rng(8).permutation(120)
    blocks = tuple(np.sort(order[start : start + 50]) for start in range(0, 120, 50))
    files = {(i, j): tmp_path / f"{i}-{j}.npy" for j in range(3) for i in range(j + 1)}
    for (i, j), path in files.items():
        np.save(path, bent.values[np.ix_(blocks[i], blocks[j])])
    tiled = PairwiseMatrix(TiledValues(blocks, files), bent.points)
    for exact in (2000, 100):
        monkeypatch.setattr(spectrum, "EXACT_UP_TO", exact)
        monkeypatch.setattr(spectrum, "JACKKNIFE_UP_TO", exact)
        mine, expected = method.estimate(tiled), method.estimate(bent)
        assert mine.value == pytest.approx(expected.value, rel=1e-10)
        assert mine.standard_error == pytest.approx(expected.standard_error, rel=1e-8)
        assert mine.warnings == expected.warnings


def test_progress_is_reported_over_the_groups():
    seen = []
    ParticipationRatio().estimate(
        matrix_of(np.random.default_rng(9).normal(size=(10, 2))), report=lambda *at: seen.append(at)
    )
    assert seen == [(i, 11) for i in range(1, 12)]


@pytest.mark.parametrize("method", METHODS)
def test_bad_input_is_told(bent, method):
    with pytest.raises(infogeo.InputError, match=f"candidates: AllPoints; {method.name} has no neighbours"):
        method.estimate(bent, AllPoints())
    with pytest.raises(infogeo.InputError, match="matrix: rectangular"):
        method.estimate(bent.take(np.arange(5), np.arange(10)))
    with pytest.raises(infogeo.InputError, match="matrix: all points are identical"):
        method.estimate(PairwiseMatrix.from_array(np.zeros((6, 6))))
