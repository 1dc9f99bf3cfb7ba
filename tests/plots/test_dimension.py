from dataclasses import replace

import numpy as np
import pytest

from infogeo import plots
from infogeo.core.errors import InputError
from infogeo.dimension import DimensionCurve
from infogeo.plots.dimension import ALL_POINTS, digits, null_band, variables
from infogeo.plots.dimension_estimates import kind_of
from tests.dimensions import bare_study, small_study


@pytest.fixture(scope="module")
def study():
    return small_study()


def lines(figure):
    return [trace for trace in figure.data if trace.mode == "lines+markers"]


def filled(figure):
    return [trace for trace in figure.data if trace.fill == "toself"]


def of(study, variable):
    return [curve for curve in study.curves if curve.variable == variable]


@pytest.mark.parametrize("variable", ["scale", "progress", "runs", "samples"])
def test_a_line_and_a_band_hold_the_numbers_of_a_curve(study, variable):
    figure = plots.dimension_curves(study, variable)
    curves, bands = of(study, variable), [t for t in filled(figure) if t.name is None]
    assert len(lines(figure)) == len(bands) == len(curves)
    for curve, line, band in zip(curves, lines(figure), bands, strict=True):
        np.testing.assert_array_equal(line.x, curve.at)
        np.testing.assert_array_equal(line.y, curve.values)
        low, high = curve.band()
        np.testing.assert_array_equal(band.x, [*curve.at, *curve.at[::-1]])
        np.testing.assert_array_equal(band.y, [*high, *low[::-1]])
        assert f"{low[0]:.3g} to {high[0]:.3g}" in line.text[0]
    assert figure.layout.xaxis.type == (None if variable == "progress" else "log")


def test_curves_can_be_told_apart_without_colour(study):
    made = lines(plots.dimension_curves(study))
    assert len({(t.line.dash, t.marker.symbol) for t in made}) == len(made) == 2
    assert [t.line.dash for t in made if "misleading" in t.name] == ["dash"]


def test_all_points_of_a_cloud_mislead_nobody():
    cloud = bare_study()
    curve = DimensionCurve(ALL_POINTS, "scale", np.array([0.1, 0.2]), (cloud.total, cloud.total))
    figure = plots.dimension_curves(replace(cloud, curves=(curve,)))
    assert lines(figure)[0].name == ALL_POINTS
    assert lines(figure)[0].line.dash == "solid"
    assert "given divergence" in figure.layout.xaxis.title.text


def test_the_distance_is_the_root_of_the_divergence(study):
    assert plots.dimension_curves(study).layout.xaxis.title.text == "distance √(Bhattacharyya)"


@pytest.mark.parametrize(("low", "high"), [(0.1472, 0.1553), (0.02, 0.07), (0.3, 0.3), (0.001, 5.0)])
def test_the_axis_of_distances_names_some_that_are_there(study, low, high):
    curve = of(study, "scale")[0]
    placed = replace(curve, at=np.geomspace(low, high, 4))
    axis = plots.dimension_curves(replace(study, curves=(placed,), null=None)).layout.xaxis
    ticks = np.asarray(axis.tickvals)
    assert 1 <= np.sum((ticks >= 0.9 * low) & (ticks <= 1.1 * high)) <= 12
    np.testing.assert_allclose([float(text) for text in axis.ticktext], ticks, rtol=1e-3)


def test_the_null_is_a_grey_band_of_its_replicates(study):
    figure = plots.dimension_curves(study)
    band = next(t for t in filled(figure) if t.name == "null, all 5 replicates")
    at, low, middle, high = null_band(study.null)
    np.testing.assert_array_equal(band.x, [*at, *at[::-1]])
    np.testing.assert_array_equal(band.y, [*high, *low[::-1]])
    assert (low <= middle).all()
    assert (middle <= high).all()
    values = np.concatenate([curve.values for curve in study.null.curves])
    assert values.min() <= low.min() <= high.max() <= values.max()
    assert not any("null" in str(t.name) for t in plots.dimension_curves(study, "runs").data)


def test_a_null_that_is_far_away_is_left_out(study):
    """Both would be specks in one picture."""
    far = tuple(replace(curve, at=100 * curve.at) for curve in study.null.curves)
    figure = plots.dimension_curves(replace(study, null=replace(study.null, curves=far)))
    assert not any("null" in (trace.name or "") for trace in figure.data)


def test_the_part_that_the_null_is_beside_is_drawn_where_it_is_not_all(study):
    part = replace(study.null, data=replace(study.null.data, at=1.1 * study.null.data.at))
    drawn = lines(plots.dimension_curves(replace(study, null=part)))[-1]
    np.testing.assert_array_equal(drawn.x, part.data.at)
    assert (drawn.name, drawn.line.dash) == ("the part held against the null", "dot")


