"""A study of all estimators: what stands in it, and what it says where it cannot tell."""

import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from infogeo.core.errors import InputError
from infogeo.core.points import Points
from infogeo.dimension import DimensionEstimate, DimensionNull, OtherRuns, dimension_study, nearest_neighbours
from infogeo.dimension.study import best, limit_of, scale_curve
from infogeo.embed import inpca
from infogeo.report.dimension_words import sentence
from tests.dimension.clouds import cloud, matrix_of, straight_runs


def estimate(value, error):
    return DimensionEstimate("x", value, error, 0.1, 10, degrees=9)


def test_a_study_of_runs_leads_with_the_dimension_across_and_in_all():
    matrix = straight_runs(44, 6, 2, 0)
    study = dimension_study(matrix)
    assert study.estimates[0] is study.across
    assert study.estimates[1] is study.total
    assert study.total.value == study.across.value + 1
    low, high = study.across.interval(0.999)
    assert low < 2 < high
    kinds = {(curve.name, curve.variable) for curve in study.curves}
    assert kinds == {
        ("across runs", "scale"),
        ("all points", "scale"),
        ("at equal progress", "progress"),
        ("across runs", "runs"),
    }
    fewer = next(curve for curve in study.curves if curve.variable == "runs")
    assert fewer.at[-1] == 44
    assert fewer.values[-1] == study.across.value
    for curve in study.curves:
        low, high = curve.band()
        known = np.isfinite(low)
        assert (low[known] <= curve.values[known]).all()
        assert (curve.values[known] <= high[known]).all()


def test_a_study_of_a_cloud_knows_no_runs():
    study = dimension_study(cloud(150, 3, 0))
    assert study.across is None
    assert [curve.name for curve in study.curves] == ["all points", "all points"]
    low, high = study.total.interval(0.999)
    assert low < 3 < high


def test_every_stage_is_told_and_ends():
    told = []

    class Stage:
        def __init__(self, name):
            self.name = name

        def __enter__(self):
            return lambda done, total: told.append((self.name, done == total))

        def __exit__(self, *_):
            return None

    dimension_study(straight_runs(26, 5, 1, 0), stage=Stage)
    ended = {name for name, end in told if end}
    assert {"neighbours", "neighbours among all points", "neighbours at equal progress", "fewer runs"} <= ended


def test_estimates_that_cannot_be_made_are_noted_and_others_stay():
    study = dimension_study(straight_runs(8, 6, 1, 0))
    assert any("maximum likelihood (k = 10) takes 10 neighbours" in note for note in study.notes)
    assert any("8 runs: intervals are known to hold from" in warning for warning in study.across.warnings)
    assert "TwoNN" in study.across.estimator


def test_where_the_dimension_changes_with_scale_there_is_no_answer_and_the_reason_is_told():
    random = np.random.default_rng(0)
    x = 0.01 * random.normal(size=(500, 20))
    x[:, :2] += random.uniform(size=(500, 2))
    study = dimension_study(matrix_of(x))
    assert np.isnan(study.total.value)
    assert study.total.warnings[0].endswith("as noise would make it")
    assert sentence(study).startswith("How many dimensions the points have cannot be told: the dimension changes from")
    scale = study.curves[0].values
    assert scale[0] > 3 * scale[-1]
    (fewer,) = (curve for curve in study.curves if curve.variable == "runs")
    assert {estimate.estimator for estimate in fewer.estimates} == {"Gride (neighbours 2 and 4), all other points"}
    assert "no single number can be followed: the other curves are of Gride, at one order each" in study.notes


def test_runs_that_are_nearly_twins_are_named():
    """30 straight runs, and a copy of 20 of them, a little aside."""
    random = np.random.default_rng(0)
    z = random.uniform(size=(30, 2))
    z = np.concatenate([z, z[:20] + 1e-3 * random.normal(size=(20, 2))])
    t = np.linspace(0, 1, 6)
    x = np.concatenate([np.repeat(z[:, None], 6, axis=1), np.tile(t[:, None], (50, 1, 1))], axis=2).reshape(-1, 3)
    points = Points.of_runs([f"run-{i}" for i in range(50)], [np.arange(6)] * 50)
    study = dimension_study(matrix_of(x, points))
    assert study.across.warnings[0].endswith("as runs or points that are nearly twins would make it")
    (note,) = (note for note in study.notes if note.startswith("nearest to each other, on average: "))
    pairs = re.findall(r"run-(\d+) and run-(\d+)", note)
    assert len(pairs) == 3
    assert all(int(b) == int(a) + 30 for a, b in pairs)


def test_too_many_dimensions_for_so_few_runs_are_no_noise():
    study = dimension_study(straight_runs(40, 4, 60, 0))
    assert np.isnan(study.across.value)
    assert "as noise, or more dimensions than the 11 that so few can tell, would" in study.across.warnings[0]


def test_points_on_a_grid_are_studied_at_the_scales_that_know_a_dimension():
    x = np.stack(np.meshgrid(np.arange(12.0), np.arange(12.0)), axis=-1).reshape(-1, 2)
    study = dimension_study(matrix_of(x))
    assert np.isnan(study.total.value)
    assert "equally far" in study.total.warnings[0]
    assert np.isfinite(study.curves[0].values).any()


