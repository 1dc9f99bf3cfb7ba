"""isKL against the matrix route and against textbook divergences."""

from functools import partial

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import infogeo
from infogeo.embed import (
    ExponentialFamily,
    bernoulli_family,
    categorical_family,
    gaussian_family,
    inpca,
    iskl,
    least_squares_family,
    poisson_family,
)
from tests.reference import divergences as slow
from tests.reference import families as reference
from tests.samples import Lazy, random_log_probs

EPS = np.finfo(float).eps
SIZE, N = 25, 3
EXACT = 1e-10
"""The stated accuracy in nats. Coordinates here are below 10, so D, a sum of up to 12 squares of differences below 20,
rounds by less than 12 * 20^2 * 4 eps = 4e-12; parameters of up to 174 (the floor) round their products by as much."""


def tables(seed=0):
    rng = np.random.default_rng(seed)
    return {
        "bernoulli": rng.uniform(0.02, 0.98, (SIZE, N)),
        "poisson": np.exp(rng.normal(size=(SIZE, N))),
        "mean": rng.normal(size=(SIZE, N)),
        "variance": np.exp(rng.normal(size=(SIZE, N))),
    }


def predictions(seed=0, points=SIZE, samples=3, classes=3):
    log_probs = random_log_probs(seed, points, samples, classes)
    return infogeo.Predictions.from_arrays({"a": log_probs}, kind="log-probabilities")


def far_gaussian(mean, variance, other_mean, other_variance):
    """The same divergence with means counted from 1e6."""
    return reference.gaussian(mean - 1e6, variance, other_mean - 1e6, other_variance)


def cases():
    t = tables()
    far = 1e6 + t["mean"]
    p = predictions()
    softmax = slow.matrix(slow.symmetric_kl, np.asarray(p.log_probs))
    squares = partial(reference.least_squares, variance=0.3)
    spread = reference.matrix(reference.gaussian, t["mean"], t["variance"])
    return {
        "bernoulli": (bernoulli_family(t["bernoulli"]), reference.matrix(reference.bernoulli, t["bernoulli"]), N),
        "poisson": (poisson_family(t["poisson"]), reference.matrix(reference.poisson, t["poisson"]), N),
        "gaussian": (gaussian_family(t["mean"], t["variance"]), spread, 2 * N),
        "gaussian far away": (
            gaussian_family(far, t["variance"]),
            reference.matrix(far_gaussian, far, t["variance"]),
            2 * N,
        ),
        "categorical": (categorical_family(p), softmax, 6),
        "least squares": (least_squares_family(t["mean"], 0.3), reference.matrix(squares, t["mean"]), N),
    }


CASES = cases()
every_family = pytest.mark.parametrize("name", list(CASES))


@every_family
def test_the_interval_is_the_symmetric_divergence(name):
    family, expected, _ = CASES[name]
    measured = iskl(family).divergences()
    assert np.abs(measured.values - expected).max() <= EXACT
    assert (measured.divergence, measured.fisher_factor) == (infogeo.SymmetricKL.name, 1.0)


@every_family
def test_principal_axes_are_those_of_the_matrix(name):
    """Both routes are backward stable: eigenvalues to P eps ||W||, axes to that over their gaps (below 1e3 here)."""
    family, expected, _ = CASES[name]
    ours, theirs = iskl(family).principal(20), inpca(infogeo.PairwiseMatrix.from_array(expected), 20)
    largest = np.abs(theirs.eigenvalues[0])
    assert ours.n_components == theirs.n_components
    assert np.abs(ours.eigenvalues - theirs.eigenvalues).max() <= EXACT * largest
    assert np.array_equal(ours.signature, theirs.signature)
    assert np.abs(ours.coords - theirs.coords).max() <= EXACT * np.sqrt(largest)
    assert np.abs(ours.column_means - theirs.column_means).max() <= EXACT
    assert np.abs(ours.explained_stress - theirs.explained_stress).max() <= 1e-7  # the square root of rounding, at 1
    assert ours.norm == pytest.approx(theirs.norm, rel=EXACT)
    assert ours.residual <= SIZE * EPS * largest


@every_family
def test_there_are_n_axes_of_each_kind(name):
    """By Sylvester's law: as many of each sign as there are space-like and time-like columns."""
    family, _, n = CASES[name]
    embedding = iskl(family)
    signature = embedding.principal(50).signature
    time_like = 0 if name == "least squares" else n
    assert embedding.space.shape[1] == np.count_nonzero(signature == 1) == n
    assert embedding.time.shape[1] == np.count_nonzero(signature == -1) == time_like


@every_family
def test_axes_of_a_pair_are_centred_and_uncorrelated(name):
    """Each mean and product is a sum of P terms, off by P eps of the largest."""
    embedding = iskl(CASES[name][0])
    x = embedding.coords
    assert np.abs(x.mean(axis=0)).max() <= SIZE * EPS * np.abs(x).max()
    both = np.intersect1d(embedding.space_pairs, embedding.time_pairs)
    s, t = (
        a[:, np.isin(pairs, both)]
        for a, pairs in ((embedding.space, embedding.space_pairs), (embedding.time, embedding.time_pairs))
    )
    assert np.abs((s * t).mean(axis=0)).max(initial=0) <= SIZE * EPS * np.abs(x).max() ** 2


