"""Many classes: which are kept, what the rest is, and that merging never increases a divergence."""

import itertools
import tracemalloc

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import infogeo
from infogeo.core import coarse, merging
from infogeo.core.labels import LabelSpace
from infogeo.core.merging import MergedLogProbs
from tests.reference import divergences
from tests.reference import merging as reference
from tests.samples import log_softmax, random_log_probs

UNIT = 2.0**-24
"""The rounding of a float32, relative."""


def predictions(log_probs, labels=None):
    return infogeo.Predictions.from_arrays({"run": log_probs}, kind="log-probabilities", labels=labels)


def many_classes(seed=0, shape=(6, 9, 23), labelled=True):
    labels = np.random.default_rng(seed).integers(0, shape[2], shape[1]) if labelled else None
    return predictions(random_log_probs(seed, *shape), labels)


@pytest.mark.parametrize("keep", [1, 5, 22])
@pytest.mark.parametrize("labelled", [True, False])
def test_kept_classes_and_the_rest_agree_with_the_slow_twin(keep, labelled):
    given = many_classes(labelled=labelled)
    merged = infogeo.merge_classes(given, keep)
    kept = reference.leading(given.log_probs, keep, given.labels)
    assert merged.coarse_graining.kept.tolist() == kept
    expected = np.array(reference.merged(given.log_probs, kept))
    assert merged.log_probs.shape == (6, 9, keep + 1)
    assert np.array_equal(merged.log_probs[..., :-1], expected[..., :-1].astype(np.float32))
    # the sum in float64, then one rounding to float32
    assert (np.abs(merged.log_probs - expected)[..., -1] <= UNIT * np.abs(expected[..., -1]) + 1e-14).all()


def test_new_predictions_are_merged_as_those_they_join_which_may_be_not_at_all():
    few, new = many_classes(), many_classes(seed=1)
    unmerged = infogeo.merge_classes(few, keep=100)
    assert infogeo.merge_classes(new, keep=unmerged.coarse_graining) is new


def test_the_size_of_blocks_changes_nothing(monkeypatch):
    given = many_classes()
    whole = infogeo.merge_classes(given, keep=4)
    monkeypatch.setattr(merging, "BLOCK_BYTES", 8 * 23 * 4)  # four samples, and two points
    monkeypatch.setattr(coarse, "CACHED_NUMBERS", 2 * 2 * 23)  # of these, two samples
    monkeypatch.setattr(merging, "IN_MEMORY_BYTES", 0)
    seen = []
    parts = infogeo.merge_classes(given, keep=4, progress=lambda done, total: seen.append((done, total)))
    assert isinstance(parts.log_probs, MergedLogProbs)
    assert np.array_equal(parts.coarse_graining.kept, whole.coarse_graining.kept)
    assert np.array_equal(parts.log_probs[:], whole.log_probs)
    assert np.array_equal(parts.log_probs[2:5, 3:8], whole.log_probs[2:5, 3:8])
    assert parts.fingerprints == whole.fingerprints
    assert parts.notes == whole.notes
    assert seen[-1] == (18, 18)  # two passes over nine blocks
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


class Counted:
    """Uniform predictions that are made on reading, with the largest block that was asked for."""

    shape = (40, 30, 5000)

    def __init__(self):
        self.largest = 0

    def __getitem__(self, block):
        points, samples = block
        size = (len(range(40)[points]), len(range(30)[samples]), 5000)
        self.largest = max(self.largest, int(np.prod(size)))
        return np.full(size, -np.log(5000), dtype=np.float32)


def test_memory_is_a_few_blocks_whatever_the_number_of_points_samples_and_classes(monkeypatch):
    block = 2**18
    monkeypatch.setattr(merging, "BLOCK_BYTES", block)
    reader = Counted()
    points = infogeo.Points.of_runs(["run"], [np.arange(40)])
    given = infogeo.Predictions(reader, points, LabelSpace.of_size(5000))
    tracemalloc.start()
    merged = infogeo.merge_classes(given, keep=10)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 4 * reader.largest <= block
    # eight blocks, where all the numbers are 91 of them, and the names of the classes before and after
    assert peak <= 8 * block + merged.log_probs.nbytes + 2**20
    assert merged.coarse_graining.kept.tolist() == [list(range(10))] * 30


