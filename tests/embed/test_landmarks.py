"""A map of landmarks is that of its landmarks, with all others where `project` puts them."""

from dataclasses import replace

import numpy as np
import pytest

import infogeo
from infogeo.embed import SpreadByDivergence, SpreadByRun, embed_landmarks, landmarks
from infogeo.embed.landmarks import held_out
from tests.reference import embedding as reference
from tests.samples import Lazy, random_log_probs, trajectories

ACCURACY = 1e-6
"""What the engine promises of a divergence, in nats: it is not the same to the last bit in tiles of other shapes."""


def slack(embedding):
    """How far a coordinate moves at most when divergences move by ACCURACY: ||b|| / sqrt|lambda|, b [L]."""
    return 2 * ACCURACY * np.sqrt(len(embedding.points) / np.abs(embedding.eigenvalues).min())


@pytest.fixture(scope="module")
def predictions():
    return trajectories(runs=6, checkpoints=10)


@pytest.fixture(scope="module")
def made(predictions):
    return embed_landmarks(predictions, infogeo.Bhattacharyya(), 20, n_components=4)


def test_the_landmarks_have_the_map_of_their_own(predictions, made):
    alone = infogeo.embed_predictions(predictions.take(made.landmarks), infogeo.Bhattacharyya(), n_components=4)
    assert np.array_equal(made.coords[made.landmarks], made.embedding.coords)
    assert np.array_equal(made.embedding.coords, alone.embedding.coords)
    assert np.array_equal(made.references.coords, alone.references.coords)
    assert made.references.coords[1, 0] > made.references.coords[0, 0]
    assert made.points is predictions.points
    assert made.coords.shape == (60, made.n_components)


def test_the_others_are_where_project_puts_them(predictions, made):
    fitted = predictions.take(made.landmarks)
    rows = infogeo.pairwise_divergence(predictions, infogeo.Bhattacharyya(), to=fitted)
    assert np.abs(made.coords - made.embedding.project(rows)).max() <= slack(made.embedding)


@pytest.mark.parametrize("how", ["in blocks", "lazily", "in little memory"])
def test_the_way_it_is_computed_does_not_matter(predictions, made, how, monkeypatch):
    """Blocks of 16 points, the last of which overlaps the one before; predictions that are not in memory."""
    memory = None
    if how == "in blocks":
        monkeypatch.setattr(landmarks, "RECTANGLE_BYTES", 8 * 20 * 16)
    if how == "lazily":
        predictions = replace(predictions, log_probs=Lazy(predictions.log_probs))
    if how == "in little memory":
        memory = 4 * 2**20
    told = []
    again = embed_landmarks(
        predictions, infogeo.Bhattacharyya(), 20, 4, progress=lambda *at: told.append(at), memory=memory
    )
    assert told == ([(16, 60), (32, 60), (48, 60), (60, 60)] if how == "in blocks" else [(60, 60)])
    assert np.abs(again.coords - made.coords).max() <= slack(made.embedding)
    assert np.array_equal(again.held_out.rows, made.held_out.rows)


def test_points_of_a_space_of_few_dimensions_are_placed_exactly():
    """Under the Hellinger divergence 2 samples of 2 classes are points of a space of 4 dimensions, flat as it is."""
    given = infogeo.Predictions.from_arrays({"a": random_log_probs(3, 90, 2, 2)}, kind="log-probabilities")
    made = embed_landmarks(given, infogeo.Hellinger(), SpreadByDivergence(30), n_components=4)
    d = infogeo.pairwise_divergence(given, infogeo.Hellinger()).to_numpy()
    rebuilt = reference.rebuilt(made.coords, made.embedding.signature)
    # each of K coordinates of both points may be off by `slack`, times twice their separation, at most sqrt(max d)
    bound = 4 * made.n_components * slack(made.embedding) * np.sqrt(d.max())
    assert made.n_components == 4
    assert np.abs(rebuilt - d).max() <= bound
    assert made.held_out.explained[-1] >= 1 - bound / d[d > 0].mean()
    assert made.held_out.explained_frobenius[-1] >= 1 - bound / np.sqrt(np.mean(d[d > 0] ** 2))


def test_the_error_is_that_of_pairs_of_points_which_are_no_landmarks(predictions, made):
    rows = made.held_out.rows
    assert len(rows) == 40
    assert made.held_out.n_pairs == 40 * 39 / 2
    assert not set(rows) & set(made.landmarks)
    d = infogeo.pairwise_divergence(predictions.take(rows), infogeo.Bhattacharyya()).to_numpy()
    for k in range(1, made.n_components + 1):
        left = reference.rebuilt(made.coords[rows, :k], made.embedding.signature[:k]) - d
        # the same sums in another order, of 40 x 40 terms; d itself is within ACCURACY of what was compared
        assert made.held_out.explained[k - 1] == pytest.approx(1 - np.abs(left).sum() / d.sum(), abs=1e-10 + 4e-5)
        share = 1 - np.linalg.norm(left) / np.linalg.norm(d)
        assert made.held_out.explained_frobenius[k - 1] == pytest.approx(share, abs=1e-10 + 4e-5)


def test_points_that_coincide_have_no_explained_distance():
    still = infogeo.PairwiseMatrix.from_array(np.zeros((3, 3)))
    found = held_out(np.arange(3), np.zeros((3, 2)), np.array([1, -1]), still)
    assert np.isnan(found.explained).all()
    assert np.isnan(found.explained_frobenius).all()


def test_the_seed_draws_the_points_for_the_check_and_nothing_else(predictions, made, monkeypatch):
    monkeypatch.setattr(landmarks, "HELD_OUT", 8)
    first, again, other = (
        embed_landmarks(predictions, infogeo.Bhattacharyya(), SpreadByRun(20), 4, seed=seed) for seed in (1, 1, 2)
    )
    assert np.array_equal(first.held_out.explained, again.held_out.explained)
    assert not np.array_equal(first.held_out.rows, other.held_out.rows)
    assert len(first.held_out.rows) == 8
    assert np.array_equal(first.coords, other.coords)
    assert np.array_equal(first.landmarks, made.landmarks)


def test_the_sentence_says_what_was_fitted_and_what_it_explains(made):
    said = made.sentence()
    assert "fitted to 20 of 60 points" in said
    assert "40 points that it was not fitted to (780 pairs), the first 3 axes explain" in said
    assert f"{100 * made.held_out.explained[2]:.1f} % of the divergences" in said
    assert "one axis explains" in made.sentence(1)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"landmarks": 1}, "landmarks: 1 of 60 points; give from 2 to 60"),
        ({"landmarks": 61}, "landmarks: 61 of 60 points"),
        ({"landmarks": SpreadByDivergence(59)}, "leave no pair to check the map on; give fewer, or use embed_pred"),
        ({"landmarks": 20, "n_components": 0}, "n_components: 0"),
        ({"landmarks": 20, "memory": 1000}, "memory: 1000 bytes are not enough"),
    ],
)
def test_misuse_is_one_clear_line(predictions, how, message):
    with pytest.raises(infogeo.InputError, match=message):
        embed_landmarks(predictions, infogeo.Bhattacharyya(), **how)
