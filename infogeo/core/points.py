"""Points: a table of one-dimensional NumPy columns, one row per checkpoint."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogeo.core.errors import InputError

MOST_SHOWN = 8
"""Columns that are named where a table is printed."""


@dataclass(frozen=True, eq=False)
class Points:
    """A table with one row per point (a point is one checkpoint of one run).

    Columns are one-dimensional NumPy arrays of equal length P. `run` (text) and `step` (integer) are always
    there; every other column is metadata and may hold text or numbers.

    Raises:
        InputError: a column is missing, not one-dimensional, or of another length.
    """

    columns: Mapping[str, NDArray[Any]]

    def __post_init__(self) -> None:
        columns = {str(name): np.asarray(values) for name, values in self.columns.items()}
        for name in ("run", "step"):
            if name not in columns:
                raise InputError(f"points: the column '{name}' is missing; give one value per point")
        length = len(columns["run"])
        for name, values in columns.items():
            if values.shape != (length,):
                raise InputError(
                    f"points: column '{name}' has shape {values.shape}, expected ({length},): one value per point"
                )
        columns = {name: _column(v.tolist()) if v.dtype.kind == "O" else v for name, v in columns.items()}
        columns["run"] = columns["run"].astype(str)
        object.__setattr__(self, "columns", MappingProxyType(columns))

    @classmethod
    def of_runs(
        cls,
        names: Sequence[str],
        steps: Sequence[ArrayLike],
        metadata: Sequence[Mapping[str, Any]] | None = None,
    ) -> Points:
        """Build the table from R runs: names [R], steps R x [T_r], metadata R x {column: value}.

        A run without a value for a column gets the empty string, or NaN where the column holds numbers.
        """
        steps = [np.atleast_1d(np.asarray(s)) for s in steps]
        lengths = [len(s) for s in steps]
        metadata = metadata or [{} for _ in names]
        keys = dict.fromkeys(key for row in metadata for key in row if key not in ("run", "step"))
        columns: dict[str, NDArray[Any]] = {
            "run": np.repeat(np.asarray(names, dtype=str), lengths),
            "step": np.concatenate(steps) if steps else np.zeros(0, dtype=np.int64),
        }
        for key in keys:
            columns[key] = np.repeat(_column([row.get(key) for row in metadata]), lengths)
        return cls(columns)

    def __len__(self) -> int:
        return len(self.columns["run"])

    def __repr__(self) -> str:
        names = list(self.columns)
        more = f" and {len(names) - MOST_SHOWN} more" if len(names) > MOST_SHOWN else ""
        return f"Points({self.counted()}; columns {', '.join(names[:MOST_SHOWN])}{more})"

    def counted(self) -> str:
        """How many points and runs there are, in words."""
        runs = len(self.runs)
        return f"{len(self)} point{'s' * (len(self) != 1)} of {runs} run{'s' * (runs != 1)}"

    def __reduce__(self) -> tuple[type[Points], tuple[dict[str, NDArray[Any]]]]:
        return Points, (dict(self.columns),)  # the read-only view of the columns cannot be pickled

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self.columns:
            raise InputError(f"there is no column '{name}'; there are {', '.join(self.columns)}")
        return self.columns[name]

    @property
    def runs(self) -> list[str]:
        """The names of the runs, in the order of their first point."""
        return list(dict.fromkeys(self.columns["run"].tolist()))

    @property
    def metadata(self) -> list[str]:
        """The names of the columns other than `run` and `step`."""
        return [name for name in self.columns if name not in ("run", "step")]

    def of_run(self, run: str) -> NDArray[np.intp]:
        """The row numbers of one run, in the order of its steps."""
        rows = np.flatnonzero(self.columns["run"] == run)
        return rows[np.argsort(self.columns["step"][rows], kind="stable")]

    def per_run(self) -> Points:
        """One row per run, that of its first step, with the columns that are constant along every run."""
        rows = [self.of_run(run) for run in self.runs]
        first = self.take([int(own[0]) for own in rows])
        kept = {"run", "step"}
        for name in self.metadata:
            values = self.columns[name]
            missing = values != values if values.dtype.kind == "f" else np.zeros(len(values), dtype=bool)
            if all((values[own] == values[own[0]]).all() or missing[own].all() for own in rows):
                kept.add(name)
        return Points({name: values for name, values in first.columns.items() if name in kept})

    def take(self, rows: ArrayLike) -> Points:
        """The table of the rows given (indices or a mask)."""
        index = np.asarray(rows)
        return Points({name: values[index] for name, values in self.columns.items()})

    def where(self, **wanted: Any) -> NDArray[np.intp]:
        """The row numbers of the points whose columns are as wanted, in order.

        Args:
            wanted: column=value, column=[values, any of which will do], or column=function, which is given the
                column [P] and answers with a mask [P]: `where(run="net-1", step=lambda t: t > 100)`.

        Raises:
            InputError: no such column, or a function that does not answer with a mask.
        """
        mask = np.ones(len(self), dtype=bool)
        for name, value in wanted.items():
            column = self[name]
            if callable(value):
                chosen = np.asarray(value(column))
                if chosen.dtype != bool or chosen.shape != mask.shape:
                    raise InputError(f"points: the function for '{name}' must give a mask of shape ({len(self)},)")
                mask &= chosen
            else:
                mask &= np.isin(column, np.atleast_1d(np.asarray(value)))
        return np.flatnonzero(mask)

    def with_columns(self, **columns: ArrayLike) -> Points:
        """The same table with more columns, or with columns replaced."""
        return Points({**self.columns, **{name: np.asarray(values) for name, values in columns.items()}})

    def joined(self, other: Points) -> Points:
        """The rows of this table, then those of the other; a column that one lacks is filled as missing."""
        names = dict.fromkeys([*self.columns, *other.columns])
        return Points({name: _stack(self, other, name) for name in names})

    def to_pandas(self) -> Any:
        """The table as a pandas DataFrame (needs the extra `pandas`)."""
        from infogeo.core.optional import require

        return require("pandas", extra="pandas").DataFrame(dict(self.columns))


def _column(values: Iterable[Any]) -> NDArray[Any]:
    """One NumPy column: numbers if every value given is a number, else text; None is missing."""
    values = list(values)
    given = [v for v in values if v is not None]
    if given and all(isinstance(v, (bool, np.bool_)) for v in given):
        return np.asarray(["" if v is None else str(v).lower() for v in values])
    if given and all(isinstance(v, (int, float, np.integer, np.floating)) for v in given):
        whole = len(given) == len(values) and all(
            isinstance(v, (int, np.integer)) and abs(int(v)) < 2**63 for v in given
        )
        return np.asarray([np.nan if v is None else v for v in values], dtype=np.int64 if whole else np.float64)
    return np.asarray(["" if v is None else str(v) for v in values], dtype=str)


def _stack(first: Points, second: Points, name: str) -> NDArray[Any]:
    parts = [table.columns.get(name) for table in (first, second)]
    known = [part for part in parts if part is not None]
    if len(known) == 2 and all(np.issubdtype(part.dtype, np.number) for part in known):
        return np.concatenate(known)
    numeric = all(np.issubdtype(part.dtype, np.number) for part in known)
    missing: Any = np.nan if numeric else ""
    filled = [
        np.full(len(table), missing) if part is None else part
        for part, table in zip(parts, (first, second), strict=True)
    ]
    return np.concatenate([part if numeric else part.astype(str) for part in filled])