DIVERGENCES = {
    # how many units of 1 + D the rounding of log p_R to float32 can move a divergence, from its derivative:
    # |log p_R| sqrt(p_R q_R) / BC <= D + 1/e, and at most 8 (1 + D) for log p_R d/dlog p_R of (p - q) log(p / q)
    "bhattacharyya": (divergences.bhattacharyya, 2),
    "hellinger": (divergences.hellinger, 2),
    "symmetric_kl": (divergences.symmetric_kl, 8),
}
every_divergence = pytest.mark.parametrize(("divergence", "units"), DIVERGENCES.values(), ids=DIVERGENCES)
logits = hnp.arrays(np.float64, (3, 4, 6), elements=st.floats(-60, 60, width=32))


@every_divergence
@settings(max_examples=40, deadline=None, derandomize=True)
@given(x=logits, labels=st.none() | st.lists(st.integers(0, 5), min_size=4, max_size=4))
def test_merging_never_increases_a_divergence_and_keeping_more_never_decreases_it(divergence, units, x, labels):
    given = predictions(log_softmax(x), labels)
    before = divergences.matrix(divergence, given.log_probs)
    rounding = 2 * units * UNIT * (1 + before)
    coarser = np.zeros_like(before)
    for keep in range(1, 6):
        finer = divergences.matrix(divergence, infogeo.merge_classes(given, keep).log_probs)
        assert (coarser <= finer + rounding).all()
        coarser = finer
    assert (np.abs(coarser - before) <= rounding).all()  # of the rest is one class


@pytest.mark.parametrize("divergence", [infogeo.Bhattacharyya(), infogeo.Hellinger(), infogeo.SymmetricKL()])
def test_the_engine_sees_that_merging_never_increases_a_divergence(divergence):
    given = many_classes(1, (8, 12, 40))
    before = infogeo.pairwise_divergence(given, divergence).to_numpy()
    within = 2e-6 * np.maximum(1, before)  # the engine's own accuracy, twice
    few, many = (
        infogeo.pairwise_divergence(infogeo.merge_classes(given, keep), divergence).to_numpy() for keep in (3, 20)
    )
    assert (few <= many + within).all()
    assert (many <= before + within).all()
    assert few.mean() < many.mean() < before.mean()


@settings(max_examples=40, deadline=None, derandomize=True)
@given(levels=hnp.arrays(np.int64, (2, 3, 6), elements=st.integers(0, 2)))
def test_kept_classes_are_nested_even_where_probabilities_are_equal(levels):
    given = predictions(log_softmax(levels.astype(float)), labels=[5, 0, 3])
    smaller = [set()] * 3
    for keep in range(1, 6):
        kept = infogeo.merge_classes(given, keep).coarse_graining.kept
        assert (np.diff(kept, axis=1) > 0).all()
        for n, classes in enumerate(kept.tolist()):
            assert smaller[n] < set(classes)
            assert given.labels[n] in classes
            smaller[n] = set(classes)


def test_the_hellinger_divergence_lost_is_at_most_the_mean_probability_of_the_rest():
    given = many_classes(2, (7, 5, 30), labelled=False)
    before = divergences.matrix(divergences.hellinger, given.log_probs)
    for keep in (1, 3, 10, 25):
        merged = infogeo.merge_classes(given, keep)
        lost = before - divergences.matrix(divergences.hellinger, merged.log_probs)
        rest = np.exp(merged.log_probs[..., -1].astype(float)).mean()
        assert 0 < lost.sum() / (7 * 6) <= rest
        assert f"{100 * rest:.3g} % of the probability" in merged.notes[-1]


def test_no_other_choice_of_classes_leaves_less_probability_to_the_rest():
    p = np.exp(many_classes(3, (4, 3, 6), labelled=False).log_probs.astype(float))
    kept = infogeo.merge_classes(predictions(np.log(p)), keep=2).coarse_graining.kept
    for n in range(3):
        rest = {chosen: 1 - p[:, n, chosen].sum(axis=-1).mean() for chosen in itertools.combinations(range(6), 2)}
        assert min(rest, key=rest.get) == tuple(kept[n])


@pytest.mark.parametrize("rest", [1e-3, 1e-12, 1e-40, 1e-70])
def test_a_tiny_rest_is_a_sum_and_not_what_is_left_of_one(rest):
    p = np.array([0.75 - rest, 0.25, *np.full(8, rest / 8)])
    merged = infogeo.merge_classes(predictions(np.log(p)[None, None]), keep=2)
    assert merged.log_probs[0, 0, -1] == pytest.approx(np.log(rest), rel=2 * UNIT)


def test_the_rest_of_a_certain_prediction_is_the_sum_of_classes_at_the_floor():
    certain = np.where(np.arange(1000) == 7, 0.0, -np.inf)[None, None]
    merged = infogeo.merge_classes(predictions(certain), keep=1)
    assert merged.coarse_graining.kept.tolist() == [[7]]
    assert merged.log_probs[0, 0].tolist() == [0.0, pytest.approx(-174 + np.log(999), rel=UNIT)]


