"""Dimensions from explained stress: by its level, by its excess over a null, and axis by axis."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

import infogeo
from infogeo.dimension.stress import parallel_analysis, stress_dimension
from infogeo.embed.stress import explained_stress
from tests.reference import embedding

AXES = 12


def stress_of(x):
    """The explained stress of the first axes of points x [P, K], and their share of ||W||^2."""
    w, lambdas, _ = embedding.spectrum(cdist(x, x, "sqeuclidean"))
    norm = np.linalg.norm(w)
    return explained_stress(lambdas[:AXES], norm), (lambdas[:AXES] / norm) ** 2


def with_signal(rng, axes, strength=4.0, points=60, directions=40):
    """Noise in all directions, and a signal of equal strength in the first."""
    x = rng.normal(size=(points, directions))
    x[:, :axes] *= strength
    return x


def noise(rng, replicates=20):
    """The explained stress of data without a signal [M, AXES]."""
    return np.stack([stress_of(with_signal(rng, 0))[0] for _ in range(replicates)])


@pytest.mark.parametrize(("level", "axes"), [(0.5, 1), (0.6, 2), (0.8, 3), (0.8000001, 4), (0.9, 4)])
def test_the_first_axis_that_reaches_the_level_counts(level, axes):
    found = stress_dimension([0.5, 0.7, 0.8, 0.95], level)
    assert found.value == axes
    assert np.isnan([found.standard_error, found.scale]).all()
    assert not found.warnings


def test_where_no_axis_reaches_the_level_that_is_told():
    found = stress_dimension([0.5, 0.7, 0.812])
    assert np.isnan(found.value)
    assert found.warnings == ("all 3 axes explain 81.2 %, less than 90 %: more axes are needed",)
    assert stress_dimension([0.5]).warnings == ("the one axis explains 50 %, less than 90 %: more axes are needed",)


def test_other_numbers_of_axes_within_two_standard_errors_are_told():
    stress = [0.5, 0.87, 0.91, 0.93]
    closed = stress_dimension(stress, standard_error=[0.02, 0.02, 0.02, 0.01])
    assert closed.warnings == ("within two standard errors of the stress it is from 2 to 4",)
    assert stress_dimension(stress, standard_error=[0.001] * 4).warnings == ()
    open_end = stress_dimension(stress, standard_error=[0.02] * 4)
    assert open_end.warnings == ("within two standard errors of the stress it is from 2 on",)
    assert "more axes are needed" in stress_dimension([0.5, 0.89], standard_error=[0.01, 0.01]).warnings[0]
    assert stress_dimension([0.5, 0.89], standard_error=[0.01, 0.01]).warnings[1].endswith("it is from 2 on")


@pytest.mark.parametrize("axes", [1, 2, 3, 5])
def test_relative_to_a_null_the_axes_with_a_signal_are_found(axes):
    """Where the noise alone keeps the stress of as many axes far below the level."""
    rng = np.random.default_rng(axes)
    stress, _ = stress_of(with_signal(rng, axes))
    assert stress[axes - 1] < 0.9
    assert stress_dimension(stress, null=noise(rng)).value == axes
    assert parallel_analysis(stress, noise(rng)).value == axes


def test_data_that_are_like_the_null_have_no_dimension_beyond_it():
    """Each null of 20 replicates is exceeded by chance in one of 21 cases: of 20, no more than five, at p < 0.001."""
    rng = np.random.default_rng(10)
    values = [stress_dimension(stress_of(with_signal(rng, 0))[0], null=noise(rng)).value for _ in range(20)]
    assert np.sum(np.array(values) > 0) <= 5
    found = stress_dimension([0.2, 0.3], null=np.full((3, 2), 0.4))
    assert found.value == 0
    assert found.warnings == ("the axes explain no more than those of the null",)
    assert parallel_analysis([0.2, 0.3], np.full((20, 2), 0.4)).value == 0


def test_an_excess_that_still_grows_is_told():
    found = stress_dimension([0.3, 0.5, 0.7], null=[[0.1, 0.2, 0.3]])
    assert found.value == 3
    assert found.warnings == ("the excess over the null still grows at the last of 3 axes: more axes may give more",)


def test_parallel_analysis_compares_shares_of_the_norm():
    """The shares follow from the stress, to the rounding of 1 - s; a null just below or above them decides."""
    _, shares = stress_of(np.random.default_rng(11).normal(size=(30, 8)) * 0.7 ** np.arange(8))

    def as_stress(share):
        return 1 - np.sqrt(np.maximum(1 - np.cumsum(share), 0))

    observed = as_stress(shares[:6])
    for kept in range(6):
        bent = shares[:6] * np.where(np.arange(6) < kept, 0.99, 1.0)
        bent[kept] = min(shares[kept] * 1.0001, 1 - bent[:kept].sum())
        bent[kept + 1 :] *= 0.5
        assert parallel_analysis(observed, np.tile(as_stress(bent), (20, 1))).value == kept
    all_kept = parallel_analysis(observed, np.tile(as_stress(shares[:6] * 0.9), (20, 1)))
    assert all_kept.value == 6
    assert all_kept.warnings == ("all 6 axes are larger than the null's: the dimension is at least 6",)


def test_one_replicate_of_twenty_above_keeps_an_axis_out_and_of_forty_does_not():
    null = np.tile([0.1, 0.2], (20, 1))
    null[0, 0] = 0.2
    assert parallel_analysis([0.15, 0.2], null).value == 0
    more = np.concatenate([null, np.tile([0.1, 0.2], (20, 1))])
    assert parallel_analysis([0.15, 0.2], more).value == 1


def test_bad_input_is_told():
    stress, null = [0.5, 0.7], np.tile([0.1, 0.2], (20, 1))
    with pytest.raises(infogeo.InputError, match=r"explained_stress: has shape \(1, 2\), expected \[K\]"):
        stress_dimension([stress])
    with pytest.raises(infogeo.InputError, match="explained_stress: explained stress lies within 0 and 1"):
        stress_dimension([0.5, 0.4])
    with pytest.raises(infogeo.InputError, match="explained_stress: explained stress lies within 0 and 1"):
        stress_dimension([0.5, np.nan])
    with pytest.raises(infogeo.InputError, match="level: 0; give a number above 0 and up to 1"):
        stress_dimension(stress, 0)
    with pytest.raises(infogeo.InputError, match=r"standard_error: has shape \(1,\), expected 2 axes"):
        stress_dimension(stress, standard_error=[0.1])
    with pytest.raises(infogeo.InputError, match=r"null: has shape \(2,\), expected \[M, K\]"):
        stress_dimension(stress, null=[0.1, 0.2])
    with pytest.raises(infogeo.InputError, match=r"null: has shape \(20, 1\), expected 2 axes"):
        parallel_analysis(stress, null[:, :1])
    with pytest.raises(infogeo.InputError, match="null: 19 replicates; a quantile at 0.95 takes 20 of them"):
        parallel_analysis(stress, null[:19])
    with pytest.raises(infogeo.InputError, match="null: 20 replicates; a quantile at 0.99 takes 100 of them"):
        parallel_analysis(stress, null, 0.99)
    with pytest.raises(infogeo.InputError, match="level: 1; give a number from 0 on and below 1"):
        parallel_analysis(stress, null, 1)
