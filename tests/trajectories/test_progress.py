"""Progress: closed forms, dense grids, and what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import infogeo
import infogeo.trajectories.progress as along
from infogeo.geometry import ArcProgress, BhattacharyyaProgress, Geodesic
from infogeo.trajectories import (
    AccuracyProgress,
    Progress,
    StepProgress,
    geodesic,
    geodesic_points,
    progress_of,
)
from tests.reference.progress import mean_along
from tests.reference.progress import progress as by_grid
from tests.samples import log_softmax, random_log_probs, trajectories

STATED = 1e-6
"""The accuracy of progress that is promised."""
KINDS = [("arc", ArcProgress()), ("bhattacharyya", BhattacharyyaProgress())]


def predictions(log_probs, labels=None):
    return infogeo.Predictions.from_arrays({"a": log_probs}, kind="log-probabilities", labels=labels)


@pytest.mark.parametrize(("kind", "definition"), KINDS)
@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 10**6), samples=st.integers(1, 40), confidence=st.floats(0.1, 12))
def test_progress_to_truth_is_that_of_a_dense_grid(kind, definition, seed, samples, confidence):
    given_ = random_log_probs(seed, 4, samples, 5, confidence)
    labels = np.random.default_rng(seed).integers(0, 5, samples)
    found = predictions(given_, labels)
    ends = found.references().log_probs
    values = progress_of(found, definition).values
    for x, value in zip(found.log_probs, values, strict=True):
        assert abs(value - by_grid(x, *ends, kind)) <= STATED


@pytest.mark.parametrize(("kind", "definition"), KINDS)
@pytest.mark.parametrize("size", [3.0, 0.3, 1e-2, 1e-3])
def test_progress_between_any_two_predictions_is_that_of_a_dense_grid(kind, definition, size):
    """Ends that are near need the difference form: overlaps in float32 would miss by 1e-7 / G^2."""
    rng = np.random.default_rng(0)
    x, v, off = rng.normal(size=(3, 50, 8))
    p, q = (log_softmax(x + size * shift).astype(np.float32) for shift in (0 * v, v))
    between = np.stack([log_softmax(x + size * (t * v + 0.3 * off)) for t in (0.0, 0.2, 0.55, 0.9)]).astype(np.float32)
    found = predictions(between)
    values = progress_of(found, definition, Geodesic.between(p, q)).values
    for row, value in zip(found.log_probs, values, strict=True):
        assert abs(value - by_grid(row, p, q, kind)) <= STATED


@pytest.mark.parametrize(("kind", "definition"), KINDS)
def test_a_trajectory_on_the_geodesic_has_its_parameter_as_progress(kind, definition):
    ends = random_log_probs(1, 2, 30, 7)
    times = np.array([0, 1e-3, 0.1, 1 / 3, 0.5, 0.75, 0.999, 1])
    road = Geodesic.between(*ends)
    found = progress_of(predictions(road.at(times)), definition, road)
    assert np.abs(found.values - times).max() <= STATED
    # the stored float32 log-probabilities lie off the geodesic by 2^-24 |log p|
    assert found.distance.max() <= 2**-23 * np.abs(ends).max()


@pytest.mark.parametrize(("kind", "definition"), KINDS)
@pytest.mark.parametrize("confidence", [3.0, 8.0, 15.0])
def test_progress_between_confident_predictions_is_that_of_a_dense_grid(kind, definition, confidence):
    """Ends and predictions overlap by as little as exp(-40): differences from the start would cancel."""
    p, q, *rest = random_log_probs(5, 6, 40, 6, confidence)
    found = predictions(np.stack(rest))
    values = progress_of(found, definition, Geodesic.between(p, q)).values
    for row, value in zip(found.log_probs, values, strict=True):
        exact = by_grid(row, p, q, kind)
        if abs(value - exact) > STATED:  # a flat minimum: as good as the best to the rounding of float32
            least, here = (mean_along(row, p, q, t, kind) for t in (exact, value))
            assert here - least <= 2**-22 * max(1.0, least)


@pytest.mark.full
def test_one_large_probe_set_is_as_accurate_as_many_small_ones():
    """50,000 samples are summed in float32."""
    rng = np.random.default_rng(2)
    labels = rng.integers(0, 4, 50_000)
    x = np.stack([t * 5 * np.eye(4)[labels] + rng.normal(size=(len(labels), 4)) for t in (0.1, 0.6, 2)])
    found = predictions(log_softmax(x).astype(np.float32), labels)
    ends = found.references().log_probs
    for kind, definition in KINDS:
        for row, value in zip(found.log_probs, progress_of(found, definition).values, strict=True):
            assert abs(value - by_grid(row, *ends, kind)) <= STATED


def test_ignorance_has_no_progress_and_truth_all_of_it():
    given_ = trajectories()
    ends = progress_of(given_.references()).values
    assert ends == pytest.approx([0, 1], abs=STATED)


def test_certainty_in_the_wrong_class_is_where_the_divergence_alone_minds():
    """One sample of 50 is certainly wrong: the angle hardly moves, the divergence keeps away from truth."""
    labels = np.zeros(50, dtype=int)
    x = np.full((1, 50, 3), -174.0, dtype=np.float32)
    x[0, :, 0] = 0
    x[0, 7] = [-174, 0, -174]
    found = predictions(x, labels)
    arc, divergence = (progress_of(found, definition).values[0] for _, definition in KINDS)
    ends = found.references().log_probs
    assert abs(arc - by_grid(found.log_probs[0], *ends, "arc")) <= STATED
    assert abs(divergence - by_grid(found.log_probs[0], *ends, "bhattacharyya")) <= STATED
    assert divergence < arc - 0.01


def test_the_two_definitions_differ_and_the_blocks_do_not_matter(monkeypatch):
    given_ = trajectories(runs=3, checkpoints=11)
    arc = progress_of(given_)
    assert np.abs(arc.values - progress_of(given_, BhattacharyyaProgress()).values).max() > 1e-3
    monkeypatch.setattr(along, "NUMBERS_AT_ONCE", 1)
    seen = []
    again = progress_of(given_, report=lambda done, total: seen.append((done, total)))
    assert np.abs(again.values - arc.values).max() <= 2 * STATED
    assert seen == [(i + 1, 33) for i in range(33)]


def test_distance_is_the_mean_angle_or_the_mean_divergence():
    given_ = trajectories()
    road = geodesic(given_)
    for (kind, definition), unit in zip(KINDS, ("radians", "nats"), strict=True):
        found = progress_of(given_, definition)
        for row, value, distance in zip(given_.log_probs, found.values, found.distance, strict=True):
            expected = mean_along(row, road.log_p, road.log_q, value, kind)
            assert distance == pytest.approx(expected, rel=1e-5)  # float32, relative; progress itself errs by 1e-6
        assert unit in definition.unit


def test_accuracy_and_steps_are_progress_too():
    given_ = trajectories()
    assert np.array_equal(progress_of(given_, AccuracyProgress()).values, given_.scores()[0])
    steps = progress_of(given_, StepProgress())
    assert np.array_equal(steps.values, given_.points["step"] / 5)
    assert np.isnan(steps.distance).all()


def test_runs_that_go_backwards_are_reported():
    given_ = trajectories(runs=2, checkpoints=4)
    values = np.array([0, 0.3, 0.2, 0.9, 0.1, 0.2, 0.3, 0.4])
    setbacks = Progress(given_.points, values, values, ArcProgress()).setbacks()
    assert setbacks == {"net-0": pytest.approx(0.1)}


def test_a_geodesic_becomes_points_of_a_map():
    given_ = trajectories()
    road = geodesic_points(given_, geodesic(given_), 11)
    assert road.points["progress"] == pytest.approx(np.linspace(0, 1, 11))
    assert progress_of(road).values == pytest.approx(np.linspace(0, 1, 11), abs=STATED)
    made = infogeo.inpca(infogeo.pairwise_divergence(road, infogeo.Bhattacharyya()), 2)
    assert made.points.runs == ["geodesic"]
    with pytest.raises(infogeo.InputError, match="count: 1"):
        geodesic_points(given_, geodesic(given_), 1)


def test_without_labels_an_end_point_is_asked_for():
    given_ = predictions(random_log_probs(3, 4, 10, 3))
    with pytest.raises(infogeo.InputError, match="labels: truth needs.*or an end point"):
        progress_of(given_)
    last = given_.take([3])
    road = geodesic(given_, end=last)
    assert progress_of(given_, along=road).values[3] == pytest.approx(1, abs=STATED)
    with pytest.raises(infogeo.InputError, match="end: holds 4 checkpoints, expected one"):
        geodesic(given_, end=given_)
    with pytest.raises(infogeo.InputError, match=r"start: has shape \(9, 3\), expected \(10, 3\)"):
        geodesic(given_, start=last.log_probs[0][:9], end=last)
    with pytest.raises(infogeo.InputError, match="the geodesic has no length"):
        progress_of(given_, along=geodesic(given_, start=last, end=last))
    with pytest.raises(infogeo.InputError, match="along: the geodesic has shape"):
        progress_of(trajectories(), along=road)
