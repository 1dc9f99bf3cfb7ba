"""What the recorder takes numbers for, and whether it says so where that is in doubt."""

import warnings

import numpy as np
import pytest

import infogeo

SIGMOID = np.random.default_rng(0).uniform(size=(8, 3))


def recorded(store, predictions, **options):
    with infogeo.Recorder(store, run="a", options=infogeo.RecordingOptions(**options)) as recorder:
        for step in range(2):
            recorder.log(step, predictions)
    return np.exp(infogeo.load(store).log_probs[0])


def test_outputs_of_a_sigmoid_are_taken_for_logits_with_a_warning_at_the_line_that_logs(tmp_path):
    with pytest.warns(UserWarning, match="run 'a', step 0: taken for logits, though .* sigmoid") as told:
        found = recorded(tmp_path / "s", SIGMOID)
    assert [one.filename for one in told] == [__file__]
    np.testing.assert_allclose(found, np.exp(SIGMOID) / np.exp(SIGMOID).sum(axis=1, keepdims=True), rtol=1e-6)


@pytest.mark.parametrize(
    ("predictions", "options"),
    [
        (SIGMOID, {"kind": "logits"}),
        (np.zeros((8, 3)), {}),
        (SIGMOID - 0.5, {}),
        (SIGMOID / SIGMOID.sum(axis=1, keepdims=True), {}),
    ],
)
def test_nothing_is_said_where_there_is_no_doubt(tmp_path, predictions, options):
    """Of logits that are called so, of a last layer of zeros, of logits of both signs, and of probabilities."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        recorded(tmp_path / "s", predictions, **options)
    assert told == []
