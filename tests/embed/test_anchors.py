"""New predictions are placed on a map that stays as it is; anchors are ignorance, truth and what lies between."""

import numpy as np
import pytest

import infogeo
from infogeo.embed import anchors, embed_landmarks, place, placed_anchors
from tests.samples import random_log_probs, trajectories

B = infogeo.Bhattacharyya()
ACCURACY = 1e-6
"""What the engine promises of a divergence, in nats: it is not the same to the last bit in tiles of other shapes."""


def slack(embedding):
    """How far a coordinate moves at most when divergences move by ACCURACY: ||b|| / sqrt|lambda|, b [P]."""
    return 2 * ACCURACY * np.sqrt(len(embedding.points) / np.abs(embedding.eigenvalues).min())


@pytest.fixture(scope="module")
def predictions():
    return trajectories()


@pytest.fixture(scope="module")
def made(predictions):
    return infogeo.embed_predictions(predictions, B, n_components=3)


def test_anchors_are_the_references_and_points_of_their_geodesic(predictions):
    given = anchors(predictions)
    road = infogeo.geodesic_points(predictions, infogeo.geodesic(predictions), 50)
    both = predictions.references()
    assert given.points.runs == ["ignorance", "truth", "geodesic"]
    assert np.array_equal(given.log_probs[:2], both.log_probs)
    assert np.array_equal(given.log_probs[2:], road.log_probs)
    assert given.points["progress"].tolist() == [0, 1, *road.points["progress"]]
    assert given.fingerprints == (*both.fingerprints, *road.fingerprints)


def test_anchors_are_where_project_puts_their_rows(predictions, made):
    placed = placed_anchors(made, predictions, B, n_geodesic=5)
    given = anchors(predictions, 5)
    rows = infogeo.pairwise_divergence(given, B, to=predictions)
    assert np.array_equal(placed.coords, made.embedding.project(rows))
    assert np.abs(placed.coords[:2] - made.references.coords).max() <= slack(made.embedding)
    assert np.abs(placed.coords[[2, -1]] - made.references.coords).max() <= slack(made.embedding)
    assert (np.diff(placed.coords[2:, 0]) > 0).all()  # the road leads on along the first axis


@pytest.mark.parametrize("count", [0, 5])
def test_truth_and_the_end_of_the_geodesic_are_left_out_where_they_are_infinitely_far(predictions, count):
    kl = infogeo.SymmetricKL()
    made = infogeo.embed_predictions(predictions, kl, n_components=3)
    placed = placed_anchors(made, predictions, kl, count)
    assert placed.points["run"].tolist() == ["ignorance"] + ["geodesic"] * (count - 1)
    assert placed.points["progress"].tolist() == [0, 0, 0.25, 0.5, 0.75][: 1 + max(0, count - 1)]


def test_without_labels_there_is_ignorance_alone():
    given = infogeo.Predictions.from_arrays({"a": np.zeros((2, 4, 3))}, kind="logits")
    assert anchors(given).points["run"].tolist() == ["ignorance"]


def test_merged_classes_have_anchors_of_their_own(predictions):
    merged = infogeo.merge_classes(predictions, 1)
    given = anchors(merged, 3)
    assert np.array_equal(given.log_probs[:2], merged.references().log_probs)
    assert given.coarse_graining is merged.coarse_graining


def test_fitted_points_are_placed_where_they_are(predictions, made):
    placed = place(made, predictions, predictions, B)
    assert np.abs(placed.coords - made.embedding.coords).max() <= slack(made.embedding)
    assert placed.points is predictions.points


def test_placing_changes_nothing_and_repeats_itself(predictions, made):
    before = made.embedding.coords.copy()
    new = trajectories(seed=0, runs=5).take(range(24, 30))
    first, second = (place(made, new, predictions, B) for _ in range(2))
    assert np.array_equal(first.coords, second.coords)
    assert np.array_equal(made.embedding.coords, before)
    assert np.array_equal(place(made.embedding, new, predictions, B).coords, first.coords)


def test_a_map_of_landmarks_takes_all_predictions_or_the_landmarks_alone(predictions):
    made = embed_landmarks(predictions, B, 12, n_components=3)
    first = place(made, predictions, predictions, B)
    second = place(made, predictions, predictions.take(made.landmarks), B)
    assert np.array_equal(first.coords, second.coords)
    assert np.abs(first.coords - made.coords).max() <= slack(made.embedding)


def other_labels(predictions):
    return predictions.with_labels((predictions.labels + 1) % 3)


def elsewhere(samples):
    return infogeo.Predictions.from_arrays({"a": random_log_probs(0, 2, samples, 3)}, kind="log-probabilities")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p, m: place(m, p, p, infogeo.Hellinger()), "Hellinger, but the map is of Bhattacharyya"),
        (lambda p, m: place(m, p, p.take(range(6)), B), "6 points are not the 24 that the map was fitted to"),
        (lambda p, m: place(m, p, p.take(np.arange(24)[::-1]), B), "in their order"),
        (lambda p, m: place(m, elsewhere(29), p, B), "the same probe set"),
        (lambda p, m: place(m, other_labels(p), p, B), "new: has other labels than the map's predictions"),
        (lambda p, m: anchors(p, 1), "n_geodesic: 1 points make no path; give at least 2, or 0"),
    ],
)
def test_misuse_is_one_clear_line(predictions, made, call, message):
    with pytest.raises(infogeo.InputError, match=message):
        call(predictions, made)
