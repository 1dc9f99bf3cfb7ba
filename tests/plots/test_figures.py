from dataclasses import replace

import numpy as np
import pytest

from infogeo import plots
from infogeo.core.errors import InputError
from infogeo.core.points import Points
from infogeo.embed import inpca
from infogeo.pairwise import PairwiseMatrix
from infogeo.plots import palette
from infogeo.plots.axes import scale_text, shading, step_axis
from infogeo.plots.colouring import colouring


def test_stress_is_that_of_the_embedding_and_of_the_null(sample):
    figure = plots.stress(sample.embedding, sample.null)
    band, mean, ours = figure.data
    np.testing.assert_array_equal(ours.y, sample.embedding.explained_stress)
    np.testing.assert_array_equal(mean.y, sample.null.null_mean)
    assert max(band.y) == sample.null.replicates.max()
    assert "Bhattacharyya" in figure.layout.yaxis.title.text


def test_a_null_of_many_replicates_is_drawn_as_its_central_part(sample):
    rng = np.random.default_rng(3)
    null = replace(sample.null, replicates=sample.null.statistic - 0.2 * rng.random((80, 5)))
    band = plots.stress(sample.embedding, null).data[0]
    low, high = null.band(0.95)
    np.testing.assert_array_equal(band.y, np.concatenate([high, low[::-1]]))
    assert band.name == "null, central 95 % of 80 replicates"


def test_a_null_without_chance_is_a_line_without_a_band(sample):
    null = replace(sample.null, replicates=sample.null.replicates[:1])
    assert [trace.name for trace in plots.stress(sample.embedding, null).data] == ["null", "these runs"]


def test_the_stress_of_the_part_held_against_the_null_is_drawn_where_it_is_another(sample):
    part = sample.embedding.explained_stress - 0.02
    null = replace(sample.null, statistic=part, n_points=20, n_samples=40)
    drawn = plots.stress(sample.embedding, null).data
    np.testing.assert_array_equal(drawn[-1].y, part)
    assert "20 checkpoints on 40 samples" in drawn[-1].hovertemplate
    assert len(drawn) == len(plots.stress(sample.embedding, sample.null).data) + 1


def test_the_interval_of_the_stress_is_students_about_the_estimate_less_its_bias(sample):
    *_, ours, bars = plots.stress(sample.embedding, errors=sample.errors).data
    ends = np.reshape(bars.y, (5, 3))
    np.testing.assert_array_equal(ends[:, :2].T, sample.errors.stress_interval(0.95))
    assert np.isnan(ends[:, 2]).all()
    np.testing.assert_array_equal(ours.y, sample.embedding.explained_stress)


def test_eigenvalues_have_bars_and_those_that_are_too_close_a_ring(sample):
    figure = plots.spectrum(sample.embedding, sample.errors)
    _, bars, rings, *_ = figure.data
    low, high = sample.errors.eigenvalue_interval(0.95)
    ends = np.reshape(bars.y, (5, 3))
    space = sample.embedding.signature > 0
    np.testing.assert_array_equal(ends[:, 1], np.where(space, high, -low))
    np.testing.assert_array_equal(rings.x, np.flatnonzero(sample.errors.close) + 1)
    assert 0 < len(rings.x) < 5
    np.testing.assert_array_equal(plots.spectrum(sample.embedding).data[1].x, figure.data[3].x)  # as without errors


def test_an_eigenvalue_whose_interval_reaches_zero_leaves_the_log_axis_at_the_bottom(sample):
    errors = replace(sample.errors, eigenvalues=np.abs(sample.embedding.eigenvalues))
    figure = plots.spectrum(sample.embedding, errors)
    bottom, top = 10 ** np.array(figure.layout.yaxis.range)
    ends = np.reshape(figure.data[1].y, (5, 3))
    assert (ends[:, 0] > 0).all()
    assert (ends[:, 0] < bottom).all()
    assert bottom < np.abs(sample.embedding.eigenvalues).min()
    assert (ends[:, 1] < top).all()
    assert "axis 1: -" in figure.data[1].text[0]  # hovering tells the end that the axis cannot


