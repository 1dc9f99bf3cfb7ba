"""Steps along runs: which checkpoints they join, and that they are the matrix's numbers and more."""

import numpy as np
import pytest

import infogeo
from infogeo.core import merging
from infogeo.pairwise import steps
from tests.reference.steps import step
from tests.samples import log_softmax, trajectories


def test_every_step_is_that_from_the_checkpoint_before_it_and_a_run_begins_with_nan():
    given = trajectories(runs=3, checkpoints=4, samples=5)
    found = infogeo.trajectory_steps(given)
    assert found.points is given.points
    for i, at in enumerate(given.points["step"]):
        measured = (found.bhattacharyya[i], found.hellinger[i], found.fisher[i])
        if at == 0:
            assert np.isnan(measured).all()
        else:
            assert measured == pytest.approx(step(given.log_probs[i], given.log_probs[i - 1]), rel=1e-14)


def test_steps_follow_the_column_step_and_not_the_order_of_the_rows():
    given = trajectories(runs=2, checkpoints=5)
    arrays = {run: given.log_probs[given.points["run"] == run] for run in given.points.runs}
    order = [3, 0, 4, 2, 1]
    mixed = infogeo.Predictions.from_arrays({run: a[order] for run, a in arrays.items()}, steps=order)
    straight, found = infogeo.trajectory_steps(given), infogeo.trajectory_steps(mixed)
    rows = [5 * run + at for run in range(2) for at in order]
    for name in ("bhattacharyya", "hellinger", "fisher"):
        assert np.array_equal(getattr(found, name), getattr(straight, name)[rows], equal_nan=True)


def test_steps_are_the_entries_of_the_matrix_beside_its_diagonal():
    given = trajectories(runs=1, checkpoints=12)
    found = infogeo.trajectory_steps(given)
    for name, divergence in [("bhattacharyya", infogeo.Bhattacharyya()), ("hellinger", infogeo.Hellinger())]:
        matrix = infogeo.pairwise_divergence(given, divergence).to_numpy()
        assert np.abs(np.diag(matrix, 1) - getattr(found, name)[1:]).max() <= 1e-6


def test_the_way_in_steps_is_at_least_as_long_as_the_straight_one():
    given = trajectories(runs=1, checkpoints=30)
    ends = infogeo.Predictions.from_arrays({"a": given.log_probs[[0, 29]]}, kind="log-probabilities")
    whole = np.nansum(infogeo.trajectory_steps(given).fisher)
    assert whole > infogeo.trajectory_steps(ends).fisher[1]
    fewer = infogeo.Predictions.from_arrays({"a": given.log_probs[::2]}, kind="log-probabilities")
    assert whole > np.nansum(infogeo.trajectory_steps(fewer).fisher)


def test_tiny_steps_scale_as_the_square_of_their_size():
    """Steps of 1e-6 to 1e-12: constant ratios, to the rounding of the stored logs relative to the step."""
    rng = np.random.default_rng(0)
    x, v = rng.normal(size=(2, 400, 10))
    sizes = np.array([3e-3, 3e-4, 3e-5, 3e-6])
    arrays = {f"size-{s}": np.stack([log_softmax(x), log_softmax(x + s * v)]) for s in sizes}
    found = infogeo.trajectory_steps(infogeo.Predictions.from_arrays(arrays, kind="log-probabilities"))
    constant = found.bhattacharyya[1::2] / sizes**2
    assert found.bhattacharyya[-1] < 1.2e-12
    # a log of size 4 is stored to 2.4e-7, against steps of 3e-6: 0.6 % in a mean of squares over 4000 of them
    assert constant == pytest.approx(np.full(4, constant[0]), rel=1e-2)
    assert found.fisher[1::2] ** 2 == pytest.approx(8 * found.bhattacharyya[1::2], rel=1e-5)


def test_the_size_of_blocks_and_reading_lazily_change_nothing(monkeypatch):
    given = trajectories(classes=7)
    merged = infogeo.merge_classes(given, keep=4)
    expected = infogeo.trajectory_steps(merged)
    monkeypatch.setattr(merging, "IN_MEMORY_BYTES", 0)
    monkeypatch.setattr(steps, "STEP_NUMBERS", 4 * 5)  # four samples at a time
    seen = []
    found = infogeo.trajectory_steps(infogeo.merge_classes(given, keep=4), lambda *counts: seen.append(counts))
    assert seen == [(6, 24), (12, 24), (18, 24), (24, 24)]
    for name in ("bhattacharyya", "hellinger", "fisher"):
        # 30 terms summed in another order
        assert getattr(found, name) == pytest.approx(getattr(expected, name), rel=30 * 2.0**-53, nan_ok=True)


def test_a_run_of_one_checkpoint_has_no_step():
    found = infogeo.trajectory_steps(trajectories(runs=2, checkpoints=1))
    assert np.isnan(found.fisher).all()
    assert found.fisher.shape == (2,)
