from dataclasses import replace

import numpy as np
import pytest

from infogeo import plots
from infogeo.core.errors import InputError
from infogeo.embed import inpca


def drawn(traces, axis):
    values = np.concatenate([np.asarray(trace[axis], dtype=float) for trace in traces])
    return values[np.isfinite(values)]


def test_all_coordinates_are_drawn_and_no_other(sample):
    figure = plots.trajectories(sample.embedding, color="group")
    for k, axis in enumerate("xyz"):
        np.testing.assert_array_equal(np.sort(drawn(figure.data, axis)), np.sort(sample.embedding.coords[:, k]))


def test_each_level_is_one_trace_with_a_gap_after_each_run(sample):
    figure = plots.trajectories(sample.embedding, color="group")
    assert [trace.name for trace in figure.data] == ["a", "b"]
    for trace in figure.data:
        gaps = np.flatnonzero(np.isnan(np.asarray(trace.x)))
        assert gaps.tolist() == [6, 13]


def test_runs_are_drawn_in_the_order_of_their_steps(sample):
    shuffled = np.random.default_rng(0).permutation(len(sample.embedding.points))
    mixed = replace(
        sample.embedding, points=sample.embedding.points.take(shuffled), coords=sample.embedding.coords[shuffled]
    )
    for trace in plots.trajectories(mixed).data:
        rows = sample.embedding.points.of_run(trace.name)
        np.testing.assert_array_equal(np.asarray(trace.x)[:-1], sample.embedding.coords[rows, 0])


def test_starts_and_ends_look_different(sample):
    trace = plots.trajectories(sample.embedding).data[0]
    assert trace.marker.symbol[0] == "circle-open"
    assert trace.marker.size[5] > max(trace.marker.size[1:5])


def test_numbers_along_a_scale_share_one_colour_axis(sample):
    figure = plots.trajectories(sample.embedding, color="step")
    assert len(figure.data) == 1
    shades = np.asarray(figure.data[0].marker.color, dtype=float)
    np.testing.assert_allclose(shades[:6], np.log10(np.array([0, 1, 3, 10, 30, 100]) + 1))
    assert list(figure.layout.coloraxis.colorbar.ticktext) == ["0", "1", "3", "10", "30", "100"]


def test_axes_say_share_signature_and_divergence(sample):
    embedding = sample.embedding
    timelike = int(np.flatnonzero(embedding.signature < 0)[0]) + 1
    figure = plots.trajectories(embedding, axes=(1, timelike))
    share = 100 * embedding.explained_stress[0]
    assert figure.layout.xaxis.title.text == f"axis 1 · {share:.1f} % · Bhattacharyya"
    assert "(time-like)" in figure.layout.yaxis.title.text


def test_two_components_are_a_plane(sample):
    figure = plots.trajectories(inpca(sample.matrix, 2))
    assert {trace.type for trace in figure.data} == {"scatter"}


def test_one_component_is_drawn_against_the_step(sample):
    embedding = inpca(sample.matrix, 1)
    trace = plots.trajectories(embedding).data[0]
    assert np.asarray(trace.x)[:6].tolist() == [1, 2, 4, 11, 31, 101]  # step + 1, on a log axis
    np.testing.assert_array_equal(np.asarray(trace.y)[:6], embedding.coords[:6, 0])


def test_references_are_named_at_their_place(sample):
    figure = plots.trajectories(sample.embedding, references=sample.references)
    named = {trace.name: (trace.x[0], trace.y[0], trace.z[0]) for trace in figure.data[-2:]}
    assert named["ignorance"] == tuple(sample.references.coords[0, :3])
    assert named["truth"] == tuple(sample.references.coords[1, :3])


@pytest.mark.parametrize("color", [None, "group", "step"])
def test_projected_runs_are_dashed_diamonds(sample, color):
    figure = plots.trajectories(sample.embedding, color=color, axes=(1, 2), projected=sample.projected)
    new = [trace for trace in figure.data if "diamond" in list(trace.marker.symbol)]
    assert len(new) == 1
    assert new[0].line.dash == "dash"
    np.testing.assert_array_equal(np.asarray(new[0].x)[:6], sample.projected.coords[:, 0])


def test_names_are_never_markup(sample):
    points = sample.embedding.points
    hostile = points.with_columns(run=np.char.replace(points["run"], "run/", "<b>&"))
    figure = plots.trajectories(replace(sample.embedding, points=hostile))
    assert figure.data[0].name == "&lt;b&gt;&amp;a0"
    assert figure.data[0].text[0].startswith("<b>&lt;b&gt;&amp;a0</b>")


def test_an_unknown_column_is_refused_with_those_there_are(sample):
    with pytest.raises(InputError, match=r"'colour'.*run, step, group, rate, accuracy, loss"):
        plots.trajectories(sample.embedding, color="colour")


@pytest.mark.parametrize("axes", [(0, 1), (99,), ()])
def test_axes_that_are_not_there_are_refused(sample, axes):
    with pytest.raises(InputError, match="axes"):
        plots.trajectories(sample.embedding, axes=axes)
