"""The estimators keep scikit-learn's conventions and give what infogeo gives."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

import infogeo
from infogeo.embed import bernoulli_family, iskl
from infogeo.sklearn import InPCA, IsKL


class Power:
    """A divergence that is far from Euclidean, by a name that is the same in every process."""

    def __call__(self, a, b):
        return cdist(a, b) ** 2.6

    def __repr__(self):
        return "power"


power = Power()


def coins(seed=0, points=30):
    p = np.random.default_rng(seed).uniform(0.05, 0.95, (points, 3))
    family = bernoulli_family(p)
    return family, np.hstack([family.natural, family.expected])


X = np.random.default_rng(0).normal(size=(40, 3))
D = power(X, X)
ODD = "draws a table of three or five columns; [natural | expected] has an even number of them"
WORDS = "wants scikit-learn's words for a negative entry; infogeo's name it, and take what is rounding for zero"
EXPECTED_FAILURES = {
    "InPCA()": {"check_positive_only_tag_during_fit": WORDS},
    "IsKL()": dict.fromkeys(
        [
            "check_dict_unchanged",
            "check_dont_overwrite_parameters",
            "check_estimators_dtypes",
            "check_estimators_nan_inf",
            "check_estimators_pickle",
            "check_f_contiguous_array_estimator",
            "check_fit2d_predict1d",
            "check_fit_score_takes_y",
            "check_methods_sample_order_invariance",
            "check_methods_subset_invariance",
            "check_pipeline_consistency",
            "check_transformer_data_not_an_array",
            "check_transformer_general",
            "check_transformer_preserve_dtypes",
        ],
        ODD,
    ),
}


def expected_failures(estimator):
    """By the estimator as it prints itself."""
    return EXPECTED_FAILURES.get(str(estimator), {})


@parametrize_with_checks(
    [InPCA(), InPCA(metric=power), IsKL()],
    expected_failed_checks=expected_failures,
    xfail_strict=True,
)
def test_scikit_learns_own_checks_pass(estimator, check):
    check(estimator)


ESTIMATORS = [(InPCA(3), D), (InPCA(3, metric=power), X), (IsKL(3), coins()[1])]
every_estimator = pytest.mark.parametrize(("estimator", "data"), ESTIMATORS, ids=["precomputed", "metric", "iskl"])


@every_estimator
def test_fitted_points_keep_their_place(estimator, data):
    """Placing divides the rounding of W, P eps |first|, by sqrt|lambda|: 1e-8 of the first axis is far above that."""
    made = clone(estimator)
    coords = made.fit_transform(data)
    assert coords.shape == (len(data), 3)
    assert np.abs(made.transform(data) - coords).max() <= 1e-8 * np.abs(coords).max()
    assert np.array_equal(made.fit(data).embedding_, coords)
    assert made.n_features_in_ == data.shape[1]


@every_estimator
def test_a_fitted_estimator_survives_a_pickle_and_changes_nothing(estimator, data):
    made = clone(estimator).fit(data)
    before = data.copy()
    again = pickle.loads(pickle.dumps(made))
    assert np.array_equal(again.transform(data[:5]), made.transform(data[:5]))
    assert again.map_.points.runs == made.map_.points.runs
    assert np.array_equal(before, data)


@every_estimator
def test_rows_are_placed_one_by_one_as_together(estimator, data):
    """Products of other shapes are summed in another order: P eps of the largest term."""
    made = clone(estimator).fit(data)
    single = np.concatenate([made.transform(data[i : i + 1]) for i in (7, 2)])
    scale = np.abs(made.embedding_).max()
    assert np.abs(made.transform(data[[7, 2]]) - single).max() <= 1e-10 * scale


@every_estimator
def test_pandas_in_and_out(estimator, data):
    made = clone(estimator).set_output(transform="pandas")
    frame = pd.DataFrame(data, columns=[f"c{i}" for i in range(data.shape[1])])
    name = type(estimator).__name__.lower()
    out = made.fit_transform(frame)
    assert list(out.columns) == list(made.get_feature_names_out()) == [f"{name}{k}" for k in range(3)]
    assert list(made.feature_names_in_) == list(frame.columns)
    with pytest.raises(ValueError, match="feature names"):
        made.transform(frame[frame.columns[::-1]])


@every_estimator
def test_single_precision_is_taken_and_answered_in_double(estimator, data):
    if data is D:
        data = D.astype(np.float32)
    assert clone(estimator).fit_transform(data.astype(np.float32)).dtype == np.float64


@every_estimator
def test_an_estimator_that_is_not_fitted_says_so(estimator, data):
    with pytest.raises(NotFittedError):
        clone(estimator).transform(data)
    with pytest.raises(NotFittedError):
        clone(estimator).get_feature_names_out()


def test_inpca_is_infogeos():
    made, embedding = InPCA(4).fit(D), infogeo.inpca(infogeo.PairwiseMatrix.from_array(D), 4)
    assert np.array_equal(made.embedding_, embedding.coords)
    assert np.array_equal(made.eigenvalues_, embedding.eigenvalues)
    assert np.array_equal(made.signature_, embedding.signature)
    assert np.array_equal(made.explained_stress_, embedding.explained_stress)
    assert np.array_equal(made.transform(D[:3] * 1.5), embedding.project(D[:3] * 1.5))


def test_a_metric_gives_what_its_matrix_gives():
    by_metric, by_matrix = InPCA(3, metric=power).fit(X), InPCA(3).fit(D)
    new = np.random.default_rng(1).normal(size=(5, 3))
    assert np.array_equal(by_metric.embedding_, by_matrix.embedding_)
    assert np.array_equal(by_metric.transform(new), by_matrix.transform(power(new, X)))


def test_squared_distances_give_the_principal_components():
    """The role of the input: with squared Euclidean distances InPCA is PCA, to the rounding of both."""
    from sklearn.decomposition import PCA

    ours, theirs = InPCA(3).fit_transform(cdist(X, X, "sqeuclidean")), PCA(3).fit_transform(X)
    assert np.abs(np.abs(ours) - np.abs(theirs)).max() <= 1e-12 * 40


def test_a_matrix_of_low_rank_gives_fewer_columns():
    line = np.arange(6.0)[:, None]
    made = InPCA(4).fit(cdist(line, line, "sqeuclidean"))
    assert made.embedding_.shape == (6, 1)
    assert made.get_feature_names_out().tolist() == ["inpca0"]


def test_iskl_is_infogeos():
    family, table = coins()
    made, embedding = IsKL(6).fit(table), iskl(family)
    axes = embedding.principal(6)
    assert np.array_equal(made.embedding_, axes.coords)
    assert sorted(made.signature_.tolist()) == [-1] * 3 + [1] * 3
    new, new_table = coins(1, 4)
    assert np.array_equal(made.transform(new_table), embedding.project(new, axes))


def test_the_pairwise_tag_follows_the_metric_and_a_pipeline_passes_it_on():
    assert get_tags(InPCA()).input_tags.pairwise
    assert not get_tags(InPCA(metric=power)).input_tags.pairwise
    assert get_tags(make_pipeline(InPCA(), KNeighborsClassifier())).input_tags.pairwise


def test_pipelines_and_cross_validation_work_on_matrices_and_on_tables():
    """A precomputed matrix is cut on both sides by cross-validation."""
    classes = (X[:, 0] > 0).astype(int)
    by_matrix = cross_val_score(make_pipeline(InPCA(2), KNeighborsClassifier(3)), D, classes, cv=4)
    by_table = cross_val_score(make_pipeline(InPCA(2, metric=power), KNeighborsClassifier(3)), X, classes, cv=4)
    assert np.array_equal(by_matrix, by_table)
    assert by_matrix.mean() > 0.5
    scaled = make_pipeline(StandardScaler(), InPCA(2, metric=power)).fit(X)
    assert scaled.transform(X[:2]).shape == (2, 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: InPCA(0).fit(D), "n_components: 0; give a whole number, at least 1"),
        (lambda: InPCA(1.5).fit(D), "n_components: 1.5"),
        (lambda: IsKL(0).fit(coins()[1]), "n_components: 0"),
        (lambda: InPCA(metric="euclidean").fit(D), "metric: 'euclidean'; give 'precomputed' or a function"),
        (lambda: InPCA(metric=lambda a, b: np.zeros(len(a))).fit(X), r"metric: returned shape \(40,\)"),
        (lambda: InPCA().fit(X), r"has shape \(40, 3\), expected \[P, P\]"),
        (lambda: InPCA().fit(-D), "is negative: not a divergence"),
        (lambda: InPCA().fit(np.zeros((3, 3))), "the points coincide"),
        (lambda: IsKL().fit(X), r"X: 3 columns; give \[natural \| expected\]"),
    ],
)
def test_misuse_is_one_clear_line(call, message):
    with pytest.raises(infogeo.InputError, match=message):
        call()


def test_rows_of_another_length_are_refused():
    with pytest.raises(ValueError, match="39 features, but InPCA is expecting 40"):
        InPCA().fit(D).transform(D[:, :39])
