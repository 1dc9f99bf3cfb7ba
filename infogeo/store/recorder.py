"""Recorder: what a model predicts on a probe set while it trains, checkpoint by checkpoint, durably."""

from __future__ import annotations

import operator
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import zarr
from numpy.typing import NDArray

from infogeo.core.arguments import check_record, told
from infogeo.core.errors import InputError
from infogeo.core.kinds import Kind
from infogeo.core.probe import Probe
from infogeo.store.in_order import InOrder
from infogeo.store.lane import Lane
from infogeo.store.layout import is_store
from infogeo.store.options import RecordingOptions
from infogeo.store.run_writer import Prepared
from infogeo.store.schedules import Schedule

THREADS = 2
"""One prepares a checkpoint while the other writes the one before."""


class Recorder:
    """Records what a model predicts on a probe set while it trains; a checkpoint that is recorded stays.

        with infogeo.Recorder("runs.zarr", run="net-1", probe=infogeo.Probe(x, labels=y)) as recorder:
            for step in range(n_steps + 1):
                recorder.log(step, lambda: model(x))  # logits, probabilities or log-probabilities [N, C]
                train_one_step()

    Predictions are copied, then checked and written by threads in the background. A checkpoint is visible to readers
    once all of it is on the disk, in the order of steps: a process that is killed at any moment leaves every committed
    checkpoint, and no half one. What goes wrong in the background is raised by the next call, and by `close`. Several
    processes may record runs of different names in one store at once. When the block ends without an error the run is
    finished, and can't be written to any more; otherwise it can go on with `resume`. A recorder is of the process
    that begins to log: children that are forked later have no part in it.

    Attributes:
        run: its name.
        gaps: the steps that were skipped as invalid, each with the reason.
    """

    def __init__(
        self,
        store: str | PathLike[str],
        *,
        run: str,
        probe: Probe | Mapping[str, Probe] | None = None,
        meta: Mapping[str, Any] | None = None,
        schedule: Schedule | None = None,
        resume: bool | int = False,
        overwrite: bool = False,
        options: RecordingOptions | None = None,
    ) -> None:
        """A recorder of one run; what can be refused is refused now, and nothing is written before the first `log`.

        Args:
            store: the directory, made where it is not there or empty, by custom `something.zarr`.
            run: the name of the run: any text, but not none.
            probe: the samples that are asked; or {name: Probe} for several sets, each in a store of its own,
                `store/name`. `log` then takes {name: predictions}.
            meta: {column: value} for colouring and comparing: text and numbers.
            schedule: which steps are recorded, for example `LogSpaced()`; any function from step to yes or no. All
                by default.
            resume: whether a run of that name that did not end goes on after its last checkpoint; or after this step,
                and what came later is dropped. A run that is not there begins.
            overwrite: whether a run of that name is replaced, at the first `log`.
            options: how it is recorded.

        Raises:
            InputError: the run is there and neither `resume` nor `overwrite` is given, or it is finished; or the store
                is about another probe, of a newer version, or something else; or an argument is not what it must be.
        """
        _check_arguments(run, schedule, resume, overwrite, options)
        self.run, self.gaps = str(run), dict[int, str]()
        self._options, self._schedule = options or RecordingOptions(), schedule
        self._store, self._meta, self._overwrite = Path(store).absolute(), _checked_meta(meta), overwrite
        self._several = isinstance(probe, Mapping)
        if not isinstance(probe, Mapping):
            check_record("probe", probe, Probe, optional=True)
        probes = _named(probe) if isinstance(probe, Mapping) else {"": probe or Probe()}
        if self._several and is_store(self._store):
            raise InputError(f"{store}: is the store of a single probe; give another place for several")
        kind = Kind.parse(self._options.kind)
        self._lanes = [Lane(self._path_of(name), name, one, self.run, kind) for name, one in probes.items()]
        with self._told():
            found = [lane.last_recorded(resume, overwrite) for lane in self._lanes]
        self._last = None if None in found else min(step for step in found if step is not None)
        self._resume = False if resume is False else -1 if self._last is None else self._last
        self._places = 0
        self._open = ExitStack()
        self._line: InOrder | None = None
        self._closed, self._process = False, os.getpid()

    @property
    def probes(self) -> tuple[str, ...]:
        """The names of the probes where there are several, whose predictions `log` takes by name."""
        return tuple(lane.name for lane in self._lanes) if self._several else ()

    @property
    def last_step(self) -> int | None:
        """The step that was handed in last, or recorded last where the run goes on; None before the first."""
        return self._last

    @property
    def closed(self) -> bool:
        """Whether it takes no checkpoint any more."""
        return self._closed

    def due(self, step: int, after: int | None = None) -> bool:
        """Whether a step would be recorded: the schedule wants it, and the run has not come so far yet.

        Args:
            step: of the weights as they are.
            after: where several steps were taken at once, the step before them: then it is enough that the schedule
                wants one of those since.
        """
        number = _whole(step)
        first = number if after is None else min(_whole(after) + 1, number)
        if self._last is not None:
            first = max(first, self._last + 1)
        return any(self._schedule is None or bool(self._schedule(at)) for at in range(first, number + 1))

    def log(self, step: int, predictions: Any, after: int | None = None) -> bool:
        """Record what the model predicts at a step, if that is due.

        Args:
            step: whole, and larger than that of the call before.
            predictions: [N, C], probabilities, log-probabilities or logits, of any framework; {probe name: [N, C]}
                where there are several probes; or a function without arguments that gives these, and is called only
                when the step is due.
            after: see `due`; recorded is `step`, since that is what the weights are.

        Returns:
            Whether it was taken. (Steps that a run which goes on has recorded already are not.)

        Raises:
            InputError: the shape is not that of the checkpoint before or of the probe, the step does not come later,
                the run or store can't be written, or what went wrong in the background since the last call.
        """
        if self._closed:
            raise InputError(f"{self._where}: is closed; begin a recorder before training and close it after")
        self._raise_failure()
        number = _whole(step)
        if self._line is not None and self._last is not None and number <= self._last:
            raise InputError(f"{self._where}: step {number} comes after step {self._last}; steps must grow")
        if not self.due(number, after):
            return False
        arrays = []
        for lane, given in self._by_lane(predictions):
            arrays.append(lane.checked(given, number))  # no comprehension: its warnings are told of our caller
        if self._line is None:
            self._line = self._begun(arrays)
        copies, place = [np.array(array) for array in arrays], self._places
        self._places, self._last = place + 1, number
        self._line.submit(
            label=number,
            size=sum(array.nbytes for array in copies),
            work=lambda: self._prepared(place, number, copies),
            take=lambda made: self._commit(number, made),
        )
        return True

    def flush(self) -> None:
        """Wait until everything that was handed in is recorded.

        Raises:
            InputError: something could not be.
        """
        self._raise_failure(wait=True)

    def close(self, finished: bool = True) -> None:
        """Wait until everything is recorded, and mark the run as finished.

        Args:
            finished: False leaves it as a training that failed does: it can go on, in another recorder with `resume`.

        Raises:
            InputError: something could not be recorded; the run is not finished then.
        """
        self._end(finished)

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        try:
            self._end(finished=error is None)
        except InputError as failure:
            if error is None:
                raise
            error.add_note(str(failure))

    @property
    def _where(self) -> str:
        return f"{self._store}, run '{self.run}'"

    def _path_of(self, name: str) -> Path:
        return self._store / quote(name, safe="") if self._several else self._store

    def _by_lane(self, predictions: Any) -> list[tuple[Lane, Any]]:
        """What was given for each probe; a function is called for it."""
        given = predictions() if callable(predictions) and not hasattr(predictions, "shape") else predictions
        if not self._several:
            return [(self._lanes[0], given)]
        names = [lane.name for lane in self._lanes]
        if not isinstance(given, Mapping) or set(given) != set(names):
            told = ", ".join(map(str, given)) if isinstance(given, Mapping) else type(given).__name__
            raise InputError(f"predictions: expected a dictionary with {', '.join(names)}, found {told}")
        return [(lane, given[lane.name]) for lane in self._lanes]

    def _begun(self, arrays: list[NDArray[Any]]) -> InOrder:
        """The threads, once stores and runs are made or taken."""
        options = self._options
        with self._told():
            if self._several:
                zarr.open_group(self._store, mode="a", zarr_format=3)
            for lane, array in zip(self._lanes, arrays, strict=True):
                opened = lane.open(
                    array,
                    self._meta,
                    self._resume,
                    self._overwrite,
                    keep=options.keep,
                    half=options.half,
                    sync=options.sync,
                )
                lane.run = self._open.enter_context(opened)
        self._places, self._process = max(lane.run.n_committed for lane in self._lanes), os.getpid()
        return InOrder(THREADS, options.queue_bytes)

    def _prepared(self, place: int, step: int, arrays: list[NDArray[Any]]) -> list[Prepared] | str:
        """The numbers of a checkpoint, on the disk for every probe; or why there are none."""
        try:
            found = [lane.log_probs(array, step) for lane, array in zip(self._lanes, arrays, strict=True)]
        except InputError as error:
            if self._options.on_invalid == "error":
                what = str(error).replace("--as logits or kind='logits'", "RecordingOptions(kind='logits')")
                cure = 'RecordingOptions(on_invalid="skip") leaves such steps out'
                raise InputError(f"{what}; {cure}") from error
            return str(error)
        return [lane.run.prepare(place, step, values) for lane, values in zip(self._lanes, found, strict=True)]

    def _commit(self, step: int, made: list[Prepared] | str) -> None:
        if isinstance(made, str):
            self.gaps[step] = made
            for lane in self._lanes:
                lane.run.note_gap(step, made)
            return
        for lane, checkpoint in zip(self._lanes, made, strict=True):
            lane.run.commit(checkpoint)

    @property
    def _elsewhere(self) -> bool:
        """Whether it has begun in another process, from which this one was forked."""
        return self._line is not None and os.getpid() != self._process

    def _raise_failure(self, wait: bool = False) -> None:
        """Raise what went wrong in the background, with what it cost."""
        if self._elsewhere:
            raise InputError(
                f"{self._where}: is recorded by process {self._process}, which has this recorder; log there"
            )
        if self._line is not None and wait:
            self._line.wait()
        if self._line is None or self._line.failure is None:
            return
        self._line.wait()
        failure, lost = self._line.failure, self._line.given_up
        known = isinstance(failure, InputError)
        what = str(failure) if known else f"{self._where}: cannot be written ({_reason(failure)})"
        steps = ", ".join(map(str, lost[:5])) + (", ..." if len(lost) > 5 else "")
        raise InputError(
            f"{what}; not recorded: step {steps}; all before is, and the run can go on with resume=True"
        ) from failure

    def _end(self, finished: bool) -> None:
        if self._closed or self._elsewhere:
            return
        self._closed = True
        with self._open, self._told():
            if self._line is not None:
                self._line.close()
                self._raise_failure()
            for lane in self._lanes if finished else ():
                if self._line is not None:
                    lane.run.finish()
                elif self._last is not None:
                    lane.finish_as_it_is()
        if self.gaps:
            steps = ", ".join(map(str, list(self.gaps)[:5])) + (", ..." if len(self.gaps) > 5 else "")
            warnings.warn(f"{self._where}: skipped as invalid: step {steps}", stacklevel=3)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """A disk that is full or fails is told in one line."""
        try:
            yield
        except OSError as error:
            raise InputError(f"{self._where}: cannot be written ({error.strerror}); choose another place") from error