def test_a_cloud_with_a_few_points_of_one_run_is_a_cloud_and_says_so():
    points = Points.of_runs([f"run-{i}" for i in range(59)], [[0, 1], *[[0]] * 58])
    study = dimension_study(replace(cloud(60, 2, 0), points=points))
    assert study.across is None
    assert study.notes == ("most runs have one checkpoint: all points count as a cloud, also those of one run",)


def test_progress_that_is_missing_somewhere_costs_the_curve_against_it_alone():
    matrix = straight_runs(26, 5, 1, 0)
    progress = matrix.points["progress"].copy()
    progress[7] = np.nan
    study = dimension_study(replace(matrix, points=matrix.points.with_columns(progress=progress)))
    assert "progress" not in {curve.variable for curve in study.curves}
    assert any(note.startswith("against progress, nothing can be told: progress: this column") for note in study.notes)
    assert study.across.value == dimension_study(matrix).across.value


def test_points_that_are_repeated_have_one_place_in_a_map():
    """In the coordinates of a map they differ in their last digits."""
    x = np.random.default_rng(0).normal(size=(60, 2))
    matrix = matrix_of(np.concatenate([x, x[:20]]))
    study = dimension_study(matrix, embedding=inpca(matrix, 2))
    (found,) = (e for e in study.estimates if e.estimator.startswith("local PCA"))
    assert (found.n_points, found.excluded) == (60, 20)


def test_few_checkpoints_leave_one_note_about_the_curve_that_they_cannot_make():
    study = dimension_study(straight_runs(24, 2, 1, 0))
    notes = [note for note in study.notes if note.startswith("against progress")]
    assert len(notes) <= 1


def test_more_dimensions_than_candidates_can_tell_are_many():
    x = np.random.default_rng(0).normal(size=(60, 400))
    assert any("read it as many" in warning for warning in best(nearest_neighbours(matrix_of(x), 16)).warnings)
    assert not best(nearest_neighbours(cloud(60, 2, 0), 16)).warnings


def test_the_limit_is_a_line_in_one_over_n():
    counts = np.array([50.0, 100.0, 200.0])
    found = [estimate(3 - 20 / n, 0.1) for n in counts]
    limit, error = limit_of(counts, found)
    assert limit == pytest.approx(3.0, rel=1e-12)
    assert error == pytest.approx(np.hypot(0.1, 0.05), rel=1e-12)


def test_a_dimension_that_still_grows_has_no_limit():
    counts = np.array([50.0, 100.0, 200.0])
    assert limit_of(counts, [estimate(value, 0.1) for value in (10.0, 20.0, 40.0)]) is None
    assert limit_of(counts[:1], [estimate(2.0, 0.1)]) is None
    assert limit_of(counts, [estimate(2.0, np.nan)] * 3) is None


def test_fewer_samples_and_a_map_and_a_null_join_the_study():
    matrix = replace(cloud(60, 2, 0), n_samples=20)
    stress = np.array([0.5, 0.9, 0.97])
    mapped = SimpleNamespace(
        points=matrix.points,
        coords=np.random.default_rng(0).normal(size=(60, 3)),
        signature=np.ones(3, dtype=int),
        explained_stress=stress,
    )
    curve = scale_curve(nearest_neighbours(matrix, 8), "data")
    null = DimensionNull("shuffled", (curve,), curve, stress, np.tile([0.2, 0.3, 0.4], (20, 1)))
    study = dimension_study(matrix, embedding=mapped, samples=[(10, cloud(60, 2, 1))], null=null)
    names = [found.estimator for found in study.estimates]
    assert any(name.startswith("explained stress of 90 %") for name in names)
    assert any("null replicates" in name for name in names)
    assert any(name.startswith("parallel analysis") for name in names)
    assert any(name.startswith("local PCA") for name in names)
    by_samples = next(found for found in study.curves if found.variable == "samples")
    np.testing.assert_array_equal(by_samples.at, [10, 20])
    assert by_samples.values[1] == study.total.value


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: dimension_study(straight_runs(1, 30, 1, 0)), "runs: there is one alone"),
        (lambda: dimension_study(cloud(3, 2, 0)), "an estimate by .* takes 5 such points"),
        (lambda: dimension_study(matrix_of(np.ones((9, 2)))), "all points are identical"),
        (lambda: dimension_study(None), "matrix: is missing"),
        (lambda: dimension_study(cloud(30, 2, 0), samples=[(9, cloud(30, 2, 1))]), "samples: the matrix does not know"),
        (
            lambda: dimension_study(replace(cloud(30, 2, 0), n_samples=9), samples=[(9, cloud(30, 2, 1))]),
            "samples: 9; give fewer than the 9 of the matrix",
        ),
        (
            lambda: dimension_study(replace(cloud(30, 2, 0), n_samples=9), samples=[(4, cloud(20, 2, 1))]),
            r"samples: the matrix of 4 has shape \(20, 20\), expected \(30, 30\)",
        ),
        (
            lambda: scale_curve(nearest_neighbours(straight_runs(2, 9, 1, 0), 4, OtherRuns()), "x"),
            "one candidate for a neighbour",
        ),
    ],
)
def test_what_cannot_be_studied_is_refused_in_one_line(make, message):
    with pytest.raises(InputError, match=message):
        make()
