"""Long tables, .csv and .parquet: a row per run, step, sample and class, as data frames come out of notebooks."""

from __future__ import annotations

import csv
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infogeo.core.errors import InputError
from infogeo.core.kinds import Kind
from infogeo.core.labels import LabelSpace
from infogeo.core.optional import require
from infogeo.core.probe import Probe
from infogeo.store.formats.arrays import FAILURES, NamedArray, unreadable
from infogeo.store.root import Root

PLACES = ("step", "sample", "class")
VALUES = {
    "p": Kind.PROBABILITIES,
    "prob": Kind.PROBABILITIES,
    "logp": Kind.LOG_PROBABILITIES,
    "log_p": Kind.LOG_PROBABILITIES,
    "logit": Kind.LOGITS,
}
"""What the numbers of a column are, by its name."""
LONGEST_HEADER = 2**16


@dataclass(frozen=True)
class _Coded:
    """A column of R rows as numbers of its distinct values.

    Attributes:
        codes: [R].
        names: the distinct values, as numbers or text.
    """

    codes: NDArray[np.int64]
    names: Sequence[Any]


@dataclass(frozen=True)
class _Columns:
    """The names of the columns of a table that matter, as the file spells them."""

    places: Mapping[str, str]
    run: str | None
    value: str
    kind: Kind

    @classmethod
    def of(cls, path: Path, header: Sequence[str]) -> _Columns:
        """Those of a header.

        Raises:
            InputError: one is missing, or there are several of numbers.
        """
        spelt = {name.strip().lower(): name for name in header}
        values = [name for name in VALUES if name in spelt]
        missing = [name for name in PLACES if name not in spelt]
        if missing or len(values) != 1:
            what = (
                f"no column '{missing[0]}'"
                if missing
                else f"columns {', '.join(values)}"
                if values
                else "no column 'p'"
            )
            raise InputError(
                f"{path}: has {what}; a table of predictions has the columns run (may be left out), step, sample, "
                f"class, and one of {', '.join(VALUES)}"
            )
        return cls({name: spelt[name] for name in PLACES}, spelt.get("run"), spelt[values[0]], VALUES[values[0]])

    @property
    def coded(self) -> list[str]:
        """Those that say where a number belongs."""
        return [*self.places.values(), *([] if self.run is None else [self.run])]


def is_long_csv(path: Path) -> bool:
    """Whether a CSV file is a table of predictions, told by its first line."""
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            return _is_header(next(csv.reader([file.readline(LONGEST_HEADER)]), []))
    except (OSError, csv.Error):
        return False


def is_long_parquet(path: Path) -> bool:
    """Whether a Parquet file is a table of predictions; one that cannot be opened might be."""
    try:
        return _is_header(_parquet().read_schema(path).names)
    except FAILURES:
        return True


