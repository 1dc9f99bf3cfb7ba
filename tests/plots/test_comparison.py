from dataclasses import replace

import numpy as np
import pytest

from infogeo import plots
from infogeo.core.errors import InputError
from infogeo.embed import inpca
from infogeo.plots.clusters import clusters
from tests.comparisons import small_comparison

HOSTILE = "<b>bold</b>"


@pytest.fixture(scope="module")
def comparison():
    return small_comparison()[0]


@pytest.fixture(scope="module")
def hostile():
    return small_comparison(archs=(HOSTILE, "<img src=x>"), seeds=1)[0]


def test_progress_is_one_line_per_run_against_the_step(comparison):
    figure = plots.progress_curves(comparison)
    progress = comparison.progress
    assert len(figure.data) == 12
    for trace, run in zip(figure.data, progress.points.runs, strict=True):
        rows = progress.points.of_run(run)
        np.testing.assert_array_equal(trace.y, progress.values[rows])
        np.testing.assert_array_equal(trace.x, progress.points["step"][rows] + 1)
    assert figure.layout.xaxis.type == "log"
    assert [t.name for t in figure.data if t.showlegend] == ["conv", "mlp"]


def test_distance_is_drawn_against_progress_with_its_unit(comparison):
    figure = plots.road_distance(comparison, color="lr")
    progress = comparison.progress
    np.testing.assert_array_equal(np.concatenate([t.x for t in figure.data]), progress.values)
    np.testing.assert_array_equal(np.concatenate([t.y for t in figure.data]), progress.distance)
    assert progress.definition.unit in figure.layout.yaxis.title.text
    assert [t.name for t in figure.data if t.showlegend] == ["0.1", "0.3", "1"]


@pytest.mark.parametrize("draw", [plots.progress_curves, plots.road_distance, plots.trajectory_map])
def test_an_unknown_colour_is_refused(comparison, draw):
    with pytest.raises(InputError, match="colour"):
        draw(comparison, color="colour")


def test_tubes_are_the_widths_of_the_record(comparison):
    figure = plots.tube_widths(comparison)
    np.testing.assert_array_equal([t.y for t in figure.data], comparison.tubes.widths)
    np.testing.assert_array_equal(figure.data[0].x, comparison.tubes.grid)
    assert [t.text[0] for t in figure.data] == comparison.tubes.labels


def test_a_configuration_of_one_run_has_no_tube(hostile):
    with pytest.raises(InputError, match="one run"):
        plots.tube_widths(hostile)


def test_a_group_has_one_colour_in_all_figures(comparison):
    figures = [plots.progress_curves(comparison), plots.road_distance(comparison), plots.tube_widths(comparison)]
    colours = {(trace.name, trace.line.color) for figure in figures for trace in figure.data}
    points = plots.trajectory_map(comparison).data + plots.dendrogram(comparison).data[1:-1]
    colours |= {(trace.name, colour) for trace in points for colour in trace.marker.color}
    assert len(colours) == 2


def test_the_matrix_is_ordered_by_the_leaves_of_the_tree(comparison):
    figure = plots.dendrogram(comparison)
    order = clusters(comparison)[1]
    matrix = comparison.configurations
    heat = figure.data[-1]
    assert sorted(order) == list(range(6))
    np.testing.assert_array_equal(heat.z, matrix.values[np.ix_(order, order)].astype(np.float32))
    assert list(figure.layout.yaxis2.ticktext) == matrix.points["run"][order].tolist()
    assert figure.layout.yaxis.range == figure.layout.yaxis2.range
    assert "nats" in heat.colorbar.title.text


def test_branches_join_at_the_largest_divergence_between_their_members(comparison):
    tree = np.asarray(plots.dendrogram(comparison).data[0].x).reshape(-1, 5)
    assert tree[:, 1].max() == comparison.configurations.values.max()
    assert (tree[:, 1] == tree[:, 2]).all()
    assert (tree[:, [0, 3]] <= tree[:, [1]]).all()
    d = comparison.configurations.values
    assert tree[:, 1].min() == d[d > 0].min()


def test_leaves_stand_at_height_zero_in_the_row_of_their_configuration(comparison):
    figure = plots.dendrogram(comparison)
    named = figure.layout.yaxis2.ticktext
    for leaf in figure.data[1:-1]:
        assert set(leaf.x) == {0}
        assert [named[y] for y in leaf.y] == list(leaf.text)
        assert all(text.startswith(leaf.name) for text in leaf.text)


def test_bars_are_the_importance_with_its_error_and_the_published_number(comparison):
    figure = plots.importance_bars(comparison)
    found = comparison.importance
    bars, published = figure.data
    order = [found.factors.index(name) for name in bars.y]
    np.testing.assert_array_equal(bars.x, found.importance[order])
    np.testing.assert_array_equal(bars.error_x.array, found.standard_error[order])
    np.testing.assert_array_equal(published.x, found.in_sample[order])
    assert "open" in published.marker.symbol
    assert f"{found.score:.2f}" in figure.layout.title.text
    assert bars.x[-1] == max(bars.x)  # drawn from below: the leading factor is on top


def test_without_importance_there_are_no_bars(comparison):
    with pytest.raises(InputError, match="importance"):
        plots.importance_bars(replace(comparison, importance=None))


def test_the_map_of_runs_is_the_embedding_of_their_divergences(comparison):
    figure = plots.trajectory_map(comparison)
    coords = inpca(comparison.matrix, n_components=3).coords
    drawn = np.concatenate([np.stack([t.x, t.y], axis=1) for t in figure.data])
    np.testing.assert_array_equal(drawn[np.lexsort(drawn.T)], coords[np.lexsort(coords[:, :2].T), :2])
    assert figure.layout.xaxis.title.text.startswith("axis 1")
    assert "Bhattacharyya" in figure.layout.yaxis.title.text


def test_two_coinciding_branches_of_runs_still_make_a_map(comparison):
    values = comparison.matrix.values * 0
    side = np.arange(12) % 2
    line = replace(comparison, matrix=replace(comparison.matrix, values=values + (side[:, None] != side)))
    figure = plots.trajectory_map(line)
    assert figure.layout.yaxis.visible is False


def test_numbers_along_a_scale_colour_runs_without_a_legend(comparison):
    progress = comparison.progress
    size = np.repeat(np.arange(12.0), 8)
    sized = replace(comparison, progress=replace(progress, points=progress.points.with_columns(size=size)))
    for draw in (plots.progress_curves, plots.road_distance, plots.trajectory_map):
        figure = draw(sized, color="size")
        assert not any(trace.showlegend for trace in figure.data)
    assert len(set(plots.trajectory_map(sized, color="size").data[0].marker.color)) == 12


def test_names_are_never_markup(hostile):
    figures = [
        plots.progress_curves(hostile),
        plots.road_distance(hostile, color="run"),
        plots.dendrogram(hostile),
        plots.trajectory_map(hostile),
    ]
    for figure in figures:
        text = figure.to_json()
        assert "\\u003cb\\u003ebold" not in text
        assert "<b>bold" not in text
        assert "<img" not in text
        assert "\\u003cimg" not in text
        assert "&lt;b&gt;bold" in text.replace("\\u0026", "&")


def test_long_names_are_cut_before_they_are_escaped(comparison):
    matrix = comparison.configurations
    long = np.asarray(["<" * 60 + str(i) for i in range(6)])
    figure = plots.dendrogram(
        replace(comparison, configurations=replace(matrix, points=matrix.points.with_columns(run=long)))
    )
    assert set(figure.layout.yaxis2.ticktext) == {"&lt;" * 35 + "…"}
