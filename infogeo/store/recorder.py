"""Recorder: what a model predicts on a probe set while it trains, checkpoint by checkpoint, durably."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import zarr
from numpy.typing import NDArray

from infogeo.core.coarse import CoarseGraining
from infogeo.core.errors import InputError
from infogeo.core.kinds import Kind
from infogeo.core.probe import Probe
from infogeo.store.in_order import InOrder
from infogeo.store.lane import Lane
from infogeo.store.layout import ROWS_PER_FILE, chunk_shape, is_store
from infogeo.store.run_writer import Prepared
from infogeo.store.schedules import Schedule

THREADS = 2
"""One prepares a checkpoint while the other writes the one before."""


@dataclass(frozen=True)
class RecordingOptions:
    """How predictions are recorded; the defaults suit most.

    Attributes:
        kind: what the numbers given are, `Kind` or its name; by default told from the typical row of the first ones.
        half: keep float16 log-probabilities: half the size, and an error that docs/recording.md states.
        keep: which classes to keep for each sample, the rest merged into one: see `leading_classes`.
        on_invalid: what to do with NaN, infinity or rows that are no distribution: "error", or "skip" to record the
            gap and go on.
        queue_bytes: predictions under way; when there are more, `log` waits for the disk.
        sync: whether a committed checkpoint has reached the disk itself. Without, it survives the end of the process,
            however that comes about, but not of the machine.
    """

    kind: Kind | str | None = None
    half: bool = False
    keep: CoarseGraining | None = None
    on_invalid: str = "error"
    queue_bytes: int = 256 * 2**20
    sync: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", Kind.parse(self.kind))
        if self.on_invalid not in ("error", "skip"):
            raise InputError(f"on_invalid: '{self.on_invalid}'; choose error or skip")


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
    finished, and can't be written to any more; otherwise it can go on with `resume`.

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
            store: the directory, made where it is not there, by custom `something.zarr`.
            run: the name of the run: any text.
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
                is about another probe, of a newer version, or something else.
        """
        self.run, self.gaps = str(run), dict[int, str]()
        self._options, self._schedule = options or RecordingOptions(), schedule
        self._store, self._meta, self._overwrite = Path(store), _checked_meta(meta or {}), overwrite
        self._several = isinstance(probe, Mapping)
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
        self._closed = False

    @property
    def probes(self) -> tuple[str, ...]:
        """The names of the probes where there are several, whose predictions `log` takes by name."""
        return tuple(lane.name for lane in self._lanes) if self._several else ()

    @property
    def last_step(self) -> int | None:
        """The step that was handed in last, or recorded last where the run goes on; None before the first."""
        return self._last

    def due(self, step: int) -> bool:
        """Whether a step would be recorded: the schedule wants it, and the run has not come so far yet."""
        number = _whole(step)
        return (self._last is None or number > self._last) and (self._schedule is None or bool(self._schedule(number)))

    def log(self, step: int, predictions: Any) -> bool:
        """Record what the model predicts at a step, if that is due.

        Args:
            step: whole, and larger than that of the call before.
            predictions: [N, C], probabilities, log-probabilities or logits, of any framework; {probe name: [N, C]}
                where there are several probes; or a function without arguments that gives these, and is called only
                when the step is due.

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
        if not self.due(number):
            return False
        arrays = [lane.checked(given, number) for lane, given in self._by_lane(predictions)]
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
        if self._line is not None:
            self._line.wait()
        self._raise_failure()

    def close(self) -> None:
        """Wait until everything is recorded, and mark the run as finished.

        Raises:
            InputError: something could not be recorded; the run is not finished then.
        """
        self._end(finished=True)

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
        self._places = max(lane.run.n_committed for lane in self._lanes)
        return InOrder(THREADS, options.queue_bytes)

    def _prepared(self, place: int, step: int, arrays: list[NDArray[Any]]) -> list[Prepared] | str:
        """The numbers of a checkpoint, on the disk for every probe; or why there are none."""
        try:
            found = [lane.log_probs(array, step) for lane, array in zip(self._lanes, arrays, strict=True)]
        except InputError as error:
            if self._options.on_invalid == "error":
                raise
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

    def _raise_failure(self) -> None:
        """Raise what went wrong in the background, with what it cost."""
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
        if self._closed:
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


def recorded_bytes(n_checkpoints: int, n_samples: int, n_classes: int, options: RecordingOptions | None = None) -> int:
    """How many bytes a run takes on the disk: T N C b, and a few; b is 4, or 2 with half precision.

    Where classes are merged, C is K + 1. Above 16 MB a checkpoint lies in several files of one size, which may hold a
    few rows more than N. Steps and fingerprints lie in files of 1024 rows, 24 bytes each. Not counted: a few KB of
    JSON, and labels, ids and kept classes, which the runs of a store share.

    Args:
        n_checkpoints: T.
        n_samples: N.
        n_classes: C.
        options: with which the run is recorded.
    """
    options = options or RecordingOptions()
    stored = n_classes if options.keep is None else options.keep.n_kept + 1
    part = chunk_shape(n_samples, stored)[1]
    checkpoint = -(-n_samples // part) * part * stored * (2 if options.half else 4)
    return n_checkpoints * checkpoint + -(-n_checkpoints // ROWS_PER_FILE) * ROWS_PER_FILE * (8 + 16)


def _named(probes: Mapping[str, Probe]) -> dict[str, Probe]:
    """Probes whose own name, where they have none, is that in the dictionary."""
    if not probes or not all(isinstance(name, str) and name for name in probes):
        raise InputError("probe: expected {name: Probe}, with one probe at least and a name for each")
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


def _checked_meta(meta: Mapping[str, Any]) -> dict[str, Any]:
    plain = {str(k): v.item() if isinstance(v, np.generic) else v for k, v in meta.items()}
    for name, value in plain.items():
        if name in ("run", "step") or not isinstance(value, str | int | float | bool | None):
            raise InputError(f"meta: '{name}' is {value!r}; give text or numbers under other names than run and step")
    return plain