def read_csv(path: Path, name: str) -> Iterator[NamedArray]:
    """The runs of a CSV table.

    Raises:
        InputError: no table of predictions, or a row is missing, double or no number.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file)
            header = next(rows, [])
            columns = _Columns.of(path, header)
            found, values = _cells(path, rows, [header.index(c) for c in columns.coded], header.index(columns.value))
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is no UTF-8 text; save it as UTF-8") from error
    except (OSError, csv.Error) as error:
        raise unreadable(path, error) from error
    yield from _runs(path, name, columns, dict(zip(columns.coded, found, strict=True)), values)


def read_parquet(path: Path, name: str) -> Iterator[NamedArray]:
    """The runs of a Parquet table.

    Raises:
        InputError: truncated, no table of predictions, or a row is missing, double or no number.
    """
    parquet = _parquet()
    try:
        columns = _Columns.of(path, parquet.read_schema(path).names)
        table = parquet.read_table(path, columns=[*columns.coded, columns.value])
        for column in (*columns.coded, columns.value):
            if table[column].null_count:
                raise InputError(f"{path}: has an empty cell in column '{column}'; fill it in, or leave the row out")
        found = {column: _coded(table[column]) for column in columns.coded}
        values = table[columns.value].to_numpy()
    except FAILURES as error:
        raise unreadable(path, error) from error
    if values.dtype.kind not in "fiu":
        raise InputError(f"{path}: column '{columns.value}' holds {table[columns.value].type}, expected numbers")
    yield from _runs(path, name, columns, found, values)


def _cells(path: Path, rows: Any, coded: list[int], at: int) -> tuple[list[_Coded], NDArray[np.float64]]:
    """The columns `coded` and the numbers of the column `at`, of the rows of a CSV reader."""
    known: list[dict[str, int]] = [{} for _ in coded]
    codes, numbers = [array("q") for _ in coded], array("d")
    for row in rows:
        if not row:
            continue
        try:
            for place, names, column in zip(coded, known, codes, strict=True):
                column.append(names.setdefault(row[place].strip(), len(names)))
            numbers.append(float(row[at]))
        except IndexError as error:
            raise InputError(f"{path}: line {rows.line_num} has too few cells; write it again") from error
        except ValueError as error:
            raise InputError(f"{path}: line {rows.line_num}: '{row[at]}' is no number; mend this row") from error
    found = [_Coded(np.array(c, dtype=np.int64), list(names)) for c, names in zip(codes, known, strict=True)]
    return found, np.array(numbers, dtype=np.float64)


def _parquet() -> Any:
    require("pyarrow", extra="parquet")
    return require("pyarrow.parquet", extra="parquet")


def _coded(column: Any) -> _Coded:
    """A column of pyarrow; categories that no row uses are dropped."""
    if hasattr(column.type, "value_type"):
        column = column.cast(column.type.value_type)
    encoded = column.combine_chunks().dictionary_encode()
    names = [
        int(name) if isinstance(name, float) and name.is_integer() else name for name in encoded.dictionary.to_pylist()
    ]
    return _Coded(encoded.indices.to_numpy().astype(np.int64), names)


def _is_header(names: Sequence[str]) -> bool:
    found = {name.strip().lower() for name in names}
    return found.issuperset(PLACES) and not found.isdisjoint(VALUES)


def _runs(
    path: Path, name: str, columns: _Columns, found: Mapping[str, _Coded], values: NDArray[Any]
) -> Iterator[NamedArray]:
    """Every run of a table as an array [T, N, C] with its steps."""
    if not len(values):
        raise InputError(f"{path}: holds no rows; give a row per step, sample and class")
    step, sample, label = (found[columns.places[place]] for place in PLACES)
    samples, classes = _in_order(sample), _in_order(label)
    steps = _as_steps(path, step)
    runs = _Coded(np.zeros(len(values), dtype=np.int64), [name]) if columns.run is None else found[columns.run]
    root = _root(path, samples.names, classes.names)
    order = np.argsort(runs.codes, kind="stable")
    ends = np.searchsorted(runs.codes[order], np.arange(len(runs.names) + 1))
    for run, start, stop in zip(runs.names, ends[:-1], ends[1:], strict=True):
        rows = order[start:stop]
        own, places = np.unique(steps[rows], return_inverse=True)
        shape = (len(own), len(samples.names), len(classes.names))
        index = (places * shape[1] + samples.codes[rows]) * shape[2] + classes.codes[rows]
        sorting = np.argsort(index, kind="stable")
        wrong = _first_gap_or_double(index[sorting], int(np.prod(shape)))
        if wrong is not None:
            what, cell = wrong
            t, n, c = (int(i) for i in np.unravel_index(cell, shape))
            place = f"step {own[t]}, sample {samples.names[n]}, class {classes.names[c]}"
            raise InputError(
                f"{path}: run '{run}' has {what} for {place}; every step of a run needs every sample and class once"
            )
        yield NamedArray(str(run), values[rows[sorting]].reshape(shape), own, columns.kind, root)


def _first_gap_or_double(index: NDArray[np.int64], size: int) -> tuple[str, int] | None:
    """What the ascending places of the rows tell: no row, or several, for the first cell of `size` that has not one."""
    wrong = np.flatnonzero(index[:size] != np.arange(min(len(index), size)))
    if wrong.size:
        first = int(wrong[0])
        return ("no row", first) if index[first] > first else ("two rows", int(index[first]))
    if len(index) == size:
        return None
    return ("no row", len(index)) if len(index) < size else ("two rows", int(index[size]))


def _in_order(column: _Coded) -> _Coded:
    """The same column, its values ascending: as numbers where all are, else as text."""
    numbers = [_number(name) for name in column.names]
    numeric = None not in numbers and len(set(numbers)) == len(numbers)
    keys: list[Any] = numbers if numeric else [str(name) for name in column.names]
    order = sorted(range(len(keys)), key=keys.__getitem__)
    places = np.empty(len(order), dtype=np.int64)
    places[order] = np.arange(len(order))
    return _Coded(places[column.codes], [str(column.names[i]) for i in order])


def _number(name: Any) -> int | float | None:
    """The number that a cell is or spells; None where it is none."""
    for convert in () if "_" in str(name) else (int, float):
        try:
            found = convert(name) if isinstance(name, str) else name
            return found if isinstance(found, (int, float)) and abs(found) < float("inf") else None
        except ValueError:
            continue
    return None


def _as_steps(path: Path, column: _Coded) -> NDArray[np.int64]:
    """The steps [R], whole numbers."""
    numbers = [_number(name) for name in column.names]
    for name, number in zip(column.names, numbers, strict=True):
        if number is None or number != int(number) or abs(number) >= 2**63:
            raise InputError(f"{path}: step '{name}' is no whole number; number the checkpoints of a run")
    return np.asarray(numbers, dtype=np.int64)[column.codes]


def _root(path: Path, samples: Sequence[str], classes: Sequence[str]) -> Root | None:
    """The samples and classes by their names; None where they are but numbered from 0, as in an array."""
    counted = [list(names) == [str(i) for i in range(len(names))] for names in (samples, classes)]
    if all(counted):
        return None
    if len(classes) < 2:
        raise InputError(f"{path}: has one class, '{classes[0]}'; give a row per class, at least two")
    ids = None if counted[0] else _as_ids(samples)
    return Root(len(samples), LabelSpace(tuple(classes)), probe=Probe(ids=ids, n_samples=len(samples)))


def _as_ids(samples: Sequence[str]) -> NDArray[Any]:
    """Ids of samples: whole numbers where all are, else text."""
    numbers = [_number(name) for name in samples]
    whole = all(isinstance(number, int) and abs(number) < 2**63 for number in numbers)
    return np.asarray(numbers if whole and len(set(numbers)) == len(numbers) else samples)
