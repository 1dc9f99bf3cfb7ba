"""Length, speed, curvature and tortuosity: closed forms on spheres."""

from dataclasses import replace

import numpy as np
import pytest

import infogeo
from infogeo.geometry import ArcProgress, Geodesic
from infogeo.trajectories import Progress, progress_of, shapes
from tests.samples import random_log_probs, trajectories


def predictions(log_probs, steps=None):
    return infogeo.Predictions.from_arrays({"a": log_probs}, kind="log-probabilities", steps=steps)


def certain(*classes, of=4, samples=3):
    x = np.full((len(classes), samples, of), -174.0, dtype=np.float32)
    x[np.arange(len(classes)), :, list(classes)] = 0
    return x


def test_a_geodesic_is_as_long_as_it_is_and_straight():
    road = Geodesic.between(*random_log_probs(0, 2, 25, 6))
    times = np.linspace(0, 1, 9) ** 2
    found = shapes(predictions(road.at(times), steps=[0, 1, 2, 4, 8, 16, 32, 64, 128]))
    stored = 2.0**-23 * float(np.abs(road.at(times)).max())  # log p of float32; sqrt(p) moves by less
    assert found.length[0] == pytest.approx(road.length, abs=8 * stored)
    assert found.coarse_length[0] == pytest.approx(road.length, abs=4 * stored)
    assert found.direct[0] == pytest.approx(road.length, abs=stored)
    assert found.tortuosity[0] == pytest.approx(1, abs=9 * stored / road.length)
    assert found.travelled == pytest.approx(road.length * times, abs=8 * stored)
    steps = np.diff(times) * road.length
    assert found.speed[1:] == pytest.approx(steps / [1, 1, 2, 4, 8, 16, 32, 64], abs=2 * stored)
    # a step of length s bends by up to 2 stored / s
    assert found.curvature[1:-1].max() <= 4 * stored / steps.min() ** 2
    assert np.isnan(found.speed[0])
    assert np.isnan(found.curvature[[0, -1]]).all()


def test_from_certainty_to_certainty_it_is_pi_and_a_corner_is_a_right_angle():
    found = shapes(predictions(certain(0, 1, 2)))
    assert found.length[0] == pytest.approx(2 * np.pi, rel=1e-12)
    assert found.direct[0] == pytest.approx(np.pi, rel=1e-12)
    assert found.tortuosity[0] == pytest.approx(2, rel=1e-12)
    assert found.curvature[1] == pytest.approx((np.pi / 2) / np.pi, rel=1e-7)


def test_there_and_back_turns_by_pi_and_gets_nowhere():
    found = shapes(predictions(certain(0, 1, 0)))
    assert found.curvature[1] == pytest.approx(np.pi / np.pi, rel=1e-7)
    assert np.isinf(found.tortuosity[0])


def test_a_circle_has_its_curvature():
    """On a sphere of radius 2 (the Fisher metric), a small circle at angle r from its pole bends by cot(r) / 2."""
    angle, count = 0.3, 400
    around = np.linspace(0, 2 * np.pi, count)
    pole, e1, e2 = np.full(3, 3**-0.5), np.array([1, -1, 0]) / 2**0.5, np.array([1, 1, -2]) / 6**0.5
    directions = np.cos(around)[:, None] * e1 + np.sin(around)[:, None] * e2
    roots = np.cos(angle) * pole + np.sin(angle) * directions
    found = shapes(predictions((2 * np.log(roots))[:, None].astype(np.float32)))
    step = 2 * np.pi * 2 * np.sin(angle) / count
    noise = 8 * 2**-24 * 5 / step**2  # of log p in float32
    assert np.median(found.curvature[1:-1]) == pytest.approx(1 / np.tan(angle) / 2, rel=step**2 + noise)
    assert found.length[0] == pytest.approx(4 * np.pi * np.sin(angle), rel=step**2 + noise)


def test_fewer_checkpoints_give_a_shorter_length():
    given = trajectories(checkpoints=13)
    found = shapes(given)
    assert (found.coarse_length <= found.length).all()
    assert (found.direct <= found.coarse_length).all()
    half = shapes(given.take(np.concatenate([given.points.of_run(run)[::2] for run in given.points.runs])))
    assert half.length == pytest.approx(found.coarse_length, rel=1e-14)


def test_an_even_count_of_checkpoints_keeps_its_last_one_in_the_coarse_length():
    found = shapes(predictions(certain(0, 1, 2, 3)))
    assert found.coarse_length[0] == pytest.approx(2 * np.pi, rel=1e-12)


def test_samples_are_looked_at_in_parts_with_the_same_result(monkeypatch):
    given = trajectories()
    whole = shapes(given)
    monkeypatch.setattr("infogeo.trajectories.shape.NUMBERS_AT_ONCE", 12)
    parts = shapes(given)
    assert parts.length == pytest.approx(whole.length, rel=1e-13)
    assert parts.curvature == pytest.approx(whole.curvature, rel=1e-7, nan_ok=True)


def test_time_near_the_ends_is_counted_in_steps():
    given = trajectories(runs=1, checkpoints=5)
    given = replace(given, points=given.points.with_columns(step=[0, 1, 3, 10, 20]))
    at = Progress(given.points, np.array([0, 0.05, 0.5, 0.95, 1]), np.zeros(5), ArcProgress())
    found = shapes(given, at)
    assert found.near_ignorance[0] == pytest.approx(3 / 20)
    assert found.near_truth[0] == pytest.approx(10 / 20)
    assert np.isnan(shapes(given).near_truth[0])


def test_one_checkpoint_has_no_length_and_no_tortuosity():
    found = shapes(predictions(certain(0)))
    assert (found.length[0], found.coarse_length[0], found.direct[0]) == (0, 0, 0)
    assert np.isnan(found.tortuosity[0])


def test_every_run_is_reported():
    seen = []
    given = trajectories()
    shapes(given, progress_of(given), lambda done, total: seen.append((done, total)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_a_model_that_does_not_move_has_no_length():
    """The published code compares raw probabilities without the square root: equal predictions are 1.71 apart there."""
    same = np.repeat(random_log_probs(3, 1, 12, 5), 4, axis=0)
    found = shapes(predictions(same))
    assert found.length[0] == found.direct[0] == 0
    assert (found.travelled == 0).all()
    assert np.isnan(found.curvature).all()