def test_softmax_predictions_have_the_engines_divergence():
    p = predictions(seed=4, samples=20, classes=4)
    ours, engine = iskl(categorical_family(p)).divergences(), infogeo.pairwise_divergence(p, infogeo.SymmetricKL())
    bound = 2 * infogeo.SymmetricKL().rounding(4)
    assert np.abs(ours.values - engine.to_numpy()).max() <= bound * max(1, ours.values.max())
    assert ours.divergence == engine.divergence


def test_predictions_that_are_read_lazily_give_the_same_family():
    p = predictions()
    lazy = infogeo.Predictions(Lazy(np.asarray(p.log_probs)), p.points, p.label_space)
    assert np.array_equal(categorical_family(lazy).natural, categorical_family(p).natural)
    assert categorical_family(p).points is p.points


def test_predictions_at_the_floor_have_finite_coordinates():
    logits = np.array([[[0, -400.0]], [[-400, 0]], [[0, 0]]])
    p = infogeo.Predictions.from_arrays({"a": logits}, kind="logits")
    expected = slow.matrix(slow.symmetric_kl, np.asarray(p.log_probs))
    assert np.abs(iskl(categorical_family(p)).divergences().values - expected).max() <= EXACT


@pytest.mark.parametrize("size", [2, 3, 7, 12])
def test_with_fewer_points_than_axes_the_map_is_still_that_of_the_matrix(size):
    family = gaussian_family(*(tables(size)[name][:size] for name in ("mean", "variance")))
    embedding = iskl(family)
    ours, theirs = embedding.principal(20), inpca(embedding.divergences(), 20)
    assert ours.n_components == theirs.n_components <= size - 1
    assert np.abs(ours.eigenvalues - theirs.eigenvalues).max() <= EXACT * np.abs(theirs.eigenvalues[0])
    assert np.abs(np.abs(ours.coords) - np.abs(theirs.coords)).max() <= EXACT * 10


@every_family
def test_new_members_keep_exact_divergences_and_fitted_ones_their_place(name):
    family, expected, _ = CASES[name]
    fitted, new = (
        ExponentialFamily(family.natural[rows], family.expected[rows]) for rows in (slice(18), slice(18, 25))
    )
    embedding = iskl(fitted)
    placed = embedding.place(new)
    between = placed.divergences(embedding)
    assert np.abs(between.values - expected[18:, :18]).max() <= EXACT
    axes = embedding.principal(20)
    ours, rows = embedding.project(new, axes), axes.project(between)
    # dividing by sqrt|lambda| enlarges the rounding of D, P eps |D|, by up to sqrt(P / lambda_min): below 1e3 here
    assert np.abs(ours - rows).max() <= EXACT * max(1, np.abs(rows).max())
    assert np.abs(embedding.project(fitted, axes) - axes.coords).max() <= EXACT * max(1, np.abs(axes.coords).max())
    assert np.array_equal(embedding.place(fitted).coords, embedding.coords)


def test_the_map_of_placed_members_is_centred_on_them():
    family = CASES["bernoulli"][0]
    placed = iskl(family).place(bernoulli_family(tables(5)["bernoulli"]))
    ours, theirs = placed.principal(), inpca(placed.divergences())
    assert np.abs(ours.eigenvalues - theirs.eigenvalues).max() <= EXACT * theirs.eigenvalues[0]


def test_gaussians_have_one_divergence_from_any_reference():
    t = tables()
    near, other = (gaussian_family(t["mean"], t["variance"], reference=np.full(N, r)) for r in (0.0, 2.0))
    assert np.abs(iskl(near).divergences().values - iskl(other).divergences().values).max() <= EXACT


def test_a_pair_that_does_not_vary_has_no_axis():
    t = tables()
    t["bernoulli"][:, 1] = 0.1
    embedding = iskl(bernoulli_family(t["bernoulli"]))
    assert embedding.space_pairs.tolist() == embedding.time_pairs.tolist() == [0, 2]
    assert np.isnan(embedding.boosts).tolist() == [False, True, False]
    expected = reference.matrix(reference.bernoulli, t["bernoulli"])
    assert np.abs(embedding.divergences().values - expected).max() <= EXACT


def test_a_pair_of_which_one_side_alone_varies_has_no_axis():
    """Gaussians whose mean is a multiple of their variance: mu / s^2 is the same to rounding."""
    variance = np.exp(np.linspace(-1, 1, SIZE))[:, None]
    mean = 0.1 * variance
    embedding = iskl(gaussian_family(mean, variance, reference=np.zeros(1)))
    assert embedding.space_pairs.tolist() == embedding.time_pairs.tolist() == [1]
    expected = reference.matrix(reference.gaussian, mean, variance)
    assert np.abs(embedding.divergences().values - expected).max() <= EXACT