def test_loss_stays_as_it_is_and_accuracy_does_where_the_winners_are_kept():
    given = many_classes(4, (6, 40, 23))
    accuracy, loss = given.scores()
    for keep in (1, 8, 22):
        merged = infogeo.merge_classes(given, keep)
        assert np.array_equal(merged.scores()[1], loss)
        winners = given.log_probs.argmax(axis=-1)[..., None]
        kept = (winners == merged.coarse_graining.kept).any(axis=-1).all(axis=-1)
        assert (merged.scores()[0] >= accuracy).all()
        assert np.array_equal(merged.scores()[0][kept], accuracy[kept])
    assert kept.any()


def test_ignorance_and_truth_are_those_before_merging():
    given = many_classes()
    merged = infogeo.merge_classes(given, keep=5)
    expected = infogeo.merge_classes(given.references(), keep=merged.coarse_graining)
    references = merged.references()
    assert references.points.runs == ["ignorance", "truth"]
    ignorance, truth = np.exp(references.log_probs.astype(float))
    assert np.abs(ignorance - np.exp(expected.log_probs[0].astype(float))).max() <= 4 * UNIT
    assert np.array_equal(truth.argmax(-1), merged.labels)
    assert np.abs(truth - np.exp(expected.log_probs[1].astype(float))).max() <= 1e-70


def test_labels_are_given_in_terms_of_the_classes_before_merging():
    given, words = many_classes(), [f"word {c}" for c in range(23)]
    named = infogeo.Predictions.from_arrays({"a": given.log_probs}, classes=words)
    keep = infogeo.merge_classes(named.with_labels(given.labels), 5).coarse_graining
    merged = infogeo.merge_classes(named, keep)
    assert merged.labels is None
    kept = keep.kept
    for labels in (given.labels, [f"word {c}" for c in given.labels]):
        assert np.array_equal(kept[np.arange(9), merged.with_labels(labels).labels], given.labels)
    lost = [next(c for c in range(23) if c not in kept[n]) for n in range(9)]
    with pytest.raises(infogeo.InputError, match=f"class {lost[0]} of sample 0 was merged into the rest"):
        merged.with_labels([f"word {c}" for c in lost])


def test_other_predictions_are_merged_alike_and_only_then_compared():
    given, new = many_classes(5), many_classes(6, labelled=False)
    merged = infogeo.merge_classes(given, keep=4)
    alike = infogeo.merge_classes(new, keep=merged.coarse_graining)
    expected = np.array(reference.merged(new.log_probs, merged.coarse_graining.kept.tolist()))
    assert np.abs(alike.log_probs - expected).max() <= UNIT * np.abs(expected).max()
    rows = infogeo.pairwise_divergence(alike, infogeo.Bhattacharyya(), to=merged)
    assert rows.shape == (6, 6)
    with pytest.raises(infogeo.InputError, match="to: has other classes merged"):
        infogeo.pairwise_divergence(infogeo.merge_classes(new, 4), infogeo.Bhattacharyya(), to=merged)


def test_with_all_classes_kept_nothing_is_merged():
    given = many_classes()
    assert infogeo.merge_classes(given, keep=23) is given
    assert infogeo.merge_classes(given, keep=10**6) is given


def graining(kept, classes=6):
    return infogeo.CoarseGraining(np.asarray(kept), LabelSpace.of_size(classes))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: infogeo.merge_classes(many_classes(), 0), "keep: 0; keep at least one class"),
        (lambda: infogeo.merge_classes(infogeo.merge_classes(many_classes(), 2), 1), "merged already"),
        (lambda: infogeo.merge_classes(many_classes(), graining([[0]] * 9)), "N=9 samples and C=6 classes, expected"),
        (lambda: graining([0, 1]), r"int64 of shape \(2,\), expected class numbers \[N, K\], K from 1 to 5"),
        (lambda: graining([[0.5, 1.0]]), "float64 of shape"),
        (lambda: graining([range(6)]), "K from 1 to 5"),
        (lambda: graining([[1, 6]]), "must ascend within each sample, from 0 to 5"),
        (lambda: graining([[1, 2], [3, 3]]), "must ascend"),
        (lambda: infogeo.shuffled_within_class(infogeo.merge_classes(many_classes(), 2), 0), "shuffle first"),
    ],
)
def test_what_cannot_be_merged_is_one_clear_line(make, message):
    with pytest.raises(infogeo.InputError, match=message):
        make()
