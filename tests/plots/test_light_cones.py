"""The light cone: one scale, one cone, and both numbers in words."""

import re
from dataclasses import replace

import numpy as np
import pytest

from infogeo import plots
from infogeo.core.errors import InputError
from infogeo.core.points import Points
from infogeo.embed import bernoulli_family, inpca, iskl, least_squares_family
from infogeo.pairwise import PairwiseMatrix


@pytest.fixture(scope="module")
def coins():
    p = np.random.default_rng(2).uniform(0.03, 0.97, (40, 2))
    embedding = iskl(bernoulli_family(p))
    return embedding.principal(), embedding.divergences()


def traces(figure, start):
    return [trace for trace in figure.data if (trace.name or "").startswith(start)]


def test_both_axes_have_one_scale_and_name_themselves(coins):
    layout = plots.light_cones(*coins).layout
    assert (layout.yaxis.scaleanchor, layout.yaxis.scaleratio) == ("x", 1)
    assert layout.xaxis.title.text.startswith("axis 1 · ")
    assert "(time-like)" in layout.yaxis.title.text
    assert "(time-like)" not in layout.xaxis.title.text


def test_points_are_sorted_by_the_sign_of_their_interval(coins):
    embedding, matrix = coins
    time = int(np.flatnonzero(embedding.signature < 0)[1])
    space = int(np.flatnonzero(embedding.signature > 0)[1])
    figure = plots.light_cones(embedding, matrix, axes=(space + 1, time + 1), center=7)
    s, t = embedding.coords[:, space], embedding.coords[:, time]
    interval = (s - s[7]) ** 2 - (t - t[7]) ** 2
    (outside,), (inside,) = traces(figure, "outside"), traces(figure, "inside")
    np.testing.assert_array_equal(outside.x, s[interval > 0])
    np.testing.assert_array_equal(inside.y, t[interval < 0])
    assert len(inside.x) > 0
    assert f"{len(inside.x)} of 39 points inside the light cone of point-7" in figure.layout.title.text
    assert outside.marker.symbol != inside.marker.symbol


def test_hovering_says_the_interval_of_the_axes_and_the_true_divergence(coins):
    embedding, matrix = coins
    figure = plots.light_cones(embedding, matrix, center=3)
    s, t = embedding.coords[:, 0], embedding.coords[:, np.flatnonzero(embedding.signature < 0)[0]]
    interval = (s - s[3]) ** 2 - (t - t[3]) ** 2
    texts = [text for trace in figure.data for text in (trace.text if trace.text is not None else [])]
    said = {re.search("point-([0-9]+)", text)[1]: text for text in texts}
    assert len(said) == 40
    for row in (0, 20, 39):
        assert f"squared interval in these two axes: {interval[row]:.4g}, " in said[str(row)]
        assert f"true divergence, never negative: {matrix.values[3, row]:.4g} nats" in said[str(row)]


def test_without_a_matrix_the_divergence_is_that_of_all_axes_and_says_so(coins):
    embedding, matrix = coins
    (outside,) = traces(plots.light_cones(embedding, center=3), "outside")
    text = next(text for text in outside.text if "point-20<" in text)
    assert f"divergence of all 4 axes: {matrix.values[3, 20]:.4g} nats" in text  # all axes: the true one


def test_the_cone_has_its_tip_at_the_point_and_edges_at_45_degrees(coins):
    embedding, _ = coins
    figure = plots.light_cones(embedding)
    (star,) = traces(figure, "tip")
    time = int(np.flatnonzero(embedding.signature < 0)[0])
    row = np.argmin(np.sum(embedding.coords[:, [0, time]] ** 2, axis=1))
    assert [star.x[0], star.y[0]] == embedding.coords[row, [0, time]].tolist()
    for half, way in zip(traces(figure, "light cone"), (1, -1), strict=True):
        x, y = np.asarray(half.x) - star.x[0], np.asarray(half.y) - star.y[0]
        np.testing.assert_allclose(way * y, np.abs(x), rtol=1e-12)
        assert np.abs(x).max() > np.ptp(figure.layout.xaxis.range)


def test_points_that_coincide_in_both_axes_are_on_the_cone_and_not_inside(coins):
    """To rounding their interval has any sign."""
    embedding, _ = coins
    coords = embedding.coords.copy()
    coords[1] = coords[0] + 1e-15
    coords[2, :2] = coords[0, :2]
    figure = plots.light_cones(replace(embedding, coords=coords), center=0)
    time = int(np.flatnonzero(embedding.signature < 0)[0])
    assert coords[1, time] in traces(figure, "on the cone")[0].y
    assert len(traces(figure, "on the cone")[0].x) in (1, 2)


def test_runs_are_joined_by_lines_and_named_safely(sample):
    points = Points.of_runs(["<b>a</b>", "b", "c", "d"], [[0, 1, 3, 10, 30, 100]] * 4)
    figure = plots.light_cones(replace(sample.embedding, points=points), sample.matrix, center=2)
    assert "&lt;b&gt;a&lt;/b&gt;, step 3" in figure.layout.title.text
    assert [trace.mode for trace in figure.data].count("lines") == 3  # two halves of the cone and the runs


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda e, m: plots.light_cones(iskl(least_squares_family(np.eye(4), 1.0)).principal()),
            "none of its 3 axes is time-like",
        ),
        (lambda e, m: plots.light_cones(e, m, axes=(2, 1)), r"axes: \(2, 1\); give a space-like axis"),
        (lambda e, m: plots.light_cones(e, m, axes=(1, 9)), "in this order"),
        (lambda e, m: plots.light_cones(e, m, center=40), "center: 40; give a row from 0 to 39"),
        (lambda e, m: plots.light_cones(e, m.take(np.arange(3))), r"matrix: shape \(3, 3\), expected"),
    ],
)
def test_misuse_is_one_clear_line(coins, call, message):
    with pytest.raises(InputError, match=message):
        call(*coins)


def test_the_smallest_map_with_a_time_like_axis_is_drawn():
    embedding = inpca(PairwiseMatrix.from_array([[0, 1, 9], [1, 0, 1], [9, 1, 0]]))
    assert plots.light_cones(embedding).layout.title.text.endswith("light cone of point-1")
