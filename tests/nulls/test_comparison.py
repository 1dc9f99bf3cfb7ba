"""Effect sizes, p-values, bands, and verdicts that follow the effect sizes."""

import numpy as np
import pytest

import infogeo
from infogeo.nulls import GeodesicNull, NullComparison
from infogeo.nulls.verdict import verdict_of


def comparison(stress, *replicates, **options):
    values = np.array([[value] for value in replicates])
    return NullComparison(np.array([stress]), values, "the examples shuffled", 0, **options)


def test_effect_sizes_are_their_formulas():
    null = comparison(0.9, 0.5, 0.7)
    assert null.null_mean == pytest.approx([0.6])
    assert null.effect == pytest.approx([0.1 / 0.4])
    assert null.excess == pytest.approx([0.3 / 0.9])
    assert comparison(0.5, 1.0).effect == pytest.approx([np.nan], nan_ok=True)
    assert comparison(0.0, 0.0).excess == pytest.approx([0.0])


def test_a_p_value_counts_the_data_among_the_replicates():
    assert comparison(0.9, 0.5, 0.7, 0.9).p_value == pytest.approx([2 / 4])
    assert comparison(0.4, 0.5, 0.7).p_value == pytest.approx([1.0])
    assert np.isnan(comparison(0.9, 0.5, model=GeodesicNull()).p_value).all()


def test_a_printed_comparison_is_three_lines():
    assert repr(comparison(0.9, 0.5, 0.7)).splitlines() == [
        "NullComparison(within-class shuffle, R=2 replicates, K=1 axes)",
        "  explained stress of one axis: 90.0 %",
        "  with the null: explained stress of one axis: 60.0 %",
    ]


def test_the_band_is_made_of_quantiles():
    low, high = comparison(0.9, *np.linspace(0, 1, 101)).band(0.9)
    assert (low[0], high[0]) == (pytest.approx(0.05), pytest.approx(0.95))


@pytest.mark.parametrize(
    ("effect", "excess", "name"),
    [
        (0.1, 0.5, "shared structure"),
        (1 / 3, 0.1, "shared structure"),
        (0.34, 0.1, "partly shared"),
        (0.9, 0.3, "partly shared"),
        (0.91, 0.3, "no more than chance"),
        (0.05, 0.099, "nearly automatic"),
        (0.6, 0.012, "nearly automatic"),
        (1.0, 0.0, "no more than chance"),
        (1.4, -0.2, "no more than chance"),
        (np.nan, -0.2, "no more than chance"),
    ],
)
def test_a_verdict_follows_both_effect_sizes(effect, excess, name):
    assert verdict_of(effect, excess).name == name


def test_a_verdict_does_not_follow_the_p_value():
    few, many = comparison(0.991, 0.979), comparison(0.991, *[0.979] * 99)
    assert few.p_value != many.p_value
    assert few.verdict() == many.verdict()
    assert few.verdict().name == "nearly automatic"
    assert comparison(0.95, *[0.5] * 10, *[0.96] * 5).verdict() == comparison(0.95, 0.653).verdict()


def test_the_sentence_follows_the_numbers():
    digits = comparison(0.991, 0.979).sentence()
    assert digits == (
        "One axis explains 99.1 % of the stress. With the examples shuffled, it still explains 97.9 %. That is 1.2 "
        "points, or 1.2 % of the stress, more than the null; what stays unexplained is 0.43 times what the null leaves "
        "(p = 0.5 from 1 replicate; it cannot be smaller). Nearly all of it is automatic: the stress alone is no "
        "evidence that the runs share structure example by example."
    )
    assert "This is no more than the null: no evidence" in comparison(0.7, 0.8).sentence()
    assert "That is 20.0 points, or 28.6 % of the stress, more than the null;" in comparison(0.7, 0.5).sentence()
    assert "Partly shared" in comparison(0.7, 0.5).sentence()
    several = NullComparison(np.array([0.5, 0.8]), np.array([[0.1, 0.2]]), "noise", 0).sentence()
    assert several.startswith("The first 2 axes explain 80.0 % of the stress. With noise, they still explain 20.0 %.")


def test_a_part_of_the_data_is_said_where_its_stress_is_another():
    part = comparison(0.8, 0.2, n_points=360, n_samples=797, full_statistic=np.array([0.85]))
    assert "of the stress of 360 checkpoints on 797 samples (85.0 % of all)." in part.sentence()
    same = comparison(0.8, 0.2, n_points=360, n_samples=797, full_statistic=np.array([0.8001]))
    assert "360" not in same.sentence()


def test_there_is_no_verdict_on_no_axis():
    with pytest.raises(infogeo.InputError, match="k: 0; give at least one axis"):
        comparison(0.8, 0.2).verdict(0)
