"""Closed forms, bounds against float64, and the properties that every divergence has."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import infogeo
from infogeo.divergences.base import FEW
from tests.reference import divergences as reference
from tests.samples import log_softmax, random_log_probs

ALL = {
    "bhattacharyya": (infogeo.Bhattacharyya(), reference.bhattacharyya),
    "hellinger": (infogeo.Hellinger(), reference.hellinger),
    "symmetric_kl": (infogeo.SymmetricKL(), reference.symmetric_kl),
    "renyi 0.5": (infogeo.Renyi(0.5), reference.renyi(0.5)),
    "renyi 0.3": (infogeo.Renyi(0.3), reference.renyi(0.3)),
    "renyi 0.9": (infogeo.Renyi(0.9), reference.renyi(0.9)),
    "jensen_shannon": (infogeo.JensenShannon(), reference.jensen_shannon),
    "fisher_rao": (infogeo.FisherRao(), reference.fisher_rao),
    "euclidean": (infogeo.Euclidean(), reference.euclidean),
}
INFORMATION = {name: pair for name, pair in ALL.items() if name != "euclidean"}
every_divergence = pytest.mark.parametrize(("divergence", "slow"), ALL.values(), ids=ALL)
every_information_divergence = pytest.mark.parametrize(("divergence", "slow"), INFORMATION.values(), ids=INFORMATION)

BUDGET = 1e-6
"""The stated accuracy of the package: |error| <= 1e-6 max(1, D)."""


def budget_of(divergence):
    """Where d = ds^2, not ds^2 / 8, what rounding leaves counts more: twice, and with Renyi as 1 / (a (1 - a))."""
    if isinstance(divergence, infogeo.Renyi):
        return 2 * BUDGET / (4 * divergence.alpha * (1 - divergence.alpha))
    return 2 * BUDGET if isinstance(divergence, infogeo.FisherRao) else BUDGET


def matrix(log_probs, divergence):
    runs = {f"r{i}": row[None] for i, row in enumerate(log_probs)}
    predictions = infogeo.Predictions.from_arrays(runs, kind="log-probabilities")
    return infogeo.pairwise_divergence(predictions, divergence).to_numpy()


def between(log_p, log_q, divergence):
    return matrix(np.stack([log_p, log_q]), divergence)[0, 1]


@every_divergence
@pytest.mark.parametrize("confidence", [0.01, 1.0, 5.0, 20.0])
@pytest.mark.parametrize("shape", [(5, 1, 2), (7, 19, 10), (4, 130, FEW)])
def test_every_pair_agrees_with_float64_within_the_budget(divergence, slow, confidence, shape):
    log_probs = random_log_probs(1, *shape, confidence=confidence)
    expected = reference.matrix(slow, log_probs)
    error = np.abs(matrix(log_probs, divergence) - expected) / np.maximum(1, expected)
    assert error.max() <= budget_of(divergence)


@every_divergence
def test_probabilities_of_1e_30_keep_full_accuracy(divergence, slow):
    n = 37
    tiny = np.log(1e-30)
    log_p = np.tile([0.0, tiny, tiny], (n, 1)).astype(np.float32)
    log_q = np.tile([tiny, 0.0, tiny], (n, 1)).astype(np.float32)
    log_r = np.tile([tiny, tiny, 0.0], (n, 1)).astype(np.float32)
    log_probs = np.stack([log_p, log_q, log_r, log_softmax(np.zeros((n, 3)))]).astype(np.float32)
    expected = reference.matrix(slow, log_probs)
    measured = matrix(log_probs, divergence)
    assert np.isfinite(measured).all()
    assert (np.abs(measured - expected) <= budget_of(divergence) * np.maximum(1, expected)).all()
    if divergence == infogeo.Bhattacharyya():
        assert measured[0, 1] == pytest.approx(-np.log(2e-15 + 1e-30), rel=1e-6)


@pytest.mark.parametrize("smallest", [1e-4, 1e-12, 1e-17, 1e-19, 1e-35, 1e-38, 1e-60, 1e-75])
def test_groups_of_coefficients_stay_in_range_at_every_confidence(smallest):
    rng = np.random.default_rng(2)
    log_probs = log_softmax(np.log(smallest) * rng.integers(0, 2, size=(6, 41, 4))).astype(np.float32)
    expected = reference.matrix(reference.bhattacharyya, log_probs)
    error = np.abs(matrix(log_probs, infogeo.Bhattacharyya()) - expected) / np.maximum(1, expected)
    assert error.max() <= BUDGET


def test_exponents_stay_exact_over_very_many_samples():
    """Certain of different classes at the floor: 125 binary orders per sample, 2.5e7 in all."""
    row = np.array([[0.0, -174.0], [-174.0, 0.0]], dtype=np.float32)
    log_probs = np.repeat(row[:, None], 200_000, axis=1)
    expected = reference.bhattacharyya(row[:1], row[1:])
    assert between(*log_probs, infogeo.Bhattacharyya()) == pytest.approx(expected, rel=BUDGET)


def test_many_classes_at_the_floor_do_not_underflow():
    """Each term of the coefficient is below the range of float32; their sum must not be lost."""
    classes, n = 1000, 3
    half = np.arange(classes) < classes // 2
    log_p = np.where(half, -np.log(classes // 2), -174.0)
    log_q = np.where(half, -174.0, -np.log(classes // 2))
    log_probs = np.stack([np.tile(log_p, (n, 1)), np.tile(log_q, (n, 1))]).astype(np.float32)
    expected = reference.bhattacharyya(*log_probs)
    assert between(*log_probs, infogeo.Bhattacharyya()) == pytest.approx(expected, rel=BUDGET)


@every_divergence
def test_the_same_checkpoint_in_two_runs_is_at_zero(divergence, slow):
    for shape in [(1, 100, 10), (1, 9, 1000)]:
        row = random_log_probs(3, *shape)[0]
        assert between(row, row, divergence) <= budget_of(divergence)
        assert slow(row, row) <= 1e-15


def test_bernoulli_closed_forms():
    p, q = 0.2, 0.7
    log_p, log_q = np.log([[p, 1 - p]]), np.log([[q, 1 - q]])
    overlap = np.sqrt(p * q) + np.sqrt((1 - p) * (1 - q))
    kl = (p - q) * (np.log(p / (1 - p)) - np.log(q / (1 - q)))
    assert between(log_p, log_q, infogeo.Bhattacharyya()) == pytest.approx(-np.log(overlap), abs=BUDGET)
    assert between(log_p, log_q, infogeo.Hellinger()) == pytest.approx(1 - overlap, abs=BUDGET)
    assert between(log_p, log_q, infogeo.SymmetricKL()) == pytest.approx(kl, abs=BUDGET)
    angle = 2 * abs(np.arcsin(np.sqrt(p)) - np.arcsin(np.sqrt(q)))  # a coin lies on a circle of radius 2
    assert between(log_p, log_q, infogeo.FisherRao()) == pytest.approx(angle**2, abs=BUDGET)
    assert between(log_p, log_q, infogeo.Euclidean()) == pytest.approx(2 * (p - q) ** 2, abs=BUDGET)

    def entropy(x):
        return -x * np.log(x) - (1 - x) * np.log(1 - x)

    mixed = entropy((p + q) / 2) - (entropy(p) + entropy(q)) / 2
    assert between(log_p, log_q, infogeo.JensenShannon()) == pytest.approx(mixed, abs=BUDGET)
    a = 0.2
    sums = [p**e * q ** (1 - e) + (1 - p) ** e * (1 - q) ** (1 - e) for e in (a, 1 - a)]
    renyi = -np.log(np.prod(sums)) / (a * (1 - a))
    assert between(log_p, log_q, infogeo.Renyi(a)) == pytest.approx(renyi, abs=budget_of(infogeo.Renyi(a)))


def test_the_renyi_family_runs_from_bhattacharyya_to_symmetric_kullback_leibler():
    """Renyi(1/2) is 8 Bhattacharyya; towards a = 0 the difference to symmetric KL vanishes linearly in a."""
    log_probs = random_log_probs(7, 4, 20, 5)
    half = matrix(log_probs, infogeo.Renyi(0.5))
    assert np.abs(half - 8 * matrix(log_probs, infogeo.Bhattacharyya())).max() <= 9 * BUDGET * max(1, half.max())
    limit = matrix(log_probs, infogeo.SymmetricKL())
    gaps = [np.abs(matrix(log_probs, infogeo.Renyi(a)) - limit).max() for a in (0.1, 0.05)]
    assert gaps[1] / gaps[0] == pytest.approx(0.5, abs=0.1)  # the next order is a / 2 of the first, at a = 0.1
    mirrored = matrix(log_probs, infogeo.Renyi(0.7)) - matrix(log_probs, infogeo.Renyi(0.3))
    assert np.abs(mirrored).max() <= 2 * budget_of(infogeo.Renyi(0.3)) * max(1, half.max())


@pytest.mark.parametrize("alpha", [0.001, 0.35, 0.49, 0.51, 0.65, 0.999])
@pytest.mark.parametrize("classes", [2, 60])
def test_renyi_divergences_keep_their_accuracy_at_the_floor(alpha, classes):
    """Certain of different classes: one power underflows; over many samples mantissas must stay in range."""
    log_probs = np.full((2, 190, classes), -174.0, dtype=np.float32)
    log_probs[0, :, 0] = log_probs[1, :, 1] = 0.0
    divergence = infogeo.Renyi(alpha)
    expected = reference.renyi(alpha)(*log_probs)
    assert between(*log_probs, divergence) == pytest.approx(expected, rel=budget_of(divergence))


@pytest.mark.parametrize("alpha", [0, 1, -0.5, float("nan")])
def test_a_renyi_divergence_outside_its_family_is_refused(alpha):
    with pytest.raises(infogeo.InputError, match=r"alpha: .*between 0 and 1"):
        infogeo.Renyi(alpha)


def test_bounded_divergences_reach_their_bounds_between_certainties():
    log_probs = np.where(np.eye(2)[:, None, :] * np.ones((2, 3, 1)) == 1, 0.0, -np.inf)
    assert between(*log_probs, infogeo.JensenShannon()) == pytest.approx(np.log(2), abs=BUDGET)
    assert between(*log_probs, infogeo.FisherRao()) == pytest.approx(np.pi**2, rel=BUDGET)
    assert between(*log_probs, infogeo.Euclidean()) == pytest.approx(2, abs=BUDGET)


def test_squared_euclidean_distances_may_grow_when_classes_are_merged():
    """The reason why it stands outside the family: two classes that both lose a little lose twice as much together."""
    log_p, log_q = np.log([[0.4, 0.3, 0.3]]), np.log([[0.6, 0.2, 0.2]])
    merged = [np.log([[row[0, 0], row[0, 1] + row[0, 2]]]) for row in (np.exp(log_p), np.exp(log_q))]
    assert between(*merged, infogeo.Euclidean()) > 1.2 * between(log_p, log_q, infogeo.Euclidean())


@pytest.mark.parametrize("classes", [2, 10, 97, 1000])
def test_ignorance_and_truth_are_half_log_c_apart(classes):
    uniform = np.full((4, classes), -np.log(classes))
    certain = np.where(np.arange(classes) == 1, 0.0, -np.inf) * np.ones((4, 1))
    assert between(uniform, certain, infogeo.Bhattacharyya()) == pytest.approx(np.log(classes) / 2, abs=BUDGET)
    assert between(uniform, certain, infogeo.Hellinger()) == pytest.approx(1 - 1 / np.sqrt(classes), abs=BUDGET)


@every_information_divergence
def test_small_distances_are_the_fisher_metric_times_the_stated_factor(divergence, slow):
    """Along a softmax path ds^2 = sum_c (dp)^2 / p; the next order is of relative size dt, so dt sets the tolerance."""
    rng = np.random.default_rng(5)
    x, v = rng.normal(size=(50, 4)), rng.normal(size=(50, 4))
    dt = 1e-3
    log_p, log_q = log_softmax(x), log_softmax(x + dt * v)
    p, q = np.exp(log_p), np.exp(log_q)
    squared = np.mean(np.sum((q - p) ** 2 / p, axis=-1))
    assert slow(log_p, log_q) == pytest.approx(divergence.fisher_factor * squared, rel=10 * dt)


logits = hnp.arrays(np.float64, (3, 6, 4), elements=st.floats(-30, 30, width=32))


@every_divergence
@settings(max_examples=25, deadline=None, derandomize=True)
@given(x=logits)
def test_symmetric_zero_on_the_diagonal_and_never_negative(divergence, slow, x):
    d = matrix(log_softmax(x), divergence)
    assert (d == d.T).all()
    assert (np.diag(d) == 0).all()
    assert (d >= 0).all()


@every_divergence
@settings(max_examples=25, deadline=None, derandomize=True)
@given(x=logits, seed=st.integers(0, 100))
def test_the_order_of_samples_and_classes_does_not_matter(divergence, slow, x, seed):
    rng = np.random.default_rng(seed)
    log_p = log_softmax(x)
    shuffled = log_p[:, rng.permutation(6)][:, :, rng.permutation(4)]
    d = matrix(log_p, divergence)
    assert (np.abs(matrix(shuffled, divergence) - d) <= 2 * budget_of(divergence) * np.maximum(1, d)).all()


@every_divergence
@settings(max_examples=25, deadline=None, derandomize=True)
@given(x=logits)
def test_a_sum_over_samples_is_the_sum_over_its_parts(divergence, slow, x):
    log_p = log_softmax(x)
    whole = 6 * matrix(log_p, divergence)
    parts = 2 * matrix(log_p[:, :2], divergence) + 4 * matrix(log_p[:, 2:], divergence)
    assert (np.abs(whole - parts) <= 12 * budget_of(divergence) * np.maximum(1, whole / 6)).all()


@every_information_divergence
@settings(max_examples=25, deadline=None, derandomize=True)
@given(x=logits)
def test_merging_classes_never_increases_a_divergence(divergence, slow, x):
    log_p = log_softmax(x)
    merged = np.concatenate([log_p[..., :2], np.logaddexp(log_p[..., 2:3], log_p[..., 3:4])], axis=-1)
    fine, coarse = matrix(log_p, divergence), matrix(merged, divergence)
    assert (coarse <= fine + 2 * budget_of(divergence) * np.maximum(1, fine)).all()