@pytest.mark.parametrize("offset", [0.0, 1e8])
def test_least_squares_has_exactly_no_time_like_axis_however_far_its_values(offset):
    f = offset + np.random.default_rng(0).normal(size=(400, 2))
    embedding = iskl(least_squares_family(f, 0.7))
    assert embedding.time.shape == (400, 0)
    assert embedding.principal(50).signature.tolist() == [1, 1]


def test_extreme_sizes_neither_overflow_nor_vanish():
    """Squares of these numbers are beyond float64."""
    rates = np.array([[1e-200, 1e200], [2e-200, 3e200], [5e-200, 2e200]])
    embedding = iskl(poisson_family(rates))
    expected = (rates[0] - rates[1]) * (np.log(rates[0]) - np.log(rates[1]))
    assert np.isfinite(embedding.boosts).all()
    assert embedding.divergences().values[0, 1] == pytest.approx(expected.sum(), rel=1e-13)
    small = iskl(poisson_family(rates[:, :1])).divergences().values[0, 1]
    assert small == pytest.approx(expected[0], rel=1e-12)


probability = st.floats(1e-6, 1 - 1e-6)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(p=hnp.arrays(np.float64, (6, 2), elements=probability))
def test_any_coins_are_rebuilt_and_never_at_a_negative_divergence(p):
    embedding = iskl(bernoulli_family(p))
    expected = reference.matrix(reference.bernoulli, p)
    assert np.abs(embedding.divergences().values - expected).max() <= EXACT
    if expected.max() < 1e-6:
        return
    axes = embedding.principal()
    rebuilt = np.einsum("ijk,k->ij", (axes.coords[:, None] - axes.coords[None]) ** 2, axes.signature)
    # axes left out are of |eigenvalue| <= P eps |first|
    assert np.abs(rebuilt - expected).max() <= EXACT


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    p=hnp.arrays(np.float64, (5, 2), elements=st.floats(0.01, 0.99)),
    scale=st.floats(1e-3, 1e3),
    order=st.permutations(range(5)),
)
def test_scaling_a_statistic_or_reordering_models_changes_nothing(p, scale, order):
    family = bernoulli_family(p)
    scaled = ExponentialFamily(family.natural[order] / scale, family.expected[order] * scale)
    first, second = iskl(family).divergences().values, iskl(scaled).divergences().values
    assert np.abs(first[np.ix_(order, order)] - second).max() <= EXACT


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bernoulli_family([[0.5, 1.0]]), r"probabilities: entry \(0, 1\) is 1; it must be between 0 and 1"),
        (lambda: bernoulli_family([[0.0]]), "neither of them"),
        (lambda: bernoulli_family([0.5]), r"shape \(1,\), expected \[P, n\]"),
        (lambda: poisson_family([[1.0], [0.0]]), r"rates: entry \(1, 0\) is 0; it must be above 0"),
        (lambda: poisson_family([[np.nan]]), "must be finite"),
        (lambda: poisson_family([["a"]]), "expected numbers"),
        (lambda: gaussian_family([[0.0]], [[0.0]]), "variance: entry"),
        (lambda: gaussian_family([[0.0]], [[1.0, 1.0]]), "one variance per mean"),
        (lambda: gaussian_family([[0.0]], [[1.0]], reference=[0, 0]), "one origin per Gaussian"),
        (lambda: least_squares_family([[0.0]], 0.0), "variance: 0.0; the variance of the noise"),
        (lambda: ExponentialFamily(np.ones((2, 1)), np.ones((2, 2))), "one expectation per parameter"),
        (lambda: ExponentialFamily(np.ones((2, 1)), np.full((2, 1), np.inf)), "expected: entry"),
        (lambda: bernoulli_family([[0.5]], infogeo.Points.of_runs(["a"], [[0, 1]])), "points: 2 rows for 1 models"),
        (lambda: iskl(bernoulli_family([[0.5]])), "family: 1 model; an embedding needs at least 2"),
        (lambda: iskl(bernoulli_family([[0.5], [0.5]])).principal(), "the models coincide"),
        (lambda: iskl(CASES["bernoulli"][0]).principal(0), "n_components: 0; give at least 1"),
        (lambda: iskl(CASES["bernoulli"][0]).place(bernoulli_family([[0.5]])), "1 statistics, but 3 are embedded"),
        (
            lambda: iskl(CASES["bernoulli"][0]).project(
                CASES["bernoulli"][0], iskl(bernoulli_family([[0.5], [0.4]])).principal()
            ),
            "principal: 2 points, but 25",
        ),
        (lambda: iskl(ExponentialFamily([[0.0], [1.0]], [[1.0], [0.0]])).divergences(), "is negative"),
    ],
)
def test_misuse_is_one_clear_line(call, message):
    with pytest.raises(infogeo.InputError, match=message):
        call()
