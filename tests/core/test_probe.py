"""Probes: known again when they are the same, told apart when they are not."""

import numpy as np
import pytest

import infogeo
from infogeo.core.probe import check_same_samples

X = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"inputs": X}, {"inputs": X.copy()}, True),
        ({"inputs": X}, {"inputs": np.asfortranarray(X)}, True),
        ({"inputs": X}, {"inputs": X.astype(">f4")}, True),
        ({"inputs": X}, {"inputs": X[::-1]}, False),
        ({"inputs": X}, {"inputs": X.reshape(6, 2, 2)}, False),
        ({"inputs": X}, {"inputs": X.astype(np.float64)}, False),
        ({"inputs": X}, {}, True),
        ({"inputs": ["ab", "c"]}, {"inputs": ["a", "bc"]}, False),
        ({"inputs": ["ab", "c"]}, {"inputs": np.array(["ab", "c"])}, True),
        ({"inputs": {"a": X, "b": X + 1}}, {"inputs": {"b": X + 1, "a": X}}, True),
        ({"inputs": {"a": X, "b": X + 1}}, {"inputs": {"a": X + 1, "b": X}}, False),
        ({"ids": [1, 2]}, {"ids": ["1", "2"]}, False),
        ({"ids": ["x", "yy"]}, {"ids": np.array(["x", "yy"], dtype="U9")}, True),
        ({"ids": [1, 2], "inputs": X[:2]}, {"ids": [1, 2], "inputs": X[:2] + 1}, True),
        ({"name": "train"}, {"name": "test"}, False),
        ({"name": "train"}, {}, True),
    ],
)
def test_probes_are_the_same_where_nothing_that_they_say_differs(one, other, same):
    probes = infogeo.Probe(**one), infogeo.Probe(**other)
    if same:
        assert check_same_samples(*probes, "a", "b") is None
        return
    with pytest.raises(infogeo.InputError, match="b: its probe s.* not .* of a"):
        check_same_samples(*probes, "a", "b")


def test_inputs_are_not_kept():
    probe = infogeo.Probe(X, labels=range(6))
    assert probe.inputs is None
    assert probe.n_samples == 6
    assert len(probe.samples) == 32


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"inputs": X, "labels": [0, 1]}, "differ in the number of samples: inputs 6, labels 2"),
        ({"inputs": X, "ids": range(5)}, "inputs 6, ids 5"),
        ({"inputs": {"a": X, "b": X[:3]}}, "differ in the number of samples: .3, 6."),
        ({"ids": [1, 1]}, "some sample is there twice"),
        ({"ids": [0.5, 1.5]}, "expected whole numbers or texts"),
        ({"labels": [[0], [1]]}, "labels: shape .2, 1., expected .N,."),
        ({"labels": [0, 5], "classes": "abc"}, "labels: 5 at sample 1 is out of range"),
        ({"labels": ["a", "x"], "classes": "abc"}, "'x' at sample 1 is no class"),
        ({"inputs": [object()]}, "inputs: expected an array, a list of texts"),
        ({"inputs": X, "n_samples": 5}, "n_samples 5, inputs 6"),
    ],
)
def test_parts_that_do_not_fit_are_refused(parts, said):
    with pytest.raises(infogeo.InputError, match=said):
        infogeo.Probe(**parts)
