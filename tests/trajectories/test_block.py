"""Blocks: which column is one without being named, and what is said where none is."""

import numpy as np
import pytest

import infogeo
from infogeo import Points
from infogeo.core.words import listed, percent
from infogeo.trajectories.block import Block, find_block, whole_configurations
from infogeo.trajectories.configuration import block_codes


def table(name="seed", seeds=3, **columns):
    """2 archs x 2 rates x seeds, one run each; the column of seeds has a name."""
    rows = [{"arch": a, "rate": r, name: s} for a in "ab" for r in (0.1, 0.2) for s in range(seeds)]
    points = Points.of_runs([f"r{i:02d}" for i in range(len(rows))], [[0]] * len(rows), rows)
    return points.with_columns(**columns)


@pytest.mark.parametrize(
    ("points", "factors", "expected"),
    [
        (table(), ("arch", "rate"), "seed"),
        (table(), ("arch",), "seed"),  # each arch has every seed twice
        (table("repeat"), ("arch", "rate"), "repeat"),
        (table("repeat"), ("arch",), None),  # repeat does not tell all runs of an arch apart
        (table("repeat", copy=[0, 1, 2] * 4), ("arch", "rate"), None),  # which of the two?
        (table("repeat", host=np.arange(12)), ("arch", "rate"), "repeat"),
        (table(), ("arch", "rate", "seed"), None),
        (table(seeds=1), ("arch", "rate"), None),
        (table(seed=np.arange(12)), ("arch", "rate"), None),  # seeds of their own are repeats
        (table(seed=[np.nan, *range(11)]), ("arch", "rate"), None),
    ],
)
def test_a_block_is_taken_where_its_levels_return_in_every_configuration(points, factors, expected):
    assert find_block(points, factors) == (expected, None)


def test_a_block_is_one_column():
    for wrong in (["seed"], 3, None):
        with pytest.raises(infogeo.InputError, match="block: .* is no name of a column; give one, or block=False"):
            block_codes(table(), ("arch",), wrong)


def test_seeds_that_are_shared_by_some_alone_are_told():
    few = table().take(np.arange(12) != 5)
    column, told = find_block(few, ("arch", "rate"))
    assert column is None
    assert told == (
        "Configurations share seeds, but seed is not taken as a block, because configuration 'a / 0.2' has 0 runs of "
        "seed 2 and 1 of seed 0: runs of one configuration count as independent repeats, which hides small effects."
    )


def test_other_numbers_of_runs_in_other_configurations_are_a_block_all_the_same():
    points = table()
    twice = points.take([*range(12), 0, 1, 2]).with_columns(run=[f"r{i}" for i in range(15)])
    assert block_codes(twice, ("arch", "rate"), "seed").tolist() == [0, 1, 2] * 5
    with pytest.raises(infogeo.InputError, match="has 1 run of seed 1 and 2 of seed 0"):
        block_codes(twice.take(np.arange(15) < 13), ("arch", "rate"), "seed")


def test_configurations_are_told_apart_by_columns_that_return_in_every_level():
    points = table(host=[0, 1, 1, 0, 0, 1, 0, 1, 0, 1, 1, 0], start=["x", "y", "z"] * 4)
    codes, telling = whole_configurations(points, ("arch",), points["seed"])
    assert telling == ("rate",)
    assert codes.tolist() == [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3
    assert whole_configurations(points, ("arch", "rate"), points["seed"])[1] == ()


def test_a_sentence_says_what_the_block_is_and_holds():
    found = Block("seed", 3, 0.144, True).sentence()
    assert found.startswith(
        "Every configuration has runs of the same 3 levels of seed, which holds 14.4 % of the spread"
    )
    assert found.endswith("as independent repeats instead: block=False, in the shell --block none.")
    named = Block("start", 2, 0.144, False).sentence()
    assert named == "Runs are compared within each of the 2 levels of start, which holds 14.4 % of the spread."


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.336, "33.6 %"), (0.0005, "0.1 %"), (1.2e-5, "0.001 %"), (0.0, "under 0.001 %"), (-0.02, "-2.0 %")],
)
def test_small_shares_are_not_rounded_to_nothing(share, text):
    assert percent(share) == text


def test_lists_end_with_a_word():
    assert [listed(words) for words in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a and b", "a, b and c"]
    assert listed(["a", "b"], "or") == "a or b"
