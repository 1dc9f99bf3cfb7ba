"""A view reads what indexing would give, and copies nothing before it is read."""

from dataclasses import replace

import numpy as np
import pytest

from infogeo.embed.view import view
from tests.samples import Lazy, trajectories

ROWS = np.array([5, 6, 7, 2, 0, 23])


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("samples", [None, np.array([3, 3, 29, 0, 12])])
def test_blocks_of_a_view_are_those_of_an_index(lazy, samples):
    given = trajectories()
    whole = given.log_probs[ROWS] if samples is None else given.log_probs[ROWS][:, samples]
    source = replace(given, log_probs=Lazy(given.log_probs)) if lazy else given
    seen = view(source, ROWS, samples)
    assert seen.log_probs.shape == whole.shape
    assert np.array_equal(seen.log_probs[0:6], whole)
    assert np.array_equal(seen.log_probs[1:5, 1:4], whole[1:5, 1:4])
    assert seen.log_probs[6:6].shape == (0, *whole.shape[1:])
    assert seen.points["step"].tolist() == given.points["step"][ROWS].tolist()
    assert np.array_equal(seen.labels, given.labels if samples is None else given.labels[samples])
    assert seen.bytes_in_memory == (0 if lazy else given.bytes_in_memory)
