"""Schedules: which steps are recorded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import infogeo


@pytest.mark.parametrize("per_decade", [0.5, 1, 3, 7.5, 10, 40, 1000])
def test_log_spaced_steps_are_the_rounded_powers(per_decade):
    powers = {round(10 ** (i / per_decade)) for i in range(int(4 * per_decade) + 1)}
    schedule = infogeo.LogSpaced(per_decade)
    assert {step for step in range(10_001) if schedule(step)} == powers | {0}


@pytest.mark.parametrize(("steps_per_epoch", "early", "count"), [(250, 5, 67), (50, 5, 67), (500, 4, 62), (100, 4, 62)])
def test_the_published_schedule_has_as_many_checkpoints_as_published(steps_per_epoch, early, count):
    schedule = infogeo.PublishedSchedule(steps_per_epoch, early=early)
    steps = [step for step in range(200 * steps_per_epoch + 1) if schedule(step)]
    assert len(steps) == count
    assert steps[0] == 0
    assert steps[-1] == 200 * steps_per_epoch
    assert sum(step <= 5 * steps_per_epoch for step in steps) == 1 + 5 * early


@given(st.integers(1, 30), st.integers(1, 120), st.integers(1, 8))
def test_the_published_schedule_begins_with_the_first_step_and_ends_with_the_last(size, epochs, early):
    schedule = infogeo.PublishedSchedule(size, epochs, early)
    assert schedule(0)
    assert schedule(size * epochs)
    assert not schedule(-1)


def test_every_so_many_steps():
    assert [step for step in range(10) if infogeo.EverySteps(3)(step)] == [0, 3, 6, 9]


def test_just_these_steps():
    assert [step for step in range(10) if infogeo.AtSteps([7, 2, 2])(step)] == [2, 7]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: infogeo.LogSpaced(0),
        lambda: infogeo.LogSpaced(float("nan")),
        lambda: infogeo.EverySteps(0),
        lambda: infogeo.PublishedSchedule(100, epochs=0),
        lambda: infogeo.PublishedSchedule(1.5),
    ],
)
def test_a_schedule_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(infogeo.InputError, match="expected a"):
        wrong()
