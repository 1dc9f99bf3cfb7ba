"""The smallest entries of rows against a sort of all."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from infogeo.dimension.smallest import smallest


@given(
    rows=st.integers(0, 6),
    columns=st.integers(1, 300),
    kinds=st.sampled_from([2, 5, 10**6]),
    share=st.floats(0, 1),
    seed=st.integers(0, 99),
)
def test_the_smallest_are_those_of_a_sort_with_ties_in_the_order_of_columns(rows, columns, kinds, share, seed):
    """With few kinds of entries most are ties; some rows hold little but infinities."""
    rng = np.random.default_rng(seed)
    values = rng.integers(kinds, size=(rows, columns)).astype(float)
    values[rng.random(values.shape) < rng.choice([0.0, 0.5, 0.99], size=(rows, 1))] = np.inf
    count = 1 + round(share * (columns - 1))
    near, at = smallest(values, count)
    expected = np.argsort(values, axis=1, kind="stable")[:, :count]
    assert np.array_equal(at, expected)
    assert np.array_equal(near, np.take_along_axis(values, expected, axis=1))


def test_rows_that_ascend_and_descend_are_no_harder():
    """All of the smallest stand beside each other, at either end."""
    up = np.arange(5000.0)[None] * np.array([[1.0], [-1.0]])
    near, at = smallest(up, 20)
    assert np.array_equal(at, [np.arange(20), np.arange(4999, 4979, -1)])
    assert np.array_equal(near, np.take_along_axis(up, at, axis=1))
