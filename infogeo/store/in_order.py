"""Work in the background whose results are taken in the order in which it was handed in."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Condition
from typing import Any, NamedTuple


class _Job(NamedTuple):
    label: Any
    size: int
    work: Callable[[], Any]
    take: Callable[[Any], None]


class InOrder:
    """A few threads that work; results are taken one after the other, in the order of the jobs.

    Handing in a job waits while more than `most_bytes` are under way, unless nothing is. After a failure no result is
    taken any more: what is under way is given up, and every later call raises.

    Attributes:
        failure: what went wrong first, None as long as nothing did.
        given_up: the labels of the jobs whose results were not taken.
    """

    def __init__(self, threads: int, most_bytes: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="infogeo-recorder")
        self._most_bytes = most_bytes
        self._changed = Condition()
        self._bytes = self._handed_in = self._taken = 0
        self._done: dict[int, tuple[_Job, Any]] = {}
        self._taking = False
        self.failure: BaseException | None = None
        self.given_up: list[Any] = []

    def submit(self, label: Any, size: int, work: Callable[[], Any], take: Callable[[Any], None]) -> None:
        """Hand in a job; waits for room.

        Args:
            label: by which it is named if it is given up.
            size: bytes that it holds until its result is taken.
            work: is called in any thread.
            take: is called with what `work` returned, after those of all earlier jobs.
        """
        job = _Job(label, size, work, take)
        with self._changed:
            self._changed.wait_for(lambda: self._bytes == 0 or self._bytes + size <= self._most_bytes)
            number = self._handed_in
            self._handed_in += 1
            self._bytes += size
        self._pool.submit(self._run, number, job)

    def wait(self) -> None:
        """Wait until every result is taken, or given up."""
        with self._changed:
            self._changed.wait_for(lambda: self._taken == self._handed_in)

    def close(self) -> None:
        """Wait, and let go of the threads."""
        self.wait()
        self._pool.shutdown()

    def _run(self, number: int, job: _Job) -> None:
        result, failure = None, self.failure
        if failure is None:
            try:
                result = job.work()
            except BaseException as error:  # told by whoever hands in the next job, or closes
                failure = error
        with self._changed:
            self._done[number] = (job, failure or _Result(result))
            if self._taking:
                return
            self._taking = True
        self._take_in_order()

    def _take_in_order(self) -> None:
        """Take whatever is next in turn; one thread at a time does."""
        while True:
            with self._changed:
                if self._taken not in self._done:
                    self._taking = False
                    return
                job, outcome = self._done.pop(self._taken)
            try:
                if self.failure is None and isinstance(outcome, _Result):
                    job.take(outcome.value)
                elif self.failure is None:
                    self.failure = outcome
            except BaseException as error:
                self.failure = error
            with self._changed:
                if self.failure is not None:
                    self.given_up.append(job.label)
                self._taken += 1
                self._bytes -= job.size
                self._changed.notify_all()


class _Result(NamedTuple):
    value: Any
