"""Work in the background whose results are taken in order."""

import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infogeo.store.in_order import InOrder


@given(st.lists(st.integers(0, 3), max_size=20), st.integers(1, 4))
@settings(max_examples=30, deadline=None)
def test_results_are_taken_in_the_order_of_the_jobs_whatever_time_they_need(durations, threads):
    line, taken = InOrder(threads, 1000), []
    for number, duration in enumerate(durations):
        line.submit(number, 1, lambda n=number, d=duration: time.sleep(d / 1000) or n, taken.append)
    line.close()
    assert taken == list(range(len(durations)))
    assert line.failure is None


@pytest.mark.parametrize("where", ["work", "take"])
def test_after_a_failure_nothing_more_is_taken_and_what_was_given_up_is_known(where):
    line, taken = InOrder(3, 1000), []

    def fail(number, at):
        if number == 4 and at == where:
            raise ValueError("no")
        return number

    for number in range(8):
        line.submit(number, 1, lambda n=number: fail(n, "work"), lambda n: taken.append(fail(n, "take")))
    line.close()
    assert taken == [0, 1, 2, 3]
    assert line.given_up == [4, 5, 6, 7]
    assert str(line.failure) == "no"


def test_a_job_larger_than_all_the_room_is_taken_alone():
    line, taken, go = InOrder(2, 10), [], threading.Event()
    line.submit("small", 1, go.wait, taken.append)
    waiting = threading.Thread(target=lambda: line.submit("large", 100, lambda: 2, taken.append))
    waiting.start()
    waiting.join(timeout=0.2)
    assert waiting.is_alive()
    go.set()
    waiting.join()
    line.close()
    assert taken == [True, 2]