@pytest.mark.parametrize("draw", [plots.stress, plots.spectrum])
def test_errors_of_another_number_of_axes_are_refused(sample, draw):
    with pytest.raises(InputError, match="errors: are of 5 axes and the map has 3"):
        draw(inpca(sample.matrix, 3), errors=sample.errors)


def test_spectrum_keeps_the_signs_apart(sample):
    figure = plots.spectrum(sample.embedding)
    _, space, time = figure.data
    values = np.concatenate([space.customdata, time.customdata])
    np.testing.assert_array_equal(np.sort(values), np.sort(sample.embedding.eigenvalues))
    assert (np.asarray(time.customdata) < 0).all()
    assert space.marker.symbol != time.marker.symbol
    assert space.marker.color != time.marker.color
    assert figure.layout.yaxis.type == "log"


def test_a_small_matrix_is_drawn_whole(sample):
    figure = plots.matrix(sample.matrix)
    np.testing.assert_array_equal(figure.data[0].z, sample.matrix.values.astype(np.float32))
    assert figure.layout.title.text == "Bhattacharyya, all points"
    assert figure.layout.title.subtitle.text == "divergence = 1/8 ds² for small distances"


def test_a_large_matrix_is_thinned_evenly_and_says_so(sample):
    figure = plots.matrix(sample.matrix, limit=9)
    rows = [0, 5, 6, 11, 12, 17, 18, 23]  # the first and last checkpoint of each run
    np.testing.assert_array_equal(figure.data[0].z, sample.matrix.values[np.ix_(rows, rows)].astype(np.float32))
    assert "8 of 24 points drawn" in figure.layout.title.text


def test_more_runs_than_places_still_fit_the_limit(sample):
    uneven = Points.of_runs(["a", "b", "c"], [range(22), [0], [0]])
    for limit in range(2, 26):
        assert 2 <= len(plots.matrix(sample.matrix, limit=limit).data[0].z) <= limit
        assert len(plots.matrix(replace(sample.matrix, points=uneven), limit=limit).data[0].z) == min(limit, 24)


def test_many_single_checkpoints_are_named_in_part():
    points = Points.of_runs([f"run{run}" for run in range(60)], [[0]] * 60)
    figure = plots.matrix(PairwiseMatrix(np.zeros((60, 60)), points))
    assert len(figure.data[0].z) == 60
    assert len(figure.layout.yaxis.ticktext) == 20
    assert not figure.layout.shapes


def test_many_runs_are_drawn_in_blocks_of_one_moment_of_training():
    steps = [[0, 1, 2, 5, 9, 20, 50, 100 + run] for run in range(30)]
    points = Points.of_runs([f"run{run}" for run in range(30)], steps)
    values = np.abs(np.subtract.outer(points["step"], points["step"])).astype(np.float64)
    figure = plots.matrix(PairwiseMatrix(values, points), limit=181)
    assert list(figure.layout.yaxis.ticktext) == [
        "step 0", "step 1", "step 5", "step 9", "step 50", "steps 100 to 129",
    ]  # fmt: skip
    assert list(figure.data[0].y[:2]) == ["run0 · step 0", "run1 · step 0"]
    blocks = np.asarray(figure.data[0].z).reshape(6, 30, 6, 30).max(axis=(1, 3))
    np.testing.assert_array_equal(np.diag(blocks), [0, 0, 0, 0, 0, 29])
    assert len(figure.layout.shapes) == 10


def test_runs_of_one_checkpoint_and_short_runs_are_drawn_among_many():
    points = Points.of_runs([f"run{run}" for run in range(30)], [[run] if run % 2 else [0, 1] for run in range(30)])
    figure = plots.matrix(PairwiseMatrix(np.zeros((45, 45)), points))
    assert len(figure.data[0].z) == len(set(figure.data[0].y)) == 45


def test_the_matrix_is_ordered_by_run_and_step(sample):
    order = np.random.default_rng(1).permutation(24)
    mixed = replace(
        sample.matrix, values=sample.matrix.values[np.ix_(order, order)], points=sample.matrix.points.take(order)
    )
    labels = plots.matrix(mixed).data[0].y
    assert [label.split(" · ")[1] for label in labels[:6]] == [f"step {s}" for s in (0, 1, 3, 10, 30, 100)]
    assert len(set(labels)) == 24


