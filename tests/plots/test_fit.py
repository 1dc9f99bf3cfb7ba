from dataclasses import replace

import numpy as np
import pytest

from infogeo import plots
from infogeo.core.errors import InputError
from infogeo.core.points import Points
from infogeo.embed import inpca, residuals
from infogeo.pairwise import PairwiseMatrix
from infogeo.plots.fit import SYMBOLS
from infogeo.plots.pairs import pairs_on_map

FAR, NEAR = SYMBOLS


@pytest.fixture
def found(sample):
    return residuals(sample.matrix, sample.embedding, 3)


def bars(figure):
    """The (place, length, name of the trace) of all bars, from the top."""
    made = [(y, x, t.name) for t in figure.data if t.type == "bar" for x, y in zip(t.x, t.y, strict=True)]
    return sorted(made)


def test_runs_are_bars_by_their_misfit_the_worst_on_top(found):
    figure, runs = plots.misfit_by_run(found), found.per_run()
    made = bars(figure)
    np.testing.assert_array_equal([length for _, length, _ in made], runs.misfit)
    assert [name for _, _, name in made] == [FAR if bias > 0 else NEAR for bias in runs.bias]
    assert list(figure.layout.yaxis.ticktext) == runs.runs
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]
    assert "all runs" in figure.layout.xaxis.title.text


def test_both_signs_are_told_apart_without_colour(found):
    rng = np.random.default_rng(2)
    mixed = replace(found, mean_error=rng.choice([-1.0, 1.0], 4).repeat(6) * np.abs(found.mean_error))
    near, far = (trace for trace in plots.misfit_by_run(mixed).data if trace.type == "bar")
    assert near.marker.color != far.marker.color
    assert (near.marker.pattern.shape, far.marker.pattern.shape) == ("", "/")


def test_the_line_is_where_the_sentence_begins_to_name_runs(found):
    median, poor = (float(trace.x[0]) for trace in plots.misfit_by_run(found).data if trace.type == "scatter")
    assert median == np.median(found.per_run().misfit)
    bad = (found.per_run().misfit > poor).sum()
    assert found.sentence().count("on the map too") == bad
    assert poor == max(1.5 * median, 0.1)


def test_more_runs_than_fit_are_cut_and_counted(found):
    figure = plots.misfit_by_run(found, limit=3)
    np.testing.assert_array_equal([length for _, length, _ in bars(figure)], found.per_run().misfit[:3])
    assert "3 worst of 4 runs" in figure.layout.xaxis.title.text
    assert len(plots.misfit_by_step(found, limit=3).data) == 3
    assert "3 worst of 4 runs" in plots.misfit_by_step(found, limit=3).layout.title.text


def test_the_misfit_of_checkpoints_points_up_where_they_are_too_far(found):
    figure = plots.misfit_by_step(found, color="group")
    np.testing.assert_array_equal(np.concatenate([trace.y for trace in figure.data]), found.misfit)
    symbols = np.concatenate([trace.marker.symbol for trace in figure.data])
    np.testing.assert_array_equal(symbols, np.where(found.bias > 0, SYMBOLS[FAR], SYMBOLS[NEAR]))
    assert len(set(symbols)) == 2
    assert figure.data[0].line.color == figure.data[2].line.color != figure.data[1].line.color


def test_hovering_over_a_run_says_its_name_in_full_and_shows_no_markup_of_its_own(sample):
    long = "<b>" + "x" * 60
    points = sample.embedding.points
    points = points.with_columns(run=np.where(points["run"] == "run/a0", long, points["run"]))
    made = residuals(replace(sample.matrix, points=points), replace(sample.embedding, points=points))
    texts = [text for trace in plots.misfit_by_run(made).data if trace.type == "bar" for text in trace.text]
    assert any("&lt;b&gt;" + "x" * 60 in text for text in texts)
    assert all("root mean square" in text and "left unexplained" in text for text in texts)


def test_every_pair_is_drawn_once_where_they_are_few(sample):
    for size in (2, 5, 8, 24):
        rows = np.arange(size)
        matrix = sample.matrix.take(rows)
        pairs = pairs_on_map(matrix, inpca(matrix, 2))
        keys = {(min(i, j), max(i, j)) for i, j in zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)}
        assert len(keys) == len(pairs.first) == pairs.n_pairs == size * (size - 1) // 2
        np.testing.assert_array_equal(pairs.divergence, matrix.values[pairs.first, pairs.second])


