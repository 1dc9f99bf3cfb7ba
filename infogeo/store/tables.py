"""The small files beside predictions: labels, metadata tables, lists of steps."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infogeo.core.errors import InputError
from infogeo.core.points import Points
from infogeo.store.files import read_array
from infogeo.store.source import RunSource


def read_list(path: Path, argument: str) -> NDArray[Any]:
    """A one-dimensional list: .npy, .npz, .json, or text (.csv, .txt) with one value per line or comma.

    Raises:
        InputError: missing, unreadable, or not one-dimensional.
    """
    if not path.is_file():
        raise InputError(f"{argument}: {path} does not exist")
    if path.suffix in (".npy", ".npz"):
        values = read_array(path)
    elif path.suffix == ".json":
        values = np.asarray(_json(path, argument))
    else:
        cells = [cell.strip() for line in _text(path, argument).splitlines() for cell in line.split(",")]
        values = _parsed([cell for cell in cells if cell])
    if values.dtype.kind == "O" and values.ndim == 1:
        raise InputError(
            f"{argument}: {path} holds something that is neither a number nor text; give one list of values"
        )
    if values.ndim != 1:
        raise InputError(f"{argument}: {path} has {values.ndim} dimensions, expected one list of values")
    return values


def read_table(path: Path) -> list[dict[str, Any]]:
    """A metadata table with a column `run` or `file`: CSV, or JSON as [{...}] or {run: {...}}.

    Raises:
        InputError: missing, unreadable, empty, or without one of those columns.
    """
    if not path.is_file():
        raise InputError(f"meta: {path} does not exist")
    if path.suffix == ".json":
        content = _json(path, "meta")
        if isinstance(content, dict):
            content = [{"run": run, **row} for run, row in content.items() if isinstance(row, dict)]
        rows = [row for row in content if isinstance(row, dict)] if isinstance(content, list) else []
    else:
        reader = csv.DictReader(_text(path, "meta").splitlines(), skipinitialspace=True)
        rows = [{k: v if k in ("run", "file") else _cell(v) for k, v in row.items() if k} for row in reader]
    if not rows:
        raise InputError(f"meta: {path} holds no rows; give a table with a header and a row per run")
    if not all("run" in row or "file" in row for row in rows):
        raise InputError(f"meta: {path} has no column 'run' or 'file'; it has {', '.join(rows[0])}")
    return rows


def metadata_of(sources: list[RunSource], rows: list[dict[str, Any]]) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """{run: {column: value}} joined on `run` or `file`, and what a user should know about the join.

    Raises:
        InputError: no row matches any run.
    """
    found: dict[str, dict[str, Any]] = {}
    unmatched = []
    for row in rows:
        values = {k: v for k, v in row.items() if k not in ("run", "file", "step")}
        names = [s.run for s in sources if _matches(row, s)]
        if not names:
            unmatched.append(str(row.get("run", row.get("file"))))
        for name in names:
            before = found.setdefault(name, values)
            different = [column for column in values if before.get(column) != values[column]]
            if different:
                raise InputError(
                    f"meta: two rows give run '{name}' different values of '{different[0]}'; metadata is per run"
                )
    runs = sorted({s.run for s in sources})
    if not found:
        raise InputError(
            f"meta: no row matches a run; rows name {', '.join(unmatched[:3])}, runs are {', '.join(runs[:3])}"
        )
    notes = []
    if any("step" in row for row in rows):
        notes.append(
            "metadata: its column 'step' is not used; steps come from --steps (steps=), the files or their names"
        )
    if unmatched:
        notes.append(f"metadata: {len(unmatched)} rows match no run (first: {unmatched[0]})")
    missing = [run for run in runs if run not in found]
    if missing:
        notes.append(f"metadata: {len(missing)} runs have no row (first: {missing[0]})")
    return found, notes


def _matches(row: Mapping[str, Any], source: RunSource) -> bool:
    return str(row.get("run")) == source.run or str(row.get("file")) in source.files


def _text(path: Path, argument: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{argument}: {path} cannot be read as text ({error})") from error


def _json(path: Path, argument: str) -> Any:
    try:
        return json.loads(_text(path, argument))
    except json.JSONDecodeError as error:
        raise InputError(f"{argument}: {path} is no JSON ({error})") from error


def _cell(text: str | None) -> Any:
    """A number where the text is one, None where it is empty."""
    if text is None or not text.strip():
        return None
    for convert in () if "_" in text else (int, float):
        try:
            return convert(text)
        except ValueError:
            continue
    return text.strip()


def _parsed(cells: list[str]) -> NDArray[Any]:
    values = [_cell(cell) for cell in cells]
    return np.asarray(values if all(isinstance(v, (int, float)) for v in values) else cells)


def read_matrix(path: Path) -> NDArray[Any]:
    """A matrix [P, P] from .npy, .npz or .csv (numbers; with or without a header line and names of rows).

    Raises:
        InputError: missing, unreadable, or not numbers.
    """
    if not path.is_file():
        raise InputError(f"matrix: {path} does not exist")
    if path.suffix in (".npy", ".npz"):
        values = read_array(path)
        if values.ndim != 2:
            raise InputError(f"matrix: {path} has shape {values.shape}, expected [P, P]")
        return values
    if path.suffix not in (".csv", ".txt"):
        raise InputError(f"matrix: {path} cannot be read; give .npy, .npz or .csv")
    rows = [[cell.strip() for cell in line.split(",")] for line in _text(path, "matrix").splitlines() if line.strip()]
    if rows and rows[0][0] == "":  # as pandas writes it: names of rows and columns
        rows = [row[1:] for row in rows[1:]]
    elif rows and len(rows) == len(rows[0]) + 1:
        rows = rows[1:]
    if len({len(row) for row in rows}) > 1:
        raise InputError(f"matrix: {path} has rows of different lengths")
    try:
        return np.asarray(rows, dtype=np.float64)
    except ValueError as error:
        raise InputError(f"matrix: {path} holds something that is no number ({error})") from error


def points_of_rows(rows: list[dict[str, Any]], length: int) -> Points:
    """The points of a matrix from a table with one row per point, in the order of the matrix.

    Raises:
        InputError: another number of rows than points.
    """
    if len(rows) != length:
        raise InputError(f"meta: {len(rows)} rows for a matrix of {length} points; give one row per point, in order")
    names = [str(row.get("run", row.get("file"))) for row in rows]
    steps = [[row.get("step") or 0] for row in rows]
    if not all(isinstance(step, int) for [step] in steps):
        raise InputError("meta: the column 'step' must hold whole numbers")
    return Points.of_runs(names, steps, rows)