def _check_arguments(run: Any, schedule: Any, resume: Any, overwrite: Any, options: Any) -> None:
    """What can be told of arguments before anything is looked at."""
    if run is None or not str(run):
        raise InputError(f"run: {'is missing' if run is None else 'is an empty text'}; give the run a name")
    if schedule is not None and (isinstance(schedule, type) or not callable(schedule)):
        raise InputError(f"schedule: {told(schedule)}; give LogSpaced(), EverySteps(n) or any function of the step")
    if not isinstance(resume, bool) and (not isinstance(resume, int | np.integer) or resume < 0):
        raise InputError(
            f"resume: {told(resume)}; give True to go on after the last checkpoint, or the step after which to go on"
        )
    if resume is not False and overwrite:
        raise InputError("resume: either goes on with a run or, with overwrite=True, replaces it; give one of them")
    check_record("options", options, RecordingOptions, optional=True)


def _named(probes: Mapping[str, Probe]) -> dict[str, Probe]:
    """Probes whose own name, where they have none, is that in the dictionary."""
    if not probes or not all(isinstance(name, str) and name for name in probes):
        raise InputError("probe: expected {name: Probe}, with one probe at least and a name for each")
    for name, probe in probes.items():
        check_record(f"probe '{name}'", probe, Probe)
    return {name: probe if probe.name else replace(probe, name=name) for name, probe in probes.items()}


def _reason(failure: BaseException) -> str:
    return (failure.strerror if isinstance(failure, OSError) else None) or repr(failure)


def _whole(step: Any) -> int:
    try:
        number = operator.index(step)
    except TypeError:
        raise InputError(f"step: {step!r}, expected a whole number") from None
    if number < 0:
        raise InputError(f"step: {number}, expected 0 or more")
    return number


def _checked_meta(meta: Mapping[str, Any] | None) -> dict[str, Any]:
    meta = {} if meta is None else meta
    if not isinstance(meta, Mapping):
        raise InputError(f"meta: {told(meta)}; give {{column: value}}, for example {{'arch': 'mlp', 'lr': 0.1}}")
    plain = {str(k): v.item() if isinstance(v, np.generic) else v for k, v in meta.items()}
    for name, value in plain.items():
        if name in ("run", "step") or not isinstance(value, str | int | float | bool | None):
            raise InputError(f"meta: '{name}' is {value!r}; give text or numbers under other names than run and step")
    return plain