def test_a_rectangular_matrix_has_its_other_points_across(sample):
    other = Points.of_runs(["new"], [[0, 1]])
    rows = PairwiseMatrix(sample.matrix.values[:, :2], sample.matrix.points, columns=other)
    figure = plots.matrix(rows)
    assert figure.data[0].x[0] == "new · step 0"
    assert np.shape(figure.data[0].z) == (24, 2)


def test_a_limit_below_two_is_refused(sample):
    with pytest.raises(InputError, match="limit"):
        plots.matrix(sample.matrix, limit=1)


@pytest.mark.parametrize("column", ["accuracy", "loss"])
def test_learning_curves_are_one_line_per_run(sample, column):
    points = sample.embedding.points
    figure = plots.learning_curves(points, column, color="group")
    assert len(figure.data) == 4
    np.testing.assert_array_equal(figure.data[1].y, points[column][6:12])
    assert figure.data[0].line.color == figure.data[2].line.color != figure.data[1].line.color
    assert figure.layout.yaxis.type == ("log" if column == "loss" else None)


def test_learning_curves_take_a_colour_from_numbers(sample):
    figure = plots.learning_curves(sample.embedding.points, "loss", color="accuracy")
    assert len({trace.line.color for trace in figure.data}) == 1  # all runs end at one accuracy


def test_learning_curves_refuse_text_and_unknown_columns(sample):
    with pytest.raises(InputError, match="text"):
        plots.learning_curves(sample.embedding.points, "group")
    with pytest.raises(InputError, match="choose one of run, step"):
        plots.learning_curves(sample.embedding.points, "f1")


def test_two_points_can_be_drawn():
    matrix = PairwiseMatrix.from_array([[0, 1], [1, 0]])
    embedding = inpca(matrix)
    assert len(plots.trajectories(embedding).data) == 2
    assert len(plots.stress(embedding).data) == 1
    assert len(plots.spectrum(embedding).data) == 2
    assert np.shape(plots.matrix(matrix).data[0].z) == (2, 2)


def test_few_steps_stay_on_a_plain_axis():
    assert step_axis(np.arange(5))["type"] == "linear"
    assert step_axis(np.array([-5, 100]))["type"] == "linear"
    assert step_axis(np.array([0, 100]))["type"] == "log"


@pytest.mark.parametrize(
    ("factor", "text"), [(0.125, "1/8 ds²"), (1.0, "= ds²"), (None, "not known"), (0.3, "0.3 ds²")]
)
def test_the_scale_is_said_in_words(factor, text):
    assert text in scale_text(factor)


def test_numbers_over_decades_are_shaded_by_their_logarithm():
    wide = shading("rate", np.array([1e-4, 1.0, np.nan]))
    np.testing.assert_allclose(wide.places(np.array([1e-4, 1.0])), [-4, 0])
    assert not shading("rate", np.array([0.0, 1.0])).log


def test_levels_of_text_and_of_few_numbers():
    points = Points.of_runs(["r", "s", "t"], [[0], [0], [0]], [{"a": "x", "n": 2.0}, {"n": 1.0}, {"a": "w"}])
    text, numbers = colouring(points, "a"), colouring(points, "n")
    assert text.levels == ("x", "w", "(none)")
    assert text.codes.tolist() == [0, 2, 1]
    assert numbers.levels == ("1", "2", "(none)")
    assert numbers.codes.tolist() == [1, 0, 2]
    assert numbers.colours()[-1] == palette.MISSING


def test_columns_along_a_scale_have_no_levels(sample):
    assert colouring(sample.embedding.points, "step").continuous
    assert not colouring(sample.embedding.points, "rate").continuous


@pytest.mark.parametrize("paper", ["light", "dark"])
def test_the_first_24_groups_differ_in_colour(paper):
    assert len(set(palette.qualitative(24, paper))) == 24
    assert palette.qualitative(30, paper)[24] == palette.qualitative(1, paper)[0]
    assert palette.sequential(paper)[0][0] == 0
    assert palette.sequential(paper)[-1][0] == 1
