"""Stores in another order of samples and classes: refused, or aligned by name when that is asked for."""

import numpy as np
import pytest

import infogeo
from tests.samples import random_log_probs

NAMES = np.array(["ant", "bee", "cat"])
IDS = np.array([f"image-{i}" for i in range(9)])
VALUES = random_log_probs(0, 2, 9, 3)
LABELS = np.arange(9) % 3


def write(path, samples, classes=(0, 1, 2), ids=IDS, labels=LABELS):
    """A store with these samples and classes, in this order, of one and the same predictions."""
    order = np.asarray(classes)
    probe = infogeo.Probe(
        ids=None if ids is None else ids[samples],
        labels=None if labels is None else NAMES[labels[samples]],
        classes=NAMES[order].tolist(),
    )
    with infogeo.Recorder(path, run=path.name, probe=probe) as recorder:
        for step, values in enumerate(VALUES):
            recorder.log(step, values[samples][:, order])
    return path


def both(first, second):
    return infogeo.load([first, second], align=True)


@pytest.mark.parametrize(
    ("samples", "classes", "said"),
    [
        (np.arange(9), (2, 0, 1), "its classes and those of .* have another order; .* load both with align=True"),
        (np.arange(9)[::-1], (0, 1, 2), "its probe samples are not those of .*; load both with align=True"),
    ],
)
def test_another_order_is_refused_and_the_message_tells_the_cure(tmp_path, samples, classes, said):
    stores = [write(tmp_path / "a", np.arange(9)), write(tmp_path / "b", samples, classes)]
    with pytest.raises(infogeo.InputError, match=said):
        infogeo.load(stores)


def test_samples_and_classes_are_brought_into_the_order_of_the_first_store(tmp_path):
    mixed = np.array([7, 2, 0, 5, 8, 1])
    back = both(write(tmp_path / "a", np.arange(9)), write(tmp_path / "b", mixed, (2, 0, 1)))
    shared = np.sort(mixed)
    assert back.probe.ids.tolist() == IDS[shared].tolist()
    assert back.label_space.names == tuple(NAMES)
    assert back.labels.tolist() == LABELS[shared].tolist()
    for run in ("a", "b"):
        assert np.array_equal(back.log_probs[back.points.of_run(run)], VALUES[:, shared])
    assert any("6 samples that all share (of 9, 6)" in note for note in back.notes)


def test_parts_of_the_samples_are_read_as_they_are_of_the_whole(tmp_path):
    stores = [write(tmp_path / "a", np.arange(9)), write(tmp_path / "b", np.array([7, 2, 0, 5, 8, 1]), (2, 0, 1))]
    whole, lazy = infogeo.load(stores, align=True), infogeo.load(stores, align=True, memory=64)
    assert lazy.bytes_in_memory == 0
    assert np.array_equal(lazy.log_probs[1:4, 2:5], whole.log_probs[1:4, 2:5])


def test_what_is_in_order_already_stays_as_it_is(tmp_path):
    stores = [write(tmp_path / "a", np.arange(9)), write(tmp_path / "b", np.arange(9))]
    assert both(*stores).fingerprints == infogeo.load(stores).fingerprints


def test_classes_are_aligned_without_ids_where_nothing_says_that_samples_differ(tmp_path):
    everything = np.arange(9)
    back = both(write(tmp_path / "a", everything, ids=None), write(tmp_path / "b", everything, (1, 2, 0), ids=None))
    assert np.array_equal(back.log_probs[back.points.of_run("b")], VALUES)
    assert back.labels.tolist() == LABELS.tolist()


def test_what_cannot_be_aligned_is_refused(tmp_path):
    first = write(tmp_path / "a", np.arange(4))
    with pytest.raises(infogeo.InputError, match="align: no sample of .* is in all the others"):
        both(first, write(tmp_path / "b", np.arange(4, 9)))
    with infogeo.Recorder(tmp_path / "c", run="c", probe=infogeo.Probe(classes="xyz")) as recorder:
        recorder.log(0, VALUES[0])
    with pytest.raises(infogeo.InputError, match="align: .*c has other classes than"):
        both(first, tmp_path / "c")
    np.save(tmp_path / "d.npy", np.exp(VALUES))
    with pytest.raises(infogeo.InputError, match="align: is for two stores or more, and files know no ids"):
        both(first, tmp_path / "d.npy")
    options = infogeo.RecordingOptions(keep=infogeo.leading_classes(VALUES[0], 1))
    for name in "ef":
        with infogeo.Recorder(tmp_path / name, run=name, options=options) as recorder:
            recorder.log(0, VALUES[0])
    with pytest.raises(infogeo.InputError, match="align: .*e has merged classes, each sample its own"):
        both(tmp_path / "e", tmp_path / "f")