def test_pairs_beyond_the_limit_are_a_seeded_draw_without_repetition(sample):
    drawn = [pairs_on_map(sample.matrix, sample.embedding, limit=100, seed=seed) for seed in (1, 1, 2)]
    pairs = {frozenset(pair) for pair in zip(drawn[0].first.tolist(), drawn[0].second.tolist(), strict=True)}
    assert len(pairs) == 100
    np.testing.assert_array_equal(drawn[0].first, drawn[1].first)
    assert (drawn[0].first != drawn[2].first).any()
    assert "100 of 276 pairs" in plots.shepard(sample.matrix, sample.embedding, limit=100).layout.xaxis.title.text


def test_intervals_are_those_of_the_axes_and_on_all_axes_the_divergences(sample):
    embedding = inpca(sample.matrix, 24)
    pairs = pairs_on_map(sample.matrix, embedding, 24)
    # K = P axes give D back to rounding: P terms of size max D
    scale = 24 * np.finfo(np.float64).eps * sample.matrix.values.max()
    np.testing.assert_allclose(pairs.sq_interval, pairs.divergence, rtol=0, atol=100 * scale)
    two = pairs_on_map(sample.matrix, embedding, 2)
    expected = [
        sum(embedding.signature[a] * (embedding.coords[i, a] - embedding.coords[j, a]) ** 2 for a in (0, 1))
        for i, j in zip(two.first, two.second, strict=True)
    ]
    np.testing.assert_allclose(two.sq_interval, expected, rtol=0, atol=scale)


def test_negative_intervals_are_drawn_where_they_are_as_diamonds_and_counted():
    d = np.array([[0.0, 1, 1], [1, 0, 9], [1, 9, 0]])  # 1 + 1 < 9 in distances: no triangle, so one axis is time-like
    matrix = PairwiseMatrix.from_array(d)
    embedding = inpca(matrix)
    only_time = replace(
        embedding,
        coords=embedding.coords[:, ::-1],
        eigenvalues=embedding.eigenvalues[::-1],
        signature=embedding.signature[::-1],
    )
    assert only_time.signature[0] == -1
    *_, negative = plots.shepard(matrix, only_time, k=1).data
    assert negative.marker.symbol == "diamond"
    assert (negative.y < 0).all()
    assert negative.name == f"interval² < 0: {len(negative.y)} pairs"
    np.testing.assert_array_equal(negative.x, d[tuple(np.asarray(negative.customdata).T)])


def test_a_matrix_read_by_rows_gives_the_same_pairs(sample):
    class ByRows:
        """Rows by slices alone, as a matrix on disk has them."""

        shape = sample.matrix.shape

        def __getitem__(self, rows):
            assert isinstance(rows, slice)
            return sample.matrix.values[rows]

    lazy = replace(sample.matrix, values=ByRows())
    for ours, theirs in zip(
        pairs_on_map(lazy, sample.embedding), pairs_on_map(sample.matrix, sample.embedding), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: plots.misfit_by_run(residuals(s.matrix, s.embedding), limit=0), "limit: 0; draw at least one"),
        (lambda s: plots.misfit_by_step(residuals(s.matrix, s.embedding), color="f1"), "choose one of run, step"),
        (lambda s: plots.shepard(s.matrix, s.embedding, limit=0), "limit: 0; draw at least one"),
        (lambda s: plots.shepard(s.matrix, s.embedding, k=0), "k: 0; give at least 1"),
        (lambda s: plots.shepard(s.rows, s.embedding), "is a rectangle"),
        (lambda s: plots.shepard(s.matrix.take(np.arange(5)), s.embedding), "not to the points of this map"),
    ],
)
def test_misuse_is_one_clear_line(sample, call, message):
    with pytest.raises(InputError, match=message):
        call(sample)


def test_a_run_of_one_point_is_drawn():
    points = Points.of_runs(["a", "b", "c"], [[0], [0], [0]])
    matrix = PairwiseMatrix.from_array([[0, 1, 2], [1, 0, 2], [2, 2, 0]], points)
    found = residuals(matrix, inpca(matrix, 1), 1)
    assert len(bars(plots.misfit_by_run(found))) == 3
    assert len(plots.misfit_by_step(found).data) == 3
