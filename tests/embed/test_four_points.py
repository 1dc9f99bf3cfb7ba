"""The map of four points: means of predictions near both ends, everything else projected."""

from dataclasses import replace

import numpy as np
import pytest

import infogeo
from infogeo.embed import four_point_map, inpca
from tests.networks import digits_networks
from tests.reference import weighted as reference
from tests.samples import Lazy, trajectories

BHATTACHARYYA = infogeo.Bhattacharyya()


def made(checkpoints=12, **options):
    predictions = trajectories(checkpoints=checkpoints)
    progress = infogeo.progress_of(predictions).values
    return predictions, progress, four_point_map(predictions, BHATTACHARYYA, progress, **options)


def test_it_is_the_map_of_ignorance_truth_and_two_weighted_means():
    predictions, progress, found = made(near=0.2, far=0.6, width=0.1)
    p = np.exp(np.asarray(predictions.log_probs, dtype=np.float64))
    means = [np.average(p, axis=0, weights=np.exp(-((progress - at) ** 2) / (2 * 0.1**2))) for at in (0.2, 0.6)]
    truth = np.eye(3)[predictions.labels]
    four = np.stack([np.full_like(truth, 1 / 3), truth, *means])
    bc = np.einsum("inc,jnc->ijn", np.sqrt(four), np.sqrt(four))
    d = -np.log(np.minimum(bc, 1)).mean(axis=-1)
    expected = inpca(infogeo.PairwiseMatrix.from_array(d), 3)
    # float32 predictions: a divergence is right to a few units of 2^-24
    assert np.abs(found.embedding.eigenvalues - expected.eigenvalues).max() <= 1e-6
    assert np.abs(np.abs(found.embedding.coords) - np.abs(expected.coords)).max() <= 1e-4
    assert found.embedding.points.runs == ["ignorance", "truth", "near ignorance", "near truth"]
    assert found.embedding.coords[1, 0] > found.embedding.coords[0, 0]


def test_checkpoints_are_projected_and_compared_with_the_fitted_map():
    predictions = trajectories(checkpoints=12)
    matrix = infogeo.pairwise_divergence(predictions, BHATTACHARYYA)
    progress = infogeo.progress_of(predictions).values
    found = four_point_map(predictions, BHATTACHARYYA, progress, matrix=matrix, near=0.2, far=0.6, width=0.1)
    fitted = inpca(matrix, 3)
    ones = np.ones(len(matrix.points))
    four = (found.placed.coords, found.embedding.signature, found.explained_distance)
    own = (fitted.coords, fitted.signature, found.of_fitted_map)
    for coords, signature, explained in (four, own):
        expected = [reference.explained_distance(matrix.values, coords, signature, ones, k, 1) for k in (1, 2, 3)]
        assert np.abs(explained - expected).max() <= 1e-12
    assert "With 3 axes the map of four points explains" in found.sentence()


def test_four_points_say_about_as_much_of_real_networks_as_all_of_them():
    """At three axes within five points of the fitted map: the claim of Mao et al., on digits."""
    predictions = digits_networks()
    matrix = infogeo.pairwise_divergence(predictions, BHATTACHARYYA)
    found = four_point_map(predictions, BHATTACHARYYA, infogeo.progress_of(predictions).values, matrix=matrix)
    assert found.explained_distance is not None
    assert found.of_fitted_map is not None
    assert found.explained_distance[-1] > found.of_fitted_map[-1] - 0.05 > 0.85


def test_predictions_that_are_read_block_by_block_give_the_same_map(monkeypatch):
    predictions, progress, found = made()
    monkeypatch.setattr("infogeo.core.predictions.BLOCK_BYTES", 4 * 30 * 3 * 5)  # five checkpoints at once
    lazy = replace(predictions, log_probs=Lazy(np.asarray(predictions.log_probs)))
    again = four_point_map(lazy, BHATTACHARYYA, progress)
    assert np.abs(again.placed.coords - found.placed.coords).max() <= 1e-6  # means that round to other float32


def test_without_a_matrix_nothing_is_compared():
    _, _, found = made()
    assert found.explained_distance is None
    assert found.placed.coords.shape == (48, found.embedding.n_components)
    assert found.sentence().startswith("Give the matrix")


def test_misuse_is_one_clear_line():
    predictions = trajectories()
    progress = infogeo.progress_of(predictions).values
    matrix = infogeo.pairwise_divergence(predictions, BHATTACHARYYA).take(np.arange(5))
    cases = [
        (replace(predictions, labels=None), BHATTACHARYYA, progress, {}, "labels: truth needs"),
        (predictions, infogeo.SymmetricKL(), progress, {}, "truth is infinitely far in"),
        (predictions, BHATTACHARYYA, progress[1:], {}, r"one finite number for each of 24 checkpoints"),
        (predictions, BHATTACHARYYA, progress, {"far": 1.5}, "no checkpoint is within 3 widths"),
        (predictions, BHATTACHARYYA, progress, {"width": 0}, "width: 0; give more than 0"),
        (predictions, BHATTACHARYYA, progress, {"matrix": matrix}, r"matrix: has shape \(5, 5\), expected \(24, 24\)"),
    ]
    for given, divergence, s, options, message in cases:
        with pytest.raises(infogeo.InputError, match=message):
            four_point_map(given, divergence, s, **options)