def test_replicates_at_the_same_distances_are_taken_as_they_are(study):
    first = study.null.curves[0]
    shared = tuple(replace(curve, at=first.at) for curve in study.null.curves)
    at, low, middle, high = null_band(replace(study.null, curves=shared))
    values = np.stack([curve.values for curve in shared])
    np.testing.assert_allclose(at, first.at, rtol=1e-12)
    for found, expected in ((low, values.min(0)), (middle, np.median(values, axis=0)), (high, values.max(0))):
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_replicates_that_never_meet_have_no_band(study):
    far = tuple(replace(curve, at=10.0**i * curve.at) for i, curve in enumerate(study.null.curves))
    apart = replace(study.null, curves=far)
    assert all(len(ends) == 0 for ends in null_band(apart))
    assert not any("null" in str(t.name) for t in plots.dimension_curves(replace(study, null=apart)).data)


def test_one_replicate_is_a_line_without_a_band(study):
    one = replace(study.null, curves=study.null.curves[:1])
    figure = plots.dimension_curves(replace(study, null=one))
    assert [t.name for t in figure.data if "null" in str(t.name)] == ["null"]


def test_the_limit_is_a_dashed_line(study):
    limit = next(t for t in plots.dimension_curves(study, "samples").data if "infinitely" in str(t.name))
    assert set(limit.y) == {2.04}
    assert list(limit.x) == [50, 200]
    assert limit.line.dash == "dash"
    assert "2.04 ± 0.21" in limit.name


def test_estimates_that_cannot_be_told_leave_gaps(study):
    curve = of(study, "scale")[0]
    unknown = replace(curve.estimates[1], value=np.nan, standard_error=np.nan)
    gap = replace(curve, estimates=(curve.estimates[0], unknown, *curve.estimates[2:]))
    figure = plots.dimension_curves(replace(study, curves=(gap,), null=None))
    assert np.isnan(lines(figure)[0].y[1])
    assert [len(t.x) for t in filled(figure)] == [4]  # the two after the gap; one point alone has no band


@pytest.mark.parametrize(("value", "text"), [(2.046, "2.05"), (186.7, "187"), (1234.5, "1234"), (0.0001, "0.0001")])
def test_large_numbers_have_no_exponent(value, text):
    assert digits(value) == text


def test_very_different_dimensions_are_drawn_on_a_log_axis(study):
    curve = of(study, "runs")[0]
    large = replace(curve.estimates[0], value=60.0)
    figure = plots.dimension_curves(
        replace(study, curves=(replace(curve, estimates=(large, *curve.estimates[1:])),)), "runs"
    )
    assert figure.layout.yaxis.type == "log"
    assert 10 ** figure.layout.yaxis.range[0] < curve.values[1:].min() < 60 < 10 ** figure.layout.yaxis.range[1]


def test_what_is_not_there_is_refused_with_what_there_is(study):
    with pytest.raises(InputError, match="variable: is the text 'time'; give one of scale, progress, runs, samples"):
        plots.dimension_curves(study, "time")
    few = replace(study, curves=tuple(of(study, "scale")))
    with pytest.raises(InputError, match="no dimension against runs; it has scale"):
        plots.dimension_curves(few, "runs")
    with pytest.raises(InputError, match="it has no curve at all"):
        plots.dimension_curves(bare_study())
    with pytest.raises(InputError, match="study: is missing; give a DimensionStudy"):
        plots.dimension_curves(None)
    assert variables(few) == ["scale"]


def test_every_estimate_has_a_row_with_its_interval(study):
    figure = plots.dimension_estimates(study)
    drawn = {}
    for trace in figure.data:
        for i, row in enumerate(trace.y):
            error = trace.error_x
            drawn[row] = (trace.x[i], trace.x[i] - error.arrayminus[i], trace.x[i] + error.array[i])
    assert len(drawn) == len(study.estimates)
    for row, estimate in enumerate(study.estimates):
        np.testing.assert_allclose(drawn[row], (estimate.value, *estimate.interval()), rtol=1e-12)
    assert [note.text for note in figure.layout.annotations] == [e.estimator for e in study.estimates]
    assert len({trace.marker.symbol for trace in figure.data}) == len(figure.data)


def test_the_kind_of_an_estimate_is_what_it_looked_at(study):
    kinds = [kind_of(study, estimate) for estimate in study.estimates]
    assert kinds == ["across runs", "in all", "across runs", "across runs", "all points", "no scale", "no scale"]
    pairs = replace(study.estimates[2], estimator="correlation dimension (0.1 to 0.3), pairs of different runs")
    assert kind_of(study, pairs) == "in all"
    thinned = replace(study.estimates[2], estimator="TwoNN, all other points, after thinning")
    assert kind_of(study, thinned) == "in all"


def test_names_are_never_markup(study):
    hostile = "<b>bold</b>"
    named = replace(
        study,
        divergence=hostile,
        estimates=(replace(study.estimates[0], estimator=hostile),),
        curves=tuple(replace(curve, name=hostile) for curve in study.curves),
    )
    for figure in (plots.dimension_curves(named), plots.dimension_estimates(named)):
        text = figure.to_json()
        assert "\\u003cb\\u003ebold" not in text
        assert "<b>bold" not in text
